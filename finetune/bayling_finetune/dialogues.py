"""Dialogues from parallel text, in the manner of the BayLing paper (arXiv 2306.10968): translation in both directions,
translation with required words, and several turns in which a draft is refined.

Three kinds of refinement need no model:

- *another translation*: where the data hold two translations of a sentence, the first is the draft, the feedback
  asks for a word of the second, the second is the refined draft;
- *a wrong word*: the draft is the reference with one expression replaced by a foreign one, the feedback asks for the
  right one. Such a draft is context only, never learnt;
- *another word*: the draft is the reference, and the user wants some other word in a place of it. Whether that makes
  sense is the user's business: the rest of the draft stays.
"""

from __future__ import annotations

import difflib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bayling_finetune.config import Data
from bayling_finetune.parallel import Pair
from bayling_lite.languages import Language, find_language
from bayling_lite.messages import Conversation, Message, Role
from bayling_lite.prompts import Wording, fix_instruction, translation_instruction, use_instruction

Kind = Literal["translation", "constraint", "refinement"]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation to learn from. ``learnt`` says for each assistant turn whether it is a target or context only.

    ``weight`` is how often an epoch passes over it.
    """

    conversation: Conversation
    learnt: tuple[bool, ...]
    kind: Kind
    direction: tuple[str, str]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Direction:
    """A sentence to translate, seen from one side of its pair."""

    source: str
    reference: str
    source_language: Language
    target_language: Language
    weight: float


def directions(pair: Pair) -> tuple[Direction, Direction]:
    """Both directions of a pair."""
    first, second = find_language(pair.text.source), find_language(pair.text.target)
    weight = pair.text.weight
    return (
        Direction(pair.source, pair.target, first, second, weight),
        Direction(pair.target, pair.source, second, first, weight),
    )


_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")


def expressions(text: str, language: Language) -> list[tuple[int, int]]:
    """Spans that a user might name: words of at least three letters, or two to four Han characters."""
    if language.spaced:
        return [match.span() for match in _WORD.finditer(text) if len(match.group()) >= 3]
    spans: list[tuple[int, int]] = []
    for run in _HAN_RUN.finditer(text):
        for length in (2, 3, 4):
            spans.extend((start, start + length) for start in range(run.start(), run.end() - length + 1))
    return spans


class DialogueBuilder:
    """Builds the dialogues of a corpus; the same seed gives the same dialogues."""

    def __init__(self, pairs: Sequence[Pair], data: Data, *, seed: int) -> None:
        self._pairs = pairs
        self._data = data
        self._random = random.Random(seed)  # noqa: S311 - reproducible sampling, no secret
        self._references: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._samples: dict[str, list[str]] = defaultdict(list)

    def build(self) -> Iterator[Dialogue]:
        """All dialogues, in the order of the pairs."""
        self._index()
        for pair in self._pairs:
            for direction in directions(pair):
                yield self._translation(direction)
                if self._random.random() < self._data.constraint_share:
                    yield from self._constraint(direction)
                if self._random.random() < self._data.refinement_share:
                    yield from self._refinement(direction)
                if self._data.substitution_share and self._random.random() < self._data.substitution_share:
                    yield from self._substitution(direction)

    def _index(self) -> None:
        for pair in self._pairs:
            for direction in directions(pair):
                key = (direction.source, direction.source_language.code, direction.target_language.code)
                self._references[key].append(direction.reference)
                if self._random.random() < 0.1:
                    code = direction.target_language.code
                    spans = expressions(direction.reference, direction.target_language)
                    if spans:
                        start, stop = self._random.choice(spans)
                        self._samples[code].append(direction.reference[start:stop])

    def _wording(self) -> Wording:
        return Wording.CHINESE if self._random.random() < self._data.chinese_wording else Wording.ENGLISH

    def _translation(self, direction: Direction) -> Dialogue:
        wording = self._wording()
        request = translation_instruction(direction.source, direction.target_language, wording=wording)
        return _dialogue(direction, "translation", (request, direction.reference))

    def _constraint(self, direction: Direction) -> Iterable[Dialogue]:
        spans = expressions(direction.reference, direction.target_language)
        if not spans:
            return
        start, stop = self._random.choice(spans)
        request = translation_instruction(
            direction.source,
            direction.target_language,
            terms=[direction.reference[start:stop]],
            wording=self._wording(),
        )
        yield _dialogue(direction, "constraint", (request, direction.reference))

    def _refinement(self, direction: Direction) -> Iterable[Dialogue]:
        wording = self._wording()
        request = translation_instruction(direction.source, direction.target_language, wording=wording)
        key = (direction.source, direction.source_language.code, direction.target_language.code)
        others = [other for other in self._references[key] if other != direction.reference]
        if others and self._random.random() < 0.5:
            draft = self._random.choice(others)
            term = _new_expression(draft, direction.reference, direction.target_language)
            if term is not None:
                feedback = use_instruction(term, wording=wording)
                yield _dialogue(direction, "refinement", (request, draft, feedback, direction.reference))
                return
        # Two wrong expressions only where enough of the sentence is left to be a draft of it.
        most = 2 if len(_rough_words(direction.reference, direction.target_language)) >= 6 else 1
        steps = self._spoil(direction.reference, direction.target_language, self._random.randint(1, most))
        if not steps:
            return
        turns = [request, steps[0][0]]
        for number, (_, wrong, right) in enumerate(steps):
            named = self._random.random() < 0.5
            turns.append(
                fix_instruction(wrong, right, wording=wording) if named else use_instruction(right, wording=wording)
            )
            turns.append(steps[number + 1][0] if number + 1 < len(steps) else direction.reference)
        # The first draft is wrong on purpose; later ones are right as far as the feedback before them goes.
        yield _dialogue(direction, "refinement", tuple(turns), learn_first=False)

    def _substitution(self, direction: Direction) -> Iterable[Dialogue]:
        wording, language = self._wording(), direction.target_language
        request = translation_instruction(direction.source, direction.target_language, wording=wording)
        turns, text = [request, direction.reference], direction.reference
        touched: list[str] = []
        for _ in range(self._random.choice((1, 1, 2))):
            spans = [
                (start, stop)
                for start, stop in expressions(text, language)
                if text.count(text[start:stop]) == 1
                and not any(word in text[start:stop] or text[start:stop] in word for word in touched)
            ]
            if not spans or not self._samples[language.code]:
                break
            start, stop = self._random.choice(spans)
            wrong = text[start:stop]
            right = self._random.choice(self._samples[language.code])
            if right in text or wrong in right or right[0].isupper() != wrong[0].isupper():
                break
            text = text[:start] + right + text[stop:]
            touched.append(right)
            turns += [fix_instruction(wrong, right, wording=wording), text]
        if touched:
            yield _dialogue(direction, "refinement", tuple(turns))

    def _spoil(self, reference: str, language: Language, count: int) -> list[tuple[str, str, str]]:
        """Replace ``count`` expressions; returns (draft, wrong, right) from the most spoilt draft to the least."""
        steps: list[tuple[str, str, str]] = []
        draft = reference
        for _ in range(count):
            spans = [
                span
                for span in expressions(draft, language)
                if not any(
                    draft[span[0] : span[1]] in wrong or wrong in draft[span[0] : span[1]] for _, wrong, _ in steps
                )
            ]
            samples = self._samples[language.code]
            if not spans or not samples:
                break
            start, stop = self._random.choice(spans)
            right, wrong = draft[start:stop], self._random.choice(samples)
            if wrong == right or wrong in draft:
                break
            draft = draft[:start] + wrong + draft[stop:]
            steps.append((draft, wrong, right))
        return steps[::-1]


def _rough_words(text: str, language: Language) -> list[str]:
    """Words, or pairs of characters where there are no spaces: a measure of length only."""
    return text.split() if language.spaced else [text[start : start + 2] for start in range(0, len(text), 2)]


def _new_expression(draft: str, reference: str, language: Language) -> str | None:
    """The longest expression of the reference that the draft lacks."""
    if language.spaced:
        words = [reference[start:stop] for start, stop in expressions(reference, language)]
        new = [word for word in words if word.casefold() not in draft.casefold()]
    else:
        matcher = difflib.SequenceMatcher(None, draft, reference, autojunk=False)
        changed = [reference[j:k] for tag, _, _, j, k in matcher.get_opcodes() if tag in ("replace", "insert")]
        new = [run for part in changed for run in _HAN_RUN.findall(part) if len(run) <= 4]
    return max(new, key=len, default=None)


def _dialogue(direction: Direction, kind: Kind, turns: tuple[str, ...], *, learn_first: bool = True) -> Dialogue:
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(Message(roles[number % 2], turn) for number, turn in enumerate(turns))
    responses = len(turns) // 2
    return Dialogue(
        Conversation(messages),
        (learn_first, *(True,) * (responses - 1)),
        kind,
        (direction.source_language.code, direction.target_language.code),
        direction.weight,
    )
