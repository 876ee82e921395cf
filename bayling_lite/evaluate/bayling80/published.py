"""Answers and reviews as the paper's authors published them, and answers of other programs.

``SYSTEM/res.bayling-80.SET.jsonl`` holds a system's answers (``question_id``, ``text``, ``category``, ``response``),
``SYSTEM.vs.OTHER.SET.jsonl`` the reviews of two systems' (``question_id``, ``question``, ``category``, ``system1``,
``system2``, ``review``, ``score``). With one turn, texts and responses are strings, with several lists of strings. The
answers to one turn are the first ones of several turns and were not published apart. A file whose name does not end in
``.jsonl`` has one answer a line, in the order of the questions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError
from bayling_lite.evaluate.bayling80.answers import answer_scores, made_elsewhere, output_of
from bayling_lite.evaluate.bayling80.questions import (
    SETS,
    Question,
    category_of,
    find_sets,
    item_id,
    read_set,
    see_unique,
    texts,
)
from bayling_lite.evaluate.bayling80.verdicts import HIGHEST, Order, Verdict, compared, comparison_scores
from bayling_lite.evaluate.data import DataFolder, paired, read_json_lines, read_lines
from bayling_lite.evaluate.elsewhere import run_elsewhere
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.values import Answer, Output, SetResult

FAMILY = "bayling80"

_SETS = "|".join(map(re.escape, SETS))
_ANSWERS = re.compile(rf"res\.bayling-80\.(?P<set>{_SETS})\.jsonl")
_REVIEW = re.compile(rf"(?P<system>.+)\.vs\.(?P<against>.+)\.(?P<set>{_SETS})\.jsonl")
_PLACES = ("system1", "system2")
# The files do not name the judge, and have one order of the two systems alone.
_SIGNATURE = "judge:published reviews|orders:1|win:higher score|tie:equal scores|ratio:sum/sum|unjudged:left out"


def find_answers(data: DataFolder) -> tuple[FoundOutputs, ...]:
    """Published answers: one for each system and set; those to one turn also where only several turns are there."""
    found: dict[tuple[str, str], FoundOutputs] = {}
    for path in data.find("res.bayling-80.*.jsonl"):
        if match := _ANSWERS.fullmatch(path.name):
            found[str(path.parent), match["set"]] = FoundOutputs(path.parent.name, match["set"], path)
    for (folder, name), outputs in list(found.items()):
        single = name.replace("multiturn", "singleturn")
        found.setdefault((folder, single), FoundOutputs(outputs.system, single, outputs.path))
    return tuple(sorted(found.values(), key=_place))


def find_reviews(data: DataFolder) -> tuple[FoundOutputs, ...]:
    """Published reviews."""
    paths = data.find("*.vs.*.jsonl")
    found = [
        FoundOutputs(match["system"], match["set"], path, against=match["against"])
        for path in paths
        if (match := _REVIEW.fullmatch(path.name))
    ]
    return tuple(sorted(found, key=_place))


def read_reviewed(data: DataFolder, found: FoundOutputs, system: str) -> SetResult:
    """The answers of one of the two systems of a review, which repeats both.

    Raises:
        InputError: as :func:`read_outputs`.
    """
    outputs = read_outputs(data, found).outputs
    pairs = [(output, output.said if system == found.system else output.details["against"]) for output in outputs]
    answers = tuple(
        output_of(Question(output.id, output.details["category"], output.asked), made_elsewhere(tuple(said)))
        for output, said in pairs
    )
    return _result(replace(found, system=system, against=""), answers)


def read_outputs(data: DataFolder, found: FoundOutputs) -> SetResult:
    """Answers or reviews, by what is in the file.

    Raises:
        InputError: the file is damaged, or is not of this set's questions.
        UsageError: its questions are needed, and the data does not hold them.
    """
    if found.path.suffix != ".jsonl":
        return _plain_lines(data, found)
    rows = read_json_lines(found.path)
    if not rows:
        raise InputError(f"{found.path} is empty.")
    ids = [item_id(row, found.path, line) for line, row in enumerate(rows, 1)]
    see_unique(ids, found.path)
    reviews = "system1" in rows[0]
    questions = _questions(data, found, rows, ids)
    if missing := sorted(questions.keys() - set(ids), key=list(questions).index):
        named = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        raise InputError(
            f"{found.path} has {len(ids)} of the {len(questions)} questions of {found.set_name}. Missing: {named}."
        )
    read = _reviewed if reviews else _answered
    by_id = {name: (line, row) for line, (name, row) in enumerate(zip(ids, rows, strict=True), 1)}
    outputs = tuple(read(question, by_id[name][1], found.path, by_id[name][0]) for name, question in questions.items())
    if reviews:
        return _result(found, outputs, against=found.against or _name_of(rows[0], "system2", found.path))
    return _result(found, outputs)


def _result(found: FoundOutputs, outputs: tuple[Output, ...], *, against: str = "") -> SetResult:
    return SetResult(
        system=found.system,
        family=FAMILY,
        set_name=found.set_name,
        against=against,
        scores=comparison_scores(outputs, _SIGNATURE) if against else answer_scores(outputs),
        outputs=outputs,
        run=run_elsewhere(found.path),
        n_items=len(outputs),
    )


def _plain_lines(data: DataFolder, found: FoundOutputs) -> SetResult:
    questions = read_set(data, found.set_name)
    if any(len(question.turns) > 1 for question in questions):
        raise InputError(f"{found.path}: answers in several turns are read from a .jsonl file (question_id, response).")
    lines = read_lines(found.path)
    paired(found.path, len(lines), f"the set {found.set_name}", len(questions))
    pairs = zip(questions, lines, strict=True)
    return _result(found, tuple(output_of(question, made_elsewhere((line,))) for question, line in pairs))


def _questions(
    data: DataFolder, found: FoundOutputs, rows: list[dict[str, Any]], ids: list[str]
) -> dict[str, Question]:
    """The set's questions by their ids: the data's where it has them, else those that the file repeats."""
    name, path = found.set_name, found.path
    if name in find_sets(data) or not {"text", "question"} & rows[0].keys():
        questions = {question.id: question for question in read_set(data, name)}
        for line, (number, row) in enumerate(zip(ids, rows, strict=True), 1):
            own = questions.get(number)
            said = row.get("text", row.get("question"))
            if own is None or (said is not None and texts(said, "text", path, line)[: len(own.turns)] != own.turns):
                raise InputError(
                    f"{path}, question {line}: this is not question {number} of {name}. Is the file of another set?"
                )
        return questions
    n_turns = 1 if name.startswith("singleturn") else None
    return {
        number: Question(
            number, category_of(row), texts(row.get("text", row.get("question")), "text", path, line)[:n_turns]
        )
        for line, (number, row) in enumerate(zip(ids, rows, strict=True), 1)
    }


def _answered(question: Question, row: Mapping[str, Any], path: Path, line: int) -> Output:
    return output_of(question, _answer(question, row.get("response"), path, line))


def _reviewed(question: Question, row: Mapping[str, Any], path: Path, line: int) -> Output:
    ours, theirs = (_answer(question, _system(row, name, path, line).get("response"), path, line) for name in _PLACES)
    review = row.get("review", "")
    replies = tuple(map(str, review)) if isinstance(review, list) else (str(review),)
    scores = _scores(row.get("score"), path, line)
    problems = (*("" for _ in replies[1:]), "" if scores else "nonsense")
    verdict = Verdict((Order(True, scores, replies, problems),))
    return compared(question, ours, theirs, verdict)


def _answer(question: Question, value: object, path: Path, line: int) -> Answer:
    said = texts(value, "response", path, line)[: len(question.turns)]
    paired(Path(f"{path}, question {line}"), len(said), "the question", len(question.turns))
    return made_elsewhere(said)


def _scores(value: object, path: Path, line: int) -> tuple[float, float] | None:
    """The two scores of a review; None where the reviewer gave none, which is published as a pair below zero."""
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(f"{path}, question {line}: score should be a list of two numbers.")
    numbers = [number for number in value if isinstance(number, int | float) and not isinstance(number, bool)]
    if len(numbers) < 2 or not all(map(math.isfinite, numbers)) or max(numbers) > HIGHEST:
        raise InputError(f"{path}, question {line}: scores should be numbers up to {HIGHEST:g}, not {value}.")
    return (float(numbers[0]), float(numbers[1])) if min(numbers) >= 0 else None


def _system(row: Mapping[str, Any], place: str, path: Path, line: int) -> Mapping[str, Any]:
    system = row.get(place)
    if not isinstance(system, dict):
        raise InputError(f"{path}, question {line}: {place}, with its name and response, is missing.")
    return system


def _name_of(row: Mapping[str, Any], place: str, path: Path) -> str:
    name = _system(row, place, path, 1).get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"{path}: {place} has no name.")
    return name


def _place(found: FoundOutputs) -> tuple[str, str, int, str]:
    return (found.system, found.against, SETS.index(found.set_name), str(found.path))
