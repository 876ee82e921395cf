"""Counts, lengths and samples of dialogues: gathered by every process for itself, then added up.

Adding up is independent of the order, the samples included: of each kind those with the smallest fingerprints stay.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from bayling_finetune.dialogues.values import Dialogue
from bayling_lite.messages import Role

SAMPLES = 6
"""Dialogues kept of each kind, to look at."""
_BINS_PER_DOUBLING = 2
# A word, or one character of a script without spaces.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")

_TABLES = ("kinds", "pairs", "turns", "instructions", "origins", "asked", "troubles")
_HISTOGRAMS = ("characters.user", "characters.assistant", "words.user", "words.assistant", "tokens")


def bin_of(length: int) -> int:
    """The bin of a histogram that a length falls into; bins double in width every second one."""
    return 0 if length <= 0 else 1 + math.floor(_BINS_PER_DOUBLING * math.log2(length) + 1e-9)


def bin_edge(number: int) -> float:
    """The smallest length of a bin."""
    return 0.0 if number <= 0 else 2.0 ** ((number - 1) / _BINS_PER_DOUBLING)


def words(text: str) -> int:
    """Words; of Chinese and Japanese, characters."""
    return len(_WORD.findall(text))


@dataclass(slots=True)
class Statistics:
    """What is in a file of dialogues.

    ``tables``: how many dialogues by kind, language pair, number of answers, language of the instructions and origin;
    how many of each kind were asked for; how many were refused, and why. ``histograms``: how many turns (of ``tokens``:
    dialogues) are in each bin of :func:`bin_of`. ``samples``: by kind, the fingerprint and the line of some.
    """

    dialogues: int = 0
    multi_turn: int = 0
    learnt_answers: int = 0
    tables: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _TABLES})
    histograms: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in _HISTOGRAMS})
    samples: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)

    def add(self, dialogue: Dialogue, line: Mapping[str, Any], *, language: str = "", tokens: int = 0) -> None:
        """Count a dialogue. ``line`` is its line in the file, ``language`` the code of what its user speaks."""
        self._count(dialogue, language, tokens, 1)
        self._sample(dialogue.kind.value, line)

    def remove(self, dialogue: Dialogue, *, language: str = "", tokens: int = 0) -> None:
        """Count one no more that was there twice. As a sample it stays: it is there still."""
        self._count(dialogue, language, tokens, -1)

    def _count(self, dialogue: Dialogue, language: str, tokens: int, times: int) -> None:
        self.dialogues += times
        self.multi_turn += times * (dialogue.turns > 1)
        self.learnt_answers += times * sum(dialogue.learnt)
        self.tables["kinds"][dialogue.kind.value] += times
        self.tables["turns"][str(dialogue.turns)] += times
        if dialogue.source_language:
            self.tables["pairs"][f"{dialogue.source_language}-{dialogue.target_language}"] += times
        if dialogue.origin:
            self.tables["origins"][dialogue.origin] += times
        if language:
            self.tables["instructions"][language] += times
        for message in dialogue.conversation:
            if message.role is not Role.SYSTEM:
                side = message.role.value
                self.histograms[f"characters.{side}"][bin_of(len(message.content))] += times
                self.histograms[f"words.{side}"][bin_of(words(message.content))] += times
        if tokens:
            self.histograms["tokens"][bin_of(tokens)] += times

    def merge(self, other: Statistics) -> None:
        """Add what another one counted."""
        self.dialogues += other.dialogues
        self.multi_turn += other.multi_turn
        self.learnt_answers += other.learnt_answers
        for name, table in other.tables.items():
            self.tables[name].update(table)
        for name, histogram in other.histograms.items():
            self.histograms[name].update(histogram)
        for kind, samples in other.samples.items():
            both = dict((*self.samples.get(kind, ()), *samples))
            self.samples[kind] = sorted(both.items(), key=lambda sample: sample[0])[:SAMPLES]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "dialogues": self.dialogues,
            "multi_turn": self.multi_turn,
            "learnt_answers": self.learnt_answers,
            "tables": {name: dict(sorted(table.items())) for name, table in self.tables.items()},
            "histograms": {
                name: {str(number): count for number, count in sorted(histogram.items())}
                for name, histogram in self.histograms.items()
            },
            "samples": {kind: [line for _, line in samples] for kind, samples in sorted(self.samples.items())},
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gives.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        made = cls(int(values["dialogues"]), int(values["multi_turn"]), int(values["learnt_answers"]))
        for name, table in values["tables"].items():
            made.tables[name] = Counter({str(key): int(count) for key, count in table.items()})
        for name, histogram in values["histograms"].items():
            made.histograms[name] = Counter({int(number): int(count) for number, count in histogram.items()})
        made.samples = {
            kind: [(str(line["id"]), dict(line)) for line in lines] for kind, lines in values["samples"].items()
        }
        return made

    def _sample(self, kind: str, line: Mapping[str, Any]) -> None:
        samples = self.samples.setdefault(kind, [])
        key = str(line["id"])
        if len(samples) < SAMPLES or key < samples[-1][0]:
            if all(key != other for other, _ in samples):
                samples.append((key, dict(line)))
            samples[:] = heapq.nsmallest(SAMPLES, samples, key=lambda sample: sample[0])
