"""Pictures of the chat for the documentation, from a real terminal session with the embedded model.

usage: python -m tools.screenshots [FOLDER]

Runs ``bayling-chat`` in tmux, types what each scene says, and draws what then stands on the screen, once on a light
ground and once on a dark one. Needs tmux, fontconfig and a font with Chinese characters, and Pillow.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chat.tmux import CHAT, Terminal
from tools.cells import read_cells
from tools.drawing import DARK, LIGHT, NoFont, draw, save

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"

_PROMPT = re.compile(r"(?:[a-z]{2})?>(?: (.*))?$")

# The tokens in the context, in the bottom line of any language.
_COUNTED = re.compile(r"\d/\d")

# Seconds until a menu of completions, which comes a moment after the last key, stands there.
_SETTLED = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture: what is typed, and the size of the window. ``typed`` stands at the last prompt and is not entered."""

    name: str
    options: tuple[str, ...]
    lines: tuple[str, ...]
    typed: str = ""
    columns: int = 98
    rows: int = 25


SCENES = (
    Scene(
        "chinese",
        ("--to", "zh"),
        (
            "Could you please help me with my homework?",
            'use "作业"',
            "/diff",
            "Thank you for your help.",
            '"你" should be "您"',
            "/diff",
            "/alt 3",
        ),
        rows=30,
    ),
    Scene(
        "german",
        ("--to", "de"),
        (
            "Can you tell me where the station is?",
            '"das Bahnhof" should be "der Bahnhof"',
            "/diff",
            "/use Krankenhaus=hospital",
            "My sister works in a hospital.",
            "/back",
        ),
        typed="/ex",
    ),
    Scene(
        "chinese-interface",
        ("--to", "en", "--lang", "zh"),
        ("你能帮我吗？", "我想学习德语。", "把want改成would like", "/diff", "/undo", "/redo", "/help to"),
        rows=27,
    ),
)


def main() -> int:
    """Make the pictures and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args().folder
    try:
        for scene in SCENES:
            lines = read_cells(played(scene))
            for theme in (LIGHT, DARK):
                path = folder / f"{scene.name}-{theme.name}.png"
                save(draw(lines, scene.columns, theme, "bayling-chat"), path)
                print(f"{path}  {path.stat().st_size / 1000:.0f} KB")
    except NoFont as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def played(scene: Scene) -> str:
    """The screen, with its colours, after all of the scene has been typed and answered."""
    with tempfile.TemporaryDirectory() as folder, _terminal(Path(folder)) as terminal:
        # Once before, for what is said to a new user alone.
        terminal.run((*CHAT, "--prompt", "Hello.", *scene.options))
        terminal.wait_for("status=0")
        _play(scene, terminal)
        time.sleep(_SETTLED)
        return terminal.screen(colours=True)


def played_text(scene: Scene, folder: Path) -> str:
    """What a new user sees in a scene that ends with ``/bye``; the chat runs in ``folder``."""
    with _terminal(folder) as terminal:
        _play(scene, terminal)
        return terminal.wait_for("status=").partition("status=")[0].rstrip()


def _play(scene: Scene, terminal: Terminal) -> None:
    terminal.resize(scene.columns, scene.rows)
    terminal.run((*CHAT, *scene.options))
    terminal.wait_for(lambda screen: _COUNTED.search(screen) is not None)  # the model is there
    for line in scene.lines:
        _type(terminal, line)
        terminal.press("Enter")
        terminal.wait_for(lambda screen: _typed(screen) == "" or "status=" in screen)
    _type(terminal, scene.typed)


def _type(terminal: Terminal, text: str) -> None:
    if text:
        terminal.type(text)
        terminal.wait_for(lambda screen: bool(_typed(screen)))


def _typed(screen: str) -> str | None:
    """What stands behind the last prompt; None where there is no prompt."""
    found = [prompt for line in screen.splitlines() if (prompt := _PROMPT.match(line))]
    return (found[-1][1] or "").strip() if found else None


@contextmanager
def _terminal(folder: Path) -> Iterator[Terminal]:
    environment = {
        "BAYLING_HOME": str(folder / "home"),
        "BAYLING_LANG": "en",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "COLORTERM": "truecolor",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }
    terminal = Terminal(folder, environment)
    try:
        yield terminal
    finally:
        terminal.close()


if __name__ == "__main__":
    sys.exit(main())
