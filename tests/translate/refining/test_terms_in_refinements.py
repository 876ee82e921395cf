"""Terms stay in force when a draft is refined, unless the user says that their word is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import PhrasesDoNotFit, UsageError
from bayling_lite.prompts import Wording, fix_instruction, fixed_words, use_instruction
from bayling_lite.translate import Term, Translation, Translator
from bayling_lite.translate.refining.quotes import calls_wrong

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
CAT, DOG = ("cat", "Katze"), ("dog", "Hund")


def drafted(text: str, *answers: str, terms: tuple[Term, ...] = (CAT, DOG)) -> tuple[Translation, ScriptedEngine]:
    """A draft, and the engine that will be asked to refine it."""
    engine = ScriptedEngine(answers, info=SEARCHES)
    draft = Translator(engine).translate(text, "de", "en", terms=terms)
    engine.requests.clear()
    return draft, engine


def required(engine: ScriptedEngine) -> list[tuple[str, ...]]:
    """What each request's answer must have."""
    return [request.search.required if request.search else () for request in engine.requests]


def test_a_translation_knows_its_terms() -> None:
    draft, _ = drafted("A cat.", "Eine Katze.")
    assert draft.terms == (CAT, DOG)
    assert drafted("A cat.", "Eine Katze.", terms=())[0].terms == ()


def test_the_terms_of_the_source_are_searched_for_where_the_new_draft_lacks_them() -> None:
    draft, engine = drafted("A cat.", "Eine Katze.", "Die Katze.", "Ein Kater.", "Katze!", "Kater.", "Der Kater.")
    refined = draft.refine("Be definite.")
    assert (required(engine), refined.text) == ([()], "Die Katze.")
    assert (refined.terms, refined.missing_terms) == ((CAT, DOG), ())
    stream = refined.stream_refine("Make it male.")
    assert list(stream) == ["Katze!"]
    assert engine.requests[1:] == [
        replace(engine.requests[1], search=None),
        replace(
            engine.requests[2],
            conversation=engine.requests[1].conversation,
            search=SearchParams(5, required=("Katze",)),
        ),
    ]
    # An engine that says it can and cannot is found out.
    assert stream.result().refine("Male!").missing_terms == (CAT,)


def test_where_a_term_cannot_be_had_the_likeliest_answer_stands() -> None:
    draft, engine = drafted("A cat.", "Eine Katze.", "Ein Kater.")
    engine.enqueue(PhrasesDoNotFit("x"))
    refined = draft.refine("Make it male.")
    assert (refined.text, refined.missing_terms, refined.failed) == ("Ein Kater.", (CAT,), 0)


def test_a_draft_that_lacks_a_term_is_searched_at_once() -> None:
    draft, engine = drafted("A cat.", "Ein Kater.", "Eine Katze.")
    assert draft.refine("Be nice.").missing_terms == ()
    assert required(engine) == [("Katze",)]


def test_without_search_the_answer_streams_and_is_checked() -> None:
    engine = ScriptedEngine(["Eine Katze.", "Die liebe Katze.", "Ein Kater."])
    draft = Translator(engine).translate("A cat.", "de", "en", terms=[CAT])
    stream = draft.stream_refine("Be nice.")
    assert len(list(stream)) > 1
    assert stream.result().missing_terms == ()
    assert draft.refine("Make it male.").missing_terms == (CAT,)
    assert len(engine.requests) == 3


def test_each_segment_has_its_own_terms() -> None:
    draft, engine = drafted("A cat.\nA dog.\nA cow.", "Ein Kater.", "Ein Köter.", "Eine Kuh.", "a", "b", "Hund")
    refined = draft.refine("Be terse.")
    assert required(engine) == [("Katze",), ("Hund",), ()]
    assert refined.missing_terms == (CAT, DOG)


def test_only_what_is_asked_for_must_have_its_terms_but_all_is_checked() -> None:
    draft, engine = drafted("A cat.\nA dog.", "Ein Kater.", "Ein Köter.", "Ein Hund.")
    assert draft.missing_terms == (CAT, DOG)
    refined = draft.refine('The "dog" is missing.')
    assert required(engine) == [("Hund",)]
    assert refined.missing_terms == (CAT,)


def test_words_and_terms_are_required_together() -> None:
    draft, engine = drafted("A cat.", "Eine Katze.", "Eine schöne Katze.")
    refined = draft.refine("Say that it is schön.", required="schöne")
    assert required(engine) == [("schöne", "Katze")]
    assert (refined.required, refined.missing_words, refined.missing_terms) == (("schöne",), (), ())


def test_other_terms_may_be_in_force_now() -> None:
    draft, engine = drafted("A cat.", "Eine Katze.", "Eine Mieze.", "Eine Mieze.")
    refined = draft.refine("Be nice.", terms=[("cat", "Mieze")])
    assert required(engine) == [("Mieze",)]
    assert refined.terms == (("cat", "Mieze"),)
    draft.refine("Be nice.", terms=[])
    assert required(engine)[1:] == [()]
    with pytest.raises(UsageError, match="two translations"):
        draft.refine("Be nice.", terms=[("cat", "Mieze"), ("cat", "Katze")])


def test_a_word_that_is_called_wrong_is_not_required() -> None:
    draft, engine = drafted("A cat.", "Eine Katze.", "Ein Kater.", "Der Kater.", "Eine Katze.", "Ein Kater.", "Kater!")
    refined = draft.refine("Not “Katze”, write “Kater”.", required="Kater")
    assert required(engine) == [("Kater",)]
    assert refined.missing_terms == ()
    # Nor later, as long as nobody asks for it again.
    again = refined.refine("Be definite.", terms=draft.terms)
    assert (required(engine)[1:], again.missing_terms) == ([()], ())
    back = again.refine('On second thoughts: "Katze".', required="Katze")
    assert back.missing_terms == ()
    assert back.refine("Make it male.").missing_terms == (CAT,)
    assert required(engine)[2:] == [("Katze",), (), ("Katze",)]


def test_a_term_whose_source_word_is_to_be_another_is_not_required() -> None:
    word = ("Katze", "Eine Katze")  # of the source, alone and with its article
    answers = ("Ein Kater.", "Der Kater.", *word, "Die Katze.", "Ein Kater.", "Kater!")
    draft, engine = drafted("A cat.", "Eine Katze.", *word, *answers)
    refined = draft.refine(fix_instruction("Cat", "Kater"), required="Kater")
    assert required(engine)[-1] in ((), ("Kater",))
    again = refined.refine("Be definite.", terms=draft.terms)
    assert (required(engine)[-1], again.missing_terms) == ((), ())
    back = again.refine(fix_instruction("cat", "Katze"), required="Katze")
    assert (back.missing_words, back.missing_terms) == ((), ())
    assert back.refine("Make it male.").missing_terms == (CAT,)


@pytest.mark.parametrize(
    ("instruction", "word", "words", "wrong"),
    [
        (fix_instruction("Katze", "Kater"), "Katze", (), True),
        (fix_instruction("Katze", "Kater"), "Katze", ("Kater",), True),
        (fix_instruction("Katze", "Kater", wording=Wording.CHINESE), "Katze", (), True),
        (fix_instruction("Katze", "Kater"), "Kater", ("Kater",), False),
        (fix_instruction("die Katze", "der Kater"), "Katze", (), True),
        (fix_instruction("die Katze", "eine Katze"), "Katze", (), False),
        (use_instruction("Katze"), "Katze", (), False),
        (use_instruction("Kater"), "Katze", ("Kater",), None),
        ('Do not use "Katze".', "Katze", (), True),
        ("Don't say “Katze” here.", "Katze", (), True),
        ("不要用“猫咪”。", "猫咪", (), True),
        ("nicht „Katze“", "Katze", (), True),
        ('"Kater" instead of "Katze"', "Katze", (), True),
        ('"Kater" instead of "Katze"', "Kater", (), False),
        ('Not so fast: the "Katze" is fine.', "Katze", (), False),
        ('The "Katzen" are wrong.', "Katze", ("Kater",), None),
        ("Katze is wrong.", "Katze", ("Kater",), None),
    ],
)
def test_what_an_instruction_says_of_a_word(
    instruction: str, word: str, words: tuple[str, ...], wrong: bool | None
) -> None:
    assert calls_wrong(instruction, word, words) is wrong


@pytest.mark.parametrize("wording", list(Wording))
def test_a_fix_is_read_as_it_was_written(wording: Wording) -> None:
    assert fixed_words(fix_instruction("das Haus", 'ein "Heim"', wording=wording)) == ("das Haus", 'ein "Heim"')
    assert fixed_words(use_instruction("Haus", wording=wording)) is None


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


def test_a_refined_draft_of_the_embedded_model_keeps_its_terms(embedded: Translator) -> None:
    draft = embedded.translate("The cat is in the garden.\n\nWhere is the dog?", "de", terms=[("cat", "Miezekatze")])
    assert draft.missing_terms == ()
    refined = draft.refine("Make it formal.")
    assert "Miezekatze" in refined.text
    assert refined.missing_terms == ()
    corrected = draft.refine(fix_instruction("Miezekatze", "Hauskatze"), required="Hauskatze")
    assert ("Hauskatze" in corrected.text, corrected.missing_terms, corrected.missing_words) == (True, (), ())
    assert "Miezekatze" not in corrected.text
