"""What kind of mistake it is that some words stand in a draft and others are to be in their place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from bayling_finetune.dialogues.inflection import ARTICLES, AUXILIARIES, MEASURES, PARTICLES, same_word
from bayling_finetune.dialogues.numerals import number

_BEFORE_MEASURES = frozenset("一二两三四五六七八九十几这那每某各哪0123456789")


class Change(StrEnum):
    """What was wrong with the words of an edit."""

    WRONG = "wrong"  # other words are right
    MISSING = "missing"
    EXTRA = "extra"
    NUMBER = "number"  # the same but for its numbers
    GRAMMAR = "grammar"  # other forms of the same words, articles, auxiliaries, particles, measure words, order
    CASE = "case"  # capital letters
    PUNCTUATION = "punctuation"  # and spaces: no word changes


def classify(old: Sequence[str], new: Sequence[str], code: str) -> Change:
    """The kind of mistake, from the words of a draft and those that are to be in their place."""
    if list(old) == list(new):
        return Change.PUNCTUATION
    before, after = [word.casefold() for word in old], [word.casefold() for word in new]
    if before == after:
        return Change.CASE
    if _is_grammar(before, after, code):
        return Change.GRAMMAR
    if not before:
        return Change.MISSING
    if not after:
        return Change.EXTRA
    return Change.NUMBER if _other_numbers(before, after, code) else Change.WRONG


def _is_grammar(old: Sequence[str], new: Sequence[str], code: str) -> bool:
    if sorted(old) == sorted(new):
        return True  # the order
    if code == "zh":
        return _is_chinese_grammar(old, new)
    articles, helpers = ARTICLES.get(code, frozenset()), ARTICLES.get(code, frozenset()) | AUXILIARIES.get(code, set())
    if all(word in articles for word in (*old, *new)):
        return True
    for left_out in (frozenset[str](), articles, helpers):
        was, is_ = _without(old, left_out), _without(new, left_out)
        if len(was) == len(is_) > 0 and all(same_word(one, other, code) for one, other in zip(was, is_, strict=True)):
            return True
    return False


def _without(found: Sequence[str], left_out: Collection[str]) -> list[str]:
    return [word for word in found if word not in left_out]


def _is_chinese_grammar(old: Sequence[str], new: Sequence[str]) -> bool:
    was, is_ = "".join(old), "".join(new)
    bare = [text.translate(_NO_PARTICLES) for text in (was, is_)]
    if bare[0] == bare[1]:
        return True
    return len(old) == len(new) and all(
        one == other or _are_measures(one, other) for one, other in zip(old, new, strict=True)
    )


_NO_PARTICLES = dict.fromkeys(map(ord, PARTICLES))


def _are_measures(one: str, other: str) -> bool:
    """``一个`` and ``一只``, ``个`` and ``只``."""
    if not one or not other or one[:-1] != other[:-1]:
        return False
    counted = all(character in _BEFORE_MEASURES for character in one[:-1])
    return counted and one[-1] in MEASURES and other[-1] in MEASURES


def _other_numbers(old: Sequence[str], new: Sequence[str], code: str) -> bool:
    if code == "zh":  # the segmenter may leave what is counted with the number
        old, new = _without_common_ends("".join(old), "".join(new))
    if len(old) != len(new):
        return False
    for one, other in zip(old, new, strict=True):
        if one == other:
            continue
        first, second = number(one, code), number(other, code)
        if first is None or second is None or first == second:
            return False
    return True


def _without_common_ends(one: str, other: str) -> tuple[list[str], list[str]]:
    """What remains of two texts without what both begin and end with."""
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    return [one], [other]
