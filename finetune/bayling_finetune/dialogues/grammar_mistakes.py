"""Mistakes in grammar, made on purpose by rules; the right form is the reference's.

Every function gives one place of the reference with what stands there instead, or None where it finds none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from bayling_finetune.dialogues.inflection import ARTICLES, AUXILIARIES, MEASURES, other_forms
from bayling_finetune.dialogues.spoiling import Reference, Spoil, Spoilt

# Measure words of few nouns: wrong before nearly all others.
_NARROW_MEASURES = "匹辆朵棵艘架顿顶"
_NOT_FINITE = frozenset({"be", "been", "being"})
_COUNTING = frozenset("一二两三四五六七八九十几这那每某")


def other_form(reference: Reference, random: Random) -> Spoilt | None:
    """Another form of an article, a pronoun or a verb."""
    code = reference.language.code
    found: dict[str, Spoilt] = {}
    for word in reference.words:
        text = reference.text[word.start : word.end]
        forms = _mistakable(text, code)
        if forms:
            found[text] = Spoilt(word.start, word.end, random.choice(forms))
    # By word: else half of all mistakes would be in the commonest article.
    return random.choice(list(found.values())) if found else None


def _mistakable(text: str, code: str) -> Sequence[str]:
    """Forms in whose place this one should be; none of a word that begins a sentence, or could be two words'."""
    if not text.islower():
        return ()
    if code == "en" and text in ARTICLES[code]:
        return {"a": ("an",), "an": ("a",)}.get(text, ())
    forms = other_forms(text, code)
    finite = AUXILIARIES.get(code, frozenset()) - _NOT_FINITE
    if text in finite or text in _NOT_FINITE:
        # Nobody writes "she been here"; "she are here" is a mistake that is made.
        return tuple(form for form in forms if text in finite and form in finite)
    if code == "fr":
        # An elided form never stands before the same word as a full one.
        return tuple(form for form in forms if form.endswith("'") == text.endswith("'"))
    return forms


def without_ending(reference: Reference, random: Random) -> Spoilt | None:
    """English: ``he like``, ``they likes``."""
    if reference.language.code != "en":
        return None
    found = [Spoilt(*match.span(1), "") for match in _THIRD_PERSON.finditer(reference.text)]
    return random.choice(found) if found else None


# "always" and the like end in s, too; "is" and "does" have forms of their own.
_THIRD_PERSON = re.compile(
    r"\b(?:[Hh]e|[Ss]he|[Ii]t)\b "
    r"(?!always\b|has\b|is\b|was\b|\w+(?:ss|ches|shes|xes|zes|oes|ies|us)\b)"
    r"[a-z]{2,}(s)\b"
)


def without_article(reference: Reference, random: Random) -> Spoilt | None:
    """An article left out, where one is needed for certain."""
    code, text = reference.language.code, reference.text
    found = [
        Spoilt(word.start, word.end + 1, "")
        for word in reference.words
        if text[word.start : word.end] in _NEEDED.get(code, ())
        and text[word.end : word.end + 1] == " "
        and not (code == "en" and text[word.start : word.end] == "the" and _MORE_THAN_ONE.match(text, word.end))
    ]
    return random.choice(found) if found else None


# German "die" and "den" may be of several things, which may do without; French nouns never stand alone.
_NEEDED: Mapping[str, frozenset[str]] = {
    "en": ARTICLES["en"],
    "de": ARTICLES["de"] - {"die", "den"},
    "fr": ARTICLES["fr"] - {"des", "du"},
}
# English plurals may do without, and so may abstract nouns and names, which begin with a capital letter.
_MORE_THAN_ONE = re.compile(
    r" (?:[a-z]+ )?(?:[A-Z]|[a-z]+s\b|people\b|children\b|[a-z]+(?:ness|ity|tion|ment|ance|ence)\b)"
)


def wrong_measure(reference: Reference, random: Random) -> Spoilt | None:
    """Chinese: another measure word."""
    if reference.language.code != "zh":
        return None
    text, found = reference.text, []
    for number_, word in enumerate(reference.words):
        at = word.end - 1
        if word.end - word.start == 1 and number_ + 1 < len(reference.words):
            # The segmenter may leave the measure word with what is counted: 三 and 本书.
            following = reference.words[number_ + 1]
            at = following.start if following.start == word.end and following.end - following.start <= 2 else at
        if at > word.start and text[at] in MEASURES and all(c in _COUNTING for c in text[word.start : at]):
            found.append((at, text[at]))
    if not found:
        return None
    at, measure = random.choice(found)
    return Spoilt(at, at + 1, random.choice([other for other in _NARROW_MEASURES if other != measure]))


def wrong_particle(reference: Reference, random: Random) -> Spoilt | None:
    """Chinese: 的 in the place of 得 or 地. (了 stays: without it, most sentences are as right.)"""
    if reference.language.code != "zh":
        return None
    found = [
        Spoilt(word.start, word.end, "的")
        for word in reference.words
        if reference.text[word.start : word.end] in ("得", "地")
    ]
    return random.choice(found) if found else None


MISTAKES: Mapping[Spoil, float] = {
    other_form: 0.5,
    without_article: 0.15,
    without_ending: 0.1,
    wrong_measure: 0.15,
    wrong_particle: 0.1,
}
