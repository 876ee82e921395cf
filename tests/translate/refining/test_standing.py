"""Words that were asked for earlier: they stay through later refinements, unless they are taken back."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion, ModelInfo, Revision, SamplingParams, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import Response, ScriptedEngine
from bayling_lite.engine.words import occurs
from bayling_lite.errors import PhrasesDoNotFit
from bayling_lite.languages import find_language
from bayling_lite.prompts import Wording, fix_instruction, use_instruction, user_turn
from bayling_lite.translate import Translation, Translator
from bayling_lite.translate.refining.standing import (
    Standing,
    changed,
    is_in_another_language,
    kept_spans,
    spans,
    standing,
)

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
TEXT = "Das Haus steht in einer kleinen Stadt."
ASKED = user_turn("Translate.").assistant("Das Gebäude steht in einer Stadt.")
NO = PhrasesDoNotFit("no")


def stands(instruction: str, *required: str, words: tuple[str, ...] = ("Haus",), text: str = TEXT) -> Standing:
    return standing(words, text, instruction, required, ASKED)


FIRM, LOOSE, GONE = Standing(("Haus",)), Standing((), ("Haus",)), Standing()


@pytest.mark.parametrize(
    ("instruction", "required", "expected"),
    [
        (use_instruction("Ort"), ("Ort",), FIRM),
        (use_instruction("Ort", wording=Wording.CHINESE), ("Ort",), FIRM),
        (fix_instruction("Stadt", "Ort"), ("Ort",), FIRM),
        ("Make it formal.", (), FIRM),
        ("Make it formal.", ("Ort",), FIRM),
        # It is asked for again: then it is one of the required words.
        (use_instruction("Haus"), ("Haus",), GONE),
        # It is wrong.
        (fix_instruction("Haus", "Gebäude"), ("Gebäude",), GONE),
        (fix_instruction("Das Haus", "Die Villa"), ("Die Villa",), GONE),
        ('Not "Haus".', (), GONE),
        ("Haus steht da zweimal: nicht „Haus“.", (), GONE),
        ("不要用“Haus”。", (), GONE),
        ("Don't use Haus.", (), GONE),
        # It is spoken of.
        ('Make "Haus" plural.', (), LOOSE),
        ("Haus sounds odd.", (), LOOSE),
        # It is to stay.
        ('Keep "Haus", but make it shorter.', (), FIRM),
        ('Use "Ort" and keep "Haus".', ("Ort",), FIRM),
        ("Don't change Haus.", (), FIRM),
        ("保留“Haus”，短一点。", (), FIRM),
        ('Do not keep "Haus".', (), GONE),
        # Another form of it is asked for, or one with more in it.
        (use_instruction("Häuser"), ("Häuser",), LOOSE),
        (use_instruction("große Haus"), ("große Haus",), LOOSE),
        (fix_instruction("Das", "Jedes Haus"), ("Jedes Haus",), LOOSE),
        (use_instruction("Hand"), ("Hand",), FIRM),
        (use_instruction("Maus"), ("Maus",), FIRM),
    ],
)
def test_a_word_stands_until_it_is_taken_back(instruction: str, required: tuple[str, ...], expected: Standing) -> None:
    assert stands(instruction, *required) == expected


def test_what_is_corrected_within_a_word_changes_it() -> None:
    words = ("kleinen Stadt",)
    assert stands(fix_instruction("Stadt", "Ort"), "Ort", words=words) == Standing((), words)
    assert stands(fix_instruction("einer kleinen", "der großen"), "der großen", words=words) == Standing((), words)
    assert stands(fix_instruction("Haus", "Ort"), "Ort", words=words) == Standing(words)


def test_chinese_words_have_no_borders() -> None:
    text, words = "这个词元很短。", ("词元",)
    assert stands(use_instruction("词元化"), "词元化", words=words, text=text) == Standing((), words)
    assert stands(use_instruction("标记"), "标记", words=words, text=text) == Standing(words)
    assert stands("词元不好听。", words=words, text=text) == Standing((), words)
    # One character is a part of anything.
    assert stands("再短一点。", words=("短",), text=text) == Standing(("短",))


def test_what_a_draft_lacks_does_not_stand() -> None:
    assert stands("Shorter.", words=("Haus", "Garten", "Hau", "haus")) == FIRM


def test_a_word_that_stood_for_another_gives_way_when_that_is_said_again() -> None:
    said = ASKED.user(fix_instruction("house", "Haus")).assistant(TEXT)
    assert standing(("Haus",), TEXT, fix_instruction("House", "Gebäude"), ("Gebäude",), said) == LOOSE
    assert standing(("Haus",), TEXT, fix_instruction("town", "Ort"), ("Ort",), said) == FIRM
    said = ASKED.user(fix_instruction("Gebäude", "Haus")).assistant(TEXT)
    assert standing(("Haus",), TEXT, use_instruction("Gebäude"), ("Gebäude",), said) == LOOSE


@pytest.mark.parametrize(
    ("word", "new", "otherwise"),
    [
        ("Können Sie", "Kannst du", True),
        ("vous", "Peux-tu", True),
        ("你", "您好", True),
        ("Können Sie", "wissen Sie", False),
        ("Sie", "Haus", False),
    ],
)
def test_a_reader_is_addressed_in_one_way(word: str, new: str, otherwise: bool) -> None:
    found = standing((word,), f"{word}.", use_instruction(new), (new,), ASKED)
    assert found == (Standing((), (word,)) if otherwise else Standing((word,)))


def test_how_formal_a_draft_is_may_change_how_it_addresses_its_reader() -> None:
    for instruction in ("Make it formal.", "请更正式一些。", "Bitte höflicher."):
        assert standing(("du", "Haus"), "du, Haus", instruction, (), ASKED) == Standing(("Haus",), ("du",))
    assert standing(("du", "Haus"), "du, Haus", "Make it shorter.", (), ASKED) == Standing(("du", "Haus"))


def test_a_long_instruction_is_read_in_a_time_that_grows_with_it_alone() -> None:
    begun = time.perf_counter()
    assert stands("Haus is " * 2000 + "fine.") == LOOSE
    assert stands("Haus is " * 2000 + 'fine, but not "Haus".') == GONE
    assert time.perf_counter() - begun < 1.5  # 0.2 s; 5 s where all before each mention is read


def test_words_have_their_places() -> None:
    assert spans(("Haus", "Das Haus", "in"), TEXT) == ((0, 8), (15, 17))
    assert spans(("ab", "bc"), "xabcx") == ()  # within a word
    assert spans(("甲乙", "乙丙"), "丁甲乙丙") == ((1, 4),)
    assert changed(("Haus", "Stadt", "steht in"), TEXT, ((4, 8), (15, 16))) == ("Haus", "steht in")
    # A term gives way to its own plural, and stays for any other word.
    assert kept_spans(("in",), ("Haus",), ("Ort",), TEXT) == ((4, 8), (15, 17))
    assert kept_spans(("in",), ("Haus",), ("Häuser",), TEXT) == ((15, 17),)


def test_loose_words_stand_on_where_they_are_left() -> None:
    stand = Standing(("a",), ("b", "c"))
    assert (stand.after("b"), stand.there("a b")) == (("a", "b"), ("a",))


# What is asked of the engine.


def drafted(text: str, answers: list[str], refined: list[Response]) -> tuple[Translation, ScriptedEngine]:
    """A draft, and the engine that will be asked to refine it."""
    translation = Translator(ScriptedEngine(answers)).translate(text, "de", "en")
    engine = ScriptedEngine(refined, info=SEARCHES)
    translation.translator.engine = engine
    return translation, engine


def trial(fit: float) -> Completion:
    """What comes of looking for a place."""
    return Completion("", "stop", 1, 0, 0, 0.0, 0.0, fit=fit)


def revisions(engine: ScriptedEngine) -> list[Revision | None]:
    return [request.revision for request in engine.requests]


def required(engine: ScriptedEngine) -> list[tuple[str, ...]]:
    return [request.search.required if request.search else () for request in engine.requests]


def test_the_next_word_is_put_beside_the_last() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", "Eine süße Katze.", "Eine süße Katze da."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    refined = refined.refine(use_instruction("süße"), required="süße")
    assert revisions(engine)[1] == Revision("Eine Katze.", "süße", kept=((5, 10),))
    assert (refined.standing, refined.required, refined.wanted) == (("Katze",), ("süße",), ("Katze", "süße"))
    refined = refined.refine(use_instruction("da"), required="da")
    assert revisions(engine)[2] == Revision("Eine süße Katze.", "da", kept=((5, 9), (10, 15)))
    assert refined.wanted == ("Katze", "süße", "da")


def test_a_revision_that_loses_a_standing_word_is_made_again_then_searched_for() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", "Eine süße.", "Eine süße!", "Eine süße Katze."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    refined = refined.refine(use_instruction("süße"), required="süße")
    assert [one.leaning if one else None for one in revisions(engine)] == [4.0, 4.0, math.inf, None]
    assert engine.requests[-1].search == SearchParams(8, n_best=8, required=("süße", "Katze"))
    assert (refined.text, refined.missing_words) == ("Eine süße Katze.", ())


def test_the_new_word_goes_before_one_that_cannot_be_had_with_it() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", NO, NO, "Ein Kater."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    refined = refined.refine(use_instruction("Kater"), required="Kater")
    assert required(engine)[2:] == [("Kater", "Katze"), ("Kater",)]
    assert (refined.text, refined.missing_words) == ("Ein Kater.", ("Katze",))
    # That was said, and is not said again.
    engine.enqueue("Ein Kater!")
    assert refined.refine("Louder.").missing_words == ()


def test_a_word_is_required_of_an_answer_that_lacks_it() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", "Ein Tier!", "Eine Katze!", "Katze!"])
    refined = draft.refine(use_instruction("Katze"), required="Katze").refine("Louder.")
    assert required(engine)[1:] == [(), ("Katze",)]
    assert (refined.text, refined.standing, refined.required) == ("Eine Katze!", ("Katze",), ())
    assert refined.refine("Once more.").text == "Katze!"  # which has it unasked
    assert required(engine)[3:] == [()]


def test_a_word_that_is_there_already_changes_nothing() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    again = refined.refine(use_instruction("Katze"), required="Katze")
    assert (again.text, again.required, len(engine.requests)) == (refined.text, ("Katze",), 1)
    assert again.conversation == refined.conversation.user(use_instruction("Katze")).assistant("Eine Katze.")
    # What says more is asked, and so is what a term that is missing comes to.
    engine.enqueue("Die Katze.", "Katze Tier.")
    assert again.refine('Say it with "Katze" and an article.', required="Katze").text == "Die Katze."
    assert again.refine(use_instruction("Katze"), required="Katze", terms=[("cat", "Tier")]).text == "Katze Tier."


def test_a_sentence_that_has_the_word_already_stays_as_the_others_do() -> None:
    draft, engine = drafted("A cat.\nA dog.", ["Ein Tier.", "Ein Hund."], [])
    refined = draft.refine(use_instruction("Hund"), required="Hund")
    assert (refined.text, refined.wanted, engine.requests) == (draft.text, ("Hund",), [])


def test_a_draft_that_was_cut_off_is_made_again_though_it_has_the_word() -> None:
    draft, engine = drafted("A cat.", ["Eine Katze und"], ["Eine Katze."])
    draft = replace(draft, segments=(replace(draft.segments[0], status="length"),))
    assert draft.refine(use_instruction("Katze"), required="Katze").text == "Eine Katze."
    assert len(engine.requests) == 1


@pytest.mark.parametrize("longer", [False, True])
def test_what_is_missing_is_said_once(longer: bool) -> None:
    others = ["Katze da.", "Eine Katze, die da ist."] * 4
    engine = ScriptedEngine(["Ein Tier.", "Eine Katze.", "Eine Katze da.", *others])
    draft = Translator(engine).translate("A cat.", "de", "en")
    refined = draft.refine(use_instruction("Katze"), required="Katze").refine("Louder.", required="Kater")
    assert (refined.text, refined.missing_words) == ("Eine Katze da.", ("Kater",))
    for _ in range(2):
        refined = (refined.longer() if longer else refined.shorter()).result()
        assert (refined.missing_words, refined.wanted) == ((), ("Katze",))


def test_of_an_answer_in_another_language_it_is_not_required() -> None:
    french = "Le chat est assis sur la chaise et regarde par la fenêtre de la maison."
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", french])
    refined = draft.refine(use_instruction("Katze"), required="Katze").refine("In French, please.")
    assert (refined.text, len(engine.requests)) == (french, 2)


def test_another_language_is_known_for_certain_or_not_at_all() -> None:
    german, chinese = find_language("de"), find_language("zh")
    assert is_in_another_language("The cat sits on the chair and looks out of the window.", german)
    assert not is_in_another_language(TEXT, german)
    assert not is_in_another_language("Hm.", german)
    assert is_in_another_language("The cat.", chinese)
    assert not is_in_another_language("这个 token 很短。", chinese)
    assert not is_in_another_language("42", chinese)


def test_a_sample_that_lacks_it_gives_way() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", "Ein Tier!", "Eine Katze!"])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    sampling = Translator(engine, sampling=SamplingParams(temperature=0.7, seed=1))
    assert sampling.stream_refinement(refined, "Louder.").result().text == "Eine Katze!"
    assert required(engine)[1:] == [(), ("Katze",)]


def test_an_engine_that_cannot_search_is_asked_and_what_is_lost_is_said() -> None:
    draft = Translator(ScriptedEngine(["Ein Tier.", "Eine Katze.", "Eine süße."])).translate("A cat.", "de", "en")
    refined = draft.refine(use_instruction("Katze"), required="Katze").refine(use_instruction("süße"), required="süße")
    assert (refined.text, refined.missing_words) == ("Eine süße.", ("Katze",))


def test_what_is_taken_back_may_go() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", "Ein Kater.", "Ein Tier."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    refined = refined.refine(fix_instruction("Katze", "Kater"), required="Kater")
    assert (refined.standing, refined.missing_words) == ((), ())
    refined = refined.refine('Not "Kater".')
    assert required(engine)[2:] == [()]
    assert (refined.text, refined.wanted, refined.missing_words) == ("Ein Tier.", (), ())


def test_a_word_of_the_source_has_the_translation_that_was_asked_for_last() -> None:
    draft, engine = drafted("The big cat.", ["Das Tier."], ["Die Katze.", "Katze", "die Katze", "Der Kater."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    refined = refined.refine(fix_instruction("cat", "Kater"), required="Kater")
    revision = revisions(engine)[-1]
    assert revision is not None
    assert (revision.places, revision.kept) == (((0, 9),), ())
    assert (refined.text, refined.wanted, refined.missing_words) == ("Der Kater.", ("Kater",), ())


def test_each_sentence_keeps_its_own_words() -> None:
    fit = [trial(-1.0), trial(-5.0)]
    draft, engine = drafted("A cat.\nA dog.", ["Ein Tier.", "Ein Hund."], [*fit, "Eine Katze."])
    refined = draft.refine(use_instruction("Katze"), required="Katze")
    engine.enqueue(*fit, "Eine süße Katze.")
    refined = refined.refine(use_instruction("süße"), required="süße")
    kept = [(one.text, one.kept) for one in revisions(engine)[3:] if one]
    assert kept == [("Eine Katze.", ((5, 10),)), ("Ein Hund.", ()), ("Eine Katze.", ((5, 10),))]
    assert (refined.text, refined.standing) == ("Eine süße Katze.\nEin Hund.", ("Katze",))
    engine.enqueue("Eine Katze!", "Ein Hund!", "Eine süße Katze!")
    refined = refined.refine("Louder.")
    assert required(engine)[-3:] == [(), (), ("Katze", "süße")]
    assert (refined.text, refined.missing_words) == ("Eine süße Katze!\nEin Hund!", ())


def test_every_draft_has_its_own_history() -> None:
    draft, engine = drafted("A cat.", ["Ein Tier."], ["Eine Katze.", "Ein Kater.", "Ein junger Kater."])
    draft.refine(use_instruction("Katze"), required="Katze")
    other = draft.refine(use_instruction("Kater"), required="Kater")
    assert (other.standing, other.wanted) == ((), ("Kater",))
    other.refine(use_instruction("junger"), required="junger")
    revision = revisions(engine)[-1]
    assert revision is not None
    assert revision.kept == ((4, 9),)


# The embedded model.


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


@pytest.mark.parametrize(
    ("target", "text", "words"),
    [
        ("zh", "Good morning, my friend. I am very glad to see you here.", ("早安", "伙伴", "欣喜", "此地")),
        ("en", "我昨天在城里买了一本很好的书。", ("purchased", "novel", "town", "excellent")),
        ("de", "The house is big and we like the garden.", ("Gebäude", "riesig", "Park", "mögen")),
        ("fr", "I bought a new car yesterday.", ("véhicule", "hier", "acheté", "neuf")),
    ],
)
def test_all_that_was_asked_for_is_there_in_the_end(
    embedded: Translator, target: str, text: str, words: tuple[str, ...]
) -> None:
    draft = embedded.translate(text, target)
    for number, word in enumerate(words, 1):
        draft = draft.refine(use_instruction(word), required=word)
        assert [one for one in words[:number] if not occurs(one, draft.text)] == []
        assert draft.missing_words == ()
    corrected = draft.refine(fix_instruction(words[0], "BayLing"), required="BayLing")
    assert (occurs(words[0], corrected.text), corrected.missing_words) == (False, ())


def test_it_is_there_in_what_is_shorter_longer_or_said_otherwise(embedded: Translator) -> None:
    draft = embedded.translate("The house is big.", "de")
    for word in ("Gebäude", "sehr"):
        draft = draft.refine(use_instruction(word), required=word)
    others = draft.shorter().result(), draft.longer().result(), *draft.alternatives(2).result()
    for one in (*others, draft.refine("Make it formal.")):
        assert (occurs("Gebäude", one.text), occurs("sehr", one.text), one.missing_words) == (True, True, ())
        assert set(one.wanted) == {"Gebäude", "sehr"}
