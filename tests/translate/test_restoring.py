"""Translations made again from what was stored of them: they are refined like the originals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bayling_lite.engine.base import GenerationRequest, ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.translate import Translation, Translator
from bayling_lite.translate.restoring import restore_translation

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
LETTER = "\ufeffDear Anna,\r\n\r\n  * I have a cat. It is big.\r\n  * 42\r\n\r\nBest wishes\r\n\r\n"
WRAPPED = (
    "This is a paragraph that somebody has wrapped at a margin, so that\n"
    "its only sentence stands on more than one line of the text, and the\n"
    "lines are about as long as one another.\n"
)
CAT = ("cat", "Katze")


def shout(conversation: Conversation) -> str:
    """The text asked about, or the last answer, in capital letters and longer."""
    messages = conversation.messages
    return (messages[-2].content + "!" if len(messages) > 1 else messages[0].content.partition(": ")[2]).upper()


def drafted(text: str, info: ModelInfo | None = None, source: str | None = "en") -> Translation:
    return Translator(ScriptedEngine(shout, info=info)).translate(text, "de", source, terms=[CAT])


def restored(draft: Translation, translator: Translator) -> Translation:
    """A draft from the fields that somebody would store."""
    return restore_translation(
        translator,
        text=draft.text,
        source_text=draft.source_text,
        source=draft.source,
        target=draft.target,
        conversation=draft.conversation,
        segments=draft.segments,
        terms=draft.terms,
        required=draft.required,
        missing_terms=draft.missing_terms,
        missing_words=draft.missing_words,
        unchanged=draft.unchanged,
        standing=draft.standing,
    )


def asked(draft: Translation, instruction: str, *words: str) -> tuple[Translation, list[GenerationRequest]]:
    """What becomes of a draft, and what its engine was asked."""
    engine = ScriptedEngine(shout, info=draft.translator.engine.info)
    refined = replace(draft, translator=Translator(engine)).refine(instruction, required=words)
    return refined, sorted(engine.requests, key=lambda request: request.conversation.messages[0].content)


@pytest.mark.parametrize("info", [None, SEARCHES])
@pytest.mark.parametrize(
    "text", ["A cat.", " A cat. A dog. ", LETTER, WRAPPED, "One.\n\nTwo.\tThree.\n", "word " * 300, "42", ""]
)
def test_a_restored_draft_is_the_same_and_is_refined_alike(text: str, info: ModelInfo | None) -> None:
    draft = drafted(text, info)
    again = restored(draft, Translator(ScriptedEngine(info=info)))
    assert again == draft
    assert again.document == draft.document
    if draft.text.strip():
        for instruction, words in (("Louder.", ()), ('Not "CAT": "DOG".', ("DOG",))):
            assert asked(again, instruction, *words) == asked(draft, instruction, *words)


@pytest.mark.parametrize("text", ["A cat. A dog.", LETTER, WRAPPED])
def test_what_was_refined_is_restored_as_well(text: str) -> None:
    draft = drafted(text).refine("Louder.", required="CAT").refine('Use the word "Hund".', required="Hund")
    again = restored(draft, Translator(ScriptedEngine()))
    assert again == draft
    assert (again.required, again.missing_words, again.terms) == (("Hund",), ("Hund",), (CAT,))
    assert asked(again, "Louder still.") == asked(draft, "Louder still.")


def test_restoring_asks_the_model_nothing() -> None:
    class Unready(ScriptedEngine):
        """An engine whose model is still being loaded."""

        @property
        def info(self) -> ModelInfo:
            raise AssertionError("it is not there yet")

    assert restored(drafted(LETTER), Translator(Unready())).text == drafted(LETTER).text


def test_a_model_with_another_context_cuts_differently() -> None:
    small = ModelInfo("small", "bayling", n_ctx=256)
    text = "many words " * 30
    draft = drafted(text, small)
    assert len(draft.segments) > 1
    assert restored(draft, Translator(ScriptedEngine(info=small))).document == draft.document
    again = restored(draft, Translator(ScriptedEngine()))
    assert [segment.source for segment in again.segments] == [text.strip()]
    assert (again.text, again.segments[0].text) == (draft.text, draft.text.strip())
    refined, (request,) = asked(again, "Louder.")
    assert request.conversation == draft.conversation.user("Louder.")
    assert refined.text.strip() == draft.text.strip() + "!"


def test_what_was_cut_off_has_fewer_segments() -> None:
    draft = drafted("One.\nTwo.\nThree.\n")
    first = replace(draft.segments[0], text="ONE", status="cancelled")
    short = replace(draft, text="ONE", segments=(first,))
    again = restored(short, Translator(ScriptedEngine()))
    assert (again, again.document) == (short, draft.document)
    other = restored(replace(short, segments=(replace(first, source="Uno."),)), Translator(ScriptedEngine()))
    assert [(one.source, one.status) for one in other.segments] == [("One.\nTwo.\nThree.", "cancelled")]


def test_one_failed_sentence_is_no_failure_of_the_whole() -> None:
    draft = drafted("One. Two.")
    first, second = draft.segments
    segments = (replace(first, source="?", status="failed"), replace(second, source="?"))
    assert restored(replace(draft, segments=segments), Translator(ScriptedEngine())).segments[0].status == "ok"
    kept = tuple(replace(one, source="?", status="kept") for one in draft.segments)
    assert restored(replace(draft, segments=kept), Translator(ScriptedEngine())).segments[0].status == "kept"


def test_a_draft_without_a_language_is_restored() -> None:
    draft = drafted("42", source=None)
    assert (draft.source, restored(draft, Translator(ScriptedEngine()))) == (None, draft)
    assert draft.target == find_language("de")
