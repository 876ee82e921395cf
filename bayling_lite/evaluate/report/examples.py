"""Examples: the items of a set where the systems differ most; of one system alone, those it is worst at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayling_lite.evaluate.report.markup import cells
from bayling_lite.evaluate.report.values import Example, Said
from bayling_lite.evaluate.values import Output, SetResult

_SHORT = 20  # a reference of about four words of English, ten characters of Chinese


def examples_of(sets: Iterable[Sequence[SetResult]], most: int) -> tuple[Example, ...]:
    """So many examples of each set, the greatest difference first, and those of a word or two behind all others.

    Args:
        sets: the results of each set, of all systems that were measured on it.
        most: how many examples of a set.
    """
    return tuple(example for results in sets for example in _chosen(results, most))


def _short(example: Example) -> bool:
    """Whether there is too little in a translation to say much: of a word or two, any other word is all wrong."""
    return 0 < cells(example.reference) < _SHORT


def _chosen(results: Sequence[SetResult], most: int) -> list[Example]:
    outputs = [{output.id: output for output in result.outputs} for result in results]
    # Items are those that all systems were asked, in the same version of the set.
    shared = [
        output
        for output in results[0].outputs
        if all(output.id in others and others[output.id].reference == output.reference for others in outputs)
    ]
    made = [_example(results, [others[output.id] for others in outputs]) for output in shared]
    if len(results) == 1:
        worst = [one for one in made if one.said[0].quality is not None]
        return sorted(worst, key=lambda one: (_short(one), one.said[0].quality or 0.0))[:most]
    apart = [one for one in made if one.spread > 0 and len({said.said for said in one.said}) > 1]
    return sorted(apart, key=lambda one: (_short(one), -one.spread))[:most]


def _example(results: Sequence[SetResult], outputs: Sequence[Output]) -> Example:
    said = [
        one
        for result, output in zip(results, outputs, strict=True)
        for one in (_said(result, output), *_other(result, output))
    ]
    qualities = [one.quality for one in said if one.quality is not None]
    first = outputs[0]
    return Example(
        family=results[0].family,
        set_name=results[0].set_name,
        id=first.id,
        asked=first.asked,
        reference=first.reference,
        said=tuple(said),
        spread=max(qualities) - min(qualities) if len(qualities) > 1 else 0.0,
    )


def _said(result: SetResult, output: Output) -> Said:
    name = f"{result.system} vs. {result.against}" if result.against else result.system
    return Said(name, output.said, output.quality, output.problem)


def _other(result: SetResult, output: Output) -> list[Said]:
    """Of a comparison, what the other system said."""
    texts = output.details.get("against", ()) if result.against else ()
    return [Said(result.against, tuple(map(str, texts)), None)] if texts else []
