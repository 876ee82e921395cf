"""Sentences for people on standard error: safe for a terminal, and broken between words where it ends."""

from __future__ import annotations

import re
import shutil
import sys

import click

from bayling_lite.terminal import printable

# A command that is copied from two lines is two commands: from its name to the end of what belongs to it.
_WHOLE_COMMAND = r"(?:(?<=: )|(?<=, or )|(?<=：))(?:bayling|bayling-chat|hf|pip) .*?(?= \(|[.;,](?: |$)|[（。；，]|$)"
_COMMAND = re.compile(rf"{_WHOLE_COMMAND}|`[^`\n]*`|--[a-z-]+ [A-Z]+\b|(?<!\S)/[a-z]+ [a-z]+", re.MULTILINE)
_TIED = "\x00"


def say(text: str, *, keep: str = "") -> None:
    """Write a paragraph to standard error; of control characters only those in ``keep`` stay."""
    text = printable(text, keep=keep)
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    click.echo(text if width is None else wrapped(text, width), err=True)


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most ``width`` cells, broken at spaces, in Chinese between characters, and not inside a
    command.

    What is longer without such a place goes on where the terminal breaks it, which is how it can be copied.
    """
    return "\n".join(_broken(line, width) for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    from prompt_toolkit.utils import get_cwidth

    from bayling_lite.chat.screens.wrapping import units

    if get_cwidth(line) <= width:
        return line
    commands = iter(_COMMAND.findall(line))
    lines, filled = [""], 0
    for tied in units(_COMMAND.sub(_TIED, line)):
        word = re.sub(_TIED, lambda _found: next(commands), tied)
        cells = get_cwidth(word)
        if filled and filled + cells > width:
            word = word.lstrip()
            cells = get_cwidth(word)
            lines.append("")
            filled = 0
        lines[-1] += word
        filled += cells
    return "\n".join(lines)
