"""What the kinds of tokenizers have in common: how a text goes on, and how it is kept from becoming a special token."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bayling_lite.errors import RecipeError

Encode = Callable[[Sequence[str]], list[list[int]]]

# A line break is what stands before most texts; no vocabulary joins a control character to anything.
_BEFORE = ("\n", "\x02")


def continued(encode: Encode, texts: Sequence[str]) -> list[list[int]]:
    """Encode texts that continue a prompt with an ``encode`` that puts a space before every text it is given.

    They are given with a line break before them, and the ids of space and line break are dropped: as it is done when
    the model runs.
    """
    results: dict[int, list[int]] = {}
    left = [number for number, text in enumerate(texts) if text]
    for before in _BEFORE:
        (known,) = encode([before])
        encoded = encode([before + texts[number] for number in left])
        for number, ids in zip(left, encoded, strict=True):
            if ids[: len(known)] == known:
                results[number] = ids[len(known) :]
        left = [number for number in left if number not in results]
        if not left:
            break
    results.update(zip(left, encode([texts[number] for number in left]), strict=True))
    return [results.get(number, []) for number in range(len(texts))]


def apart(text: str, name: str) -> list[str]:
    """A text cut inside every occurrence of a token's name, behind its first character."""
    first, *rest = text.split(name)
    pieces = [first, *(name[1:] + piece for piece in rest)]
    pieces[:-1] = [piece + name[0] for piece in pieces[:-1]]
    return pieces


def no_special(token: str) -> RecipeError:
    """The template is for another vocabulary."""
    return RecipeError(
        f"The tokenizer has no special token {token!r}, which the template needs. Name the template that fits the base."
    )
