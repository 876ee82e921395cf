"""Whether a new draft is as the user wished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bayling_lite.engine.words import occurrences, occurs
from bayling_lite.evaluate.interactive.formality import MARKS, is_formality
from bayling_lite.evaluate.interactive.kept import phrases_kept, rest_kept, tokens
from bayling_lite.evaluate.interactive.refinement_sets import Wish
from bayling_lite.languages import Language, detect_language
from bayling_lite.prompts import Wording, fix_instruction, longer_instruction, shorter_instruction, use_instruction


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
    # Who does not see the wrong word does not name it.
    if wish.absent and occurs(wish.absent[0], draft):
        return fix_instruction(wish.absent[0], right, wording=wording)
    return use_instruction(right, wording=wording)


def is_needless(wish: Wish, draft: str, target: Language) -> bool:
    """Whether a draft is as wished already, so that nobody would say it."""
    if wish.always or wish.shorter or wish.longer or not wish.checks or not draft.strip():
        return False
    return all(check.holds for check in lasting_checks(wish, draft, target))


def checks(wish: Wish, before: str, after: str, target: Language) -> tuple[Check, ...]:
    """All checks of a wish. Nothing is as wished in a draft without a character to see."""
    found = (*lasting_checks(wish, after, target), *_length_checks(wish, before, after))
    if after.strip():
        return found
    return tuple(Check(check.name, check.wanted, holds=False) for check in found)


def lasting_checks(wish: Wish, draft: str, target: Language) -> tuple[Check, ...]:
    """The checks that say something of any draft, whatever was before it."""
    found = [Check("contains", phrase, occurs(phrase, draft)) for phrase in wish.contains]
    folded = draft.casefold()
    found += [Check("absent", phrase, not occurs(phrase.casefold(), folded)) for phrase in wish.absent]
    if wish.language is not None:
        found.append(Check("language", wish.language.code, _is_in(draft, wish.language)))
    if wish.formality is not None:
        code = (wish.language or target).code
        found.append(Check("formality", wish.formality, is_formality(draft, wish.formality, code)))
    return tuple(found)


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
        return phrases_kept(wish.keep, after)
    if wish.shorter or wish.longer or wish.language is not None or not wish.checks:
        return 0, 0
    spans = [span for phrase in wish.absent for span in _places(phrase, before)]
    free = 0 if spans else sum(len(tokens(phrase)) for phrase in wish.contains if not occurs(phrase, before))
    if wish.formality is not None:
        marks = MARKS[target.code]
        wrong = marks.informal if wish.formality == "formal" else marks.formal
        changed = [match.span() for match in wrong.finditer(before)]
        spans += changed
        free += len(changed) if marks.verbs else 0
    return rest_kept(before, after, spans=spans, free=free)


def overruled(wish: Wish, later: Wish) -> bool:
    """Whether a later wish takes an earlier one back."""
    return bool(
        {phrase.casefold() for phrase in wish.contains} & {phrase.casefold() for phrase in later.absent}
        or {phrase.casefold() for phrase in wish.absent} & {phrase.casefold() for phrase in later.contains}
        or (wish.formality and later.formality)
        or later.language
    )


def _length_checks(wish: Wish, before: str, after: str) -> Iterator[Check]:
    old, new = len(before.strip()), len(after.strip())
    if wish.shorter:
        yield Check("shorter", f"{wish.shorter:.0%}", new < old and new <= wish.shorter * old)
    if wish.longer:
        yield Check("longer", f"{wish.longer:.0%}", new > old and new >= wish.longer * old)


def _places(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a phrase occurs, in whatever case."""
    lowered = text.lower()
    # There are letters that become two.
    return occurrences(phrase.lower(), lowered) if len(lowered) == len(text) else occurrences(phrase, text)


def _is_in(draft: str, language: Language) -> bool | None:
    found = detect_language(draft)
    return None if found is None else found == language
