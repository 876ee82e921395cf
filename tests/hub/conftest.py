"""Fixtures: a hub on this machine, and a client that may go to it and to nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from bayling_lite.hub import Hub, Patience
from benchmarks.loopback_hub import LoopbackHub

MakeHub = Callable[..., Hub]

QUICK = Patience(part=256 * 1024, stall=2.0, tries=4, first_wait=0.01, longest_wait=0.05, longest_asked_wait=5)


@pytest.fixture(autouse=True)
def _no_token_and_no_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "shared-cache"))
    # All tests are offline; these talk to this machine.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    use_endpoint(monkeypatch, "http://127.0.0.1:9")


@pytest.fixture(autouse=True, scope="session")
def _connections_are_closed() -> Iterator[None]:
    yield
    huggingface_hub.close_session()


def use_endpoint(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """What ``HF_ENDPOINT`` does, which huggingface-hub reads only once."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")


@pytest.fixture
def server() -> Iterator[LoopbackHub]:
    """A hub on this machine."""
    with LoopbackHub() as hub:
        yield hub


@pytest.fixture
def make_hub(server: LoopbackHub) -> MakeHub:
    """A client of the server; the arguments are :class:`Hub`'s."""

    def make(**options: object) -> Hub:
        return Hub(**{"endpoint": server.endpoint, "patience": QUICK, **options})  # type: ignore[arg-type]

    return make


@pytest.fixture
def hub(make_hub: MakeHub) -> Hub:
    """A client of the server."""
    return make_hub()
