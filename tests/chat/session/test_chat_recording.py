"""What a recorder is told of a session, and what becomes of the session when it cannot keep any more."""

from __future__ import annotations

import itertools
from typing import NoReturn

import pytest

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind
from bayling_lite.engine.base import GenerationRequest
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, EngineError
from tests.chat.session.conversing import DE, Log, asked, run


def test_a_turn_is_told_of_before_it_is_asked_for_and_with_every_piece() -> None:
    log = Log()
    session = Session(ScriptedEngine(["eins zwei drei"]), Preferences(DE), recorder=log)
    running = session.start(session.plan("One two three."))
    assert log.names() == ["begun"]
    turn = running.finish()
    assert turn is not None
    assert log.names() == ["begun", "grown", "finished", "moved"]
    ((turn_id, parent, plan),) = log.of("begun")
    assert (turn_id, parent, plan) == (turn.id, None, turn.plan)
    answers = [str(answer) for _turn, answer in log.of("grown")]
    assert answers[-1] == turn.answer
    assert all(after.startswith(before) for before, after in itertools.pairwise(answers))
    session.undo()
    session.prefer(target=None)
    session.prefer(target=None)
    assert log.names()[4:] == ["moved", "prefers"]


def test_each_turn_names_the_one_before() -> None:
    log = Log()
    session = Session(ScriptedEngine(["a", "b", "c"]), recorder=log)
    first = run(session, "A")
    run(session, "B")
    session.undo()
    run(session, "C")
    assert [parent for _turn, parent, _plan in log.of("begun")] == [None, first.id, first.id]


def test_a_failure_is_told_with_its_reason_and_changes_nothing() -> None:
    log = Log()
    session = Session(ScriptedEngine([EngineError("The model broke.")]), recorder=log)
    with pytest.raises(EngineError):
        session.start(session.plan("Hi")).finish()
    assert [name for name in log.names() if name != "grown"] == ["begun", "failed"]
    assert [reason for _turn, reason in log.of("failed")] == ["The model broke."]
    assert session.turns == ()


def test_a_model_that_cannot_be_asked_is_a_failure_too() -> None:
    log, engine = Log(), ScriptedEngine(["x"])
    session = Session(engine, recorder=log)
    engine.close()
    with pytest.raises(EngineClosed):
        session.start(session.plan("Hi"))
    assert log.names() == ["begun", "failed"]


def test_a_line_typed_while_the_model_loads_is_recorded_when_that_is_interrupted() -> None:
    class Loading(ScriptedEngine):
        def submit(self, request: GenerationRequest) -> NoReturn:
            raise KeyboardInterrupt

    log = Log()
    session = Session(Loading(), recorder=log)
    with pytest.raises(KeyboardInterrupt):
        session.start(session.plan("Hi"))
    assert log.names() == ["begun", "failed"]
    assert [reason for _turn, reason in log.of("failed")] == ["stopped"]


def test_stopped_before_the_first_word_is_a_failure_and_later_is_none() -> None:
    log = Log()
    session = Session(ScriptedEngine(["eins", "eins zwei drei"], delay=0.05), recorder=log)
    running = session.start(session.plan("One."))
    running.cancel()
    assert running.finish() is None
    assert log.names() == ["begun", "failed"]
    running = session.start(session.plan("One."))
    for piece in running:
        if "eins" in piece:
            running.cancel()
    turn = running.finish()
    assert turn is not None
    assert turn.stopped
    assert log.names()[2:] == ["begun", "grown", "finished", "moved"]


def test_an_answer_that_is_left_in_the_middle_is_neither_finished_nor_failed() -> None:
    log = Log()
    session = Session(ScriptedEngine(["eins zwei drei"]), recorder=log)
    for _piece in session.start(session.plan("One.")):
        break
    assert log.names() == ["begun", "grown"]
    assert session.turns == ()


@pytest.mark.parametrize("room", range(6))
def test_a_full_disk_costs_the_record_and_not_the_session(room: int) -> None:
    engine = ScriptedEngine(["eins zwei", "drei"])
    session = Session(engine, recorder=Log(room))
    run(session, "One.")
    run(session, "Two.")
    assert [turn.answer for turn in session.turns] == ["eins zwei", "drei"]
    assert session.recording_problem == "The disk is full."
    session.undo()
    assert asked(engine) == ["One.", "eins zwei", "Two."]


def test_finishing_twice_keeps_a_turn_once() -> None:
    log = Log()
    session = Session(ScriptedEngine(["a"]), recorder=log)
    running = session.start(session.plan("A"))
    assert running.finish() is running.finish()
    assert (len(session.turns), len(list(log.of("finished")))) == (1, 1)


@pytest.mark.parametrize("preferences", [Preferences(), Preferences(DE)])
@pytest.mark.parametrize("n_read", [0, 1, 9])
def test_every_piece_is_told_of_once_however_it_is_read(preferences: Preferences, n_read: int) -> None:
    log = Log()
    session = Session(ScriptedEngine(["eins zwei drei"]), preferences, recorder=log)
    running = session.start(session.plan("One two three."))
    read = list(itertools.islice(running, n_read))
    assert running.finish() is not None
    running.finish()
    assert [answer for _turn, answer in log.of("grown")] == ["eins", "eins zwei", "eins zwei drei"]
    assert [*read, *running] == ["eins", " zwei", " drei"][:n_read]


@pytest.mark.parametrize("preferences", [Preferences(), Preferences(DE)])
def test_a_turn_that_failed_while_it_was_read_fails_when_it_is_finished(preferences: Preferences) -> None:
    log = Log()
    session = Session(ScriptedEngine([EngineError("The model broke.")]), preferences, recorder=log)
    running = session.start(session.plan("One."))
    for _ in range(2):
        with pytest.raises(EngineError, match="broke"):
            running.finish()
    assert log.names() == ["begun", "failed"]


def test_a_session_that_is_kept_has_no_problem() -> None:
    session = Session(ScriptedEngine(["a"]), recorder=Log())
    run(session, "A")
    assert session.recording_problem == ""


def test_what_stands_beside_the_conversation_is_kept_and_does_not_move_it() -> None:
    log = Log()
    engine = ScriptedEngine(["Guten Morgen.", "Good morning!", "Because it is a greeting."])
    session = Session(engine, Preferences(DE), recorder=log)
    draft = run(session, "Good morning.")
    position = session.position
    back = run(session, session.plan_back())
    explained = run(session, session.plan_explanation())
    assert [back.plan.kind, explained.plan.kind] == [Kind.BACK, Kind.EXPLANATION]
    assert (session.turns, session.position) == ((draft,), position)
    assert log.names()[4:] == ["begun", "grown", "finished"] * 2
    assert [parent for _turn, parent, _plan in log.of("begun")] == [None, draft.id, draft.id]
