"""Mistakes in what a draft says, made on purpose; each is a certain one.

Every function gives one place of the reference with what stands there instead, or None where it finds none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from random import Random

from bayling_finetune.dialogues.inflection import MEASURES
from bayling_finetune.dialogues.numerals import in_words, number
from bayling_finetune.dialogues.spoiling import Reference, Spoil, Spoilt

_SHORTEST_DOUBLED = 2
_OUT_OF_PLACE = 0.4
"""How often an expression stands where grammar does not allow it, if no other one is found."""
# Words that a translation may well have too many of: they say something that the source does not.
_SUPERFLUOUS: Mapping[str, Sequence[str]] = {
    "en": ("really", "always", "never", "again", "perhaps", "only", "already", "suddenly"),
    "zh": ("其实", "总是", "从来", "再次", "也许", "只是", "已经", "突然"),
    "de": ("wirklich", "immer", "nie", "wieder", "vielleicht", "nur", "schon", "plötzlich"),
    "fr": ("vraiment", "toujours", "peut-être", "encore", "seulement", "déjà", "soudain"),
}
# After these an adverb may stand, whatever follows: subjects and finite verbs of a few letters.
_BEFORE_ADVERBS: Mapping[str, frozenset[str]] = {
    "en": frozenset("i you he she we they is are was were am will can have has had".split()),  # noqa: SIM905
    "zh": frozenset("我 你 他 她 它 我们 你们 他们 她们 它们".split()),  # noqa: SIM905
    "de": frozenset("ist sind bin war waren hat haben habe kann will wird werden".split()),  # noqa: SIM905
    "fr": frozenset("est sont suis était a ai ont avait peut va".split()),  # noqa: SIM905
}


def foreign(reference: Reference, random: Random) -> Spoilt | None:
    """An expression of another sentence in the place of one of this."""
    spans = reference.expressions()
    if not spans:
        return None
    span = random.choice(spans)
    # Better one that only says something wrong; most drafts that a model makes are sentences.
    sample = reference.sample_for(span, random, only=functools.partial(reference.fits, span))
    if sample is None and random.random() < _OUT_OF_PLACE:
        sample = reference.sample_for(span, random)
    return None if sample is None else Spoilt(*span, sample)


def untranslated(reference: Reference, random: Random) -> Spoilt | None:
    """The words of the source themselves in the place of their translation."""
    source = reference.direction.source
    found = [
        Spoilt(*phrase.reference, source[slice(*phrase.source)])
        for phrase in reference.phrases
        if source[slice(*phrase.source)].casefold() not in reference.text.casefold()
        and not any(char.isdigit() for char in source[slice(*phrase.source)])
        # A name may rightly stay as it is.
        and not source[phrase.source[0]].isupper()
    ]
    return random.choice(found) if found else None


def dropped(reference: Reference, random: Random) -> Spoilt | None:
    """An expression left out, with a space beside it."""
    text, spaced = reference.text, reference.language.spaced
    found: list[Spoilt] = []
    for start, stop in reference.expressions():
        before, after = text[:start].rstrip()[-1:], text[stop:].lstrip()[:1]
        if not before.isalnum() or (reference.is_first(start) and spaced):
            continue
        if after.isalnum() or not after or after in ".。!?！？":
            found.append(Spoilt(len(text[:start].rstrip()), stop, ""))
    return random.choice(found) if found else None


def doubled(reference: Reference, random: Random) -> Spoilt | None:
    """A word twice."""
    space = " " if reference.language.spaced else ""
    found = [
        Spoilt(word.start, word.end, f"{text}{space}{text}")
        for word in reference.words
        if not reference.is_first(word.start)
        and (text := reference.text[word.start : word.end]).isalpha()
        and len(text) >= _SHORTEST_DOUBLED
    ]
    return random.choice(found) if found else None


def superfluous(reference: Reference, random: Random) -> Spoilt | None:
    """A word that the source says nothing of, in a place where such a word may stand."""
    code, text = reference.language.code, reference.text
    known = [word for word in _SUPERFLUOUS.get(code, ()) if word not in text.casefold()]
    before = _BEFORE_ADVERBS.get(code, frozenset())
    places = [
        word.end
        for word in reference.words
        if text[word.start : word.end].casefold() in before
        and text[word.end : word.end + 1].isalnum() != reference.language.spaced
        # A Chinese pronoun that is not the subject is as good a place as any noun: none.
        and (reference.language.spaced or reference.is_first(word.start))
    ]
    # In a question the verb comes before its subject.
    if not known or not places or "?" in text:
        return None
    place = random.choice(places)
    return Spoilt(place, place, (" " if reference.language.spaced else "") + random.choice(known))


def number_changed(reference: Reference, random: Random) -> Spoilt | None:
    """Another number."""
    code = reference.language.code
    found: list[Spoilt] = []
    for word in reference.words:
        stop = word.end
        text = reference.text[word.start : stop]
        if code == "zh" and len(text) > 1 and text[-1] in MEASURES:
            text, stop = text[:-1], stop - 1
        changed = _other_number(text, code, random)
        if changed is not None:
            found.append(Spoilt(word.start, stop, changed))
    return random.choice(found) if found else None


def _other_number(text: str, code: str, random: Random) -> str | None:
    value = number(text, code)
    if value is None:
        return None
    if digits := re.match(r"\d+", text):
        last = digits.end() - 1
        figure = random.choice([figure for figure in "123456789" if figure != text[last]])
        return text[:last] + figure + text[last + 1 :]
    # Small numbers only; one is mostly an article.
    if not isinstance(value, int) or not 2 <= value <= 10:
        return None
    other = in_words(random.choice([small for small in range(2, 11) if small != value]), code)
    return other.capitalize() if other is not None and text[0].isupper() else other


MISTAKES: Mapping[Spoil, float] = {
    foreign: 0.4,
    untranslated: 0.12,
    dropped: 0.15,
    doubled: 0.05,
    superfluous: 0.13,
    number_changed: 0.15,
}
"""What a draft may have wrong, by weight."""
