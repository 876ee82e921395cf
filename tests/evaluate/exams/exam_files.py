"""Small exams for tests: questions of our own, in the files that exams are kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.exams.family import Exams
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.values import SetResult


def question(label: object = "B", **changed: object) -> dict[str, Any]:
    """A question with four options, or with what is changed."""
    options = ["(A)two", "(B)three", "(C)four", "(D)five"]
    whole = {"passage": None, "question": "One and two?", "options": options, "label": label, "answer": None}
    return {**whole, **changed}


def cloze(answer: object, **changed: object) -> dict[str, Any]:
    """A question that wants a formula."""
    return {"passage": None, "question": "x?", "options": None, "label": None, "answer": answer, **changed}


def write_json_lines(path: Path, objects: Iterable[object]) -> Path:
    """Write objects, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")
    return path


def write_exam(folder: Path, task: str, questions: Iterable[object]) -> DataFolder:
    """Data that holds an exam."""
    write_json_lines(folder / f"{task}.jsonl", questions)
    return DataFolder([folder])


def score(data: DataFolder, task: str, texts: Iterable[str], family: Exams | None = None) -> SetResult:
    """What a file of these answers is worth."""
    path = write_json_lines(data.folders[0] / "said.jsonl", [{"text": text} for text in texts])
    return (family or Exams()).score(data, FoundOutputs("someone", task, path))
