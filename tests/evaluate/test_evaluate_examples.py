"""The sets among the examples are as the documentation says: a first measurement must not meet a slip of ours."""

from __future__ import annotations

from pathlib import Path

from bayling_lite.evaluate.data import read_lines
from bayling_lite.evaluate.interactive.refinement_sets import read_refinement_set

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_every_sentence_has_its_translation() -> None:
    sources, references = (read_lines(EXAMPLES / f"evaluation.{code}") for code in ("en", "zh"))
    assert len(sources) == len(references) == 20
    assert all(line.isascii() for line in sources)
    assert not any(line.isascii() for line in references)


def test_the_dialogues_can_be_read_and_are_fulfilled_by_their_references() -> None:
    dialogues = read_refinement_set(EXAMPLES / "refinements.jsonl")
    assert len(dialogues) == 8
    assert len({dialogue.id for dialogue in dialogues}) == 8
    for dialogue in dialogues:
        for wish in dialogue.wishes if dialogue.reference else ():
            assert all(phrase in dialogue.reference for phrase in wish.contains), dialogue.id
            assert not any(phrase in dialogue.reference for phrase in wish.absent), dialogue.id
