"""A test set of translation: sources, and one or several references to each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import Language

_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class ParallelSet:
    """Line n of ``sources`` belongs to line n of each of ``references``, a tuple of lines for each translator.

    ``sources`` is empty where only outputs made elsewhere are to be scored. ``origin`` names the files for errors.

    Raises:
        UsageError: source and target are the same language.
        InputError: there are no lines, no references, or different numbers of lines.
    """

    name: str
    source: Language
    target: Language
    sources: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    origin: str = ""

    def __post_init__(self) -> None:
        where = self.origin or self.name
        if self.source == self.target:
            raise UsageError(f"Source and target of {where} are both {self.source.english}. Name two languages.")
        if not self.references:
            raise InputError(f"{where} has no reference: there is nothing to compare a translation with.")
        sizes = {len(lines) for lines in self.references} | ({len(self.sources)} if self.sources else set())
        if sizes == {0}:
            raise InputError(f"{where} is empty: there is no line to translate.")
        if len(sizes) > 1:
            counts = " and ".join(f"{size:,}" for size in sorted(sizes))
            raise InputError(f"{where} has files of {counts} lines: line n of one must belong to line n of the other.")

    def __len__(self) -> int:
        return len(self.references[0])

    @property
    def direction(self) -> str:
        """``zh-en``: the codes of the two languages."""
        return f"{self.source.code}-{self.target.code}"

    def first(self, limit: int | None) -> ParallelSet:
        """Its first lines only; all of them for None."""
        if limit is None:
            return self
        references = tuple(lines[:limit] for lines in self.references)
        return ParallelSet(self.name, self.source, self.target, self.sources[:limit], references, self.origin)

    def notes(self) -> Iterator[str]:
        """What a person should know before they believe a score: lines of the set that are empty."""
        for what, lines, therefore in (
            ("source", self.sources, "nothing is asked for them, and they count as empty translations"),
            *(("reference", lines, "nothing can be right there") for lines in self.references),
        ):
            empty = [number for number, line in enumerate(lines, 1) if not line.strip()]
            if empty:
                yield f"Warning: {self.origin or self.name}: {_lines(what, empty)}: {therefore}."


def check_paired(path: Path, lines: Sequence[str], others: Path | str, expected: int) -> None:
    """See that a file has a line for each one of another.

    Raises:
        InputError: it has more or fewer; the message has both numbers, and what is to be done where that can be seen.
    """
    if len(lines) == expected:
        return
    why = "line n of one must belong to line n of the other."
    if len(lines) > expected and not any(line.strip() for line in lines[expected:]):
        why = f"those after line {expected:,} are empty. Remove them from its end."
    elif len(lines) == 1 < expected and "\r" in lines[0]:
        why = "it ends its lines by carriage returns alone. Save it with line feeds."
    raise InputError(f"{path} has {_counted(len(lines))}, {others} has {expected:,}: {why}")


def _counted(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def one_line(text: str) -> str:
    """A text as it is compared with a reference: one line, without blanks around it."""
    return _LINE_BREAK.sub(" ", text).strip()


def _lines(what: str, numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"{what} line {numbers[0]} is empty"
    named = ", ".join(map(str, numbers[:_NAMED])) + (", …" if len(numbers) > _NAMED else "")
    return f"{len(numbers):,} {what} lines are empty ({named})"
