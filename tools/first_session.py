"""The documentation's first session: somebody who has only ``/help`` translates, refines, compares and exports.

usage: python -m tools.first_session [--check]

Types the session into the real ``bayling-chat`` in tmux with the embedded model, and writes what stood on the screen to
docs/first-session.md. ``--check`` writes nothing and ends with status 1 where the page says anything else.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
import tempfile
from pathlib import Path

from tests.chat.tmux import CHAT, Terminal

PAGE = Path(__file__).parents[1] / "docs" / "first-session.md"

_PARAGRAPH = "Thank you for your letter. We will meet tomorrow at the station. Please call me."
LINES = (
    "/help",
    "/to zh",
    _PARAGRAPH,
    'use "火车站"',
    "/diff",
    '"你" should be "您"',
    "/undo",
    "/redo",
    "/use 花园=garden",
    "The children are playing in the garden.",
    "/alt 2",
    "/back",
    "/export first.md",
    "/export first.tmx",
)
_COLUMNS, _ROWS = 100, 250  # all of it on one screen

_BEFORE = """\
# A first session

This is what somebody sees who has just installed bayling-lite and knows nothing but that `/help` helps: a paragraph is
translated, a word asked for, a term fixed for good, a change undone, versions compared, the result exported. It was
typed into a real terminal by `python -m tools.first_session`, and the tests type it again and compare. The model is the
embedded demonstrator, `bayling-tiny`; a [real model](../README.md#a-real-model) translates better.

```
"""
_AFTER = """\
```

What was exported, as Markdown:

```
{exported}```
"""


def page() -> str:
    """The page, made by running the session."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        screen = _played(folder)
        exported = (folder / "first.md").read_text(encoding="utf-8")
    return _BEFORE + screen + "\n" + _AFTER.format(exported=_without_times(exported))


def _played(folder: Path) -> str:
    """What stands on the screen when all has been typed and answered."""
    environment = {"BAYLING_HOME": str(folder / "home"), "BAYLING_LANG": "en", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    terminal = Terminal(folder, environment | {"PYTHONPATH": str(PAGE.parents[1])})
    try:
        terminal.resize(_COLUMNS, _ROWS)
        terminal.run(CHAT)
        terminal.wait_for("tokens")  # the model is there
        for line in LINES:
            answered = functools.partial(_answered, prompts=len(_prompts(terminal.screen())))
            terminal.line(line)
            terminal.wait_for(answered)
        terminal.press("C-d")
        return terminal.wait_for("status=0").partition("status=0")[0].strip()
    finally:
        terminal.close()


def _answered(screen: str, prompts: int) -> bool:
    """Whether there are more prompts than that, and the last is waiting."""
    found = _prompts(screen)
    return len(found) > prompts and not found[-1].strip()


def _prompts(screen: str) -> list[str]:
    """What stands behind each prompt of a screen."""
    return re.findall(r"^(?:[a-z]{2})?>(.*)$", screen, flags=re.MULTILINE)


def _without_times(exported: str) -> str:
    """Without the line of what is another each time: the hour, and the session's id."""
    return re.sub(r"^.* · session \w+\n\n", "", exported, flags=re.MULTILINE)


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where the page differs")
    made = page()
    if parser.parse_args().check:
        return int(PAGE.read_text(encoding="utf-8") != made)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(made, encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
