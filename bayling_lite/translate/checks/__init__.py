"""Checks on the translation of a segment: what is wrong with it, and whether it can stand all the same.

A problem is *fatal* where the text is certainly no translation of its source, or has lost something that cannot be
guessed (a link, a figure): the source is then of more use to a reader. It is *to look at* where good translations look
like that as well, now and then.
"""

from __future__ import annotations

from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.copying import echo, leftover
from bayling_lite.translate.checks.figures import numbers
from bayling_lite.translate.checks.language import language, script
from bayling_lite.translate.checks.length import length
from bayling_lite.translate.checks.links import links, placeholders
from bayling_lite.translate.checks.obedience import obedience
from bayling_lite.translate.checks.overrun import begins_another_turn, overrun
from bayling_lite.translate.checks.pair import Pair, readable
from bayling_lite.translate.checks.repetition import ends_in_circles, repetition
from bayling_lite.translate.glossary import occurs

__all__ = ["Pair", "check", "readable", "watch"]

_CHECKS = (
    *(repetition, echo, script, language, leftover, overrun, obedience),
    *(links, placeholders, numbers, length),
)


def check(pair: Pair) -> tuple[Problem, ...]:
    """What is wrong with a translation, what is fatal first."""
    if not pair.target.strip():
        return (Problem(ProblemKind.EMPTY, "the model gave no answer"),)
    problems = [problem for one in _CHECKS for problem in one(pair)]
    problems += [
        Problem(ProblemKind.TERMS, f"{source} → {target}", fatal=False)
        for source, target in pair.terms
        if not occurs(target, pair.target)
    ]
    return tuple(sorted(problems, key=lambda problem: not problem.fatal))


def watch(pair: Pair) -> Problem | None:
    """What is certainly wrong with a translation of which more is to come."""
    return ends_in_circles(pair) or begins_another_turn(pair)
