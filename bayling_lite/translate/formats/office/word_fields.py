"""Fields in Word documents (ECMA-376 part 1, 17.16): an instruction, and what it gave when it was last computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bayling_lite.translate.formats.office.runs import Alone, Group, Item, Text
from bayling_lite.translate.formats.xml_tree import Element

# Fields whose result is text somebody wrote. All others are computed: numbers, dates, references, citations.
_OF_TEXT = {"HYPERLINK", "TOC", "INDEX", "FORMTEXT", "INCLUDETEXT", "QUOTE", "IF", "FILLIN", "MACROBUTTON"}

# Fields that do something each time they stand in a document: count on, add to an index or a table of contents.
_OF_EFFECT = {"SEQ", "LISTNUM", "AUTONUM", "AUTONUMLGL", "AUTONUMOUT", "XE", "TC", "TA", "SET", "ASK"}

_WHITE = re.compile(r"\s")
_FEW = 9  # entries that a field is told by

Role = Literal["item", "begin", "instruction", "separate", "end"]
Make = Callable[[], Iterable[Element]]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One thing in a paragraph, or one mark of a field that begins, separates or ends there.

    ``make`` gives its elements, for a place in which it is part of another thing.
    """

    item: Item
    make: Make
    role: Role = "item"
    instruction: str = ""


def is_text_field(instruction: str, result: str = "") -> bool:
    """Whether what a field gives is text to translate."""
    kind = _kind(instruction)
    # LibreOffice writes whole entries of a table of contents as what the number of their page is.
    return kind in _OF_TEXT or (kind == "PAGEREF" and bool(_WHITE.search(result)))


def stands_once(instruction: str) -> bool:
    """Whether a copy of a field would do something again."""
    return _kind(instruction) in _OF_EFFECT


def _kind(instruction: str) -> str:
    return (instruction.split() or [""])[0].upper()


def with_fields(entries: Sequence[Entry]) -> list[Item]:
    """The items of a paragraph, with those of each field in one: its marks, its instruction, and what it gave."""
    ends = _ends(entries)
    items: list[Item] = []
    around: list[tuple[int, list[Item]]] = []  # for each group that is open, where it ends and what it is among
    index = 0
    while index < len(entries):
        entry = entries[index]
        separate, end = ends.get(index, (-1, -1))
        if around and around[-1][0] == index:
            _, items = around.pop()
            index += 1
        elif entry.role != "begin":
            items.append(entry.item)
            index += 1
        elif end < 0:  # it goes on in the next paragraph; up to its result it is one thing
            stop = max(separate, index) + 1
            items.append(Alone(_all(entries[index:stop]), once=True))
            index = stop
        elif separate >= 0 and is_text_field(
            _instruction(entries[index:separate]), _reads(entries[separate : min(end, separate + _FEW)])
        ):
            before, after = _all(entries[index : separate + 1]), _all(entries[end : end + 1])
            group = Group([], before=before, after=after)
            items.append(group)
            around.append((end, items))
            items, index = group.items, separate + 1
        else:
            once = stands_once(_instruction(entries[index : end if separate < 0 else separate]))
            reads = _reads(entries[separate:end]) if separate >= 0 else ""
            items.append(Alone(_all(entries[index : end + 1]), reads, once=once))
            index = end + 1
    return items


def _ends(entries: Sequence[Entry]) -> dict[int, tuple[int, int]]:
    """For each field that begins here, where its result begins and where it ends; -1 where it does not."""
    found: dict[int, tuple[int, int]] = {}
    open_: list[int] = []
    for index, entry in enumerate(entries):
        if entry.role == "begin":
            open_.append(index)
            found[index] = (-1, -1)
        elif entry.role == "separate" and open_ and found[open_[-1]][0] < 0:
            found[open_[-1]] = (index, -1)
        elif entry.role == "end" and open_:
            start = open_.pop()
            found[start] = (found[start][0], index)
    return found


def _instruction(entries: Sequence[Entry]) -> str:
    return "".join(one.instruction for one in entries)


def _reads(entries: Sequence[Entry]) -> str:
    return reads_of([one.item for one in entries])


def _all(entries: Sequence[Entry]) -> Make:
    return lambda: [element for entry in entries for element in entry.make()]


def reads_of(items: Sequence[Item]) -> str:
    """What a reader sees of items."""
    reads = (
        item.text if isinstance(item, Text) else item.reads if isinstance(item, Alone) else reads_of(item.items)
        for item in items
    )
    return "".join(reads)
