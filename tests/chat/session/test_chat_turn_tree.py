"""The tree of turns: undo and redo move along it, another answer stands beside the one it replaces."""

from __future__ import annotations

import itertools

import pytest

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession, Position
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind
from bayling_lite.engine.base import SamplingParams
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import UsageError
from bayling_lite.translate import Translation, Translator
from tests.chat.session.conversing import DE, EN, ZH, Log, asked, drafting, run, text_before, text_of


def test_undo_and_redo_go_along_the_turns() -> None:
    session, engine = drafting("Eins.", "Zwei.", "Drei.")
    for line in ("One.", "shorter", "longer"):
        run(session, line)
    assert [session.undo().plan.typed, session.undo().plan.typed] == ["longer", "shorter"]
    assert (text_of(session), session.position.undone) == ("Eins.", tuple(turn.id for turn in session.undone))
    assert session.redo().plan.typed == "shorter"
    assert text_of(session) == "Zwei."
    session.redo()
    assert (text_of(session), session.undone) == ("Drei.", ())
    with pytest.raises(UsageError, match="nothing to bring back"):
        session.redo()
    assert len(engine.requests) == 3


def test_a_new_turn_forgets_what_was_undone() -> None:
    session, engine = drafting("Eins.", "Zwei.", "Drei.")
    run(session, "One.")
    run(session, "shorter")
    session.undo()
    run(session, "longer")
    assert asked(engine)[1:] == ["Eins.", "longer"]
    with pytest.raises(UsageError):
        session.redo()
    session.undo()
    session.undo()
    with pytest.raises(UsageError, match="no turn"):
        session.undo()


def test_undoing_another_answer_brings_back_the_first() -> None:
    log = Log()
    session = Session(ScriptedEngine(["Hi.", "Hello!", "Hey!"]), recorder=log)
    first = run(session, "Hello?")
    run(session, session.plan_again())
    run(session, session.plan_again())
    assert [turn.answer for turn in session.turns] == ["Hey!"]
    session.undo()
    assert [turn.answer for turn in session.turns] == ["Hello!"]
    session.undo()
    assert [turn.id for turn in session.turns] == [first.id]
    session.undo()
    assert not session.turns
    answers = []
    for _ in range(3):
        session.redo()
        answers.append([turn.answer for turn in session.turns])
    assert answers == [["Hi."], ["Hello!"], ["Hey!"]]
    # All three are asked after the same turn: here, none.
    assert [parent for _turn, parent, _plan in log.of("begun")] == [None, None, None]
    assert list(log.of("moved"))[-1] == (session.position,)
    assert session.position.head == session.turns[-1].id


def test_the_version_before_is_what_the_draft_was_made_from_or_took_the_place_of() -> None:
    session, _ = drafting("Eins.", "Zwei.", "Zwo.", "Anders.", "Neu.")
    run(session, "One.")
    assert text_before(session) is None
    run(session, "shorter")
    assert text_before(session) == "Eins."
    run(session, session.plan_again())
    assert (text_before(session), text_of(session)) == ("Zwei.", "Zwo.")
    run(session, session.plan_edit("Zweierlei."))
    assert (text_before(session), text_of(session)) == ("Zwo.", "Zweierlei.")
    session.undo()
    assert text_before(session) == "Zwei."
    session.undo()
    assert (text_before(session), text_of(session)) == ("Eins.", "Zwei.")
    session.redo()
    run(session, session.plan_new("Something else altogether."))
    assert text_before(session) is None
    session.undo()
    assert text_before(session) == "Zwei."


def test_a_line_read_again_is_not_a_version_of_the_other_text() -> None:
    session, _ = drafting("Es ist groß.", "Groß.", "Mach es kürzer.", "Klein.")
    run(session, "It is big.")
    run(session, "Make it shorter.")
    flipped = session.other_reading()
    assert flipped is not None
    assert (flipped.kind, flipped.replaces) == (Kind.TRANSLATION, True)
    turn = run(session, flipped)
    assert (turn.answer, text_before(session), len(session.turns)) == ("Mach es kürzer.", None, 2)
    back = session.other_reading()
    assert back is not None
    assert (back.kind, back.typed) == (Kind.REFINEMENT, "Make it shorter.")
    run(session, back)
    assert (text_of(session), text_before(session)) == ("Klein.", "Es ist groß.")


def test_only_what_was_read_can_be_read_otherwise() -> None:
    session, _ = drafting("Eins.", "Zwei.", "Drei.")
    assert session.other_reading() is None
    run(session, "One.")
    assert session.other_reading() is None  # no draft that it could have been about
    run(session, session.plan_style("Make it formal."))
    assert session.other_reading() is None
    with pytest.raises(UsageError, match="/new needs a text"):
        session.plan_new()
    run(session, session.plan_edit("Eine."))
    assert session.other_reading() is None
    with pytest.raises(UsageError, match="your own text"):
        session.plan_again()
    session.undo()
    session.undo()
    session.prefer(target=None)
    run(session, "What does it mean?")
    assert session.other_reading() is None


def another(text: str, session: Session) -> Translation:
    """Another translation of the draft's text."""
    assert session.draft is not None
    return Translator(ScriptedEngine([text])).translate(session.draft.source_text, session.draft.target, "en")


def test_other_versions_answer_the_request_that_the_draft_answers() -> None:
    answers = itertools.chain(["Eins.", "Zwei.", "Zwei!", "Drei."], itertools.repeat("Vier."))
    engine = ScriptedEngine(lambda _conversation: next(answers))
    session = Session(engine, Preferences(DE, EN))
    run(session, "One.")
    run(session, "shorter")
    found = sorted(session.alternatives(2).result(), key=lambda version: version.text)  # they are asked for at once
    assert [version.text for version in found] == ["Drei.", "Vier."]  # "Zwei!" differs in a mark only
    assert all(request.conversation == engine.requests[1].conversation for request in engine.requests[2:])
    run(session, session.plan_edit("Fünf."))
    chosen = session.choose(found[0])
    assert (chosen.plan.kind, chosen.plan.sent, chosen.answer) == (Kind.EDIT, "Drei.", "Drei.")
    assert [text_before(session), text_of(session)] == ["Fünf.", "Drei."]


def test_a_chosen_version_takes_the_place_of_the_draft() -> None:
    log = Log()
    engine = ScriptedEngine(["Das Haus ist groß.", "Riesig."])
    session = Session(engine, Preferences(DE), recorder=log)
    run(session, "The house is big.")
    turn = session.choose(another("Das Gebäude ist groß.", session))
    assert (text_of(session), text_before(session)) == ("Das Gebäude ist groß.", "Das Haus ist groß.")
    assert len(session.turns) == 1
    assert log.names()[-3:] == ["begun", "finished", "moved"]
    assert turn.plan.replaced == session.undo().plan.replaced
    assert text_of(session) == "Das Haus ist groß."
    session.redo()
    run(session, "shorter")
    assert asked(engine)[1:] == ["Das Gebäude ist groß.", "shorter"]


def test_a_version_chosen_after_other_turns_is_one_of_its_own() -> None:
    engine = ScriptedEngine(["早上好。", "It means good morning.", "Yes."])
    session = Session(engine, Preferences(ZH))
    run(session, "Good morning.")
    session.prefer(target=None)
    run(session, "What does it mean?")
    session.choose(another("早安。", session))
    assert [turn.plan.kind for turn in session.turns] == [Kind.TRANSLATION, Kind.CHAT, Kind.EDIT]
    assert text_before(session) == "早上好。"
    run(session, "Sure?")
    assert asked(engine)[1:] == ["早安。", "What does it mean?", "It means good morning.", "Sure?"]


def test_versions_of_nothing_cannot_be_asked_for() -> None:
    session, _ = drafting("Eins.")
    with pytest.raises(UsageError, match="no draft"):
        session.alternatives(3)
    run(session, "One.")
    with pytest.raises(UsageError, match="1 or more"):
        session.alternatives(0)


def test_a_kept_session_goes_on_where_it_was() -> None:
    session, _ = drafting("Eins.", "Zwei.", "Zwo.")
    run(session, "One.")
    run(session, "shorter")
    first = session.turns[-1]
    run(session, session.plan_again())
    session.undo()
    session.undo()
    kept = KeptSession(session.preferences, session.turns, session.undone, session.position, (first,))
    engine = ScriptedEngine(["Drei."])
    resumed = Session(engine, Preferences(ZH), kept=kept)
    assert (resumed.preferences, resumed.position) == (session.preferences, session.position)
    resumed.redo()
    resumed.redo()
    assert (text_of(resumed), text_before(resumed), len(resumed.turns)) == ("Zwo.", "Zwei.", 2)
    resumed.undo()
    assert text_of(resumed) == "Zwei."
    run(resumed, "longer")
    assert asked(engine)[1:] == ["Eins.", "shorter", "Zwei.", "longer"]


def test_clearing_leaves_what_is_in_force() -> None:
    session, _ = drafting("Eins.")
    run(session, "One.")
    session.clear()
    assert (session.turns, session.draft, session.position) == ((), None, Position())
    assert session.preferences.target == DE


def test_with_a_seed_another_answer_is_another_one_and_still_repeatable() -> None:
    def seeds() -> list[int | None]:
        engine = ScriptedEngine(["a", "b", "c", "d"])
        session = Session(engine, sampling=SamplingParams(temperature=0.7, seed=5))
        run(session, "A")
        run(session, session.plan_again())
        run(session, session.plan_again())
        run(session, "B")
        return [request.sampling.seed for request in engine.requests]

    assert seeds() == seeds() == [5, 6, 7, 5]


def test_a_text_in_a_new_language_cannot_have_been_about_the_old_draft() -> None:
    session, _ = drafting("Eins.", "二。", "三。")
    run(session, "One.")
    session.prefer(target=ZH)
    run(session, "Two.")
    assert session.other_reading() is None
    run(session, "Three.")
    assert session.other_reading() is not None
    session.prefer(target=None)
    assert session.other_reading() is not None
