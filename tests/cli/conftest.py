"""Fixtures: ``bayling translate`` and ``bayling evaluate`` as they are typed, and a hub for the commands that fetch."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import huggingface_hub
import pytest
from huggingface_hub import constants

from bayling_lite.cli import main
from benchmarks.loopback_hub import LoopbackHub
from tests.conftest import MAKE_MODEL
from tests.hub.conftest import use_endpoint

Run = Callable[..., tuple[int, str, str]]


class Outcome(NamedTuple):
    """What came of a command: exit status, standard output, standard error."""

    status: int
    out: bytes
    err: str


Translate = Callable[..., Outcome]
Evaluate = Callable[..., tuple[int, list[str], str]]


class _Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes, *, tty: bool) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.fixture
def translate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Translate:
    """Run ``bayling translate ...`` in this process, in an empty folder; BAYLING_MODEL names the model."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, stdin: bytes = b"", tty: bool = False) -> Outcome:
        monkeypatch.setattr(sys, "stdin", _Stdin(stdin, tty=tty))
        with pytest.raises(SystemExit) as exited:
            main(["translate", *arguments])
        captured = capfdbinary.readouterr()
        assert isinstance(exited.value.code, int)
        return Outcome(exited.value.code, captured.out, captured.err.decode())

    return call


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling models ...``: exit status, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main(["models", *arguments])
        assert isinstance(exited.value.code, int)
        return (exited.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """A hub on this machine, which huggingface-hub takes for the only one."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "shared-cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with LoopbackHub() as hub:
        use_endpoint(monkeypatch, hub.endpoint)
        yield hub
    huggingface_hub.close_session()


@pytest.fixture(scope="session")
def answering_b(make_model: MAKE_MODEL) -> Path:
    """Answers ``B`` to everything."""
    return make_model(chain=("<0x0A>", "B", "</s>"))


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """Run ``bayling evaluate ...`` in an empty folder: exit status, lines of standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as exited:
            main(["evaluate", *arguments])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    return call
