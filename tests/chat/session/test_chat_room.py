"""The edge of the context: what does not fit is known before it is sent, and nothing goes but by the user's word."""

from __future__ import annotations

import itertools

import pytest

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineError, UsageError
from bayling_lite.localization import use_language
from bayling_lite.messages import Conversation
from tests.chat.session.conversing import DE, EN, Log, asked, drafting, run, text_of


def small(n_ctx: int) -> ModelInfo:
    return ModelInfo("small", "bayling", n_ctx=n_ctx)


def chat(
    n_turns: int, n_ctx: int, *more: str | BaseException, log: Log | None = None
) -> tuple[Session, ScriptedEngine]:
    """A chat of so many turns, each of about ten tokens."""
    engine = ScriptedEngine([*(f"answer {number}" for number in range(n_turns)), *more], info=small(n_ctx))
    session = Session(engine, recorder=log)
    for number in range(n_turns):
        run(session, f"line {number}")
    return session, engine


def words(count: int) -> str:
    return "word " * count


def test_what_would_be_sent_is_counted() -> None:
    session, engine = chat(2, 400)
    plan = session.plan("How are you?")
    room = session.room(plan)
    assert (room.n_ctx, room.reserve, room.droppable, room.fits) == (400, 100, 0, True)
    engine.enqueue("Fine.")
    run(session, plan)
    assert room.n_prompt == engine.count_tokens(engine.requests[-1].conversation)


def test_as_many_turns_must_go_as_are_needed_and_no_more() -> None:
    for n_ctx, length in itertools.product((150, 240), (60, 80, 100, 120, 140, 170)):
        session, engine = chat(6, n_ctx, "Yes.")
        plan = session.plan(words(length))
        room = session.room(plan)
        if room.fits:
            assert room.droppable == 0
        elif room.droppable is None:
            session.leave_out(6)
            assert not session.room(plan).fits
        else:
            session.leave_out(room.droppable - 1)
            assert not session.room(plan).fits
            session.leave_out(1)
            assert session.room(plan).fits
            run(session, plan)
            assert asked(engine)[:-1] == [
                text for turn in session.turns[room.droppable : 6] for text in (turn.plan.sent, turn.answer)
            ]


def test_the_longer_a_chat_the_more_it_costs_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = chat(50, 100_000)
    session.prefer(system="Be brief.")
    n_checked, check = 0, Conversation.__post_init__

    def counting(made: Conversation) -> None:
        nonlocal n_checked
        n_checked += len(made)
        check(made)

    monkeypatch.setattr(Conversation, "__post_init__", counting)
    assert len(session.context) == 101
    assert n_checked < 5 * 101


def test_what_is_left_out_stays_in_the_session_and_comes_back_by_undoing() -> None:
    session, engine = chat(3, 4096, "d", "e", "f")
    session.leave_out(2)
    assert (len(session.turns), session.position.seen_after) == (3, session.turns[1].id)
    run(session, "line 3")
    assert asked(engine) == ["line 2", "answer 2", "line 3"]
    session.leave_out(1)
    run(session, "line 4")
    assert asked(engine) == ["line 3", "d", "line 4"]
    for _ in range(3):
        session.undo()
    assert [message.content for message in session.context] == ["line 0", "answer 0", "line 1", "answer 1"]
    for _ in range(3):
        session.redo()
    assert len(session.context) == 4
    for _ in range(3):
        session.undo()
    run(session, "other")
    assert asked(engine) == ["line 0", "answer 0", "line 1", "answer 1", "other"]
    session.leave_out(0)
    assert session.position.seen_after is None


def test_all_turns_can_go() -> None:
    session, engine = chat(2, 4096, "c", "d")
    session.leave_out(2)
    assert session.context_tokens() == 0
    run(session, "line 2")
    assert asked(engine) == ["line 2"]
    session.undo()
    run(session, "again")
    assert asked(engine) == ["again"]


def test_a_summary_stands_for_the_turns_that_it_sums_up() -> None:
    log = Log()
    session, engine = chat(3, 4096, "We counted.", "d", log=log)
    running = session.summarise(2)
    assert list(running) == ["We", " counted", "."]
    assert running.finish() == "We counted."
    assert asked(engine)[:4] == ["line 0", "answer 0", "line 1", "answer 1"]
    assert engine.requests[-1].sampling.temperature == 0
    assert (session.position.summary, log.names()[-1]) == ("We counted.", "moved")
    run(session, "line 3")
    assert asked(engine) == ["What have we talked about so far?", "We counted.", "line 2", "answer 2", "line 3"]
    kept = KeptSession(session.preferences, session.turns, (), session.position)
    assert Session(engine, kept=kept).context == session.context
    session.leave_out(2)
    assert [message.content for message in session.context] == ["What have we talked about so far?", "We counted."]
    session.leave_out(1)
    assert len(session.context) == 0


def test_a_summary_is_summed_up_again_with_what_followed() -> None:
    session, engine = chat(3, 4096, "我们数了数。", "又数了一次。", "d")
    use_language("zh")
    try:
        session.summarise(1).finish()
        assert asked(engine)[-1].startswith("请用几句话总结")
        session.summarise(1).finish()
    finally:
        use_language(None)
    assert asked(engine)[:4] == ["我们到目前为止谈了什么？", "我们数了数。", "line 1", "answer 1"]
    assert session.position.summary == "又数了一次。"


def test_room_says_how_many_turns_a_summary_must_stand_for() -> None:
    session, engine = chat(12, 240, *["So far, so good."] * 3)
    plan = session.plan(words(90))
    room = session.room(plan)
    assert room.droppable is not None
    assert room.summarisable is not None
    assert 0 < room.droppable < room.summarisable <= 12
    session.summarise(room.summarisable).finish()
    assert session.room(plan).fits
    assert all(engine.count_tokens(request.conversation) < 240 for request in engine.requests)


def test_the_summary_goes_last() -> None:
    session, _ = chat(2, 120, words(20).strip())
    session.summarise(1).finish()
    room = session.room(session.plan(words(75)))
    assert room.droppable == 2  # the other turn, and the summary
    session.leave_out(2)
    assert session.room(session.plan(words(75))).fits
    assert session.position.summary == ""


def test_turns_too_long_to_be_summed_up_at_once_are_summed_up_in_parts() -> None:
    long, _ = chat(0, 4096, *[words(30)] * 3)
    for _ in range(3):
        run(long, words(10))
    engine = ScriptedEngine(["First.", "Second."], info=small(160))
    session = Session(engine, kept=KeptSession(turns=long.turns))
    running = session.summarise(3)
    assert list(running) == ["Second", "."]
    assert (running.finish(), session.position.summary) == ("Second.", "Second.")
    assert asked(engine)[1] == "First."
    assert sum(len(request.conversation) for request in engine.requests) == 3 * 2 + 2 + 2
    assert all(engine.count_tokens(request.conversation) < 160 for request in engine.requests)


def test_a_summary_that_does_not_come_changes_nothing() -> None:
    session, engine = chat(2, 4096, "  ", EngineError("broken"))
    position = session.position
    with pytest.raises(EngineError, match="no summary"):
        session.summarise(1).finish()
    with pytest.raises(EngineError, match="broken"):
        session.summarise(1).finish()
    with pytest.raises(UsageError, match="no older turns"):
        session.summarise(0)
    engine.enqueue("It was stopped.")
    running = session.summarise(1)
    for _ in running:
        running.cancel()
    assert running.finish() is None
    running = session.summarise(2)
    running.cancel()
    assert running.finish() is None
    assert session.position == position


def test_a_turn_that_nothing_helps_says_so() -> None:
    session, engine = chat(1, 60)
    plan = session.plan(words(80))
    room = session.room(plan)
    assert (room.fits, room.droppable, room.summarisable) == (False, None, None)
    engine.enqueue("never said")
    with pytest.raises(ContextOverflow):
        run(session, plan)


def test_texts_and_the_users_own_drafts_always_fit() -> None:
    session, _ = drafting(words(10), info=small(60))
    assert session.room(session.plan(words(200))).fits
    run(session, "One two three.")
    assert session.room(session.plan_edit(words(200))).fits
    assert session.room(session.plan_back()).fits


def test_what_is_said_before_every_sentence_must_leave_room_for_one() -> None:
    log = Log()
    engine = ScriptedEngine(["Das Haus."], info=small(120))
    session = Session(engine, Preferences(DE, EN, context=words(110)), recorder=log)
    with pytest.raises(UsageError, match=r"/context.*of the 120 tokens.*/context off"):
        run(session, "The house is big.")
    assert (engine.requests, session.turns, log.names()) == ([], (), ["begun", "failed"])
    session.prefer(context=words(50))
    assert run(session, "The house.").answer == "Das Haus."


def test_the_versions_between_request_and_draft_can_be_left_out() -> None:
    answers = [f"Antwort {number} " + words(12).strip() for number in range(6)]
    session, engine = drafting(*answers, info=small(130))
    run(session, "The answer.")
    n_versions = 0
    while True:
        plan = session.plan_style("Make it more formal.")
        room = session.room(plan)
        if not room.fits:
            break
        run(session, plan)
        n_versions += 1
        assert room.n_prompt == engine.count_tokens(engine.requests[-1].conversation)
    assert (room.droppable, room.summarisable) == (n_versions, None)
    session.leave_out(n_versions, plan)
    assert session.room(plan).fits
    turn = run(session, plan)
    assert asked(engine) == [asked(engine, 0)[0], answers[n_versions], "Make it more formal."]
    # What was refined so goes on from there.
    assert turn.draft is not None
    assert len(turn.draft.conversation) == 4
    session.undo()
    assert text_of(session) == answers[n_versions]
    assert len(session.turns) == n_versions + 1


def test_leaving_versions_out_does_not_touch_the_chat() -> None:
    engine = ScriptedEngine(["Hello!", "Eins.", "Zwei.", "Drei.", "It is German."])
    session = Session(engine)
    run(session, "Hi")
    session.prefer(target=DE, source=EN)
    for line in ("One.", "shorter"):
        run(session, line)
    session.leave_out(1)
    run(session, "longer")
    assert asked(engine)[1:] == ["Zwei.", "longer"]
    session.prefer(target=None)
    run(session, "What is it?")
    assert [text for text in asked(engine) if not text.startswith("Provide")] == [
        "Hi", "Hello!", "Eins.", "shorter", "Zwei.", "longer", "Drei.", "What is it?",
    ]  # fmt: skip


def test_a_refinement_asked_for_in_chat_mode_leaves_out_versions() -> None:
    session, engine = drafting("Eins.", "Zwei.", "Drei.")
    for line in ("One.", "shorter"):
        run(session, line)
    session.prefer(target=None)
    plan = session.plan_refinement("longer")
    session.leave_out(1, plan)
    assert session.position.seen_after is None
    run(session, plan)
    assert asked(engine)[1:] == ["Zwei.", "longer"]


def test_a_kept_session_sees_what_it_saw() -> None:
    session, engine = chat(3, 4096)
    session.prefer(system="Be brief.")
    session.leave_out(1)
    kept = KeptSession(session.preferences, session.turns, (), session.position)
    resumed = Session(engine, Preferences(DE), kept=kept)
    assert resumed.context == session.context
    assert [message.content for message in resumed.context] == ["Be brief.", "line 1", "answer 1", "line 2", "answer 2"]
