"""What is told while nothing can be counted: whom the hub asks, and what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.errors import HubError
from bayling_lite.hub import Hub
from benchmarks.loopback_hub import Fault, LoopbackHub
from tests.hub.conftest import MakeHub

pytestmark = pytest.mark.slow

HOST = "127.0.0.1"


def test_asking_and_waiting(server: LoopbackHub, make_hub: MakeHub) -> None:
    server.add("owner/name", {"config.json": b"{}", "model.safetensors": bytes(500_000)})
    server.inject("owner/name/", Fault("status", status=503), Fault("status", status=500))
    told: list[str] = []
    repository = make_hub(notice=told.append).repository("owner/name")
    assert told == [f"asking {HOST}", f"waiting for {HOST}, attempt 2 of 3", f"waiting for {HOST}, attempt 3 of 3"]
    told.clear()
    server.inject("config.json", Fault("status", status=500))
    repository.read("config.json", 10)
    assert told == ["reading config.json", f"waiting for {HOST}, attempt 2 of 4"]
    told.clear()
    repository.open("model.safetensors").read(8)
    assert told == ["reading model.safetensors"]


def test_a_silent_download(server: LoopbackHub, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayling_lite.hub.download._QUIET", 0.15)
    server.add("owner/name", {"model.gguf": bytes(60_000)})
    server.inject("model.gguf", Fault("stall", after=20_000))
    told: list[tuple[int, int, str]] = []
    hub.repository("owner/name").download("model.gguf", tmp_path, lambda *what: told.append(what))
    assert told[0] == (0, 60_000, "model.gguf")
    waiting = [words for done, _, words in told if done == 20_000 and words.startswith("waiting")]
    assert waiting[0] == f"waiting for {HOST}"
    assert told[-1] == (60_000, 60_000, "checking model.gguf")
    names = [words for _, _, words in told if not words.startswith("waiting")]
    assert set(names) == {"model.gguf", "checking model.gguf"}


def test_trouble_of_the_hub_is_no_trouble_with_the_connection(server: LoopbackHub, hub: Hub) -> None:
    server.add("owner/name", {"config.json": b"{}"})
    for fault, remedy in (
        (Fault("status", status=503), r"answers 503\. The hub has trouble of its own.*again later\.$"),
        (Fault("status", status=429, retry_after="600"), r"asks to come back in 600 seconds.*again then\.$"),
    ):
        server.always["owner/name/"] = fault
        with pytest.raises(HubError, match=remedy) as caught:
            hub.repository("owner/name")
        assert "Check the connection" not in str(caught.value)
        assert "kept" not in str(caught.value)
