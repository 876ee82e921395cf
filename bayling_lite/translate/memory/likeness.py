"""When two texts are the same, and how alike they are."""

from __future__ import annotations

import importlib.util
import itertools
import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence

from bayling_lite.translate.markup import FIRST_CODE, LAST_CODE, CodeKind, Marked, code_character

KINDS: tuple[CodeKind, ...] = ("open", "close", "alone")
_CODE = re.compile(f"[{chr(FIRST_CODE)}-{chr(LAST_CODE)}]")
# Scripts without spaces between words: there a character is a token.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_IS_WIDE = re.compile(f"[{_UNSPACED}\u3000-\u303f\uff00-\uffef]")
_BREAK = re.compile(r"[^\S\r\n]*[\r\n]\s*")
# Of fewer tokens, a text may share no pair of neighbours with one that is very like it.
_SHORTEST_PAIRED = 9
_LONGEST_WITH_CHARACTERS = 13  # so long is what is like it by 0.7


def can_compare() -> bool:
    """Whether rapidfuzz, which compares texts, is installed."""
    return importlib.util.find_spec("rapidfuzz") is not None


def likeness(left: Sequence[str], right: Sequence[str], least: float) -> float:
    """How alike two texts are by their tokens, 0 to 1: one less the part of the longer one that has to be edited.

    Anything below ``least`` counts as 0.
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(left, right, score_cutoff=least)


def tokens(text: str) -> list[str]:
    """The words of a text, in small letters, its signs, and in scripts without spaces its characters."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())


def terms(of: Sequence[str], language: str) -> list[str]:
    """What a text with these tokens is found by: its words, and in scripts without spaces the pairs of neighbours.

    A short text is found by its characters too. Each term is there once, as a number in hex, which is all an index
    needs; another language has others.
    """
    return _numbers(
        [*_words(of), *_pairs(of), *(_characters(of) if len(of) <= _LONGEST_WITH_CHARACTERS else ())], language
    )


def wanted_terms(of: Sequence[str], language: str, least: float) -> tuple[list[str], int]:
    """The terms to look a text up by; of how many, whichever they are, every text as alike as ``least`` has one.

    So many tokens can be missing from the other text, and each takes a word or a character with it, or two pairs.
    """
    missing = int((1 - least) * len(of) + 1e-9)
    if len(of) < _SHORTEST_PAIRED:
        return _numbers([*_words(of), *_characters(of)], language), missing + 1
    pairs = list(_pairs(of))
    return _numbers([*_words(of), *pairs], language), missing * (2 if pairs else 1) + 1


def _words(of: Sequence[str]) -> Iterator[str]:
    return (token for token in of if token[0].isalnum() and not _IS_UNSPACED.match(token))


def _characters(of: Sequence[str]) -> Iterator[str]:
    return filter(_IS_UNSPACED.match, of)


def _pairs(of: Sequence[str]) -> Iterator[str]:
    for left, right in itertools.pairwise(of):
        if _IS_UNSPACED.match(left) and _IS_UNSPACED.match(right):
            yield left + right


def _numbers(found: Sequence[str], language: str) -> list[str]:
    coded = (f"{language} {term}".encode("utf-8", "surrogatepass") for term in dict.fromkeys(found))
    return [f"{zlib.crc32(term):x}" for term in coded]


def normalized(text: str) -> str:
    """The text in NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def unwrapped(text: str) -> str:
    """The text on one line; between characters of a script without spaces, a line break is no space."""

    def joint(found: re.Match[str]) -> str:
        around = text[found.start() - 1 : found.start()] + text[found.end() : found.end() + 1]
        return "" if len(around) == 2 and all(map(_IS_WIDE.match, around)) else " "

    return _BREAK.sub(joint, text)


def without_codes(text: str) -> str:
    """The text alone, with single spaces."""
    return normalized(_CODE.sub("", text))


# In a memory, a code is a character that says which code of its unit it is, and of what kind: what it encloses is the
# business of the document that it came from. In a skeleton, codes are numbered as they come.


def stored(text: Marked) -> str:
    """A text of a unit as a memory keeps it; its codes are told apart by their pairs."""

    def character(found: re.Match[str]) -> str:
        code = text.code(found[0])
        return _character(code.pair, KINDS.index(code.kind))

    return _CODE.sub(character, text.text)


def marked_skeleton(text: Marked) -> tuple[str, dict[tuple[int, int], str]]:
    """A text's skeleton, and which code character stands for (number, kind)."""
    numbers: dict[object, int] = {}
    characters: dict[tuple[int, int], str] = {}

    def character(found: re.Match[str]) -> str:
        code = text.code(found[0])
        identity = found[0] if code.kind == "alone" else code.pair
        place = numbers.setdefault(identity, len(numbers)), KINDS.index(code.kind)
        characters[place] = found[0]
        return _character(*place)

    return _CODE.sub(character, text.text), characters


def stored_skeleton(text: str) -> tuple[str, dict[int, int]]:
    """The skeleton of a stored text, and which number its unit's codes have in it."""
    numbers: dict[int, int] = {}

    def character(found: re.Match[str]) -> str:
        number, kind = _place(found[0])
        return _character(numbers.setdefault(number, len(numbers)), kind)

    return _CODE.sub(character, text), numbers


def restored(
    target: str, numbers: dict[int, int], characters: dict[tuple[int, int], str], source: Marked
) -> Marked | None:
    """A stored translation with the codes of a document; None where it has not the same ones.

    ``numbers`` are those of its unit in the source's skeleton, ``characters`` what the document has in their place.
    """
    used: list[str] = []
    opened: set[int] = set()
    for found in _CODE.finditer(target):
        number, kind = _place(found[0])
        place = numbers.get(number, -1), kind
        if place not in characters:
            return None
        whole = (place[0], 0) in characters and (place[0], 1) in characters
        if kind == 1 and whole and place[0] not in opened:
            return None
        if kind == 0:
            opened.add(place[0])
        used.append(characters[place])
    if sorted(used) != sorted(characters.values()):
        return None
    replacements = iter(used)
    return source.replaced(_CODE.sub(lambda _: next(replacements), target))


def _character(number: int, kind: int) -> str:
    return code_character(3 * number + kind)


def _place(character: str) -> tuple[int, int]:
    return divmod(ord(character) - FIRST_CODE, 3)
