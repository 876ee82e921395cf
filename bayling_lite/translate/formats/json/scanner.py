"""Where the strings of a JSON text stand. It never recurses, so no depth of nesting can harm it."""

from __future__ import annotations

import json.decoder
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from bayling_lite.errors import InputError

DEEPEST = 1000
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|NaN|-?Infinity", re.ASCII)
_BYTE_ORDER_MARK = "\ufeff"

Step = str | int


@dataclass(frozen=True, slots=True)
class JsonString:
    """A string that is a value: from quote to quote, both included. ``path`` are the keys and indices above it."""

    start: int
    end: int
    value: str
    path: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class JsonScalar:
    """A number, ``true``, ``false`` or ``null``."""

    start: int


Item = JsonString | JsonScalar


def scan(text: str, name: str) -> Iterator[Item]:
    """The strings and scalars of a JSON text or of JSON Lines, in order; of objects the values, not the keys.

    Several values may follow each other, each on a new line. ``NaN`` and ``Infinity`` are taken as Python writes them.

    Raises:
        InputError: it is not JSON, or nested more than 1,000 deep; with the place.
    """
    at = _skip(text, 1 if text.startswith(_BYTE_ORDER_MARK) else 0)
    if at == len(text):
        raise InputError(f"{name} is empty, and no JSON.")
    while at < len(text):
        at = yield from _value(text, at, name)
        end = at
        at = _skip(text, at)
        if at < len(text) and not _has_line_break(text, end, at):
            raise _damage(text, at, name, "nothing more should follow on this line")


def _has_line_break(text: str, start: int, end: int) -> bool:
    return text.find("\n", start, end) >= 0 or text.find("\r", start, end) >= 0


def _value(text: str, at: int, name: str) -> Generator[Item, None, int]:
    """One value with all in it; gives the place after it."""
    path: list[Step] = []  # of each open container, the key or index that is at turn
    while True:
        char = text[at : at + 1]
        if char in "{[" and char:
            at, opened = _opened(text, at, path, name)
            if opened:
                continue
        elif char == '"':
            value, end = _string(text, at, name)
            yield JsonString(at, end, value, tuple(path))
            at = end
        else:
            found = _SCALAR.match(text, at)
            if not found:
                raise _damage(text, at, name, "a value is expected")
            yield JsonScalar(at)
            at = found.end()
        at, more = _closed(text, at, path, name)
        if not more:
            return at


def _opened(text: str, at: int, path: list[Step], name: str) -> tuple[int, bool]:
    """Enter a container: the place of its first value, or the place after it where it is empty."""
    if len(path) >= DEEPEST:
        raise _damage(text, at, name, f"it is nested more than {DEEPEST} deep")
    is_object = text[at] == "{"
    at = _skip(text, at + 1)
    if text[at : at + 1] == ("}" if is_object else "]"):
        return at + 1, False
    if is_object:
        key, at = _key(text, at, name)
        path.append(key)
    else:
        path.append(0)
    return at, True


def _closed(text: str, at: int, path: list[Step], name: str) -> tuple[int, bool]:
    """After a value: the place of the next one, or, where nothing is open any more, the place after all."""
    while path:
        at = _skip(text, at)
        step = path[-1]
        char = text[at : at + 1]
        if char == ",":
            at = _skip(text, at + 1)
            if isinstance(step, int):
                path[-1] = step + 1
            else:
                path[-1], at = _key(text, at, name)
            return at, True
        if char != ("]" if isinstance(step, int) else "}"):
            raise _damage(text, at, name, f'"," or "{"]" if isinstance(step, int) else "}"}" is expected')
        path.pop()
        at += 1
    return at, False


def _key(text: str, at: int, name: str) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise _damage(text, at, name, "a key in double quotes is expected")
    key, at = _string(text, at, name)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise _damage(text, at, name, '":" is expected')
    return key, _skip(text, at + 1)


def _string(text: str, at: int, name: str) -> tuple[str, int]:
    try:
        value, end = json.decoder.scanstring(text, at + 1, True)  # type: ignore[attr-defined]
    except json.JSONDecodeError as error:
        raise _damage(text, error.pos, name, error.msg[:1].lower() + error.msg[1:].removesuffix(" at")) from error
    return value, end


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _damage(text: str, at: int, name: str, what: str) -> InputError:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return InputError(f"{name} is not JSON: line {line}, column {column}: {what}. Repair it there and try again.")
