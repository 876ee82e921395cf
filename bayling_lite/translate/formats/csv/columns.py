"""Which columns of a table are to be translated, and whether its first row names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bayling_lite.errors import UsageError
from bayling_lite.translate.formats.wording import is_data, looks_like_text

_LONGEST_NAME = 40
# What columns are called, whatever is in them.
_NAMES = frozenset(
    """id key name title label text source target description comment note notes message value en zh de fr ja es ru
    english chinese german french context category type status date url price question answer sentence translation lang
    language address city country author subject summary body content phrase word string 名称 标题 内容 说明 描述 中文
    英文 原文 译文 备注 问题 答案""".split()  # noqa: SIM905
)
_SENTENCE_END = re.compile(r"[.!?。！？…;；]\s*\Z")


@dataclass(slots=True)
class _Column:
    filled: int = 0
    text: int = 0
    data: int = 0
    width: int = 0


@dataclass(slots=True)
class ColumnCounter:
    """Looks at every row of a table."""

    first: list[str] = field(default_factory=list)
    rows: int = 0
    columns: dict[int, _Column] = field(default_factory=dict)

    def add(self, values: Sequence[str]) -> None:
        """The next row."""
        self.rows += 1
        if self.rows == 1:
            self.first = list(values)
            return
        for index, value in enumerate(values):
            if value.strip():
                column = self.columns.setdefault(index, _Column())
                column.filled += 1
                column.text += looks_like_text(value)
                column.data += is_data(value)
                column.width += len(value)

    def has_header(self) -> bool:
        """Whether the first row names the columns: short names, each another, and unlike what is below them."""
        names = [value.strip() for value in self.first]
        if self.rows < 2 or not any(names) or len(set(names)) < len(names):
            return False
        if any(bool(name) == is_data(name) or len(name) > _LONGEST_NAME for name in names):
            return False
        if any(map(_SENTENCE_END.search, names)):
            return False
        if sum(name.casefold() in _NAMES for name in names) * 2 >= len(names):
            return True
        if any(column.data * 2 > column.filled for column in self.columns.values()):
            return True
        below = sum(column.width for column in self.columns.values())
        cells = sum(column.filled for column in self.columns.values())
        return cells > 0 and below / cells > 3 * sum(map(len, names)) / len(names)

    def text_columns(self, *, header: bool) -> frozenset[int]:
        """The columns whose cells are text, most of them."""
        chosen = {index for index, column in self.columns.items() if column.text * 2 >= column.filled > 0}
        if not header:
            alone = {index for index in range(len(self.first)) if index not in self.columns}
            chosen |= {index for index in alone if looks_like_text(self.first[index])}
        return frozenset(chosen)


def chosen_columns(wanted: Iterable[str], names: Sequence[str], name_of_file: str) -> frozenset[int]:
    """The columns that a user means, by name, by number from 1 or by letter, from 0.

    Raises:
        UsageError: there is no such column.
    """
    by_name = {name.strip().casefold(): index for index, name in reversed(list(enumerate(names)))}
    found = set()
    for column in wanted:
        key = column.strip()
        index = by_name.get(key.casefold())
        if index is None and re.fullmatch(r"\d{1,6}", key, re.ASCII):
            index = int(key) - 1
        if index is None and re.fullmatch(r"[A-Za-z]{1,3}", key):
            index = _by_letters(key)
        if index is None or not 0 <= index < len(names):
            known = ", ".join(f"{number} ({name.strip()[:_LONGEST_NAME]})" for number, name in enumerate(names, 1))
            raise UsageError(f"{name_of_file} has no column {column!r}. It has: {known}.")
        found.add(index)
    return frozenset(found)


def _by_letters(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
