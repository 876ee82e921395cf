"""The captions of the tables: the metric and how it is computed, how was decoded, where published figures are from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bayling_lite.evaluate.published import Published
from bayling_lite.evaluate.report.layouts import AVERAGE, Part
from bayling_lite.evaluate.report.values import Column, Origin, Row
from bayling_lite.evaluate.values import SetResult

_MEANINGS = {
    "phrase rate": "phrase rate: percent of the required phrases that are in the translation",
    "all satisfied": "all satisfied: percent of the sentences that have every phrase",
    "instruction followed": "instruction followed: percent of the turns",
    "rest kept": "rest kept: percent of what a turn did not ask to change",
    "nothing added": "nothing added: percent of the new draft that was there before, or was asked for",
    "all turns followed": "all turns followed: percent of the dialogues",
    "earlier wishes kept": "earlier wishes kept: percent of the wishes once followed that the last draft still fulfils",
    "wishes fulfilled": "wishes fulfilled: percent of all wishes that the last draft fulfils",
    "win": "win, tie, lose: on how many questions the judge gave the system the higher, the same, the lower score",
    "ratio": "ratio: the sum of its scores in percent of the sum of the other’s",
    "accuracy": "accuracy: percent of the questions",
}
"""By metric what it is, of those that the field does not know by their names."""
_NAMED = {
    "tok": "tokenizer",
    "case": "case",
    "rule": "rule",
    "average": "average",
    "model": "model",
    "judge": "judge",
    "orders": "orders",
}


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
    parts = [f"Metric{'s' if len(metrics) > 1 else ''}: {_metrics(metrics, here)}"]
    meanings = "; ".join(_MEANINGS[metric] for metric in metrics if metric in _MEANINGS)
    parts.append(meanings[:1].upper() + meanings[1:])
    if any(column.set_name == AVERAGE for column in columns):
        parts.append(f"Avg.: the mean of the {part.averaged} tasks, each counting alike{part.remark}")
    shown = {row.system for row in rows if row.origin is Origin.PUBLISHED}
    parts += [_decodings(here, published.decodings.get(family, "") if shown else ""), _prompts(here)]
    sources = dict.fromkeys(
        score.source
        for score in published.of(family)
        if score.system in shown and score.set_name in sets and score.metric in metrics
    )
    if sources:
        parts.append(f"Published figures: {', '.join(sources)}")
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
    first, others = ranked[0][0], ranked[1:]
    # On one set, systems may differ.
    beside = [value for value, sets in others if set(sets) & set(found[first])]
    apart = [f"{value} for {', '.join(sets)}" for value, sets in others if value not in beside]
    return ", ".join([" or ".join([first, *beside]), *apart])


def signature_fields(signature: str) -> list[tuple[str, str]]:
    """The fields of a signature: ``nrefs:1|case:mixed|tok:13a``, a name before it left out."""
    fields = (field.partition(":") for field in signature.split("|"))
    return [(key.strip(), value.strip()) for key, colon, value in fields if colon]


def _decodings(results: Sequence[SetResult], in_the_paper: str) -> str:
    """How was decoded, by whom where not by all alike, and how the paper's own system did."""
    told = _by_systems((result.run.decoding, result.system) for result in results)
    if not any(told):
        return ""
    # A seed is no other way.
    same = all(way.partition(",")[0] == in_the_paper for way in told if way)
    paper = f"; BayLing in the paper: {in_the_paper}" if in_the_paper and not same else ""
    return f"Decoding: {_told(told)}{paper}"


def _prompts(results: Sequence[SetResult]) -> str:
    """The first prompt of each system; its others differ from it in their language, above all."""
    prompts: dict[str, list[str]] = {}
    for result in results:
        prompt = " ".join(result.run.prompt.split())
        prompts.setdefault(result.system, []).append(f"“{prompt}”" if prompt else "")
    told = _by_systems((found[0], system) for system, found in prompts.items())
    several = any(len(set(found)) > 1 for found in prompts.values())
    return f"Prompt: {_told(told)}{', and the like' if several else ''}" if any(told) else ""


def _by_systems(ways: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """By each way, empty where it is not known, the systems it is the way of."""
    found: dict[str, list[str]] = {}
    for way, system in ways:
        if system not in found.setdefault(way, []):
            found[way].append(system)
    return found


def _told(ways: Mapping[str, Sequence[str]]) -> str:
    """The ways that are known, and whose each is; not of the commonest, where all of them are known."""
    ranked = sorted(ways.items(), key=lambda entry: -len(entry[1]))
    named = [f"{way} for {', '.join(systems)}" for way, systems in ranked if way]
    return "; ".join(named if "" in ways else [ranked[0][0], *named[1:]])
