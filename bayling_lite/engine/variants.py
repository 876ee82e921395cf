"""The likeliest of several ways to say a phrase, each tried in a sequence of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayling_lite.engine.jobs import Plan
from bayling_lite.engine.ranking import Logits, logprob
from bayling_lite.engine.revising import Scripted
from bayling_lite.engine.sequences import Sequences, Slot

# Rows of logits for all ways together; more would hold up the others' answers.
_MOST_ROWS = 24


class Variants:
    """Scripts that differ in their first new tokens alone. ``lead`` comes before these; ``best`` is the likeliest.

    What stands behind the phrase has a say, too: an adjective goes with the noun behind it. The first rows are those
    after ``lead``; then every way whose tokens are not all judged goes on in a sequence, those of the others being
    copies of the first one's. Ways that would be too many tokens together are left out.
    """

    def __init__(self, scripts: Sequence[list[Scripted]], sequences: Sequences) -> None:
        first = next(at for at, scripted in enumerate(scripts[0]) if scripted.new)
        self.lead = [scripted.token for scripted in scripts[0][:first]]
        self._sequences = sequences
        self._scripts: list[list[Scripted]] = []
        self._phrases: list[list[int]] = []
        self.width = 1
        for one in scripts:
            last = next((at for at in range(first, len(one)) if not one[at].new), len(one))
            phrase = [scripted.token for scripted in one[first : last + 1]]
            if not self._phrases or self.width + len(phrase) - 1 <= _MOST_ROWS:
                self._scripts.append(one)
                self._phrases.append(phrase)
                self.width += len(phrase) - 1
        self._scores: list[float] = []
        self._slots: list[Slot] = []

    @property
    def forked(self) -> bool:
        """Whether each way has a sequence."""
        return bool(self._slots)

    @property
    def best(self) -> list[Scripted]:
        """The script with the likeliest way."""
        return self._scripts[int(np.argmax(self._scores))]

    def begin(self, slot: Slot, row: Logits) -> None:
        """Judge the first tokens from the logits after ``lead``, which a slot holds; it becomes the first way's."""
        self._scores = [logprob(row, phrase[0]) for phrase in self._phrases]
        self._slots = [slot]
        for _ in self._phrases[1:]:
            copy = self._sequences.fork(slot)
            if copy is None:
                break
            self._slots.append(copy)
        del self._scores[len(self._slots) :]

    def plans(self) -> list[Plan]:
        """The tokens of every way but the last ones, with logits after each."""
        pairs = zip(self._slots, self._phrases, strict=False)
        return [Plan(slot, phrase[:-1], len(phrase) - 1) for slot, phrase in pairs if len(phrase) > 1]

    def judge(self, rows: Logits) -> None:
        """Judge the other tokens, from the logits of :meth:`plans`."""
        at = 0
        for number, phrase in enumerate(self._phrases[: len(self._slots)]):
            for token in phrase[1:]:
                self._scores[number] += logprob(rows[at], token)
                at += 1

    def drop(self) -> None:
        """Forget all sequences but the first."""
        for slot in self._slots[1:]:
            self._sequences.drop(slot)
        self._slots = []
