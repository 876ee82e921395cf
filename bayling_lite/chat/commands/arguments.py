"""What is typed after a command: a number, a path, a word, or that something is to end."""

from __future__ import annotations

from pathlib import Path

from bayling_lite.errors import UsageError
from bayling_lite.localization import _

OFF = ("off", "none", "关", "关闭", "无", "不用")
"""What ends what is in force."""

_MOST_DIGITS = 9


def count_of(argument: str, default: int, *, most: int = 0) -> int:
    """The number that a command got.

    Raises:
        UsageError: it is none, or out of range.
    """
    if not argument:
        return default
    small = argument.isdecimal() and len(argument) <= _MOST_DIGITS
    if not small or not int(argument) or (most and int(argument) > most):
        limits = _("from 1 to {most}", most=most) if most else _("from 1 on")
        raise UsageError(_("That takes a whole number {limits}, not “{argument}”.", limits=limits, argument=argument))
    return int(argument)


def path_of(argument: str) -> Path:
    """The path that was typed, perhaps in quotation marks or from the home directory (``~``).

    Raises:
        UsageError: it begins with the home directory of nobody.
    """
    path = Path(unquoted(argument))
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UsageError(_("There is no home directory for {path}.", path=path)) from error


def unquoted(text: str) -> str:
    """What was typed, without the quotation marks around it."""
    text = text.strip()
    pairs = ('""', "''", "“”", "„“", "«»", "「」")
    return text[1:-1].strip() if len(text) > 2 and text[0] + text[-1] in pairs else text
