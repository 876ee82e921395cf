"""The chat with a scripted engine, as a program: what the tests of the terminal drive.

usage: scripted_chat.py '{"to": "de", "delay": 0.05, "responses": ["..."]}'

With ``"gate": "FILE"`` the model is loading until FILE exists; with ``"missing": true`` it then cannot be opened.
``"others": {"name": ["..."]}`` are models for ``/model``, each of which loads until a file of its name exists; one
without answers cannot be opened.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bayling_lite.chat.beginning import ChatOptions
from bayling_lite.chat.models import FoundModel
from bayling_lite.chat.screens import terminal
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.languages import find_language
from bayling_lite.settings import Settings


def main(script: dict[str, Any]) -> int:
    def open_engine() -> ScriptedEngine:
        while "gate" in script and not Path(script["gate"]).exists():
            time.sleep(0.02)
        if "notice" in script:
            click.echo(script["notice"], err=True)
        if script.get("missing"):
            raise ModelNotFound("There is no such model: nowhere.gguf.")
        info = ModelInfo("scripted", "bayling", n_ctx=script.get("n_ctx", 4096))
        return ScriptedEngine(script.get("responses", []), delay=script.get("delay", 0.0), info=info)

    target = find_language(script["to"]) if "to" in script else None
    options = ChatOptions(Preferences(target=target), models=Others(script.get("others", {})))
    return terminal.run(open_engine, options, Settings.load().state_dir / "history")


class Others:
    """A :class:`~bayling_lite.chat.models.Models`; see above."""

    def __init__(self, scripts: dict[str, list[str]]) -> None:
        self._scripts = scripts

    def find(self, name: str) -> FoundModel:
        def opened() -> ScriptedEngine:
            while not Path(name).exists():
                time.sleep(0.02)
            if not self._scripts[name]:
                raise ModelUnreadable(f"{name} is broken.")
            return ScriptedEngine(self._scripts[name], info=ModelInfo(name, "bayling", n_ctx=512))

        return FoundModel(name, opened)

    def names(self) -> Iterable[tuple[str, str]]:
        return [(name, "scripted") for name in self._scripts]


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(json.loads(sys.argv[1])))
