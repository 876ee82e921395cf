"""What a judge thinks of two answers, and what the verdicts on a set are worth.

A judge gives two scores from 1 to 10. It is asked twice, the second time with the answers in each other's place, and
what it thinks is the mean: a liking for the first place cancels out. Where one of the two gave no scores that can be
read, the question is *unjudged*: it is counted as such and is in no other figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bayling_lite.evaluate.bayling80.questions import Question
from bayling_lite.evaluate.values import Answer, Output, Score

Outcome = Literal["win", "tie", "lose"]

LOWEST, HIGHEST = 1.0, 10.0
"""The scale that a judge is asked for."""


@dataclass(frozen=True, slots=True)
class Order:
    """One asking. ``scores`` are (ours, theirs), None without any that can be read.

    ``replies``: all that the judge said, the last of them counts. ``problems``: beside each reply what was wrong with
    it (``nonsense``, or a problem of :class:`~bayling_lite.evaluate.values.Answer`), empty where it was taken.
    """

    own_first: bool
    scores: tuple[float, float] | None
    replies: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """Who is better by this asking alone."""
        return _outcome(self.scores) if self.scores else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge thinks of one question's answers, by all askings."""

    orders: tuple[Order, ...]

    @property
    def scores(self) -> tuple[float, float] | None:
        """The means (ours, theirs); None where an asking brought no scores."""
        pairs = [order.scores for order in self.orders if order.scores]
        if not pairs or len(pairs) < len(self.orders):
            return None
        # Rounded, so that equal means of different addends are equal.
        ours, theirs = (round(sum(column) / len(pairs), 9) for column in zip(*pairs, strict=True))
        return ours, theirs

    @property
    def outcome(self) -> Outcome | None:
        """Win, tie or lose by the means; None: unjudged."""
        return _outcome(self.scores) if self.scores else None

    @property
    def consistent(self) -> bool | None:
        """Whether all askings have the same outcome; None where there is one only, or the question is unjudged."""
        if len(self.orders) < 2 or self.scores is None:
            return None
        return len({order.outcome for order in self.orders}) == 1

    def details(self, category: str, against: Sequence[str]) -> dict[str, Any]:
        """The ``details`` of an output of a comparison: the category, the other's answer, and every asking."""
        orders = [
            {
                "own_first": order.own_first,
                "scores": list(order.scores) if order.scores else None,
                "replies": list(order.replies),
                "problems": list(order.problems),
            }
            for order in self.orders
        ]
        return {"category": category, "against": list(against), "orders": orders}

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Verdict:
        """Read the details of an output."""
        return cls(
            tuple(
                Order(
                    order["own_first"],
                    (order["scores"][0], order["scores"][1]) if order["scores"] else None,
                    tuple(order["replies"]),
                    tuple(order["problems"]),
                )
                for order in details["orders"]
            )
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts counted. ``score`` and ``other_score`` are sums over the judged questions."""

    win: int = 0
    tie: int = 0
    lose: int = 0
    unjudged: int = 0
    score: float = 0.0
    other_score: float = 0.0
    n_consistent: int = 0
    n_twice: int = 0

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> Tally:
        """Count verdicts."""
        outcomes = [verdict.outcome for verdict in verdicts]
        pairs = [verdict.scores for verdict in verdicts if verdict.scores]
        consistent = [verdict.consistent for verdict in verdicts if verdict.consistent is not None]
        return cls(
            win=outcomes.count("win"),
            tie=outcomes.count("tie"),
            lose=outcomes.count("lose"),
            unjudged=outcomes.count(None),
            score=sum(ours for ours, _ in pairs),
            other_score=sum(theirs for _, theirs in pairs),
            n_consistent=sum(consistent),
            n_twice=len(consistent),
        )

    @property
    def n_judged(self) -> int:
        """Questions with a verdict."""
        return self.win + self.tie + self.lose

    @property
    def ratio(self) -> float | None:
        """Percent: the sum of our scores by the sum of theirs (not the mean of ratios). None: nothing was judged."""
        return 100 * self.score / self.other_score if self.other_score else None

    @property
    def mean(self) -> float | None:
        """Our mean score; None: nothing was judged."""
        return self.score / self.n_judged if self.n_judged else None

    @property
    def other_mean(self) -> float | None:
        """Their mean score."""
        return self.other_score / self.n_judged if self.n_judged else None

    @property
    def consistency(self) -> float | None:
        """Percent of the questions judged in several orders whose orders agree on the outcome; None: there are none."""
        return 100 * self.n_consistent / self.n_twice if self.n_twice else None


def comparison_scores(outputs: Sequence[Output], signature: str) -> tuple[Score, ...]:
    """The scores of a comparison, from its outputs' details. What cannot be said is not there."""
    tally = Tally.of([Verdict.of(output.details) for output in outputs])
    values = {
        "win": tally.win,
        "tie": tally.tie,
        "lose": tally.lose,
        "ratio": tally.ratio,
        "score": tally.mean,
        "score of the other": tally.other_mean,
        "unjudged": tally.unjudged,
        "position consistency": tally.consistency,
    }
    return tuple(Score(name, value, signature) for name, value in values.items() if value is not None)


def compared(question: Question, ours: Answer, theirs: Answer, verdict: Verdict) -> Output:
    """One question of a comparison; its quality is the judge's score by the highest one."""
    return Output(
        id=question.id,
        asked=question.turns,
        said=ours.texts,
        quality=verdict.scores[0] / HIGHEST if verdict.scores else None,
        problem=ours.problem or ("" if verdict.scores else "unjudged"),
        details=verdict.details(question.category, theirs.texts),
    )


def _outcome(scores: tuple[float, float]) -> Outcome:
    ours, theirs = scores
    return "win" if ours > theirs else "lose" if ours < theirs else "tie"
