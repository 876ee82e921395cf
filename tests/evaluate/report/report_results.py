"""Results for the tests of the report: small, and with every number known."""

from __future__ import annotations

from collections.abc import Sequence

from bayling_lite.evaluate.values import Effort, Output, Run, Score, SetResult

BLEU_SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:{}|smooth:exp|version:2.5.0"
RUN = Run(
    "2026-11-20T10:00:00+00:00",
    model="tiny.gguf",
    fingerprint="0123456789abcdef" * 4,
    template="BayLing",
    device="CPU, 2 threads",
    decoding="beam 5",
    prompt="Provide the Chinese translation for this sentence: …",
    effort=Effort(n_asked=8, n_reused=2, n_prompt=100, n_generated=300, seconds=20.0),
)


def translated(
    system: str,
    set_name: str = "zh-en",
    bleu: float = 20.0,
    *,
    said: Sequence[str] = ("one", "two", "three"),
    qualities: Sequence[float | None] = (0.1, 0.2, 0.3),
    n_items: int | None = None,
    problems: Sequence[str] = (),
    run: Run = RUN,
    tokenizer: str = "13a",
) -> SetResult:
    """A translation whose BLEU is as given; its items are numbered from 1."""
    outputs = tuple(
        Output(
            str(number),
            (f"source {number}",),
            (text,),
            f"reference {number}",
            quality,
            problems[number - 1] if len(problems) >= number else "",
        )
        for number, (text, quality) in enumerate(zip(said, qualities, strict=True), 1)
    )
    scores = (Score("BLEU", bleu, BLEU_SIGNATURE.format(tokenizer), bleu - 1, bleu + 1),)
    return SetResult(system, "wmt22", set_name, scores, outputs, run, n_items or len(outputs))


def examined(system: str, set_name: str, right: Sequence[bool], *, n_items: int | None = None) -> SetResult:
    """An exam: the accuracy is the share of right answers."""
    outputs = tuple(
        Output(str(number), (f"question {number}",), ("Answer is choice A" if good else "?",), "A", float(good))
        for number, good in enumerate(right, 1)
    )
    score = Score("accuracy", 100 * sum(right) / len(right), "rule:first-letter|average:micro")
    return SetResult(system, "exams", set_name, (score,), outputs, RUN, n_items or len(outputs))


def compared(
    system: str, against: str, set_name: str, scores: Sequence[tuple[float, float]], categories: Sequence[str]
) -> SetResult:
    """A comparison on BayLing-80, with these scores by the judge."""
    from bayling_lite.evaluate.bayling80.verdicts import Order, Verdict, comparison_scores

    outputs = tuple(
        Output(
            str(number),
            (f"question {number}",),
            ("ours",),
            details=Verdict((Order(True, pair),)).details(category, ["theirs"]),
        )
        for number, (pair, category) in enumerate(zip(scores, categories, strict=True), 1)
    )
    found = comparison_scores(outputs, "judge:a judge|orders:1")
    return SetResult(system, "bayling80", set_name, found, outputs, RUN, len(outputs), against)
