"""The session: what the model is asked in each mode, and what undo, other answers and stopping leave behind."""

from __future__ import annotations

import pytest

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, UsageError
from bayling_lite.prompts import user_turn
from tests.chat.session.conversing import DE, EN, ZH, asked, run


def test_chat_continues_the_whole_conversation_under_its_system_prompt() -> None:
    engine = ScriptedEngine(["Hello!", "Fine."])
    session = Session(engine, Preferences(system="Be brief."))
    run(session, "Hi")
    run(session, "How are you?")
    assert asked(engine) == ["Be brief.", "Hi", "Hello!", "How are you?"]
    assert engine.requests[-1].sampling.temperature == 0.7


def test_a_refinement_continues_the_draft_in_the_trained_wording() -> None:
    engine = ScriptedEngine(["Das Haus ist groß.", "Das Gebäude ist groß.", "Das Gebäude ist riesig."])
    session = Session(engine, Preferences(DE, EN))
    run(session, "The house is big.")
    assert run(session, "Haus should be Gebäude").plan.kind is Kind.REFINEMENT
    run(session, "use riesig")
    assert asked(engine) == [
        "Provide the German translation for this sentence: The house is big.",
        "Das Haus ist groß.",
        'Fix "Haus": it should be "Gebäude".',
        "Das Gebäude ist groß.",
        'Use the word "riesig".',
    ]
    assert engine.requests[-1].sampling.temperature == 0
    assert [turn.answer for turn in session.turns] == [
        "Das Haus ist groß.",
        "Das Gebäude ist groß.",
        "Das Gebäude ist riesig.",
    ]


def test_a_new_text_is_translated_by_itself() -> None:
    engine = ScriptedEngine(["早上好。", "晚安。"])
    session = Session(engine, Preferences(ZH))
    run(session, "Good morning.")
    turn = run(session, "Good night.")
    assert turn.plan.kind is Kind.TRANSLATION
    assert asked(engine) == ["Provide the Chinese translation for this sentence: Good night."]


def test_chat_sees_the_translations_and_the_translations_do_not_see_the_chat() -> None:
    engine = ScriptedEngine(["Hello!", "早上好。", "It is a greeting.", "早安。"])
    session = Session(engine)
    run(session, "Hi")
    session.prefer(target=ZH)
    run(session, "Good morning.")
    session.prefer(target=None)
    run(session, "What does it mean?")
    assert asked(engine) == [
        "Hi",
        "Hello!",
        "Provide the Chinese translation for this sentence: Good morning.",
        "早上好。",
        "What does it mean?",
    ]
    session.prefer(target=ZH)
    run(session, "use 早安")
    assert asked(engine)[1:] == ["早上好。", 'Use the word "早安".']


def test_a_draft_in_another_language_is_not_what_the_next_line_is_about() -> None:
    session = Session(ScriptedEngine(["早上好。"]), Preferences(ZH))
    run(session, "Good morning.")
    session.prefer(target=DE)
    assert session.plan("more formal").rule is Rule.NO_DRAFT


def test_a_line_read_wrongly_is_read_again_in_place() -> None:
    engine = ScriptedEngine(["Es ist groß.", "Kürzer.", "Mach es kürzer.", "Groß."])
    session = Session(engine, Preferences(DE))
    run(session, "It is big.")
    run(session, "Make it shorter.")
    turn = run(session, session.plan_new())
    assert (turn.plan.kind, turn.answer, len(session.turns)) == (Kind.TRANSLATION, "Mach es kürzer.", 2)
    turn = run(session, session.plan_refinement())
    assert (turn.plan.kind, turn.answer, len(session.turns)) == (Kind.REFINEMENT, "Groß.", 2)
    assert asked(engine)[1:] == ["Es ist groß.", "Make it shorter."]


def test_undo_brings_back_the_draft_before() -> None:
    engine = ScriptedEngine(["Eins.", "Zwei.", "Drei."])
    session = Session(engine, Preferences(DE))
    run(session, "One.")
    run(session, "shorter")
    assert session.undo() is not None
    assert session.draft is not None
    assert session.draft.text == "Eins."
    run(session, "longer")
    assert asked(engine)[1:] == ["Eins.", "longer"]
    session.clear()
    with pytest.raises(UsageError, match="no turn"):
        session.undo()


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.TRANSLATION, Kind.REFINEMENT])
def test_another_answer_takes_the_place_of_the_last_and_is_sampled(kind: Kind) -> None:
    engine = ScriptedEngine(["Erste.", "Zweite.", "Dritte.", "Vierte."])
    session = Session(engine, Preferences(None if kind is Kind.CHAT else DE))
    run(session, "The first.")
    if kind is Kind.REFINEMENT:
        run(session, "shorter")
    before = asked(engine)
    turn = run(session, session.plan_again())
    assert turn.plan.kind is kind
    assert asked(engine) == before
    assert engine.requests[-1].sampling.temperature == 0.7
    assert len(session.turns) == (2 if kind is Kind.REFINEMENT else 1)
    if turn.draft is not None:
        run(session, "longer")
        assert engine.requests[-1].sampling.temperature == 0
        assert asked(engine)[-2:] == [turn.answer, "longer"]


def test_a_word_that_is_asked_for_is_searched_for_and_the_draft_kept() -> None:
    info = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
    engine = ScriptedEngine(
        ["Das Haus ist groß.", "Das Gebäude ist groß.", "Das Gebäude.", "Es.", "Gebäude."], info=info
    )
    session = Session(engine, Preferences(DE, EN))
    run(session, "The house is big.")
    plan = session.plan("Haus should be Gebäude")
    assert plan.required == ("Gebäude",)
    turn = run(session, plan)
    assert turn.draft is not None
    assert (turn.answer, turn.draft.required) == ("Das Gebäude ist groß.", ("Gebäude",))
    assert engine.requests[-1].sampling.temperature == 0
    run(session, session.plan_again())  # sampled, so it cannot be searched for
    assert (engine.requests[-1].search, engine.requests[-1].sampling.temperature) == (None, 0.7)
    assert run(session, "shorter").answer == "Gebäude."
    assert [(one.search is None, one.sampling.temperature) for one in engine.requests[-2:]] == [(True, 0), (False, 0)]


def test_a_stopped_answer_is_kept_as_the_draft() -> None:
    engine = ScriptedEngine(["eins zwei drei vier fünf sechs"], delay=0.05)
    session = Session(engine, Preferences(DE))
    running = session.start(session.plan("One two three four five six."))
    for piece in running:
        if "zwei" in piece:
            running.cancel()
    turn = running.finish()
    assert turn is not None
    assert turn.stopped
    assert turn.answer == "eins zwei"
    assert session.draft is not None
    assert session.draft.text == "eins zwei"
    engine.enqueue("eins")
    run(session, "shorter")
    assert asked(engine)[1:] == ["eins zwei", "shorter"]


@pytest.mark.parametrize(("stop_at", "text"), [("Zwo", "Eines. Zwei. Drei."), ("Eine", None)])
def test_what_a_stopped_refinement_had_not_come_to_stays_as_it_was(stop_at: str, text: str | None) -> None:
    answers = ["Eins.", "Zwei.", "Drei.", "Eines.", "Zwo zwo zwo zwo zwo.", "Dreie dreie dreie dreie dreie."]
    engine = ScriptedEngine(answers, delay=0.03, info=ModelInfo("small", "bayling", n_ctx=50))
    session = Session(engine, Preferences(DE, EN))
    run(session, "One.\nTwo.\nThree.")
    running = session.start(session.plan("more formal"))
    for piece in running:
        if stop_at in piece:
            running.cancel()
    turn = running.finish()
    assert (turn and turn.answer) == (text and text.replace(" ", "\n"))
    draft = session.draft
    assert draft is not None
    assert draft.text.split("\n") == (text or "Eins. Zwei. Drei.").split()
    assert len(draft.segments) == 3
    engine.enqueue("A.", "B.", "C.")
    run(session, "shorter")
    assert asked(engine, -2)[-2:] == ["Zwei.", "shorter"]


def test_stopped_before_the_first_word_nothing_is_kept() -> None:
    session = Session(ScriptedEngine(["eins"], delay=5), Preferences(DE))
    running = session.start(session.plan("One."))
    running.cancel()
    assert running.finish() is None
    assert session.turns == ()


def test_what_does_not_fit_is_an_error_and_changes_nothing() -> None:
    engine = ScriptedEngine(["Hello!"], info=ModelInfo("small", "bayling", n_ctx=30))
    session = Session(engine)
    run(session, "Hi")
    engine.enqueue("never said")
    with pytest.raises(ContextOverflow) as overflow:
        run(session, "word " * 40)
    assert (overflow.value.n_prompt, overflow.value.n_ctx) == (57, 30)
    assert [turn.answer for turn in session.turns] == ["Hello!"]


def test_tokens_are_those_that_the_next_turn_continues() -> None:
    engine = ScriptedEngine(["Hello!", "你好。"])
    session = Session(engine)
    assert session.context_tokens() == 0
    run(session, "Hi")
    assert session.context_tokens() == engine.count_tokens(session.turns[0].conversation)
    session.prefer(target=ZH)
    assert session.context_tokens() == 0
    run(session, "Hello!")
    assert session.context_tokens() == engine.count_tokens(session.turns[1].conversation)


def test_nothing_to_act_on_says_so() -> None:
    session = Session(ScriptedEngine())
    with pytest.raises(UsageError, match="/to LANG"):
        session.plan_new("text")
    with pytest.raises(UsageError, match="no draft"):
        session.plan_refinement("shorter")
    with pytest.raises(UsageError, match="no answer"):
        session.plan_again()
    session.prefer(target=ZH)
    with pytest.raises(UsageError, match="/new needs a text"):
        session.plan_new()


def test_a_text_without_words_is_still_a_draft() -> None:
    session = Session(ScriptedEngine(), Preferences(ZH))
    run(session, "42")
    assert session.plan("43").rule is Rule.PLAIN


@pytest.mark.parametrize(("seconds_to_first", "speed"), [(1.0, 10.0), (1.95, 5.0), (2.0, 5.0), (0.0, 5.0)])
def test_the_speed_of_an_answer_that_came_at_once_is_that_of_the_whole_time(
    seconds_to_first: float, speed: float
) -> None:
    plan = Plan(Kind.CHAT, "x", "x")
    turn = Turn(plan, "y", user_turn("x").assistant("y"), None, False, False, 2.0, seconds_to_first, 10)
    assert turn.tokens_per_second == speed
