"""In which sentence of several a required word comes to stand, and what else is changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion, GenerationRequest, ModelInfo, SamplingParams, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import Response, ScriptedEngine
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit
from bayling_lite.messages import Conversation
from bayling_lite.prompts import fix_instruction, use_instruction
from bayling_lite.translate import Translation, Translator
from bayling_lite.translate.refining.routing import Routes, route

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
SMALL = ModelInfo("small", "bayling", n_ctx=4096, n_ctx_train=512, can_search=True)
USE = use_instruction("Katze")


def fit(value: float | None) -> Completion:
    """What comes of a trial."""
    return Completion("", "stop", 1, 0, 0, 0.0, 0.0, fit=value)


def drafted(
    text: str, answers: Sequence[str], refined: Iterable[Response], info: ModelInfo = SEARCHES
) -> tuple[Translation, ScriptedEngine]:
    """A draft, and the engine that will be asked to refine it."""
    translation = Translator(ScriptedEngine(answers)).translate(text, "de", "en")
    engine = ScriptedEngine(refined, info=info)
    translation.translator.engine = engine
    return translation, engine


def tried(engine: ScriptedEngine) -> list[str]:
    """The sentences in which a place was looked for."""
    return [one.revision.text for one in engine.requests if one.revision is not None and one.revision.trial]


@pytest.mark.parametrize("between", [" ", "\n", "\n\n* "])
@pytest.mark.parametrize("info", [SEARCHES, SMALL])
def test_the_sentence_where_the_word_fits_best_is_revised_and_no_other(between: str, info: ModelInfo) -> None:
    text, answers = between.join(("A dog.", "A cat.", "A cow.")), ["Ein Hund.", "Ein Tier.", "Eine Kuh."]
    draft, engine = drafted(text, answers, (fit(-7), fit(-2), fit(-3), "Eine Katze."), info)
    refined = draft.refine(USE, required="Katze")
    assert tried(engine) == answers
    (request,) = engine.requests[3:]
    assert request.conversation == Conversation(draft.segments[1].conversation.messages[:-1])
    assert request.revision is not None
    assert (request.revision.text, request.revision.phrase) == ("Ein Tier.", "Katze")
    assert refined.text == draft.text.replace("Ein Tier.", "Eine Katze.")
    assert (refined.missing_words, refined.required) == ((), ("Katze",))
    assert refined.segments[::2] == draft.segments[::2]
    assert refined.segments[1].conversation == draft.segments[1].conversation.user(USE).assistant("Eine Katze.")
    assert refined.conversation.messages[-1].content == refined.text


def test_the_next_word_finds_its_own_sentence_in_the_draft_as_it_was_first_asked_for() -> None:
    script: list[Response] = [fit(-2), fit(-3), "Eine Katze.", fit(-4), fit(-3), "Eine Hündin."]
    draft, engine = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], script)
    refined = draft.refine(USE, required="Katze").refine(use_instruction("Hündin"), required="Hündin")
    assert refined.text == "Eine Katze. Eine Hündin."
    assert tried(engine)[2:] == ["Eine Katze.", "Ein Hund."]
    assert engine.requests[3].conversation == engine.requests[0].conversation


def test_the_source_s_word_tells_the_sentence_without_the_model() -> None:
    draft, _ = drafted("A dog here. A cat here.", ["Ein Hund.", "Ein Kater."], [])
    draft.translator.engine = engine = ScriptedEngine(lambda _: "Eine Katze.", info=SEARCHES)
    assert draft.refine(fix_instruction("cat", "Katze"), required="Katze").text == "Ein Hund. Eine Katze."
    assert tried(engine) == []


def test_what_says_more_than_the_word_is_asked_of_every_sentence_and_the_word_in_one() -> None:
    draft, engine = drafted("A dog.\nA cat.", ["Ein Hund.", "Ein Tier."], [fit(-7), fit(-2), "Hund!", "Katze!"])
    refined = draft.refine("Be loud, and say Katze.", required="Katze")
    assert [request.search for request in engine.requests[2:]] == [None, SearchParams(8, n_best=8, required=("Katze",))]
    assert refined.text == "Hund!\nKatze!"


def test_each_of_several_words_is_required_where_it_fits() -> None:
    draft, engine = drafted("A cat.\nA dog.", ["Ein Kater.", "Ein Hund."], [fit(-1), fit(-2), fit(-2), fit(-1)])
    engine.enqueue("Eine Katze.", "Eine Hündin.")
    refined = draft.refine('"Kater" and "Hund": make them female.', required=["Katze", "Hündin"])
    assert [one.search.required for one in engine.requests[4:] if one.search] == [("Katze",), ("Hündin",)]
    assert (refined.text, refined.missing_words) == ("Eine Katze.\nEine Hündin.", ())


def test_a_word_that_is_there_stays_where_it_is() -> None:
    draft, engine = drafted("A cat.\nA dog.", ["Eine Katze.", "Ein Hund."], ["Katze!", "Hund!"])
    refined = draft.refine("Be loud.", required="Katze")
    assert tried(engine) == []
    assert [one.search.required if one.search else () for one in engine.requests] == [("Katze",), ()]
    assert refined.missing_words == ()


def test_terms_of_the_sentence_are_required_beside_the_word() -> None:
    draft, engine = drafted("A big cat. A dog.", ["Ein Kater.", "Ein Hund."], [fit(-1), fit(-2), "Katze."])
    engine.enqueue("Große Katze.")
    refined = draft.refine(USE, required="Katze", terms=[("big", "Große"), ("dog", "Köter")])
    assert engine.requests[3].search == SearchParams(8, n_best=8, required=("Katze", "Große"))
    assert (refined.text, refined.missing_terms) == ("Große Katze. Ein Hund.", (("dog", "Köter"),))


def test_sampled_answers_are_asked_of_the_one_sentence_too() -> None:
    draft, engine = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], [fit(-1), fit(-2), "Die Katze."])
    varied = Translator(engine, sampling=SamplingParams(temperature=1.0, seed=1))
    refined = varied.stream_refinement(draft, USE, required="Katze").result()
    assert (refined.text, len(engine.requests)) == ("Die Katze. Ein Hund.", 3)


# Where the model does not tell.


@pytest.mark.parametrize(
    "make", [lambda: PhrasesDoNotFit("It thinks."), lambda: ContextOverflow(9, 8), lambda: fit(None)]
)
def test_an_engine_that_finds_no_place_is_asked_for_the_whole_or_for_every_sentence(
    make: Callable[[], Response],
) -> None:
    for info, answers in ((SEARCHES, ["Katze. Hund."]), (SMALL, ["Katze.", "Hund."])):
        reply = make()
        draft, _ = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], [reply, reply, *answers], info)
        refined = draft.refine(USE, required="Katze")
        assert (refined.text, len(refined.segments)) == ("Katze. Hund.", len(answers))


def test_an_engine_that_cannot_search_is_not_asked_for_places() -> None:
    draft, engine = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], [])
    draft.translator.engine = engine = ScriptedEngine(["Katze. Hund."])
    assert draft.refine(USE, required="Katze").text == "Katze. Hund."
    assert tried(engine) == []


def steps_of(draft: Translation, word: str) -> tuple[Sequence[GenerationRequest], Routes | None]:
    """What is asked at once, and what comes of it if all fit alike."""
    steps = route(draft.segments, range(len(draft.segments)), [word])
    requests = next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send([fit(-1)] * len(requests))
    return requests, end.value.value


def test_of_very_many_sentences_those_are_looked_at_that_look_most_like_the_word() -> None:
    numbers = [f"Nummer {number} ist da." for number in range(200)]
    draft, _ = drafted("\n".join(f"Number {number} is here." for number in range(200)), numbers, [])
    requests, routes = steps_of(draft, "177er")
    assert len(requests) == 64
    assert requests[0].revision is not None
    assert requests[0].revision.text == numbers[177]
    assert routes == {177: ("177er",)}


# Ends.


def test_cancelled_while_the_place_is_looked_for_nothing_is_changed() -> None:
    asked, go = threading.Event(), threading.Event()

    def think(_: Conversation) -> str:
        asked.set()
        go.wait(10)
        return ""

    draft, _ = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], [])
    draft.translator.engine = engine = ScriptedEngine(think, info=SEARCHES)
    stream = draft.stream_refine(USE, required="Katze")
    assert len(stream.asked) == stream.total == 2
    reader = threading.Thread(target=stream.result)
    reader.start()
    assert asked.wait(10)
    stream.cancel()
    go.set()
    reader.join(10)
    assert (stream.result().text, stream.result().segments, len(engine.requests)) == ("", (), 2)


def test_an_error_while_the_place_is_looked_for_is_raised() -> None:
    draft, _ = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], [ValueError("x"), fit(-1)])
    stream = draft.stream_refine(USE, required="Katze")
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            stream.result()


def test_the_asynchronous_stream_gives_the_same() -> None:
    draft, _ = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], [fit(-3), fit(-2), "Eine Katze."])

    async def run() -> tuple[list[str], Translation]:
        stream = draft.stream_refine(USE, required="Katze")
        return [piece async for piece in stream], await stream.aresult()

    pieces, refined = asyncio.run(run())
    assert "".join(pieces) == refined.text == "Ein Kater. Eine Katze."


# No word: a manner of speaking.


def test_a_small_model_is_asked_sentence_by_sentence() -> None:
    demonstrator = ModelInfo("demonstrator", "bayling", n_ctx=4096, demonstrator=True)
    for info in (SMALL, demonstrator, ModelInfo("short", "bayling", n_ctx=1024)):
        draft, engine = drafted("A cat. A dog.", ["Ein Kater.", "Ein Hund."], ["Kater!", "Hund!"], info)
        refined = draft.refine("Be loud.")
        assert refined.text == "Kater! Hund!"
        assert [one.conversation for one in engine.requests] == [
            segment.conversation.user("Be loud.") for segment in draft.segments
        ]


# The embedded model.


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


def changed(draft: Translation, refined: Translation) -> list[int]:
    """The positions of the sentences that are not as they were."""
    pairs = zip(draft.segments, refined.segments, strict=True)
    return [number for number, (old, new) in enumerate(pairs) if old.text != new.text]


@pytest.mark.parametrize("between", [" ", "\n", "\n\n"])
@pytest.mark.parametrize(
    ("word", "position"), [("guten Tag", 0), ("Könnt ihr", 1), ("Gebäude", 1), ("arbeitete", 2), ("Mein Bruder", 2)]
)
def test_exactly_the_sentence_where_a_word_belongs_changes(
    embedded: Translator, between: str, word: str, position: int
) -> None:
    text = between.join(("Good morning.", "Can you see the old house?", "My sister works there."))
    draft = embedded.translate(text, "de", "en")
    refined = draft.refine(use_instruction(word), required=word)
    assert (changed(draft, refined), refined.missing_words) == ([position], ())
    assert word in refined.segments[position].text


def test_a_word_finds_its_sentence_among_fifty(embedded: Translator) -> None:
    sentences = [f"I have {number} cats." for number in range(2, 51)]
    sentences[30] = "We live in a house."
    draft = embedded.translate(" ".join(sentences), "de", "en")
    refined = draft.refine(use_instruction("wohnen"), required="wohnen")
    for word in ("leben", "😀", "Wolkenkratzer"):
        refined = draft.refine(use_instruction(word), required=word)
        assert refined.missing_words == ()
        assert len(changed(draft, refined)) == 1


@pytest.mark.slow
def test_what_was_placed_can_be_made_shorter_and_keeps_its_word(embedded: Translator) -> None:
    draft = embedded.translate("Good morning. Can you see the old house? My sister works there.", "de", "en")
    refined = draft.refine(use_instruction("Gebäude"), required="Gebäude")
    assert "Gebäude" in refined.shorter().result().text
    assert "Gebäude" in refined.longer().result().text
