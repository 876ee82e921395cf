"""The session: what the model is asked in each mode, and what undo, other answers and stopping leave behind."""

from __future__ import annotations

import pytest

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, UsageError
from bayling_lite.languages import find_language
from bayling_lite.prompts import user_turn

EN, ZH, DE = map(find_language, ("en", "zh", "de"))


def run(session: Session, plan: Plan | str) -> Turn:
    turn = session.start(session.plan(plan) if isinstance(plan, str) else plan).finish()
    assert turn is not None
    return turn


def asked(engine: ScriptedEngine, request: int = -1) -> list[str]:
    return [message.content for message in engine.requests[request].conversation]


def test_chat_continues_the_whole_conversation_under_its_system_prompt() -> None:
    engine = ScriptedEngine(["Hello!", "Fine."])
    session = Session(engine, system="Be brief.")
    run(session, "Hi")
    run(session, "How are you?")
    assert asked(engine) == ["Be brief.", "Hi", "Hello!", "How are you?"]
    assert engine.requests[-1].sampling.temperature == 0.7


def test_a_refinement_continues_the_draft_in_the_trained_wording() -> None:
    engine = ScriptedEngine(["Das Haus ist groß.", "Das Gebäude ist groß.", "Das Gebäude ist riesig."])
    session = Session(engine, target=DE, source=EN)
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
    session = Session(engine, target=ZH)
    run(session, "Good morning.")
    turn = run(session, "Good night.")
    assert turn.plan.kind is Kind.TRANSLATION
    assert asked(engine) == ["Provide the Chinese translation for this sentence: Good night."]


def test_chat_sees_the_translations_and_the_translations_do_not_see_the_chat() -> None:
    engine = ScriptedEngine(["Hello!", "早上好。", "It is a greeting.", "早安。"])
    session = Session(engine)
    run(session, "Hi")
    session.target = ZH
    run(session, "Good morning.")
    session.target = None
    run(session, "What does it mean?")
    assert asked(engine) == [
        "Hi",
        "Hello!",
        "Provide the Chinese translation for this sentence: Good morning.",
        "早上好。",
        "What does it mean?",
    ]
    session.target = ZH
    run(session, "use 早安")
    assert asked(engine)[1:] == ["早上好。", 'Use the word "早安".']


def test_a_draft_in_another_language_is_not_what_the_next_line_is_about() -> None:
    session = Session(ScriptedEngine(["早上好。"]), target=ZH)
    run(session, "Good morning.")
    session.target = DE
    assert session.plan("more formal").rule is Rule.NO_DRAFT


def test_a_line_read_wrongly_is_read_again_in_place() -> None:
    engine = ScriptedEngine(["Es ist groß.", "Kürzer.", "Mach es kürzer.", "Groß."])
    session = Session(engine, target=DE)
    run(session, "It is big.")
    run(session, "Make it shorter.")
    turn = run(session, session.plan_new())
    assert (turn.plan.kind, turn.answer, len(session.turns)) == (Kind.TRANSLATION, "Mach es kürzer.", 2)
    turn = run(session, session.plan_refinement())
    assert (turn.plan.kind, turn.answer, len(session.turns)) == (Kind.REFINEMENT, "Groß.", 2)
    assert asked(engine)[1:] == ["Es ist groß.", "Make it shorter."]


def test_undo_brings_back_the_draft_before() -> None:
    engine = ScriptedEngine(["Eins.", "Zwei.", "Drei."])
    session = Session(engine, target=DE)
    run(session, "One.")
    run(session, "shorter")
    assert session.undo() is not None
    assert session.draft is not None
    assert session.draft.text == "Eins."
    run(session, "longer")
    assert asked(engine)[1:] == ["Eins.", "longer"]
    session.clear()
    assert session.undo() is None


@pytest.mark.parametrize("kind", list(Kind))
def test_another_answer_takes_the_place_of_the_last_and_is_sampled(kind: Kind) -> None:
    engine = ScriptedEngine(["Erste.", "Zweite.", "Dritte.", "Vierte."])
    session = Session(engine, target=None if kind is Kind.CHAT else DE)
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
    engine = ScriptedEngine(["Das Haus ist groß.", "Das Gebäude ist groß.", "Das Gebäude.", "Kurz."], info=info)
    session = Session(engine, target=DE, source=EN)
    run(session, "The house is big.")
    plan = session.plan("Haus should be Gebäude")
    assert plan.required == ("Gebäude",)
    run(session, plan)
    search = engine.requests[-1].search
    assert search is not None
    assert search.required == ("Gebäude",)
    run(session, session.plan_again())  # sampled, so it cannot be searched for
    assert (engine.requests[-1].search, engine.requests[-1].sampling.temperature) == (None, 0.7)
    run(session, "shorter")
    assert engine.requests[-1].search is None


def test_a_stopped_answer_is_kept_as_the_draft() -> None:
    engine = ScriptedEngine(["eins zwei drei vier fünf sechs"], delay=0.05)
    session = Session(engine, target=DE)
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


def test_stopped_before_the_first_word_nothing_is_kept() -> None:
    session = Session(ScriptedEngine(["eins"], delay=5), target=DE)
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
    session.target = ZH
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
    session.target = ZH
    with pytest.raises(UsageError, match="/new needs a text"):
        session.plan_new()


def test_a_text_without_words_is_still_a_draft() -> None:
    session = Session(ScriptedEngine(), target=ZH)
    run(session, "42")
    assert session.plan("43").rule is Rule.PLAIN


@pytest.mark.parametrize(("seconds_to_first", "speed"), [(1.0, 10.0), (1.95, 5.0), (2.0, 5.0), (0.0, 5.0)])
def test_the_speed_of_an_answer_that_came_at_once_is_that_of_the_whole_time(
    seconds_to_first: float, speed: float
) -> None:
    plan = Plan(Kind.CHAT, "x", "x")
    turn = Turn(plan, "y", user_turn("x").assistant("y"), None, False, False, 2.0, seconds_to_first, 10)
    assert turn.tokens_per_second == speed
