"""What a comparison comes to: over its sets, in all, and by category (for a radar plot)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.bayling80.questions import SETS, by_category
from bayling_lite.evaluate.bayling80.verdicts import Tally, Verdict
from bayling_lite.evaluate.values import Output, SetResult


@dataclass(frozen=True, slots=True)
class SetSummary:
    """One set: the verdicts counted (win, tie, lose, unjudged, ratio, mean, other_mean, consistency).

    ``whole``: all questions of the set were compared. ``judge`` is the signature of its scores, which names the judge.
    """

    set_name: str
    tally: Tally
    whole: bool
    judge: str


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """One category, of one set or of all: ``tally.mean`` and ``tally.other_mean`` (1–10) are the systems' scores."""

    category: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class BayLing80Summary:
    """A system against another.

    ``sets`` in the order of the paper; ``total`` adds them up: its ratio is the sum of our scores by the sum of theirs,
    over all sets. ``categories`` over all sets, in the order of the questions; ``categories_of`` the same of each set.
    """

    system: str
    against: str
    sets: tuple[SetSummary, ...]
    total: Tally
    categories: tuple[CategorySummary, ...]
    categories_of: dict[str, tuple[CategorySummary, ...]]

    @property
    def whole(self) -> bool:
        """Whether all questions of all sets that are here were compared."""
        return all(one.whole for one in self.sets)

    @property
    def judge(self) -> str:
        """What the judge is called; empty where that is not known."""
        fields = (field.partition(":") for field in self.sets[0].judge.split("|"))
        return next((value for key, _, value in fields if key == "judge"), "")

    @property
    def judges(self) -> tuple[str, ...]:
        """The signatures of the judgings, each once; they differ in the language of the questions alone."""
        return tuple(dict.fromkeys(one.judge for one in self.sets))


def summarize(results: Sequence[SetResult]) -> BayLing80Summary:
    """Sum up the comparisons of one system with one other, all judged alike.

    Raises:
        UsageError: there are none, they are of several pairs of systems or by several judges, or a set comes twice.
    """
    pairs = {(result.system, result.against) for result in results if result.against}
    if len(pairs) != 1 or not all(result.against for result in results):
        raise UsageError("A summary of BayLing-80 takes the comparisons of one system with one other.")
    ordered = sorted(results, key=lambda result: _place(result.set_name))
    if len({result.set_name for result in ordered}) < len(ordered):
        raise UsageError("A summary of BayLing-80 takes each set once.")
    if len({judged_by(result) for result in results}) != 1:
        raise UsageError("A summary of BayLing-80 takes comparisons that one judge has made, asked in one way.")
    ((system, against),) = pairs
    outputs = [output for result in ordered for output in result.outputs]
    return BayLing80Summary(
        system=system,
        against=against,
        sets=tuple(_summary(result) for result in ordered),
        total=_tally(outputs),
        categories=_categories(outputs),
        categories_of={result.set_name: _categories(result.outputs) for result in ordered},
    )


def summarize_all(results: Sequence[SetResult]) -> tuple[BayLing80Summary, ...]:
    """A summary for each pair of systems that were compared and each judge, by name; other results are passed over."""
    return tuple(summarize(together) for together in by_judge(results))


def by_judge(results: Iterable[SetResult]) -> list[list[SetResult]]:
    """The comparisons among results, those together that may be added up: of the same systems, judged alike."""
    alike: dict[tuple[str, str, str], list[SetResult]] = defaultdict(list)
    for result in results:
        if result.family == "bayling80" and result.against:
            alike[result.system, result.against, judged_by(result)].append(result)
    return [alike[key] for key in sorted(alike)]


def judged_by(result: SetResult) -> str:
    """Who judged, and how, without what follows from the set: the signature but for its language."""
    signature = result.scores[0].signature if result.scores else ""
    return "|".join(field for field in signature.split("|") if not field.startswith("language:"))


def _summary(result: SetResult) -> SetSummary:
    judge = result.scores[0].signature if result.scores else ""
    return SetSummary(result.set_name, _tally(result.outputs), result.whole, judge)


def _categories(outputs: Sequence[Output]) -> tuple[CategorySummary, ...]:
    groups: dict[str, list[Output]] = defaultdict(list)
    for output in outputs:
        groups[output.details["category"]].append(output)
    return tuple(CategorySummary(name, _tally(groups[name])) for name in sorted(groups, key=by_category))


def _tally(outputs: Sequence[Output]) -> Tally:
    return Tally.of([Verdict.of(output.details) for output in outputs])


def _place(set_name: str) -> tuple[int, str]:
    return (SETS.index(set_name) if set_name in SETS else len(SETS), set_name)
