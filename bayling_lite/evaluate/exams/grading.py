"""Finding the answer in what was said, and whether it is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bayling_lite.evaluate.exams.mathematics import equivalent, final_answer
from bayling_lite.evaluate.exams.questions import Question
from bayling_lite.evaluate.exams.stating import stated_letters
from bayling_lite.evaluate.exams.tasks import Kind, Task


class Rule(StrEnum):
    r"""How the chosen option is found in an answer.

    ``PAPER``: the first capital letter A–F once the words *Answer* and *Choice* are deleted; where several options may
    be right, all capital letters A–F. It reproduces the published numbers, and takes "As an assistant" for A.
    ``STRICT``: only a letter that is given as the answer. The strongest of these that is there counts: what a
    ``\boxed{}`` holds; what is said to be the answer (``Answer is choice (B)``, ``**Answer:** B``, ``答案是选项(B)``,
    ``故选B``, ``B is the correct answer``); the letter that the text begins with (``B``, ``(B) …``, ``Answer B``). Two
    that contradict each other are none, as are "A or B", a list of all options, and letters that no option has. What
    stands in ``<think>`` tags was not said. No published number was made with it.
    """

    PAPER = "paper"
    STRICT = "strict"


_LETTER = re.compile("[A-F]")


@dataclass(frozen=True, slots=True)
class Grade:
    """What was found in an answer: letters, or a formula, empty for nothing; and whether that is right."""

    found: str
    right: bool


def grade(task: Task, question: Question, said: str, rule: Rule = Rule.PAPER) -> Grade:
    """Find the answer in a text and compare it with the right one."""
    if task.kind is Kind.CLOZE:
        answer = final_answer(said)
        return Grade(answer or "", equivalent(answer, question.label[0]))
    letters = stated_letters(said, question.options) if rule is Rule.STRICT else None
    if task.kind is Kind.CHOICES:
        found = set(_LETTER.findall(said)) if letters is None else letters
        return Grade("".join(sorted(found)), found == {sign for sign in "".join(question.label) if sign not in " ,、"})
    if letters is None:
        first = _LETTER.search(said.replace("Answer", "").replace("Choice", ""))
        letter = first[0] if first else ""
    else:
        letter = "".join(letters) if len(letters) == 1 else ""
    # A question of which several options are right, among those that have one, nobody answers rightly: as published.
    return Grade(letter, (letter,) == question.label)


def signature(task: Task, rule: Rule) -> str:
    """How an accuracy was computed, in the form of sacreBLEU's signatures."""
    how = {
        (Kind.CHOICE, Rule.PAPER): "first-letter-A-F|deleted:Answer,Choice",
        (Kind.CHOICES, Rule.PAPER): "all-letters-A-F|equal:set",
        (Kind.CHOICE, Rule.STRICT): "strict-letter",
        (Kind.CHOICES, Rule.STRICT): "strict-letters|equal:set",
    }
    return f"rule:{how.get((task.kind, rule), 'final-formula|equal:agieval-math')}|average:micro"
