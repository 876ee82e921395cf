"""Slips that make right numbers of the wrong thing are told of, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bayling_lite.evaluate.translation.doubts import doubts
from bayling_lite.evaluate.translation.measuring import score_outputs
from bayling_lite.evaluate.translation.parallel_set import ParallelSet
from bayling_lite.languages import find_language
from tests.evaluate.translation.translated_sets import ENGLISH, GERMAN, ROUGH, write_lines

English, German = find_language("en"), find_language("de")


def told(folder: Path, said: Sequence[str], *references: tuple[str, ...], sources: tuple[str, ...] = ENGLISH) -> str:
    """What is told of translations into German."""
    test_set = ParallelSet("small", English, German, sources, references or (GERMAN,))
    result = score_outputs(test_set, "translation", "mine", write_lines(folder / "out", said))
    return "\n".join(doubts(result, English, German)).replace("Warning: small, mine: ", "")


def test_nothing_is_told_of_what_is_right(tmp_path: Path) -> None:
    assert told(tmp_path, ROUGH) == ""
    assert told(tmp_path, ROUGH, GERMAN, (*GERMAN[:5], ROUGH[4])) == ""
    assert told(tmp_path, ROUGH, sources=()) == ""
    assert told(tmp_path, [""] * len(GERMAN)) == ""
    assert told(tmp_path, ["Yes."] * len(GERMAN)) == ""  # too little to tell its language


@pytest.mark.parametrize(
    ("said", "references", "sources", "expected"),
    [
        (GERMAN, (GERMAN,), ENGLISH, "the translations are the reference itself."),
        (ROUGH, (GERMAN, GERMAN), ENGLISH, "references 1 and 2 are the same text, and count as two."),
        (ENGLISH, (GERMAN,), ENGLISH, "the translations look like English, and should be German."),
        (ROUGH, (ENGLISH,), (), "the reference looks like English, and should be German."),
        (
            ROUGH,
            (ENGLISH,),
            GERMAN,
            "the source looks like German and the reference like English: they are given the wrong way round.",
        ),
        (
            ROUGH,
            (GERMAN,),
            GERMAN,
            "the source and the reference are the same text.\nthe source looks like German, and should be English.",
        ),
    ],
)
def test_slips_are_told_of(
    tmp_path: Path,
    said: Sequence[str],
    references: tuple[tuple[str, ...], ...],
    sources: tuple[str, ...],
    expected: str,
) -> None:
    assert told(tmp_path, said, *references, sources=sources) == expected
