"""How a text addresses people: Chinese 你 and 您, German du and Sie, French tu and vous.

Only Chinese can be changed for certain, as its verbs do not agree; of German and French it is only told which form a
text has, so that two translations can be set against each other.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from enum import Enum

from bayling_finetune.dialogues.styles.values import Variant
from bayling_finetune.dialogues.wording import Style


class Address(Enum):
    """How one is addressed."""

    FAMILIAR = "familiar"
    POLITE = "polite"


STYLES: dict[str, dict[Address, Style]] = {
    "zh": {Address.POLITE: Style.NIN, Address.FAMILIAR: Style.NI},
    "de": {Address.POLITE: Style.SIE, Address.FAMILIAR: Style.DU},
    "fr": {Address.POLITE: Style.VOUS, Address.FAMILIAR: Style.TU},
}
"""What the forms are called, by language."""

# 迷你 (mini), and sayings in which it is nobody in particular.
_FIXED = re.compile(r"迷你|你死我活|你来我往|你追我赶|你情我愿|你争我夺|你一言|你中有我|我中有你|卿卿我我")
_SINGULAR = re.compile(r"[你您](?!们)")

_MARKS = {
    "zh": (re.compile(r"你(?!们)"), re.compile(r"您")),
    "de": (
        re.compile(r"\b[Dd](?:u|ich|ir|ein(?:e[mnrs]?)?)\b"),
        # At the beginning of a sentence, Sie and Ihr may be she, they, her or their.
        re.compile(r"(?<=[\wäöüß,;] )(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)\b"),
    ),
    "fr": (
        re.compile(r"\b(?:(?:[Tt](?:u|e|oi|a|es|iens?|iennes?)|(?<!un )(?<![lc]e )(?<!du )[Tt]on)\b|[Tt]['’])"),
        re.compile(r"\b(?:[Vv](?:ous|otre|os)\b|vôtres?\b)"),
    ),
}
# Several people, where nothing is familiar or polite, or somebody else: with these in the text nothing is told.
_DOUBTFUL = {
    "zh": re.compile(r"你们"),
    "de": re.compile(r"\b(?:[Ee]uch|[Ee]u(?:er|re[mnrs]?)|ihr)\b"),
    "fr": re.compile(r"(?!)"),
}


def address(text: str, code: str) -> Address | None:
    """The form of address of a text; None where there is none, or it is not certain."""
    if code not in _MARKS or _DOUBTFUL[code].search(text):
        return None
    familiar, polite = (pattern.search(text) is not None for pattern in _MARKS[code])
    if familiar == polite:
        return None
    return Address.POLITE if polite else Address.FAMILIAR


# Forms of one verb that do not begin alike.
_IRREGULAR = frozenset(
    frozenset(pair.split()) for pair in ("bist sind", "isst essen", "iss essen", "es êtes", "vas allez", "va allez")
)
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_CHANGE = 4  # words in a row


def differ_in_address(one: str, other: str, code: str) -> bool:
    """Whether two German or French texts are the same but for the form of address and the verbs that go with it."""
    first, second = _WORD.findall(one), _WORD.findall(other)
    # Compared with their capital letters: in German these tell Sie from sie.
    changes = difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    return all(
        tag == "equal" or _goes_with_address(first[start:stop], second[begin:end], code)
        for tag, start, stop, begin, end in changes
    )


def _goes_with_address(old: Sequence[str], new: Sequence[str], code: str) -> bool:
    if max(len(old), len(new)) > _LONGEST_CHANGE:
        return False
    rest = [[word.casefold() for word in words if not _is_address(word, code)] for words in (old, new)]
    return len(rest[0]) == len(rest[1]) and all(
        (word[0] == there[0] and not _is_other_gender(word, there)) or frozenset((word, there)) in _IRREGULAR
        for word, there in zip(rest[0], rest[1], strict=True)
    )


def _is_other_gender(one: str, other: str) -> bool:
    """Whether the words differ by an e at the end, as ``habillé`` and ``habillée``, or ``gern`` and ``gerne``."""
    first, second = one.rstrip("s"), other.rstrip("s")
    return first == f"{second}e" or second == f"{first}e"


def _is_address(word: str, code: str) -> bool:
    # An elided te is followed by its apostrophe, which is no letter; after a word, Sie cannot be the first one.
    return word.casefold() == "t" or any(pattern.search(f"x {word}") for pattern in _MARKS[code])


def variants(text: str, code: str) -> list[Variant]:
    """The Chinese text with the other form of address; the plural 你们 stays as it is."""
    if code != "zh" or _FIXED.search(text):
        return []
    forms = set(_SINGULAR.findall(text))
    if forms == {"你"}:
        return [Variant(_SINGULAR.sub("您", text), Style.NIN, Style.NI)]
    if forms == {"您"} and "您们" not in text:
        return [Variant(_SINGULAR.sub("你", text), Style.NI, Style.NIN)]
    return []
