"""Answers as outputs, and what can be said of them without a judge: whether there are any, and how long they are."""

from __future__ import annotations

from collections.abc import Sequence

from bayling_lite.evaluate.bayling80.questions import Question
from bayling_lite.evaluate.values import Answer, Output, Score

_COUNTED = "unit:questions|turns:all"
_LENGTH = "unit:characters|average:answers|turns:each|empty:left out"


def output_of(question: Question, answer: Answer) -> Output:
    """One question with what was answered, turn by turn."""
    return Output(
        id=question.id,
        asked=question.turns,
        said=answer.texts,
        problem=answer.problem,
        details={"category": question.category},
    )


def made_elsewhere(texts: Sequence[str]) -> Answer:
    """An answer that another program has made; all that can be seen of it is whether something is missing."""
    return Answer(tuple(texts), "" if all(text.strip() for text in texts) else "empty")


def answer_scores(outputs: Sequence[Output]) -> tuple[Score, ...]:
    """``answered``, ``empty`` and ``cut off`` count questions, ``mean length`` the characters of an answer to one turn.

    A question is answered when something to see is said in every turn; it is empty when that is missing in any.
    """
    empty = sum(not all(text.strip() for text in output.said) for output in outputs)
    lengths = [len(text.strip()) for output in outputs for text in output.said if text.strip()]
    return (
        Score("answered", len(outputs) - empty, _COUNTED),
        Score("empty", empty, _COUNTED),
        Score("cut off", sum(output.problem == "length" for output in outputs), _COUNTED),
        Score("mean length", sum(lengths) / len(lengths) if lengths else 0.0, _LENGTH),
    )
