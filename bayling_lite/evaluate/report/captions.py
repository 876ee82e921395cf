"""The captions of the tables: the metric and how it is computed, how was decoded, where published figures are from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayling_lite.evaluate.published import Published
from bayling_lite.evaluate.report.layouts import AVERAGE, Part
from bayling_lite.evaluate.report.values import Column, Origin, Row
from bayling_lite.evaluate.values import SetResult

_NAMED = {"tok": "tokenizer", "case": "case", "rule": "rule", "average": "average", "model": "model", "judge": "judge"}


def caption(
    family: str,
    part: Part,
    columns: Sequence[Column],
    rows: Sequence[Row],
    results: Iterable[SetResult],
    published: Published,
) -> str:
    """Sentences that say what the numbers of a table are, so that it can stand alone."""
    sets = {column.set_name for column in columns}
    here = [result for result in results if result.set_name in sets]
    metrics = tuple(dict.fromkeys(column.metric for column in columns))
    parts = [_metrics(metrics, here)]
    if any(column.set_name == AVERAGE for column in columns):
        parts.append(f"Avg.: the mean of the {part.averaged} tasks, each counting alike{part.remark}")
    parts += [_decodings(here), _prompts(here)]
    shown = {row.system for row in rows if row.origin is Origin.PUBLISHED}
    sources = dict.fromkeys(
        score.source
        for score in published.of(family)
        if score.system in shown and score.set_name in sets and score.metric in metrics
    )
    if sources:
        parts.append(f"Published: {', '.join(sources)}")
    return ". ".join(part for part in parts if part) + "."


def _metrics(metrics: Sequence[str], results: Sequence[SetResult]) -> str:
    """The metrics, those together that are computed alike: ``BLEU (case mixed; tokenizer 13a, zh for en-zh)``."""
    alike: dict[str, list[str]] = {}
    for metric in metrics:
        alike.setdefault(_computed(metric, results), []).append(metric)
    return "; ".join(f"{', '.join(names)}{f' ({told})' if told else ''}" for told, names in alike.items())


def _computed(metric: str, results: Sequence[SetResult]) -> str:
    values: dict[str, dict[str, list[str]]] = {}
    for result in results:
        score = result.score(metric)
        for key, value in signature_fields(score.signature if score else ""):
            if key in _NAMED:
                sets = values.setdefault(key, {}).setdefault(value, [])
                sets += [] if result.set_name in sets else [result.set_name]
    return "; ".join(f"{_NAMED[key]} {_which(found)}" for key, found in values.items())


def _which(found: dict[str, list[str]]) -> str:
    """The values, the commonest first, of the others on which sets they are."""
    ranked = sorted(found.items(), key=lambda entry: -len(entry[1]))
    (first, _), others = ranked[0], ranked[1:]
    return ", ".join([first, *(f"{value} for {', '.join(sets)}" for value, sets in others)])


def signature_fields(signature: str) -> list[tuple[str, str]]:
    """The fields of a signature: ``nrefs:1|case:mixed|tok:13a``, a name before it left out."""
    fields = (field.partition(":") for field in signature.split("|"))
    return [(key.strip(), value.strip()) for key, colon, value in fields if colon]


def _decodings(results: Iterable[SetResult]) -> str:
    told = dict.fromkeys(result.run.decoding for result in results if result.run.decoding)
    return f"Decoding: {' or '.join(told)}" if told else ""


def _prompts(results: Iterable[SetResult]) -> str:
    """The first prompt; the others differ from it in their language, above all."""
    told = list(dict.fromkeys(" ".join(result.run.prompt.split()) for result in results if result.run.prompt))
    if not told:
        return ""
    return f"Prompt: “{told[0]}”{' and the like' if len(told) > 1 else ''}"
