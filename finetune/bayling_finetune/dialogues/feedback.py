"""From the edits of a draft to the turns of a dialogue: what the user says of each, and the version after it.

The feedback is true and to be understood without looking at the reference: it quotes only words that are in the draft
it speaks of, or will be in the answer to it, and only where they are there once. Words that would be ambiguous are
quoted with their neighbours; an edit that cannot be told so ends the matter: there is no dialogue.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.changes import Change
from bayling_finetune.dialogues.differences import Difference, Edit, Token, applied, tokens
from bayling_finetune.dialogues.tools import AlignedPhrase
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.dialogues.wording import Intent, say
from bayling_lite.languages import Language
from bayling_lite.prompts import Wording, fix_instruction

MOST_EDITS = 6
"""Nobody corrects more in one draft, word by word."""
_MOST_TURNS, _EDITS_A_TURN = 4, 2
_ATTEMPTS = 3
# Words quoted before and after, in the order they are tried: an article goes with the word after it, a Chinese
# particle with the one before.
_CONTEXTS = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (2, 2))
_CONTEXTS_CHINESE = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 2))
# What a user would quote at most, in words, or in characters where there are no spaces.
_LONGEST_WORDS, _LONGEST_CHARACTERS = 7, 14
_SENTENCE_END = (".", "!", "?", "。", "！", "？", "…")

# May stay as it is when it cannot be told.
_OF_LITTLE_WEIGHT = frozenset({Change.CASE, Change.PUNCTUATION})

# How each change is told, by weight: of a draft that is wrong, and of one that is right but not what the user wants.
_WRONG: Mapping[Change, Mapping[Intent, float]] = {
    Change.WRONG: {Intent.FIX: 4, Intent.REPLACE: 2, Intent.USE: 2, Intent.TERM: 4},
    Change.MISSING: {Intent.ADD: 4, Intent.USE: 1, Intent.TERM: 1, Intent.FIX: 0.01},
    Change.EXTRA: {Intent.REMOVE: 4, Intent.FIX: 0.01},
    Change.NUMBER: {Intent.NUMBER: 4, Intent.FIX: 1},
    Change.GRAMMAR: {Intent.GRAMMAR: 4, Intent.FIX: 1},
    Change.CASE: {Intent.FIX: 1},
    Change.PUNCTUATION: {Intent.FIX: 1},
}
_TASTE: Mapping[Change, Mapping[Intent, float]] = {
    Change.WRONG: {Intent.REPLACE: 3, Intent.USE: 3, Intent.TERM: 2},
    Change.MISSING: {Intent.ADD: 3, Intent.USE: 1, Intent.REPLACE: 0.01},
    Change.EXTRA: {Intent.REMOVE: 3, Intent.REPLACE: 0.01},
    Change.NUMBER: {Intent.REPLACE: 1},
    Change.GRAMMAR: {Intent.REPLACE: 1},
    Change.CASE: {Intent.REPLACE: 1},
    Change.PUNCTUATION: {Intent.REPLACE: 1},
}


@dataclass(frozen=True, slots=True)
class Critic:
    """A user with a draft before them.

    ``spoken``: the code of the language they speak. ``phrases``: what the aligner knows of the reference, to speak of
    terms of the source. ``taste``: the draft is right, the user wants another wording.
    """

    direction: Direction
    spoken: str
    phrases: Sequence[AlignedPhrase] = ()
    taste: bool = False

    def turns(self, difference: Difference, random: Random) -> list[tuple[str, str]] | None:
        """Feedback and the version after it, in turn, until nothing is left to say; None where it cannot be said.

        Every version is the one before with the edits made that were asked for, and no others. The last one is the
        reference, but for capitals, spaces and punctuation that cannot be quoted without ambiguity.
        """
        edits = difference.edits
        # Of two right wordings, a mixture is mostly wrong: all is changed in one turn.
        if not 1 <= len(edits) <= (_EDITS_A_TURN if self.taste else MOST_EDITS):
            return None
        for attempt in range(_ATTEMPTS):
            # Mostly as one reads, otherwise as things come to mind.
            order = list(edits) if attempt == 0 and random.random() < 0.7 else random.sample(edits, len(edits))
            turns = self._tell(difference, order, random)
            if turns is not None:
                return turns
        return None

    def _tell(self, difference: Difference, order: Sequence[Edit], random: Random) -> list[tuple[str, str]] | None:
        turns: list[tuple[str, str]] = []
        done: list[Edit] = []
        for step in [order] if self.taste else _steps(order, random):
            told = self._told(difference.draft, done, step, random)
            if told is None:
                return None
            if told:
                done += told
                turns.append((joined(list(told.values())), difference.apply(done)))
        return turns or None

    def _told(self, draft: str, done: Sequence[Edit], step: Sequence[Edit], random: Random) -> dict[Edit, str] | None:
        """What is said of each edit, without those of little weight that cannot be told; None if another cannot."""
        while step:
            stage = Stage(draft, tuple(done), tuple(step), self.direction.target_language)
            remarks = {edit: self._remark(stage, edit, random) for edit in step}
            told = {edit: remark for edit, remark in remarks.items() if remark is not None}
            if len(told) == len(step):
                return told
            if any(edit not in told and edit.change not in _OF_LITTLE_WEIGHT for edit in step):
                return None
            # The version to come is another one without them.
            step = list(told)
        return {}

    def _remark(self, stage: Stage, edit: Edit, random: Random) -> str | None:
        weights = dict((_TASTE if self.taste else _WRONG)[edit.change])
        while weights:
            intent = random.choices(list(weights), list(weights.values()))[0]
            slots = self._slots(intent, stage, edit)
            if slots is not None:
                return self._say(intent, edit, slots, random)
            del weights[intent]
        return None

    def _say(self, intent: Intent, edit: Edit, slots: dict[str, str], random: Random) -> str:
        if edit.change in _OF_LITTLE_WEIGHT and intent is Intent.FIX and self.spoken in set(Wording):
            # Most other wordings call a word wrong, which is not what a comma is about.
            return fix_instruction(slots["wrong"], slots["right"], wording=Wording(self.spoken))
        return say(intent, self.spoken, random, **slots)

    def _slots(self, intent: Intent, stage: Stage, edit: Edit) -> dict[str, str] | None:
        if intent is Intent.USE:
            added = stage.added(edit)
            return None if added is None else {"term": added}
        if intent is Intent.ADD:
            added = stage.added(edit) if not edit.old.strip() else None
            return None if added is None else {"words": added}
        if intent is Intent.REMOVE:
            removed = stage.removed(edit) if not edit.new.strip() else None
            return None if removed is None else {"words": removed}
        if intent is Intent.TERM:
            source, added = self._source_of(edit), stage.added(edit)
            if source is None or added is None or source.casefold() == added.casefold():
                return None
            return {"source": source, "right": added}
        quoted = stage.quoted(edit)
        return None if quoted is None else {"wrong": quoted[0], "right": quoted[1]}

    def _source_of(self, edit: Edit) -> str | None:
        """The words of the source that the new words translate, where the aligner is sure and they are there once."""
        start = edit.place + len(edit.new) - len(edit.new.lstrip())
        span = (start, start + len(edit.new.strip()))
        for phrase in self.phrases:
            if phrase.content and phrase.reference == span:
                source = self.direction.source
                term = source[slice(*phrase.source)]
                return term if _times(term, source, self.direction.source_language) == 1 else None
        return None


def joined(remarks: Sequence[str]) -> str:
    """Several remarks as one message: sentences after each other, and on lines of their own without a full stop."""
    text = remarks[0]
    for remark in remarks[1:]:
        # After a Chinese stop comes no space.
        text += (" " if text[-1].isascii() else "") + remark if text.endswith(_SENTENCE_END) else f"\n{remark}"
    return text


def _steps(order: Sequence[Edit], random: Random) -> Iterator[Sequence[Edit]]:
    """The edits, one or two at a time, in at most four turns."""
    count = len(order)
    turns = random.randint(-(-count // _EDITS_A_TURN), min(count, _MOST_TURNS))
    sizes = [_EDITS_A_TURN] * (count - turns) + [1] * (2 * turns - count)
    random.shuffle(sizes)
    ends = list(itertools.accumulate(sizes))
    return (order[end - size : end] for size, end in zip(sizes, ends, strict=True))


class Stage:
    """A version of the draft with the next one: ``done`` edits are made, those of ``step`` are asked for."""

    def __init__(self, draft: str, done: tuple[Edit, ...], step: tuple[Edit, ...], language: Language) -> None:
        self._draft = draft
        self._done = done
        self._step = step
        self._language = language
        self.now = applied(draft, done)
        self.then = applied(draft, (*done, *step))
        self._tokens: list[Token] | None = None

    def has_words(self, text: str) -> bool:
        """Whether there is a word in a piece of text."""
        return any(token.is_word for token in tokens(text, self._language))

    def added(self, edit: Edit) -> str | None:
        """The words that the edit brings, if the next version has them once and this one has not."""
        core = self._core(edit.new)
        return core if core and self._count(core, self.now) == 0 and self._count(core, self.then) == 1 else None

    def removed(self, edit: Edit) -> str | None:
        """The words that the edit takes away, if this version has them once and the next one has not."""
        core = self._core(edit.old)
        return core if core and self._count(core, self.now) == 1 and self._count(core, self.then) == 0 else None

    def quoted(self, edit: Edit) -> tuple[str, str] | None:
        """What is there and what is to be there, with as many neighbours as make the first one unambiguous."""
        start = edit.start + self._shift(edit, self._done)
        stop = start + len(edit.old)
        then_start = edit.start + self._shift(edit, (*self._done, *self._step))
        before, after = self._neighbours(edit, start, stop)
        for left, right in self._contexts(edit, before, after):
            if left > len(before) or right > len(after):
                continue
            first = before[left - 1].start if left else start
            last = after[right - 1].stop if right else stop
            wrong = self.now[first:last].strip()
            new = self.now[first:start] + edit.new + self.now[stop:last]
            right_words = new.strip()
            there = self.then[then_start - (start - first) :].startswith(new)
            if not wrong or not right_words or not there or wrong == right_words:
                continue
            if not (self.has_words(wrong) and self.has_words(right_words)):
                continue  # nobody quotes a comma alone
            if self._count(wrong, self.now) == 1 and self._is_short(wrong) and self._is_short(right_words):
                return wrong, right_words
        return None

    def _contexts(self, edit: Edit, before: Sequence[Token], after: Sequence[Token]) -> Sequence[tuple[int, int]]:
        contexts = _CONTEXTS if self._language.spaced else _CONTEXTS_CHINESE
        if not edit.new.strip():
            # Of a word that is there twice, both are quoted.
            for tokens_, context in ((before, (1, 0)), (after, (0, 1))):
                if tokens_ and self.now[tokens_[0].start : tokens_[0].stop] == edit.old.strip():
                    return (context, *contexts)
        return contexts

    def _shift(self, edit: Edit, made: Sequence[Edit]) -> int:
        """How far the edits before this one have moved it."""
        return sum(
            len(other.new) - len(other.old)
            for other in made
            if other != edit and (other.start, other.place) < (edit.start, edit.place)
        )

    def _neighbours(self, edit: Edit, start: int, stop: int) -> tuple[list[Token], list[Token]]:
        """Tokens before (from the nearest on) and after a span of this version that no edit of this step changes."""
        if self._tokens is None:
            self._tokens = tokens(self.now, self._language)
        taken = [
            (other.start + self._shift(other, self._done), len(other.old)) for other in self._step if other != edit
        ]
        low = max((at + length for at, length in taken if at + length <= start), default=0)
        high = min((at for at, _ in taken if at >= stop), default=len(self.now))
        before = [token for token in reversed(self._tokens) if low <= token.start and token.stop <= start]
        after = [token for token in self._tokens if stop <= token.start and token.stop <= high]
        if edit.change is not Change.PUNCTUATION:
            before = list(itertools.takewhile(lambda token: token.is_word, before))
            after = list(itertools.takewhile(lambda token: token.is_word, after))
        return before, after

    def _core(self, text: str) -> str:
        """The words of an edit, without the punctuation and the spaces around them; empty if that is too much."""
        words = [token for token in tokens(text, self._language) if token.is_word]
        core = text[words[0].start : words[-1].stop] if words else ""
        return core if self._is_short(core) else ""

    def _is_short(self, text: str) -> bool:
        if "\n" in text:
            return False
        if self._language.spaced:
            return len(text.split()) <= _LONGEST_WORDS
        return len(text) <= _LONGEST_CHARACTERS

    def _count(self, phrase: str, text: str) -> int:
        return _times(phrase, text, self._language)


def _times(phrase: str, text: str, language: Language) -> int:
    """How often a phrase is in a text, as words of their own, whatever their case; overlapping ones count each."""
    phrase, text = phrase.casefold(), text.casefold()
    # Chinese has no borders to look for.
    bordered = language.spaced or phrase.isascii()
    before, after = bordered and phrase[0].isalnum(), bordered and phrase[-1].isalnum()
    times, at = 0, text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (before and _joins(text[at - 1 : at] if at else "")) and not (after and _joins(text[end : end + 1])):
            times += 1
        at = text.find(phrase, at + 1)
    return times


def _joins(character: str) -> bool:
    """Whether a character makes one word with a letter beside it."""
    return (character.isalnum() or character == "_") and not "\u3400" <= character <= "\u9fff"
