"""What is wrong with a glossary, or worth a look: contradictions, duplicates, words inside words, terms never used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bayling_lite.translate.glossary import TermIndex
from bayling_lite.translate.glossary_file import Entry, Glossary


class FindingKind(StrEnum):
    """What can be found in a glossary."""

    EMPTY = "empty cell"
    CONTRADICTION = "contradiction"
    DUPLICATE = "duplicate"
    SPACE = "white space"
    CASE = "case"
    OVERLAP = "overlap"
    UNUSED = "never occurs"


FATAL = (FindingKind.EMPTY, FindingKind.CONTRADICTION)
"""What a glossary cannot be used with."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line of a glossary."""

    line: int
    kind: FindingKind
    detail: str

    @property
    def fatal(self) -> bool:
        """Whether the glossary cannot be used as it is."""
        return self.kind in FATAL


def check_glossary(glossary: Glossary) -> list[Finding]:
    """What is to be said of a glossary, in the order of its lines."""
    whole = [entry for entry in glossary.entries if entry.source and entry.target]
    found = [*_cells(glossary.entries), *_again(whole), *_in_other_case(whole), *_overlapping(whole)]
    return sorted(found, key=lambda finding: finding.line)


def never_occurring(glossary: Glossary, texts: Iterable[str]) -> list[Finding]:
    """The terms whose word stands in none of some texts."""
    missing = {entry.source: entry for entry in reversed(glossary.entries) if entry.source}
    index = TermIndex((word, "") for word in missing)
    for text in texts:
        for word, _ in index.occurring(text):
            missing.pop(word, None)
    found = (Finding(entry.line, FindingKind.UNUSED, repr(word)) for word, entry in missing.items())
    return sorted(found, key=lambda finding: finding.line)


def _cells(entries: Iterable[Entry]) -> Iterator[Finding]:
    for entry in entries:
        if not entry.source:
            yield Finding(entry.line, FindingKind.EMPTY, f"there is no word for {entry.target or entry.note!r}")
        elif not entry.target:
            yield Finding(entry.line, FindingKind.EMPTY, f"{entry.source!r} has no translation")
        for raw, cell in zip(entry.raw, (entry.source, entry.target), strict=True):
            if raw != cell and cell:
                yield Finding(entry.line, FindingKind.SPACE, f"{raw!r} is read as {cell!r}")


def _again(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Words that stand there twice: with one translation, or with several."""
    seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for entry in entries:
        before = seen[entry.source]
        if entry.target in before:
            line = before[entry.target]
            yield Finding(entry.line, FindingKind.DUPLICATE, f"{entry.source!r} = {entry.target!r}, as on line {line}")
        elif before:
            others = " and ".join(f"{target!r} on line {line}" for target, line in before.items())
            detail = f"{entry.source!r} is {entry.target!r} here, {others}"
            yield Finding(entry.line, FindingKind.CONTRADICTION, detail)
        before.setdefault(entry.target, entry.line)


def _in_other_case(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Words that differ in case only: that which is written as in the text counts, which may not be what is meant."""
    spellings: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        others = spellings[entry.source.casefold()]
        if entry.source not in others:
            for other in others.values():
                detail = f"{entry.source!r} is {other.source!r} on line {other.line}, in another case"
                same = " and with the same translation" if other.target == entry.target else ""
                yield Finding(entry.line, FindingKind.CASE, detail + same)
            others[entry.source] = entry


def _overlapping(entries: list[Entry]) -> Iterator[Finding]:
    """Words inside other words: there, the longer one counts."""
    first = {entry.source: entry for entry in reversed(entries)}
    index = TermIndex((word, "") for word in first)
    for entry in first.values():
        for word, _ in index.occurring(entry.source):
            if word.casefold() != entry.source.casefold():
                detail = f"{entry.source!r} holds {word!r} of line {first[word].line}; the longer one counts"
                yield Finding(entry.line, FindingKind.OVERLAP, detail)
