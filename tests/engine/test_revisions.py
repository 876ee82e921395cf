"""Revisions through the whole engine: the phrase is there, the rest is kept, whatever the model and its template."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bayling_lite.engine import Completion, GenerationRequest, Revision, SearchParams
from bayling_lite.engine.answers import Answers
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.words import occurs
from bayling_lite.errors import ContextOverflow, EngineClosed, PhrasesDoNotFit
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import V1_PLACEHOLDERS, translation_instruction, user_turn
from tests.engine.test_any_model import LLAMA_3

MakeModel = Callable[..., Path]
ASKED = user_turn(translation_instruction("The house is big and the garden is small.", find_language("de")))
DRAFT = "Das Haus ist groß und der Garten ist klein."


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(tiny_model, n_threads=1) as engine:
        yield engine


def revised(engine: LlamaEngine, revision: Revision, asked: Conversation = ASKED) -> Completion:
    return engine.submit(GenerationRequest(asked, revision=revision)).result(timeout=60)


def put(engine: LlamaEngine, phrase: str, instead: str = "", text: str = DRAFT, leaning: float = 100.0) -> str:
    at = text.index(instead)
    places = ((at, at + len(instead)),) if instead else ()
    completion = revised(engine, Revision(text, phrase, places, leaning))
    assert completion.finish_reason == "stop"
    return completion.text


@pytest.mark.parametrize("phrase", ["Gebäude", "Häuschen", "房子", "😀", "x", "Haus und Hof", "(Haus)", "§ 5"])
@pytest.mark.parametrize("instead", ["Haus", "Das Haus", "Garten", "klein", "ist klein.", DRAFT])
def test_with_a_firm_hand_nothing_else_changes(engine: LlamaEngine, phrase: str, instead: str) -> None:
    assert put(engine, phrase, instead) == DRAFT.replace(instead, phrase)


@pytest.mark.parametrize("phrase", ["Gebäude", "房子", "😀", "Haus", "sehr"])
def test_without_a_place_the_phrase_is_there_as_a_word_of_its_own(engine: LlamaEngine, phrase: str) -> None:
    for leaning in (0.0, 4.0, 100.0):
        assert occurs(phrase, put(engine, phrase, text="Das Hausboot ist groß.", leaning=leaning))


def test_the_place_is_one_that_the_model_finds_likely(engine: LlamaEngine) -> None:
    assert put(engine, "Wald") == DRAFT.replace("Garten", "Wald")


def test_a_model_may_change_what_goes_with_the_phrase(engine: LlamaEngine) -> None:
    """Where it must not lean on the former answer, its own likeliest text follows the phrase."""
    at = DRAFT.index("Haus")
    free = put(engine, "Gebäude", "Haus", leaning=0.0)
    assert free.startswith("Das Gebäude ")
    assert put(engine, "Gebäude", "Haus") == DRAFT[:at] + "Gebäude" + DRAFT[at + 4 :]


def test_characters_of_many_tokens_stay_whole(engine: LlamaEngine) -> None:
    asked = user_turn(translation_instruction("Good morning, my friend.", find_language("zh")))
    text = "早上好，我的朋友😀。"
    for instead in ("早上好", "朋友", "😀", "友😀。"):
        at = text.index(instead)
        found = revised(engine, Revision(text, "𠮷祥", ((at, at + len(instead)),), 100.0), asked)
        assert found.text == text.replace(instead, "𠮷祥")


def test_what_was_just_said_is_not_evaluated_again(engine: LlamaEngine) -> None:
    first = engine.submit(GenerationRequest(ASKED)).result(timeout=30)
    last = first.text.rsplit(" ", 1)[1].rstrip(".")
    at = first.text.rindex(last)
    found = revised(engine, Revision(first.text, "winzig", ((at, at + len(last)),)))
    assert occurs("winzig", found.text)
    assert found.n_cached > first.n_prompt
    again = engine.submit(GenerationRequest(ASKED.assistant(found.text).user("x"), max_tokens=1)).result(timeout=30)
    assert again.n_cached >= found.n_prompt + found.n_generated - 1


def test_among_other_requests_it_is_the_same(engine: LlamaEngine) -> None:
    alone = put(engine, "Wald")
    flowing = [engine.submit(GenerationRequest(user_turn(f"Tell me {n}."), max_tokens=120)) for n in range(5)]
    searched = engine.submit(GenerationRequest(ASKED, search=SearchParams(4, required=("Park",))))
    running = [engine.submit(GenerationRequest(ASKED, revision=Revision(DRAFT, "Wald", (), 100.0))) for _ in range(6)]
    assert {generation.result(timeout=60).text for generation in running} == {alone}
    assert "Park" in searched.result(timeout=60).text
    assert all(generation.result(timeout=60).n_generated for generation in flowing)


def test_long_answers_are_revised_in_many_steps(engine: LlamaEngine) -> None:
    text = " ".join([DRAFT] * 12)
    at = [index for index in range(len(text)) if text.startswith("Haus", index)]
    found = revised(engine, Revision(text, "Gebäude", tuple((one, one + 4) for one in at), 100.0))
    assert found.text == text.replace("Haus", "Gebäude")
    assert occurs("Gebäude", put(engine, "Gebäude", text=text))


def test_what_does_not_fit_says_so(engine: LlamaEngine) -> None:
    with pytest.raises(ContextOverflow):
        revised(engine, Revision("wort " * 2000, "x"))
    request = GenerationRequest(ASKED, max_tokens=5, revision=Revision(DRAFT, "Gebäude", ((4, 8),)))
    with pytest.raises(PhrasesDoNotFit, match="but it may have 5"):
        engine.submit(request).result(timeout=30)


def test_cancelled_it_says_nothing(tiny_model: Path) -> None:
    with LlamaEngine.open(tiny_model, n_threads=1, n_batch=64) as engine:
        generations = [
            engine.submit(GenerationRequest(ASKED, revision=Revision(f"{number} " * 200, "x"))) for number in range(4)
        ]
        threading.Timer(0.01, generations[0].cancel).start()
        for generation in generations[1:]:
            generation.cancel()
        completions = [generation.result(timeout=60) for generation in generations]
        assert all(one.text == "" for one in completions if one.finish_reason == "cancelled")
        assert {one.finish_reason for one in completions[1:]} == {"cancelled"}
        assert put(engine, "Gebäude", "Haus") == DRAFT.replace("Haus", "Gebäude")


def test_a_full_memory_makes_it_wait(tiny_model: Path) -> None:
    text = " ".join([DRAFT] * 8)
    with LlamaEngine.open(tiny_model, n_threads=1, n_ctx=300, n_parallel=4) as engine:
        running = [engine.submit(GenerationRequest(ASKED, revision=Revision(text, "Gebäude"))) for _ in range(4)]
        running += [engine.submit(GenerationRequest(user_turn(f"{n}"), max_tokens=100)) for n in range(3)]
        assert all(occurs("Gebäude", generation.result(timeout=60).text) for generation in running[:4])


def test_a_closed_engine_leaves_nobody_waiting(tiny_model: Path) -> None:
    engine = LlamaEngine.open(tiny_model, n_threads=1)
    generations = [engine.submit(GenerationRequest(ASKED, revision=Revision(DRAFT, "Park"))) for _ in range(20)]
    engine.close()
    for generation in generations:
        with contextlib.suppress(EngineClosed):
            assert generation.result(timeout=30).finish_reason in ("stop", "cancelled")


@pytest.mark.parametrize(("noun", "article"), [("Hütte", "Die"), ("Katze", "Die"), ("Straße", "Die")])
def test_the_likeliest_variant_is_taken(engine: LlamaEngine, noun: str, article: str) -> None:
    variants = tuple(f"{other} {noun}" for other in ("Die", "Der", "Den", "Dem"))
    revision = Revision(DRAFT, f"Das {noun}", ((0, 8),), 100.0, variants)
    flowing = engine.submit(GenerationRequest(user_turn("Tell me."), max_tokens=60))
    for _ in range(2):
        assert revised(engine, revision).text == DRAFT.replace("Das Haus", f"{article} {noun}")
    assert flowing.result(timeout=30).n_generated


def test_variants_beyond_what_can_be_tried_at_once_are_left_out(engine: LlamaEngine) -> None:
    variants = tuple(f"{number} sehr lange Wörter, die niemand sagt" for number in range(50))
    found = revised(engine, Revision(DRAFT, "Haus", ((4, 8),), 100.0, variants))
    assert found.text == DRAFT


def test_cancelled_variants_free_their_sequences(tiny_model: Path) -> None:
    with LlamaEngine.open(tiny_model, n_threads=1, n_parallel=2) as engine:
        for number in range(40):
            revision = Revision(
                f"{DRAFT} {number}", "Das Heim", ((0, 8),), variants=("Die Heim", "Der Heim", "Den Heim")
            )
            generation = engine.submit(GenerationRequest(ASKED, revision=revision))
            if number % 2:
                generation.cancel()
            assert generation.result(timeout=30).finish_reason in ("stop", "cancelled")
        assert put(engine, "Gebäude", "Haus") == DRAFT.replace("Haus", "Gebäude")


def test_the_place_in_an_answer_just_given_is_known_without_reading_it(
    engine: LlamaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = user_turn(translation_instruction("The house is near the river.", find_language("de")))
    first = engine.submit(GenerationRequest(asked)).result(timeout=30)
    request = GenerationRequest(asked, revision=Revision(first.text, "Wald", (), 100.0))
    known = engine.submit(request).result(timeout=30)
    assert known.n_cached >= known.n_prompt  # it goes on from the place
    monkeypatch.setattr(Answers, "recall_logits", lambda *_: None)
    read = engine.submit(request).result(timeout=30)
    assert (known.text, "Wald" in known.text) == (read.text, True)


def tried(engine: LlamaEngine, text: str, phrase: str, asked: Conversation = ASKED) -> float:
    completion = revised(engine, Revision(text, phrase, trial=True), asked)
    assert (completion.text, completion.finish_reason) == ("", "stop")
    assert completion.fit is not None
    return completion.fit


def test_a_trial_tells_how_well_a_phrase_fits(engine: LlamaEngine) -> None:
    town = user_turn(translation_instruction("We live in a town.", find_language("de")))
    said = "Wir wohnen in einer Stadt."
    assert tried(engine, DRAFT, "Häuschen") > tried(engine, said, "Häuschen", town)
    assert tried(engine, DRAFT, "leben") < tried(engine, said, "leben", town)


def test_a_trial_tells_what_the_revision_finds_and_reads_an_answer_once(engine: LlamaEngine) -> None:
    asked = user_turn(translation_instruction("My cat is old.", find_language("de")))
    read = engine.submit(GenerationRequest(asked, revision=Revision("Meine Katze ist alt.", "Kater", trial=True)))
    assert read.result(timeout=30).fit is not None
    known = revised(engine, Revision("Meine Katze ist alt.", "Kater", trial=True), asked)
    assert known.fit is not None
    assert known.fit == pytest.approx(read.result().fit, abs=0.5)  # weights of 4 bits
    assert known.n_cached > 0
    assert revised(engine, Revision("Meine Katze ist alt.", "Kater"), asked).fit is None


def test_what_was_written_need_not_be_read_for_a_trial(engine: LlamaEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = engine.submit(GenerationRequest(ASKED)).result(timeout=30).text
    known = tried(engine, draft, "Wald")
    monkeypatch.setattr(Answers, "recall_logits", lambda *_: None)
    assert tried(engine, draft, "Wald") == pytest.approx(known, abs=0.5)  # weights of 4 bits


def test_many_trials_are_done_side_by_side(engine: LlamaEngine) -> None:
    asked = [user_turn(translation_instruction(f"I have {n} cats.", find_language("de"))) for n in range(30)]
    requests = [
        GenerationRequest(one, revision=Revision(f"Ich habe {n} Katzen.", "Kater", trial=True))
        for n, one in enumerate(asked)
    ]
    for _ in range(2):
        running = [engine.submit(request) for request in requests]
        assert all(one.result(timeout=60).fit is not None for one in running)


def test_a_trial_that_is_cancelled_tells_nothing(engine: LlamaEngine) -> None:
    running = engine.submit(GenerationRequest(ASKED, revision=Revision("Das Haus. " * 40, "Hund", trial=True)))
    running.cancel()
    assert running.result(timeout=30).fit is None


def test_a_contracted_word_is_no_place(engine: LlamaEngine) -> None:
    asked = user_turn(translation_instruction("我不知道。", find_language("en")))
    for text, phrase in (("I don't know him.", "tore"), ("I'm going.", "must"), ("I’ll do it.", "love")):
        new = revised(engine, Revision(text, phrase), asked).text
        assert occurs(phrase, new)
        assert f"'{phrase}" not in new.replace("’", "'")


def test_logits_are_kept_of_the_last_answers_alone_and_only_where_there_is_room() -> None:
    answers, one = Answers(), np.zeros((4, 1000), np.float32)
    for number in range(-60, 6):
        answers.remember_logits([number + 100], "x", one)
    kept = [answers.recall_logits([number + 100], "x", 3) is not None for number in range(-60, 6)]
    assert kept == [False] * 2 + [True] * 64
    for number in range(6):
        answers.remember_logits([number], "x", one)
    assert answers.recall_logits([5], "x", 2) is None  # other tokens
    answers.remember_logits([7], "x", np.zeros((4, 2**20), np.float32))
    assert [answers.recall_logits([number], "x", 3) is not None for number in range(8)] == [False] * 7 + [True]
    assert answers.note(2**24)
    assert not answers.note(1)
    assert answers.note(-(2**24))
    assert answers.note(1)


# Other models.


@pytest.mark.parametrize("template", ["bayling", "bayling-3", None])
@pytest.mark.parametrize("leaning", [0.0, 2.0])
def test_any_model_and_template_have_the_phrase(make_model: MakeModel, template: str | None, leaning: float) -> None:
    """Random weights, which find no text likely: the phrase is there, and with little freedom so is the rest."""
    metadata = {"bayling.template": template} if template else {"tokenizer.chat_template": LLAMA_3}
    with LlamaEngine.open(make_model(metadata=metadata), n_threads=1) as engine:
        for text in ("the good day", "he", "go on, the day 早安 in", "早上好"):
            for phrase in ("good", "day", "早安", "x y", "é"):
                for places in ((), ((0, len(text)),), ((0, len(text.split()[0])),)):
                    found = revised(engine, Revision(text, phrase, places, leaning), user_turn("the day"))
                    assert occurs(phrase, found.text), (text, phrase, places, found.text)


def test_a_thinking_model_is_not_revised(make_model: MakeModel) -> None:
    template = LLAMA_3 + "{% if add_generation_prompt %}{{ '<think>\\n' }}{% endif %}{# </think> #}"
    with (
        LlamaEngine.open(make_model(metadata={"tokenizer.chat_template": template}), n_threads=1) as engine,
        pytest.raises(PhrasesDoNotFit, match="thinks first"),
    ):
        revised(engine, Revision("the day", "good"), user_turn("x"))


def test_a_text_with_names_for_placeholders_is_spelled_out(make_model: MakeModel) -> None:
    declared = [text for pair in {**V1_PLACEHOLDERS, "(X)": "BayLing"}.items() for text in pair]
    metadata = {"bayling.template": "bayling", "bayling.placeholders": declared}
    chain = ("<0x0A>", "he", "(", "X", ")", "▁good", "</s>")
    with LlamaEngine.open(make_model(metadata=metadata, chain=chain), n_threads=1) as engine:
        first = engine.submit(GenerationRequest(user_turn("x"))).result(timeout=30)
        assert first.text == "heBayLing good"
        found = revised(engine, Revision(first.text, "day", ((10, 14),), 1000.0), user_turn("x"))
        assert found.text == "heBayLing day"
