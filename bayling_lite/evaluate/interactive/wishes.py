"""Whether a new draft is as the user wished."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bayling_lite.engine.words import occurrences, occurs
from bayling_lite.evaluate.interactive.formality import MARKS, is_formality
from bayling_lite.evaluate.interactive.kept import phrases_kept, rest_kept, tokens
from bayling_lite.evaluate.interactive.refinement_sets import Wish, contradict
from bayling_lite.languages import Language, detect_language
from bayling_lite.prompts import Wording, fix_instruction, longer_instruction, shorter_instruction, use_instruction

LEAST_CHANGE = 0.05
"""By what share of its length a draft has to become shorter or longer, where the wish does not say how much."""
_SURE = 12
"""Letters from which on a language is told for certain."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, what is wanted, and whether it is so; None where no rule can say."""

    name: str
    wanted: str
    holds: bool | None


def instruction(wish: Wish, draft: str, wording: Wording) -> str:
    """What the user says of a draft."""
    if wish.say:
        return wish.say
    if wish.shorter:
        return shorter_instruction(wording=wording)
    if wish.longer:
        return longer_instruction(wording=wording)
    (right,) = wish.contains
    # Who does not see the wrong word does not name it; who sees it names it as it stands there.
    if wish.absent and (place := next(_places(wish.absent[0], draft), None)):
        return fix_instruction(draft[slice(*place)], right, wording=wording)
    return use_instruction(right, wording=wording)


def is_needless(wish: Wish, draft: str, target: Language) -> bool:
    """Whether a draft is as wished already, so that nobody would say it."""
    if wish.always or wish.shorter or wish.longer or not wish.checks or not draft.strip():
        return False
    return all(check.holds for check in lasting_checks(wish, draft, target))


def checks(wish: Wish, before: str, after: str, target: Language) -> tuple[Check, ...]:
    """All checks of a wish. Nothing is as wished in a draft without a character to see."""
    return (*lasting_checks(wish, after, target), *_length_checks(wish, before, after))


def lasting_checks(wish: Wish, draft: str, target: Language) -> tuple[Check, ...]:
    """The checks that say something of any draft, whatever was before it."""
    found = [Check("contains", phrase, occurs(phrase, draft)) for phrase in wish.contains]
    found += [Check("absent", phrase, not any(_places(phrase, draft))) for phrase in wish.absent]
    if wish.language is not None:
        found.append(Check("language", wish.language.code, _is_in(draft, wish.language, target)))
    if wish.formality is not None:
        code = (wish.language or target).code
        found.append(Check("formality", wish.formality, is_formality(draft, wish.formality, code)))
    if draft.strip():
        return tuple(found)
    return tuple(Check(check.name, check.wanted, holds=False) for check in found)


def followed(found: Iterable[Check]) -> bool | None:
    """Whether all checks hold; None where that cannot be said, or there is none."""
    holds = [check.holds for check in found]
    if False in holds:
        return False
    return None if None in holds or not holds else True


def kept(wish: Wish, before: str, after: str, target: Language) -> tuple[int, int]:
    """Of the tokens of the draft that were to stay, how many stayed, and how many there are.

    To go were the phrases that must be absent, the words of address where these were wished otherwise, and with each
    its verb; where a phrase came in and none was to go, as many tokens as it has. Where the whole was to become
    shorter, longer, or be in another language, and where the wish is an open one, nothing is known of the rest, unless
    it says what to keep: 0 of 0.
    """
    if wish.keep:
        return phrases_kept(wish.keep, before, after)
    if _changes_all(wish):
        return 0, 0
    spans = _wrong(wish, before)
    free = 0 if spans else sum(len(tokens(phrase)) for phrase in wish.contains if not occurs(phrase, before))
    changed = _marks(wish, before, target, wanted=False)
    free += len(changed) if changed and MARKS[target.code].verbs else 0
    return rest_kept(before, after, spans=[*spans, *changed], free=free)


def not_added(wish: Wish, before: str, after: str, target: Language) -> tuple[int, int]:
    """Of the tokens of the new draft that nobody asked for, how many were in the old one, and how many there are.

    Asked for were the phrases that it must have (once each, or as often as another one had to go), as many tokens as
    had to go for nothing that is named, the words of address as they were wished, and with each its verb. As in
    :func:`kept`, it may be that nothing is known: 0 of 0.
    """
    if wish.keep or _changes_all(wish):
        return 0, 0
    wrong = _wrong(wish, before)
    asked = [
        span
        for phrase in wish.contains
        for span in itertools.islice(occurrences(phrase, after), max(len(wrong), not occurs(phrase, before)))
    ]
    n_gone, n_came = (
        sum(len(tokens(text[slice(*span)])) for span in spans) for text, spans in ((before, wrong), (after, asked))
    )
    changed = _marks(wish, before, target, wanted=False)
    free = max(0, n_gone - n_came) + (len(changed) if changed and MARKS[target.code].verbs else 0)
    return rest_kept(after, before, spans=[*asked, *_marks(wish, after, target, wanted=True)], free=free)


def overruled(wish: Wish, later: Wish) -> bool:
    """Whether a later wish takes an earlier one back."""
    return bool(
        contradict(wish.contains, later.absent)
        or contradict(later.contains, wish.absent)
        or (wish.formality and later.formality)
        or later.language
    )


def _length_checks(wish: Wish, before: str, after: str) -> Iterator[Check]:
    old, new = _length(before), _length(after)
    if wish.shorter:
        most = 1 - LEAST_CHANGE if wish.shorter == 1 else wish.shorter
        yield Check("shorter", f"{most:.0%}", 0 < new <= most * old)
    if wish.longer:
        least = 1 + LEAST_CHANGE if wish.longer == 1 else wish.longer
        yield Check("longer", f"{least:.0%}", 0 < new >= least * old)


def _length(text: str) -> int:
    """In letters and digits: a full stop more or less, or quotation marks, make nothing longer or shorter."""
    return sum(char.isalnum() or unicodedata.category(char).startswith("M") for char in text)


def _changes_all(wish: Wish) -> bool:
    """Whether nothing can be said of what of the draft was to stay."""
    return bool(wish.shorter or wish.longer or wish.language is not None or not wish.checks)


def _wrong(wish: Wish, draft: str) -> list[tuple[int, int]]:
    """Where a draft has the phrases that are to go."""
    return [span for phrase in wish.absent for span in _places(phrase, draft)]


def _marks(wish: Wish, draft: str, target: Language, *, wanted: bool) -> list[tuple[int, int]]:
    """Where a draft has the words that make it as formal as it is wished; or, not ``wanted``, as it is not."""
    if wish.formality is None:
        return []
    marks = MARKS[target.code]
    pattern = marks.formal if wanted == (wish.formality == "formal") else marks.informal
    return [match.span() for match in pattern.finditer(draft)]


def _places(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a phrase occurs, in whatever case."""
    lowered = text.lower()
    # There are letters that become two.
    return occurrences(phrase.lower(), lowered) if len(lowered) == len(text) else occurrences(phrase, text)


def _is_in(draft: str, language: Language, target: Language) -> bool | None:
    """Whether a draft is in a language; None for a few letters that may be either of it and another one."""
    found = detect_language(draft)
    if found is None or found == language:
        return None if found is None else True
    if _length(draft) < _SURE and detect_language(draft, (language, target)) == language:
        return None
    return False
