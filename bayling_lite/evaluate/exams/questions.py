"""Questions as AGIEval keeps them, one JSON object a line, and how the BayLing paper asks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder, read_json_lines
from bayling_lite.evaluate.exams.tasks import TASKS, Kind, Task, task_named
from bayling_lite.prompts import Wording

# The frames of the published inputs, byte for byte.
_CHOICE = {
    Wording.ENGLISH: (
        'Question:\n{question}\n{options}\nAnswer:\nOutput the correct answer in this format: "Answer is choice ()"'
    ),
    Wording.CHINESE: '问题：\n{question}\n{options}\n答案：\n按照此格式输出正确答案："答案是选项()"',
}
_OPTIONS = {Wording.ENGLISH: "Choices:\n", Wording.CHINESE: "选项：\n"}
_CLOZE = {
    Wording.ENGLISH: "Question: {question}\nAnswer: The answer is",
    Wording.CHINESE: "问题：{question}\n答案：",
}

# Of a checkout that holds several versions of the collection, the first, which the paper used.
_PREFERRED = ("v1", "questions")


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``id`` is the number of its line, from 1.

    ``passage`` is what it is about, None for nothing. ``options`` begin with their letters, ``(A)…``. ``label`` has
    what is right: letters, of which there are several where several options are right together, or the one formula
    of a cloze. They are kept as they are, also letters that no option has.
    """

    id: str
    passage: str | None
    text: str
    options: tuple[str, ...]
    label: tuple[str, ...]

    def prompt(self, task: Task) -> str:
        """The question as the paper asks it, in the language of its task."""
        # An empty passage and none at all differ here as they do in the published inputs.
        passage = "" if self.passage is None else self.passage
        if task.kind is Kind.CLOZE:
            return passage + _CLOZE[task.language].format(question=self.text)
        options = "".join(f"{option}\n" for option in self.options)
        asked = _CHOICE[task.language].format(
            question=self.text, options=_OPTIONS[task.language] + options if options else ""
        )
        return asked if self.passage is None else f"{passage}\n\n{asked}"


@dataclass(frozen=True, slots=True)
class Exam:
    """A task with its questions.

    ``edition`` is the version of the collection that they are of, the name of their folder if that is ``v1`` or the
    like: later ones have other questions and labels, and their numbers cannot be compared. Empty if nothing tells.
    """

    task: Task
    questions: tuple[Question, ...]
    edition: str = ""


def find_tasks(data: DataFolder) -> tuple[str, ...]:
    """The tasks whose files the data holds, the paper's first."""
    return tuple(name for name in TASKS if data.find(f"{name}.jsonl"))


def read_exam(data: DataFolder, name: str) -> Exam:
    """A task with its questions.

    Raises:
        UsageError: there is no such task, or the data does not hold it.
        InputError: its file is damaged; the message has the line.
    """
    task = task_named(name)
    path = data.one(f"{name}.jsonl", preferred=_PREFERRED)
    if path is None:
        held = ", ".join(find_tasks(data)) or "none"
        raise UsageError(
            f"The data holds no exam {name!r} (it holds: {held}). The exams are the files data/v1/NAME.jsonl of the "
            "public repository ruixiangcui/AGIEval; name the folder they are in with --data."
        )
    questions = tuple(_question(path, number, line, task) for number, line in enumerate(read_json_lines(path), 1))
    if not questions:
        raise InputError(f"{path} holds no questions.")
    folder = path.resolve().parent.name
    return Exam(task, questions, folder if re.fullmatch(r"v\d[\w.]*", folder) else "")


def _question(path: Path, number: int, line: Mapping[str, Any], task: Task) -> Question:
    passage, text, options = line.get("passage"), line.get("question"), line.get("options")
    if not isinstance(text, str):
        raise _damaged(path, number, "has no question")
    if passage is not None and not isinstance(passage, str):
        raise _damaged(path, number, "has a passage that is no text")
    if options is not None and not _are_texts(options):
        raise _damaged(path, number, "has options that are no list of texts")
    return Question(
        id=str(number),
        passage=passage,
        text=text,
        options=() if task.kind is Kind.CLOZE else tuple(options or ()),
        label=_label(path, number, line, task),
    )


def _label(path: Path, number: int, line: Mapping[str, Any], task: Task) -> tuple[str, ...]:
    """What is right; a cloze has it as its answer, all others as their label."""
    first, second = ("answer", "label") if task.kind is Kind.CLOZE else ("label", "answer")
    right = line.get(first) or line.get(second)
    if isinstance(right, str):
        return (right,)
    if _are_texts(right) and right:
        return tuple(right)
    raise _damaged(path, number, "does not say which answer is right")


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _damaged(path: Path, number: int, what: str) -> InputError:
    return InputError(f"{path}, question {number}: it {what}. The file is not one of AGIEval's, or it is damaged.")
