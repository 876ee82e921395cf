"""How the values of a recipe say that they cannot be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from bayling_lite.errors import RecipeError


def require(condition: bool, message: str) -> None:
    """Refuse a value.

    Raises:
        RecipeError: the condition does not hold; ``message`` names the key, dotted.
    """
    if not condition:
        raise RecipeError(message)


def choice(key: str, value: str, known: Iterable[str]) -> None:
    """Refuse a value that is not one of those known.

    Raises:
        RecipeError: it is not; what was probably meant is named.
    """
    names = tuple(known)
    require(value in names, f"{key} must be one of {', '.join(names)}, not {value!r}.{meant(value, names)}")


def meant(value: str, known: Iterable[str]) -> str:
    """What a misspelt name probably was to be, as a sentence with a space before it; empty when nothing is like it."""
    near = difflib.get_close_matches(value, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
