"""What to ask next, where an answer cannot have the words that are required of it."""

from __future__ import annotations

import math
from dataclasses import replace

from bayling_lite.engine.base import Completion
from bayling_lite.engine.words import occurs
from bayling_lite.errors import PhrasesDoNotFit
from bayling_lite.translate.refining.corrections import strict
from bayling_lite.translate.tasks import Task


class LacksAnother(PhrasesDoNotFit):
    """A correction has its word, and has lost another that is required."""


def other_attempt(task: Task, attempt: Task, refusal: PhrasesDoNotFit) -> Task:
    """How else to ask for a task: with a correction that changes nothing besides, where one has changed too much; by a
    search; without what is held; and for the likeliest text, without the words.
    """
    correction = attempt.correction
    if correction is None:
        return replace(task, words=task.words if attempt.held else (), held=(), correction=None)
    new = [word for word in task.required if not occurs(word, correction.revision.text)]
    if isinstance(refusal, LacksAnother) and len(new) == 1 and correction.revision.leaning < math.inf:
        return replace(task, correction=strict(correction))
    return replace(task, correction=None)


def checked(completion: Completion, attempt: Task) -> Completion:
    """A completion that has all required words, where it is one of a correction, which sees to one of them alone.

    Raises:
        LacksAnother: it lacks another one.
    """
    if attempt.correction is not None and completion.finish_reason != "cancelled":
        missing = [word for word in attempt.required if not occurs(word, completion.text)]
        if missing:
            raise LacksAnother(f"The corrected draft lacks {', '.join(map(repr, missing))}.")
    return completion
