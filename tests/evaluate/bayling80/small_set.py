"""A small BayLing-80 of our own sentences, in the public layout: four sets with three questions each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bayling_lite.evaluate.bayling80.answers import answer_scores, made_elsewhere, output_of
from bayling_lite.evaluate.bayling80.questions import Question
from bayling_lite.evaluate.values import Run, SetResult
from bayling_lite.messages import Conversation

ENGLISH = (
    Question("1", "generic", ("How do I sleep better?", "Name one book about it.")),
    Question("2", "math", ("What are the next two numbers after 1 2 3?", "And after those?")),
    Question("3", "coding", ("Sort a list in Python.", "Now backwards.")),
)
CHINESE = (
    Question("1", "generic", ("怎样睡得更好？", "推荐一本书。")),
    Question("2", "math", ("1 2 3 之后的两个数是什么？", "再往后呢？")),
    Question("3", "coding", ("用 Python 给列表排序。", "倒过来。")),
)


def write_lines(path: Path, rows: Iterable[object]) -> Path:
    """Write JSON lines; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def write_questions(folder: Path) -> Path:
    """Write the four sets as a checkout of the public repository has them."""
    for language, questions in (("en", ENGLISH), ("zh", CHINESE)):
        for kind, several in (("singleturn", False), ("multiturn", True)):
            rows = [
                {
                    "question_id": int(question.id),
                    "text": list(question.turns) if several else question.turns[0],
                    "category": question.category,
                }
                for question in questions
            ]
            write_lines(folder / "data" / "BayLing-80" / f"BayLing-80.{kind}.{language}.jsonl", rows)
    return folder


def answer_rows(questions: Sequence[Question] = ENGLISH, say: str = "answer") -> list[dict[str, Any]]:
    """A system's answers in several turns, as they are published."""
    return [
        {
            "question_id": int(question.id),
            "text": list(question.turns),
            "category": question.category,
            "response": [f"{say} {question.id}.{turn}" for turn in range(1, len(question.turns) + 1)],
        }
        for question in questions
    ]


def review_row(question: Question, scores: object, ours: str = "ours", theirs: str = "theirs") -> dict[str, Any]:
    """A published review of answers to one turn."""
    return {
        "question_id": int(question.id),
        "question": question.turns[0],
        "category": question.category,
        "system1": {"name": "One-13B", "response": ours},
        "system2": {"name": "Two-13B", "response": theirs},
        "review": [f"Both are fine. {scores}"],
        "score": scores,
        "result": "WIN",
    }


def answers_of(
    system: str,
    said: Sequence[Sequence[str]],
    *,
    set_name: str = "multiturn.en",
    questions: Sequence[Question] = ENGLISH,
) -> SetResult:
    """A system's answers to the first questions."""
    n_turns = 1 if set_name.startswith("singleturn") else 2
    outputs = tuple(
        output_of(Question(question.id, question.category, question.turns[:n_turns]), made_elsewhere(texts))
        for question, texts in zip(questions, said, strict=False)
    )
    run = Run(date="2026-01-01T00:00:00+00:00", origin="a test")
    return SetResult(system, "bayling80", set_name, answer_scores(outputs), outputs, run, len(questions))


_FENCED = re.compile(r"^([A-Z]{10}) (?P<who>[^\n]*)\n(?P<text>.*?)\n\1 (?:end|结束)$", re.DOTALL | re.MULTILINE)


def shown_to(prompt: str) -> list[tuple[str, str]]:
    """What a judge is shown: (who, text), fence by fence."""
    return [(match["who"], match["text"]) for match in _FENCED.finditer(prompt)]


def judging_by(score: Callable[[str], float]) -> Callable[[Conversation], str]:
    """A judge for the scripted engine, who scores each assistant's answers by a function of their whole text."""

    def judge(conversation: Conversation) -> str:
        shown = shown_to(conversation.messages[-1].content)
        first, second = (
            score(" ".join(text for who, text in shown if f"{noun}{number}" in who.replace(" ", "")))
            for number in (1, 2)
            for noun in ("assistant" if "assistant" in conversation.messages[-1].content else "助手",)
        )
        return f"One is better than the other.\n[[{first:g}]] [[{second:g}]]"

    return judge
