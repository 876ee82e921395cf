"""Words that a translation must have: what an engine that can search is asked, and what the embedded model writes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.engine.base import GREEDY, GenerationRequest, ModelInfo, SamplingParams, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import PhrasesDoNotFit, UsageError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import translation_instruction, user_turn
from bayling_lite.translate import Translation, Translator

GERMAN = find_language("de")
SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
SAMPLING = SamplingParams(temperature=0.7, seed=1)


def echo(conversation: Conversation) -> str:
    return conversation.messages[-1].content


def searched(engine: ScriptedEngine) -> list[SearchParams | None]:
    """How each request was to be searched for, in the order of their texts."""
    return [request.search for request in sorted(engine.requests, key=lambda request: echo(request.conversation))]


def test_a_segment_is_searched_for_with_the_terms_that_occur_in_it() -> None:
    engine = ScriptedEngine(lambda _: "x", info=SEARCHES)
    terms = [("cat", "Katze"), ("kitten", "Katze"), ("New York", "New York"), ("York", "York"), ("dog", "Hund")]
    text = "A cat.\nB cat and kitten.\nC New York.\nD nothing."
    translation = Translator(engine).translate(text, "de", "en", terms=terms)
    assert searched(engine) == [
        SearchParams(required=("Katze",)),
        SearchParams(required=("Katze",)),
        SearchParams(required=("New York",)),
        None,
    ]
    asked = sorted(echo(request.conversation) for request in engine.requests)
    assert asked[1] == translation_instruction("B cat and kitten.", GERMAN, terms=["Katze"])
    assert len(translation.missing_terms) == 4  # verified whatever the engine says of itself


@pytest.mark.parametrize("sampling", [GREEDY, SAMPLING])
def test_without_search_terms_are_asked_for_and_verified(sampling: SamplingParams) -> None:
    engine = ScriptedEngine(lambda _: "Ein Kater.")
    translation = Translator(engine, sampling=sampling).translate("A cat.", "de", "en", terms=[("cat", "Katze")])
    assert searched(engine) == [None]
    assert echo(engine.requests[0].conversation) == translation_instruction("A cat.", GERMAN, terms=["Katze"])
    assert translation.missing_terms == (("cat", "Katze"),)


def test_a_sample_without_its_terms_gives_way_to_a_text_that_is_searched_for() -> None:
    terms = [("cat", "Katze")]
    engine = ScriptedEngine(
        ["Die Katze.", "Der Kater.", "Eine Katze.", "Ein Kater.", PhrasesDoNotFit("too long")], info=SEARCHES
    )
    translator = Translator(engine, sampling=SAMPLING)
    draft = translator.translate("A cat.", "de", "en", terms=terms)
    assert (draft.text, engine.requests[0].sampling, searched(engine)) == ("Die Katze.", SAMPLING, [None])
    refined = draft.refine("Say it otherwise.")
    assert (refined.text, refined.missing_terms) == ("Eine Katze.", ())
    assert [request.sampling for request in engine.requests[1:]] == [SAMPLING, GREEDY]
    assert engine.requests[2].search == SearchParams(8, n_best=8, required=("Katze",))
    assert refined.refine("Once more.").missing_terms == (("cat", "Katze"),)


def test_a_beam_is_used_for_every_segment() -> None:
    engine = ScriptedEngine(lambda _: "x", info=SEARCHES)
    Translator(engine, beam_size=3).translate("A cat. B dog.", "de", "en", terms=[("cat", "Katze")])
    Translator(engine, beam_size=8).translate("C cat.", "de", "en", terms=[("cat", "Katze")])
    assert searched(engine) == [
        SearchParams(5, required=("Katze",)),
        SearchParams(3),
        SearchParams(8, required=("Katze",)),
    ]


def test_beams_that_cannot_be_are_refused() -> None:
    engine = ScriptedEngine(info=SEARCHES)
    for beam_size in (0, 33):
        with pytest.raises(UsageError, match=f"from 1 to 32, not {beam_size}"):
            Translator(engine, beam_size=beam_size)
    with pytest.raises(UsageError, match="cannot be combined with sampling"):
        Translator(engine, beam_size=2, sampling=SAMPLING)
    with pytest.raises(UsageError, match="scripted cannot be searched: leave the beam size at 1"):
        Translator(ScriptedEngine(), beam_size=2).translate("Hello.", "de", "en")


def test_terms_that_do_not_fit_are_asked_for_without_the_guarantee() -> None:
    engine = ScriptedEngine([PhrasesDoNotFit("too long"), "Der Kater."], info=SEARCHES)
    translation = Translator(engine).translate("A cat.", "de", "en", terms=[("cat", "Katze")])
    assert [request.search for request in engine.requests] == [SearchParams(required=("Katze",)), None]
    assert engine.requests[0].conversation == engine.requests[1].conversation
    assert (translation.text, translation.failed) == ("Der Kater.", 0)
    assert translation.missing_terms == (("cat", "Katze"),)


def test_terms_that_do_not_fit_fall_back_to_the_beam_that_was_asked_for() -> None:
    async def run() -> Translation:
        return await Translator(engine, beam_size=3).atranslate("A cat.", "de", "en", terms=[("cat", "Katze")])

    engine = ScriptedEngine([PhrasesDoNotFit("too long"), "Der Kater."], info=SEARCHES)
    assert asyncio.run(run()).text == "Der Kater."
    assert [request.search for request in engine.requests] == [SearchParams(5, required=("Katze",)), SearchParams(3)]


def test_cancelling_while_asked_again_keeps_what_there_is() -> None:
    engine = ScriptedEngine([PhrasesDoNotFit("too long"), "Der Kater. " * 100], delay=0.01, info=SEARCHES)
    stream = Translator(engine).stream("A cat.", "de", "en", terms=[("cat", "Katze")])
    pieces = iter(stream)
    first = next(pieces)
    threading.Thread(target=stream.cancel).start()
    rest = "".join(pieces)
    assert stream.result().text == first + rest
    assert [segment.status for segment in stream.result().segments] == ["cancelled"]
    engine.close()


# Refinement.


def drafted(text: str, answers: list[str], refined: list[str]) -> tuple[Translation, ScriptedEngine]:
    """A draft, and the engine that will be asked to refine it."""
    translation = Translator(ScriptedEngine(answers)).translate(text, "de", "en")
    engine = ScriptedEngine(refined, info=SEARCHES)
    translation.translator.engine = engine
    return translation, engine


def test_a_draft_of_one_segment_must_have_the_word() -> None:
    draft, engine = drafted("A cat.", ["Ein Kater."], ["Eine Katze."])
    refined = draft.refine("Say Katze.", required=["Katze"])
    assert searched(engine) == [SearchParams(8, n_best=8, required=("Katze",))]
    assert (refined.text, refined.missing_words) == ("Eine Katze.", ())


def test_one_line_that_is_changed_as_a_whole_must_have_the_word() -> None:
    draft, engine = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], ["Ein Tier."])
    refined = draft.refine("Say Katze.", required=["Katze"])
    assert searched(engine) == [SearchParams(8, n_best=8, required=("Katze",))]
    assert refined.missing_words == ("Katze",)


def test_only_the_segment_with_the_wrong_word_must_have_the_right_one() -> None:
    draft, engine = drafted("A cat.\nA tabby cat.", ["Ein Kater.", "Eine Katze."], ["Eine Katze."])
    refined = draft.refine('Not "Kater", Katze.', required=["Katze"])
    assert searched(engine) == [SearchParams(8, n_best=8, required=("Katze",))]
    assert refined.text == "Eine Katze.\nEine Katze."


def test_every_segment_with_the_wrong_word_must_have_the_right_one() -> None:
    draft, engine = drafted("A cat.\nMy cat.", ["Ein Kater.", "Mein Kater."], ["Eine Katze.", "Meine Katze."])
    refined = draft.refine('Not "Kater", Katze.', required=["Katze"])
    assert searched(engine) == [SearchParams(8, n_best=8, required=("Katze",))] * 2
    assert (refined.text, refined.missing_words) == ("Eine Katze.\nMeine Katze.", ())


def test_the_only_segment_with_words_must_have_the_word() -> None:
    draft, engine = drafted("A cat.\n123", ["Ein Kater."], ["Eine Katze."])
    refined = draft.refine("Say Katze.", required=["Katze"])
    assert searched(engine) == [SearchParams(8, n_best=8, required=("Katze",))]
    assert refined.text == "Eine Katze.\n123"


def test_a_word_that_does_not_fit_is_reported_missing() -> None:
    draft, _ = drafted("A cat.", ["Ein Kater."], [])
    draft.translator.engine = ScriptedEngine([PhrasesDoNotFit("too long"), "Ein Kater."], info=SEARCHES)
    refined = draft.refine('Use the word "Katze".', required="Katze")
    assert (refined.text, refined.missing_words) == ("Ein Kater.", ("Katze",))


def test_an_empty_required_word_is_refused() -> None:
    draft, _ = drafted("A cat.", ["Ein Kater."], [])
    with pytest.raises(UsageError, match="required word cannot be empty"):
        draft.refine("Use it.", required=[" "])


# The embedded model.


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


@pytest.mark.parametrize(
    ("source", "target", "text", "terms"),
    [
        ("en", "zh", "I lost my token on the train.", {"token": "词元", "train": "列车"}),
        ("en", "de", "The house is big.\n\nWe like the garden and the house.", {"house": "Gebäude", "garden": "Park"}),
        ("en", "fr", "I bought a new car. The car is red.", {"car": "véhicule", "red": "écarlate"}),
        ("zh", "en", "我昨天买了一本书。", {"书": "novel", "昨天": "the day before today"}),
        ("de", "en", "Wo ist der Bahnhof?", {"Bahnhof": "main station (Hbf)"}),
        ("fr", "en", "Où est la gare ?", {"gare": "railway station"}),
        ("en", "de", "I use BayLing.", {"BayLing": "BayLing", "use": "verwende"}),
    ],
)
def test_terms_are_in_the_translation(
    embedded: Translator, source: str, target: str, text: str, terms: dict[str, str]
) -> None:
    translation = embedded.translate(text, target, source, terms=list(terms.items()))
    assert translation.missing_terms == ()
    assert all(wanted in translation.text for wanted in terms.values())
    assert translation.failed == 0


def test_without_the_guarantee_terms_would_be_missing(embedded: Translator) -> None:
    asked = user_turn(translation_instruction("I lost my phone.", GERMAN, terms=["Fernsprecher"]))
    assert "Fernsprecher" not in embedded.engine.submit(GenerationRequest(asked)).result().text
    sampled = Translator(embedded.engine, sampling=SamplingParams(temperature=0.01, seed=1))
    for translator in (embedded, sampled):
        assert not translator.translate("I lost my phone.", "de", "en", terms=[("phone", "Fernsprecher")]).missing_terms


@pytest.mark.parametrize(
    ("target", "text", "word"),
    [
        ("de", "Can you see me?", "Könnt ihr"),
        ("zh", "Good morning, my friend.", "早安"),
        ("fr", "I bought a new car yesterday.", "véhicule"),
        ("en", "我昨天买了一本书。", "novel"),
        ("de", "Can you see me?\n\n42", "Sehen Sie"),
    ],
)
def test_a_refined_draft_has_the_word(embedded: Translator, target: str, text: str, word: str) -> None:
    draft = embedded.translate(text, target)
    refined = draft.refine(f'Use the word "{word}".', required=[word])
    assert refined.missing_words == ()
    assert word in refined.text
    assert refined.conversation.messages[-1].content == refined.text.strip()


def test_beam_search_finds_a_translation(embedded: Translator) -> None:
    translation = Translator(embedded.engine, beam_size=5).translate("Good morning. How are you?", "de", "en")
    assert (translation.failed, translation.truncated) == (0, 0)
    assert translation.text[0].isupper()


@pytest.mark.slow
def test_many_segments_with_terms_stay_in_order(embedded: Translator) -> None:
    lines = [f"I have {number} tokens." if number % 2 else f"There are {number} cats." for number in range(40)]
    translation = embedded.translate("\n".join(lines), "de", "en", terms=[("tokens", "Token"), ("cats", "Katzen")])
    assert translation.missing_terms == ()
    found = ["Token" if "Token" in line else "Katzen" for line in translation.text.splitlines()]
    assert found == ["Token" if "tokens" in line else "Katzen" for line in lines]


def test_a_correction_keeps_the_rest_of_the_draft(embedded: Translator) -> None:
    draft = embedded.translate("我昨天买了一本书。", "en")
    assert "book" in draft.text
    refined = draft.refine('Fix "book": it should be "novel".', required="novel")
    assert refined.text == draft.text.replace("book", "novel")
    assert "".join(draft.stream_refine('Fix "book": it should be "novel".', required="novel")) == refined.text
