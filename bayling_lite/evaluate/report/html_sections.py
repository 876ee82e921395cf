"""The sections of the page behind the tables: people's rankings, significance, examples, runs, problems, signatures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from bayling_lite.evaluate.report.html_tables import listing_html, name_html, plain_table
from bayling_lite.evaluate.report.listings import ranking_listing
from bayling_lite.evaluate.report.markup import html
from bayling_lite.evaluate.report.values import Example, Ranking, Report, RunLine, Said
from bayling_lite.evaluate.report.words import (
    duration,
    listed,
    prompted,
    quality_text,
    ranking_caption,
    reused,
    same_signatures,
    shown_text,
    when,
)


def rankings(found: Iterable[Ranking]) -> str:
    """A table for each study and aspect."""
    return "".join(
        f'<p class="caption">{html(ranking_caption(one))}</p>{listing_html(ranking_listing(one))}' for one in found
    )


def examples(found: Sequence[Example]) -> str:
    """The examples, set by set; the first set is open."""
    parts = []
    for place, ((family, set_name), group) in enumerate(groupby(found, key=lambda one: (one.family, one.set_name))):
        articles = "".join(map(_example, group))
        opened = " open" if place == 0 else ""
        parts.append(f"<details{opened}><summary>{html(f'{family} {set_name}')}</summary>{articles}</details>")
    return "".join(parts)


def _example(example: Example) -> str:
    head = f"item {example.id}" + (f", {100 * example.spread:.0f} of 100 apart" if example.spread else "")
    parts = [("asked", _turns(example.asked))]
    if example.reference:
        parts.append(("reference", _turns((example.reference,))))
    parts += [(_who(said), _turns(said.said) or '<span class="faint">nothing</span>') for said in example.said]
    listed = "".join(
        f"<dt>{name if name.startswith('<') else html(name)}</dt><dd>{content}</dd>" for name, content in parts
    )
    return f"<article><h3>{html(head)}</h3><dl>{listed}</dl></article>"


def _who(said: Said) -> str:
    return f'{name_html(said.system)}<br><span class="note">{html(quality_text(said))}</span>'


def _turns(texts: Iterable[str]) -> str:
    shown = [shown_text(text) or "–" for text in texts]
    return "".join(f'<div class="text" dir="auto">{html(text)}</div>' for text in shown)


def runs(report: Report) -> str:
    """How each system was run, and how fast it was, if any was run here."""
    timed = any(run.tokens_per_second for run in report.runs)
    header = ["system", "task", "how", "when", "outputs"]
    header += ["tokens generated", "time", "tokens/s"] if timed else []
    rows = [
        [
            name_html(run.system),
            html(f"{run.family}: {listed(run.sets)}"),
            _how(run),
            html(when(run)),
            f"{run.n_outputs:,}",
            *(_speed(run) if timed else ()),
        ]
        for run in report.runs
    ]
    return plain_table(header, rows, numbers=range(4, len(header)), unbroken=(3,), broad=(2,))


def _speed(run: RunLine) -> tuple[str, str, str]:
    if not run.tokens_per_second:
        return "–", "–", "–"
    return f"{run.n_generated:,}", duration(run.seconds), f"{run.tokens_per_second:,.1f}"


def _how(run: RunLine) -> str:
    if run.origins:
        return html(f"outputs made elsewhere: {listed(run.origins, 'files')}")
    told = {
        "model": run.model,
        "fingerprint": run.fingerprint[:16],
        "template": run.template,
        "device": run.device,
        "decoding": run.decoding,
        "prompt": prompted(run),
    }
    lines = [f"{name}: {html(shown_text(value, 300))}" for name, value in told.items() if value]
    if run.n_reused:
        lines.append(reused(run))
    return "<br>".join(lines)


def signatures(report: Report) -> str:
    """Exactly how each number was computed."""
    rows = [
        (html(family), html(metrics), html(sets), f"<code>{html(signature)}</code>")
        for family, metrics, sets, signature in same_signatures(report)
    ]
    return plain_table(("task", "metric", "sets", "signature"), rows, broad=(3,))
