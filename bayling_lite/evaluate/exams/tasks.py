"""The tasks: what each is called, the language it is asked in, and what kind of answer it wants."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bayling_lite.errors import UsageError
from bayling_lite.prompts import Wording


class Kind(Enum):
    """What an answer is."""

    CHOICE = "one option"
    CHOICES = "one or several options"
    CLOZE = "a number or a formula"


@dataclass(frozen=True, slots=True)
class Task:
    """One file of questions, ``NAME.jsonl``. ``language`` is that of the questions, in which it is asked."""

    name: str
    language: Wording
    kind: Kind = Kind.CHOICE


_EN, _ZH = Wording.ENGLISH, Wording.CHINESE

GAOKAO = (
    Task("gaokao-chinese", _ZH),
    Task("gaokao-english", _EN),
    Task("gaokao-mathqa", _ZH),
    Task("gaokao-physics", _ZH, Kind.CHOICES),
    Task("gaokao-chemistry", _ZH),
    Task("gaokao-biology", _ZH),
    Task("gaokao-history", _ZH),
    Task("gaokao-geography", _ZH),
    Task("gaokao-mathcloze", _ZH, Kind.CLOZE),
)
"""The paper's table of the GaoKao, in its order."""

ENGLISH = (
    Task("sat-math", _EN),
    Task("sat-en", _EN),
    Task("sat-en-without-passage", _EN),
    Task("aqua-rat", _EN),
    Task("lsat-ar", _EN),
    Task("lsat-lr", _EN),
    Task("lsat-rc", _EN),
    Task("logiqa-en", _EN),
    Task("logiqa-zh", _ZH),
)
"""The paper's table of English exams, in its order; its last column is the Chinese half of the civil service exam."""

MORE = (
    Task("jec-qa-kd", _ZH, Kind.CHOICES),
    Task("jec-qa-ca", _ZH, Kind.CHOICES),
    Task("math", _EN, Kind.CLOZE),
)
"""Tasks of AGIEval that the paper does not report."""

TASKS = {task.name: task for task in (*GAOKAO, *ENGLISH, *MORE)}
"""All tasks by name, the paper's first."""


def task_named(name: str) -> Task:
    """A task by its name.

    Raises:
        UsageError: there is no such task.
    """
    if name not in TASKS:
        raise UsageError(f"There is no exam {name!r}. There are: {', '.join(TASKS)}.")
    return TASKS[name]
