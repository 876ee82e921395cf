"""Paths that choose values of JSON: ``title``, ``items[*].text``, ``pages[0].*``, ``**.label``, ``["a.b"].c``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayling_lite.errors import UsageError

# A path as one text, for regular expressions: each key with \x00 before it, each index with \x01.
_KEY, _INDEX = "\x00", "\x01"
_STEP = re.compile(
    r"""\.?(?: (?P<any>\*\*) | (?P<one>\*) | \[(?:(?P<index>\d+)|(?P<each>\*)|"(?P<quoted>[^"]*)"|'(?P<single>[^']*)')\]
    | (?P<key>[^.\[\]*]+) )""",
    re.VERBOSE,
)


def written_path(path: Sequence[str | int]) -> str:
    """A path as a person writes it: ``items[0].text``."""
    pieces: list[str] = []
    for step in path:
        if isinstance(step, int):
            pieces.append(f"[{step}]")
        elif re.fullmatch(r"[^.\[\]*\s]+", step):
            pieces.append(f".{step}" if pieces else step)
        else:
            pieces.append(f'["{step}"]')
    return "".join(pieces)


class PathChoice:
    """The paths a user asks for.

    Raises:
        UsageError: one of them cannot be read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._pattern = re.compile("|".join(f"(?:{_compiled(path)})" for path in paths), re.DOTALL)

    def has(self, path: Sequence[str | int]) -> bool:
        """Whether one of them chooses this one."""
        joined = "".join(f"{_INDEX}{step}" if isinstance(step, int) else _KEY + _plain(step) for step in path)
        return self._pattern.fullmatch(joined) is not None


def _plain(key: str) -> str:
    return key.replace(_KEY, " ").replace(_INDEX, " ")


def _compiled(path: str) -> str:
    rest = path.strip().removeprefix("$").removeprefix(".") or path
    pieces: list[str] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if not found:
            raise UsageError(
                f"{path!r} is not a path of JSON. Paths look like title, items[*].text, pages[0].title or **.label."
            )
        pieces.append(_step(found))
        at = found.end()
    return "".join(pieces)


def _step(found: re.Match[str]) -> str:
    if found["any"]:
        return r"(?:[\x00\x01][^\x00\x01]*)*"
    if found["one"]:
        return r"[\x00\x01][^\x00\x01]*"
    if found["each"]:
        return r"\x01\d+"
    if found["index"]:
        return rf"\x01{int(found['index'])}(?!\d)"
    key = next(found[group] for group in ("quoted", "single", "key") if found[group] is not None)
    return r"\x00" + re.escape(_plain(key))
