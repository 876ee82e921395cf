"""Slips that make right numbers of the wrong thing: files swapped, the same file twice, another language."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from bayling_lite.evaluate.translation.measuring import REFERENCES
from bayling_lite.evaluate.translation.parallel_set import one_line
from bayling_lite.evaluate.values import SetResult
from bayling_lite.languages import Language, detect_language

_LINES = 100
_FEWEST_LETTERS = 80
"""Of less text, nobody can say in which language it is."""


def doubts(result: SetResult, source: Language, target: Language) -> Iterator[str]:
    """What a person should look at before they believe the scores of a translation; a sentence each, mostly none."""
    sources = [output.asked[0] for output in result.outputs if output.asked]
    said = [one_line(output.said[-1]) if output.said else "" for output in result.outputs]
    references = _references(result)
    told = f"Warning: {result.set_name}, {result.system}"
    if sources in references:
        yield f"{told}: the source and the reference are the same text."
    for first, second in itertools.combinations(range(len(references)), 2):
        if references[first] == references[second]:
            yield f"{told}: references {first + 1} and {second + 1} are the same text, and count as two."
    if said in references:
        yield f"{told}: the translations are the reference itself."
    if (_language(sources), *{_language(lines) for lines in references}) == (target, source):
        yield (
            f"{told}: the source looks like {target.english} and the reference like {source.english}: "
            "they are given the wrong way round."
        )
        return
    for what, lines, expected in (
        ("source", sources, source),
        *(("reference", reference, target) for reference in references),
        ("translations", said, target),
    ):
        found = _language(lines)
        if found is not None and found != expected:
            verb = "look" if what == "translations" else "looks"
            yield f"{told}: the {what} {verb} like {found.english}, and should be {expected.english}."


def _references(result: SetResult) -> list[list[str]]:
    """All lines of each translator."""
    if any(REFERENCES in output.details for output in result.outputs):
        return [list(lines) for lines in zip(*(output.details[REFERENCES] for output in result.outputs), strict=True)]
    return [[output.reference for output in result.outputs]]


def _language(lines: Sequence[str]) -> Language | None:
    """The language that lines are in; None where there is too little to say so."""
    text = "\n".join(line for line in lines[:_LINES] if line.strip())
    if sum(letter.isalpha() for letter in text) < _FEWEST_LETTERS:
        return None
    return detect_language(text)
