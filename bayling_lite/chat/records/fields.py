"""Values as JSON, field by field, and back: what a session tells of itself, and what other parts are made of.

The JSON is ASCII alone, so that whatever was typed or answered, lone surrogates and NUL included, comes back as it was.
Fields that are not there have their default, and fields that are not known are passed over: a file of a version before
or after this one can be read as far as it says the same.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import Language, find_language
from bayling_lite.localization import _

VERSION = 1
_LAST_SECOND = 250_000_000_000.0  # in the year 9892: a time of any zone is still one that Python can write
_ENUMS = {"kind": Kind, "rule": Rule}
_LANGUAGES = ("source", "target")
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "formality": (None, "formal", "informal"),
    "length": ("", "shorter", "longer"),
}
_PAIRS = ("terms", "glossary_terms")

T = TypeVar("T", Plan, Preferences, Position)


def dumped(value: Mapping[str, Any]) -> str:
    """A JSON value as text."""
    return json.dumps({"version": VERSION, **value}, ensure_ascii=True, separators=(",", ":"))


def loaded(text: str) -> dict[str, Any]:
    """The JSON value of a text.

    Raises:
        InputError: it is none, or was written by a newer bayling-lite.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(_("A kept session is damaged: {error}.", error=error)) from error
    if not isinstance(value, dict):
        raise InputError(_("A kept session is damaged: {error}.", error="no object"))
    version = value.pop("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise InputError(_("This was kept by a newer bayling-lite. Update bayling-lite to read it."))
    return value


def fields_json(value: Plan | Preferences | Position) -> dict[str, Any]:
    """A plan, preferences or a position; what has its default is left out."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if item != field.default:
            found[field.name] = item.code if isinstance(item, Language) else item
    return found


def from_fields(kind: type[T], value: Mapping[str, Any]) -> T:
    """What :func:`fields_json` was made from.

    Raises:
        InputError: it says something that cannot be.
    """
    try:
        fields = [field for field in dataclasses.fields(kind) if field.name in value]
        return kind(**{field.name: _field(field.name, value[field.name], field.default) for field in fields})
    except (TypeError, ValueError, UsageError) as error:
        raise InputError(_("A kept session is damaged: {error}.", error=error)) from error


def _field(name: str, value: Any, default: Any) -> Any:
    if name in _ENUMS and value is not None:
        return _ENUMS[name](value)
    if name in _LANGUAGES and value is not None:
        return find_language(text_from_json(value))
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise ValueError(f"no {name} {value!r:.40}")
        return value
    if name in _PAIRS:
        return pairs_from_json(value)
    if isinstance(default, tuple):
        return texts_from_json(value)
    if value is None and default is None:
        return None
    if isinstance(default, bool):
        return bool(value)
    return text_from_json(value)


def text_from_json(value: Any) -> str:
    """A text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"a text is wanted, not {value!r:.40}")
    return value


def texts_from_json(value: Any) -> tuple[str, ...]:
    """A list of texts.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is wanted, not {value!r:.40}")
    return tuple(map(text_from_json, value))


def pairs_from_json(value: Any) -> tuple[tuple[str, str], ...]:
    """A list of pairs of words, which are texts that are not empty.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is wanted, not {value!r:.40}")
    pairs = []
    for pair in value:
        first, second = texts_from_json(pair)
        if not first.strip() or not second.strip():
            raise ValueError("an empty word")
        pairs.append((first, second))
    return tuple(pairs)


def number_from_json(value: Any, *, below: float) -> float:
    """A number from 0 on.

    Raises:
        TypeError, ValueError: it is none.
    """
    # Compared as it is: one of hundreds of digits can be made neither a float nor a text.
    if not 0 <= value < below:
        raise ValueError(f"a number from 0 to {below:.0f} is wanted")
    number: float = value
    return number


def seconds_from_json(value: Any) -> float:
    """Seconds, since 1970 or of a duration.

    Raises:
        TypeError, ValueError: they are none, or no calendar has them.
    """
    return float(number_from_json(value, below=_LAST_SECOND))
