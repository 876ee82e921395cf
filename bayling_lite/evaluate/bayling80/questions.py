"""The questions: four sets of 80, each question in one of nine categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder, read_json_lines
from bayling_lite.prompts import Wording

SETS = ("singleturn.en", "singleturn.zh", "multiturn.en", "multiturn.zh")
"""The sets, in the paper's order: English and Chinese, one turn and several."""

CATEGORIES = (
    *("generic", "knowledge", "roleplay", "common-sense", "fermi"),
    *("counterfactual", "coding", "math", "writing"),
)
"""The categories in the order of the questions; tables and plots keep to it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its follow-ups, turn by turn."""

    id: str
    category: str
    turns: tuple[str, ...]


def wording_of(set_name: str) -> Wording:
    """The language that a set's questions are in."""
    return Wording(set_name.rpartition(".")[2])


def find_sets(data: DataFolder) -> tuple[str, ...]:
    """The sets that the data holds."""
    return tuple(name for name in SETS if data.find(_file(name)))


def read_set(data: DataFolder, set_name: str) -> tuple[Question, ...]:
    """The questions of a set, in their order.

    Raises:
        UsageError: there is no such set, or the data does not hold it.
        InputError: the file is damaged; the message has the line.
    """
    if set_name not in SETS:
        raise UsageError(f"BayLing-80 has no set {set_name!r}. It has: {', '.join(SETS)}.")
    path = data.one(_file(set_name))
    if path is None:
        found = find_sets(data)
        has = f"The data holds of BayLing-80: {', '.join(found)}." if found else "The data holds nothing of BayLing-80."
        raise UsageError(
            f"{has} {_file(set_name)} is in data/BayLing-80 of the public repository ictnlp/BayLing: "
            "give a checkout of it to --data."
        )
    questions = tuple(
        Question(item_id(row, path, line), category_of(row), texts(row.get("text"), "text", path, line))
        for line, row in enumerate(read_json_lines(path), 1)
    )
    if not questions:
        raise InputError(f"{path} has no questions.")
    see_unique([question.id for question in questions], path)
    return questions


def item_id(row: Mapping[str, Any], path: Path, line: int) -> str:
    """A question's number as text.

    Raises:
        InputError: there is none.
    """
    number = row.get("question_id")
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise InputError(f"{path}, question {line}: question_id, the question's number, is missing.")
    return str(number)


def category_of(row: Mapping[str, Any]) -> str:
    """A question's category; empty where none is named."""
    category = row.get("category", "")
    return category if isinstance(category, str) else ""


def texts(value: object, name: str, path: Path, line: int) -> tuple[str, ...]:
    """What is one text for one turn, and a list of texts for several.

    Raises:
        InputError: it is neither.
    """
    turns = [value] if isinstance(value, str) else value
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise InputError(f"{path}, question {line}: {name} should be a text, or a list with one text a turn.")
    return tuple(turns)


def see_unique(ids: list[str], path: Path) -> None:
    """See that no question comes twice.

    Raises:
        InputError: one does.
    """
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InputError(f"{path} has question {name} twice.")
        seen.add(name)


def by_category(category: str) -> tuple[int, str]:
    """A key to sort categories by: those of BayLing-80 in their order, then others by name."""
    return (CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES), category)


def _file(set_name: str) -> str:
    return f"BayLing-80.{set_name}.jsonl"
