"""Answers that were made elsewhere, in the formats that the paper's authors published theirs in, or plain lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError
from bayling_lite.evaluate.data import DataFolder, read_json_lines, read_lines
from bayling_lite.evaluate.exams.tasks import TASKS
from bayling_lite.evaluate.families import FoundOutputs

_BEGIN, _END = "predict.", ".zero-shot.jsonl"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system said to one question. ``cut_off``: its maker says that it ended at the most tokens allowed."""

    text: str
    cut_off: bool = False


def find_predictions(data: DataFolder) -> tuple[FoundOutputs, ...]:
    """The files ``predict.SYSTEM.TASK.zero-shot.jsonl``, by system, in the order of the tasks.

    A system is called after its folder where that is its name but for the case of letters, so that it is the same as
    in the outputs of other families.
    """
    found = []
    for path in data.find(f"{_BEGIN}*{_END}"):
        system, _, task = path.name[len(_BEGIN) : -len(_END)].rpartition(".")
        if system and task in TASKS:
            folder = path.parent.name
            found.append(FoundOutputs(folder if folder.casefold() == system.casefold() else system, task, path))
    order = list(TASKS)
    return tuple(sorted(found, key=lambda outputs: (outputs.system, order.index(outputs.set_name), outputs.path)))


def read_predictions(path: Path) -> tuple[Prediction, ...]:
    """The predictions of a file: JSON lines by its name (``.jsonl``, ``.json``) or first sign, else one answer a line.

    Of an object, what was said is its ``text``, or its first choice's ``message.content`` or ``text``; null, and no
    choice at all, are empty answers. Line n answers question n, unless all lines are numbered by a ``question_id``,
    as the published inputs are: then its order counts.

    Raises:
        InputError: it cannot be read, a line is no such object, or two have one number; the message has the lines.
    """
    if path.suffix not in (".jsonl", ".json"):
        plain = read_lines(path)
        # A letter in the name of a field is no answer.
        if not plain or not plain[0].startswith('{"'):
            return tuple(Prediction(line) for line in plain)
    lines = _in_order(path, read_json_lines(path))
    return tuple(_prediction(path, number, line) for number, line in enumerate(lines, 1))


def _in_order(path: Path, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines in the order of their questions: programs that ask many at once write them as they come."""
    numbers = [line.get("question_id") for line in lines]
    if not all(type(number) is int for number in numbers):
        return lines
    first: dict[Any, int] = {}
    for place, number in enumerate(numbers, 1):
        if first.setdefault(number, place) != place:
            raise InputError(f"{path}: answers {first[number]} and {place} are both to question {number}.")
    return sorted(lines, key=lambda line: int(line["question_id"]))


def _prediction(path: Path, number: int, line: Mapping[str, Any]) -> Prediction:
    source: Any = line
    if "text" not in line and isinstance(line.get("choices"), list):
        source = line["choices"][0] if line["choices"] else {"text": None}
    if isinstance(source, dict):
        message = source.get("message")
        holder, key = (message, "content") if isinstance(message, dict) else (source, "text")
        text = holder.get(key, ...)
        if text is None or isinstance(text, str):
            return Prediction(text or "", source.get("finish_reason") == "length")
    raise InputError(
        f"{path}, answer {number}: it has no text (neither `text` nor `choices[0].message.content`). Name a file of "
        "predictions, one JSON object for each question."
    )
