"""A draft that the user wrote: which part of it belongs to which sentence of the text."""

from __future__ import annotations

import pytest

from bayling_lite.chat.session.drafts import edited
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.translate import Translation, Translator
from tests.chat.session.conversing import drafting, run, text_of


def draft_of(source: str, *answers: str, target: str = "de") -> Translation:
    return Translator(ScriptedEngine(answers)).translate(source, target, "en")


TWO = ("Good morning. It is late.", "Guten Tag.", "Es ist spät.")


@pytest.mark.parametrize(
    ("source", "answers", "text", "parts"),
    [
        ("Good morning.", ["Guten Tag."], "Guten Morgen.", ["Guten Morgen."]),
        (TWO[0], TWO[1:], "Guten Morgen. Es ist spät.", ["Guten Morgen.", "Es ist spät."]),
        (TWO[0], TWO[1:], "Guten Morgen. Spät ist es.", ["Guten Morgen.", "Spät ist es."]),
        # One sentence has become two: what did not change tells where it stands.
        (TWO[0], TWO[1:], "Guten Tag. Und? Es ist spät.", ["Guten Tag.", "Und? Es ist spät."]),
        (TWO[0], TWO[1:], "Guten Tag. Es ist schon. Spät.", ["Guten Tag.", "Es ist schon. Spät."]),
        ("One\nTwo\n\nThree\n", ["Eins", "Zwei", "Drei"], "Eins\nZwo\n\nDrei!\n", ["Eins", "Zwo", "Drei!"]),
        ("- One\n- Two\n", ["Eins", "Zwei"], "- Erstens\n- Zweitens\n", ["Erstens", "Zweitens"]),
    ],
)
def test_each_sentence_has_its_own_part_where_that_is_clear(
    source: str, answers: list[str], text: str, parts: list[str]
) -> None:
    draft = draft_of(source, *answers)
    new = edited(draft, text)
    assert new.text == text
    assert [segment.text for segment in new.segments] == parts
    assert [segment.conversation.messages[-1].content for segment in new.segments] == parts
    assert [segment.source for segment in new.segments] == [segment.source for segment in draft.segments]
    assert new.conversation.messages[-1].content == text.strip()


@pytest.mark.parametrize("text", ["Guten Abend, es ist spät.", "Es ist spät.", "Eins. Zwei. Drei. Vier.", "Tag\nSpät"])
def test_else_the_whole_is_one(text: str) -> None:
    new = edited(draft_of(*TWO), text)
    assert [(segment.source, segment.text) for segment in new.segments] == [(TWO[0], text)]
    assert [segment.source for segment in new.segments] == [segment.text for segment in new.document.segments]


def test_one_sentence_of_an_edited_text_can_be_refined() -> None:
    session, engine = drafting(*TWO[1:], "Es ist sehr spät.")
    run(session, TWO[0])
    run(session, session.plan_edit("Guten Morgen. Es ist spät."))
    run(session, 'Replace "spät" with "sehr spät".')
    assert text_of(session) == "Guten Morgen. Es ist sehr spät."
    assert len(engine.requests) == 3


def test_a_stopped_draft_can_be_finished_by_hand() -> None:
    draft = draft_of(*TWO)
    short = Translation(
        "Guten Tag.",
        draft.source_text,
        draft.source,
        draft.target,
        draft.conversation,
        draft.segments[:1],
        draft.document,
        draft.translator,
    )
    new = edited(short, "Guten Tag. Es ist spät.")
    assert [(segment.source, segment.text) for segment in new.segments] == [(TWO[0], "Guten Tag. Es ist spät.")]
