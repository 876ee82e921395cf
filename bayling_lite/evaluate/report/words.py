"""What a report says in words and figures, the same in each of its forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayling_lite.evaluate.report.values import Comparison, ProblemLine, Ranking, Report, RunLine, Said, SignatureLine

PROBLEMS = {
    "context": "did not fit the context",
    "length": "cut off at the most tokens",
    "empty": "empty",
    "refused": "refused by the server",
    "impossible": "phrases that cannot all be said",
    "unjudged": "without a verdict, and left out",
}
"""The problems of an output, see :class:`~bayling_lite.evaluate.values.Output`."""

_LONGEST_TEXT = 900
_MOST_LISTED = 5

COMPARED = (
    "The best measured system of each set beside that one of the others which it is told from least surely. "
    "The test resamples the items, paired; p is sacreBLEU's, not corrected for the number of comparisons. "
    "† p < 0.05, and the interval without 0. "
    "All comparisons are in the JSON form of this report."
)
APART = "Of each set, the items on which the measured systems are farthest apart, by a score of each output alone."
WORST = "Of each set, the items that score lowest, by a score of each output alone."


def about(report: Report) -> str:
    """One line below the title: who was measured, when, by what."""
    # Files made elsewhere were written at another time, and perhaps by others.
    days = sorted({day for run in report.runs if not run.origins for day in run.dates})
    period = [" – ".join(dict.fromkeys((days[0], days[-1])))] if days else []
    count = len(report.systems)
    measured = [f"{count} system{'' if count == 1 else 's'} measured"] if count else []
    return " · ".join([*measured, *period, report.program])


def when(run: RunLine) -> str:
    """The days on which outputs were made; of files, those on which they were last written, by what the disk says."""
    days = " – ".join(dict.fromkeys(run.dates))
    return f"written {days}" if run.origins and days else days


def examples_about(report: Report) -> str:
    """What the examples are."""
    return APART if any(example.spread for example in report.examples) else WORST


def closest(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Of each set and metric the comparison that is significant least of all: by its interval, then by p."""
    found: dict[tuple[str, str, str], Comparison] = {}
    for one in comparisons:
        key = (one.family, one.set_name, one.metric)
        if key not in found or (not one.significant, one.p) > (not found[key].significant, found[key].p):
            found[key] = one
    return list(found.values())


def decimal(value: float, places: int = 1) -> str:
    """A number with so many decimals."""
    return f"{value:.{places}f}"


def interval(low: float | None, high: float | None, places: int = 2) -> str:
    """The bounds of an interval."""
    if low is None or high is None:
        return "–"
    return f"{_signed(low, places)} to {_signed(high, places)}"


def _signed(value: float, places: int) -> str:
    return f"{value:.{places}f}".replace("-", "\N{MINUS SIGN}")


def duration(seconds: float) -> str:
    """``2 h 05 min``, ``3 min 07 s``, ``4.2 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def prompted(run: RunLine) -> str:
    """The first of a run's prompts, which stands for the others."""
    if not run.prompts:
        return ""
    return f"“{shown_text(run.prompts[0], 300)}”{', and the like' if len(run.prompts) > 1 else ''}"


def reused(run: RunLine) -> str:
    """What a run did not have to do again."""
    return f"{run.n_reused:,} answers of an earlier run, which the time does not count"


def problems_text(line: ProblemLine) -> str:
    """``12 empty, 3 cut off at the most tokens``."""
    return ", ".join(f"{count:,} {PROBLEMS.get(name, name)}" for name, count in line.problems) or "–"


def quality_text(said: Said) -> str:
    """What one output is worth, and what is wrong with it."""
    worth = [] if said.quality is None else [f"{100 * said.quality:.0f} of 100"]
    return ", ".join([*worth, *([PROBLEMS.get(said.problem, said.problem)] if said.problem else [])])


def shown_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """A text as far as a page has room for it, its beginning and its end; the JSON has all of it."""
    if len(text) <= longest:
        return text
    head, tail = text[: longest * 2 // 3], text[-(longest // 3) :]
    return f"{head} […{len(text) - len(head) - len(tail):,} more characters…] {tail}"


def listed(names: Sequence[str], noun: str = "sets") -> str:
    """Names, or of many how many they are, with the first and the last."""
    if len(names) <= _MOST_LISTED:
        return ", ".join(names)
    return f"{len(names)} {noun} ({names[0]} … {names[-1]})"


def same_signatures(report: Report) -> list[tuple[str, str, str, str]]:
    """Family, metrics, sets and signature, with the metrics together that were computed alike."""
    ranked = (
        SignatureLine("ranking", one.aspect, (one.study,), signature)
        for one in report.rankings
        for signature in one.signatures
    )
    found: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for line in (*report.signatures, *ranked):
        found.setdefault((line.family, line.sets, line.signature), []).append(line.metric)
    return [
        (family, ", ".join(metrics), listed(sets), signature) for (family, sets, signature), metrics in found.items()
    ]


def ranking_caption(one: Ranking) -> str:
    """What a ranking is, and how far the people agree."""
    of = f" ({one.family} {one.set_name})" if one.family else ""
    people = f"{one.n_persons} {'person' if one.n_persons == 1 else 'people'}"
    told = [
        f"{one.aspect}: blind ranking “{one.study}”{of}",
        f"{one.n_rankings:,} rankings by {people} of {one.n_ranked:,} of {one.n_items:,} items",
    ]
    if one.n_skipped:
        told.append(f"{one.n_skipped:,} items were skipped by somebody")
    if one.alpha is not None:
        told.append(
            f"Krippendorff’s alpha (ordinal) {_signed(one.alpha, 2)} over {one.n_shared:,} items ranked by several"
        )
    if one.w is not None:
        told.append(f"Kendall’s W, mean of these items, {one.w:.2f}")
    return ". ".join(told) + "."
