"""Terminals for the tests that drive one, closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat.tmux import MAKE_TERMINAL, ROOT, Terminal


@pytest.fixture
def make_terminal(tmp_path: Path) -> Iterator[MAKE_TERMINAL]:
    """Open a terminal of a user whose home is empty; the arguments are more of its environment."""
    opened: list[Terminal] = []

    def make(**more: str) -> Terminal:
        environment = {
            "BAYLING_HOME": str(tmp_path / "home"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            **more,
        }
        opened.append(Terminal(tmp_path, environment))
        return opened[-1]

    yield make
    for terminal in opened:
        terminal.close()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """The file whose appearance ends the loading of the scripted model."""
    return tmp_path / "gate"
