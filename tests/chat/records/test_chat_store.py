"""What is kept of a chat: all of it, at once, and as it was when the chat goes on."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.chat.records.fields import dumped, fields_json, from_fields, loaded
from bayling_lite.chat.records.recorder import SessionRecorder
from bayling_lite.chat.records.store import SessionStore
from bayling_lite.chat.records.values import TurnState
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession, Position
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.translate import Translator
from tests.chat.records.kept_sessions import changed, session, talked, translated
from tests.chat.session.conversing import DE, EN, ZH, run, text_before, text_of

ODD = "a\x00b \x1b[31m\ud800 \U0001f600 \u202e\r\n\tend"
TO_GERMAN = Preferences(target=DE, source=EN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SessionStore]:
    with SessionStore.open(path) as opened:
        yield opened


def begun(store: SessionStore, *answers: str, preferences: Preferences = TO_GERMAN) -> tuple[Session, SessionRecorder]:
    recorder = store.create("scripted", preferences)
    return Session(ScriptedEngine(answers), preferences, recorder=recorder), recorder


def gone_on(store: SessionStore, name: str, *answers: str) -> tuple[Session, SessionRecorder, KeptSession]:
    engine = ScriptedEngine(answers)
    kept, recorder = store.resume(name, Translator(engine))
    return Session(engine, recorder=recorder, kept=kept), recorder, kept


def test_a_session_goes_on_as_it_was(store: SessionStore) -> None:
    first, recorder = begun(store, "Guten Morgen.", "Morgen!", "Ein Gruß.", "Ein anderer Gruß.")
    run(first, "Good morning.")
    run(first, first.plan_refinement("Make it shorter."))
    first.prefer(target=None, system="Be brief.", terms=(("token", "词元"),), glossaries=("a.csv",), formality="formal")
    run(first, "What is that?")
    run(first, first.plan_again())
    recorder.close()
    second, recorder, kept = gone_on(store, recorder.id, "Guten Tag.")
    assert second.preferences == first.preferences
    assert second.position == first.position
    assert [turn.answer for turn in second.turns] == ["Guten Morgen.", "Morgen!", "Ein anderer Gruß."]
    assert [turn.request for turn in second.turns] == [turn.request for turn in first.turns]
    assert second.turns[:2] == first.turns[:2]  # translations, to the last segment
    assert [turn.answer for turn in kept.replaced] == ["Ein Gruß."]
    second.undo()
    assert [turn.answer for turn in second.turns] == ["Guten Morgen.", "Morgen!", "Ein Gruß."]
    assert text_before(second) == "Guten Morgen."
    second.prefer(target=DE)
    run(second, second.plan_refinement("Make it formal."))
    assert second.recording_problem == ""
    recorder.close()
    answers = [(turn.answer, turn.on_path) for turn in store.turns(recorder.id)]
    assert answers == [
        ("Guten Morgen.", True),
        ("Morgen!", True),
        ("Ein Gruß.", True),
        ("Ein anderer Gruß.", False),
        ("Guten Tag.", True),
    ]


def test_what_was_undone_comes_back_after_going_on(store: SessionStore) -> None:
    first, recorder = begun(store, "Eins.", "Zwei.", "Drei.")
    for line in ("One.", "Two.", "Three."):
        run(first, line)
    first.undo()
    first.undo()
    recorder.close()
    second, recorder, _ = gone_on(store, recorder.id)
    assert [turn.answer for turn in second.turns] == ["Eins."]
    assert [second.redo().answer, second.redo().answer] == ["Zwei.", "Drei."]
    second.clear()
    recorder.close()
    third, recorder, _ = gone_on(store, recorder.id)
    assert third.turns == ()
    with pytest.raises(UsageError):
        third.redo()
    recorder.close()
    assert len(store.turns(recorder.id)) == 3


def test_only_what_follows_the_head_comes_back(store: SessionStore) -> None:
    turns = [talked("a", None, "A", "a"), talked("b", "a", "B", "b"), talked("c", "b", "C", "c")]
    for undone, back in ((("b", "c"), 2), (("c", "b"), 0), (("b", "gone", "c"), 2), (("b", "b"), 1), (("a",), 0)):
        kept = replace(session(turns, "a"), position=Position(head="a", undone=undone))
        again, recorder, _ = gone_on(store, store.add(kept))
        assert [turn.answer for turn in again.undone] == ["b", "c"][:back]
        recorder.close()


def test_another_model_may_go_on(store: SessionStore) -> None:
    first, recorder = begun(store, "Eins.")
    run(first, "One.")
    recorder.close()
    engine = ScriptedEngine(["Zwei."])
    kept, recorder = store.resume(recorder.id, Translator(engine), model="other")
    assert store.summary(recorder.id).model == "scripted"
    run(Session(engine, recorder=recorder, kept=kept), "Two.")
    recorder.close()
    assert [turn.model for turn in store.turns(recorder.id)] == ["scripted", "other"]
    assert store.summary(recorder.id).model == "other"


def test_a_session_without_a_turn_is_not_kept(store: SessionStore) -> None:
    session_, recorder = begun(store)
    session_.prefer(target=ZH)
    recorder.rename("A title")
    recorder.close()
    assert store.newest() is None
    assert store.summaries() == ()
    assert recorder.id == ""


def test_it_begins_with_what_was_said_before_its_first_turn(store: SessionStore) -> None:
    session_, recorder = begun(store, "早安。")
    session_.prefer(target=ZH)
    recorder.rename("  The \n title ")
    run(session_, "Good morning.")
    assert recorder.id
    (summary,) = store.summaries()
    assert (summary.title, summary.model, summary.languages, summary.n_turns) == (
        "The title",
        "scripted",
        (("en", "zh"),),
        1,
    )
    assert store.session(recorder.id).preferences == session_.preferences
    store.name(recorder.id, "Another")
    assert store.summary(recorder.id).title == "Another"


def test_whatever_is_typed_and_answered_comes_back(store: SessionStore) -> None:
    recorder = store.create("m", Preferences(system=ODD, style=ODD, context=ODD * 1000))
    plan = Plan(Kind.CHAT, ODD, ODD + "x", target=ZH, source=EN, required=(ODD,), replaces=True, replaced="other")
    recorder.begun("1", None, plan)
    recorder.grown("1", "begins")
    recorder.grown("1", ODD)
    recorder.failed("1", ODD)
    recorder.begun("2", "1", replace(plan, typed="long " * 200_000))
    recorder.moved(Position(head="1", undone=("2",), seen_after="1", summary=ODD, restated="2"))
    recorder.close()
    kept = store.session(recorder.session)
    assert kept.preferences == Preferences(system=ODD, style=ODD, context=ODD * 1000)
    assert kept.position == Position(head="1", undone=("2",), seen_after="1", summary=ODD, restated="2")
    first, second = kept.turns
    assert (first.plan, first.answer, first.reason, first.state) == (plan, ODD, ODD, TurnState.FAILED)
    assert second.typed == "long " * 200_000
    assert len(kept.title) <= 80
    assert "\n" not in kept.title


def test_every_field_of_what_a_session_tells_comes_back() -> None:
    plan = Plan(
        Kind.REFINEMENT, "a", "b", Rule.FORM, ZH, EN, replaces=True, varied=True, required=("c", "d"), replaced="e",
        length="shorter",
    )  # fmt: skip
    preferences = Preferences(
        ZH, EN, "a", (("b", "c"),), (("d", "e"), ("f", "g")), ("h.csv",), "informal", style="i", context="j"
    )
    position = Position("a", ("b", "c"), "d", "e", "f")
    for value in (plan, preferences, position):
        for field in dataclasses.fields(value):
            # A field that is new has to be kept, too: give it a value here.
            assert getattr(value, field.name) != field.default, field.name
    assert from_fields(Plan, loaded(dumped(fields_json(plan)))) == plan
    assert from_fields(Preferences, loaded(dumped(fields_json(preferences)))) == preferences
    assert from_fields(Position, loaded(dumped(fields_json(position)))) == position


def test_every_field_of_a_draft_comes_back(store: SessionStore) -> None:
    one = translated("a", None, ODD, ODD)
    assert one.draft is not None
    own = replace(one.draft.segments[0], status="length", conversation=one.draft.conversation.user("x").assistant("y"))
    draft = replace(
        one.draft,
        source=None,
        segments=(one.draft.segments[0], own),
        terms=((ODD, "b"),),
        missing_terms=(("c", "d"),),
        missing_words=("e",),
        required=("f", "e"),
        unchanged=True,
        standing=("g", ODD),
    )
    turn = replace(
        one, draft=draft, truncated=True, seconds=1.25, seconds_to_first=0.5, n_tokens=7, state=TurnState.STOPPED
    )
    (kept,) = store.turns(store.add(session([turn], "a")))
    assert kept == replace(turn, id=kept.id, on_path=True)


def test_an_answer_is_kept_while_it_grows(store: SessionStore) -> None:
    recorder = store.create("m")
    recorder.begun("1", None, Plan(Kind.CHAT, "Hello?", "Hello?"))

    def written() -> str:
        return store.turns(recorder.session)[0].answer

    begin = time.monotonic()
    text = ""
    writes = set()
    while time.monotonic() < begin + 0.3:
        text += "word "
        recorder.grown("1", text)
        writes.add(written())
    assert 1 <= len(writes - {""}) <= 3
    # The last piece is not left to the next one, which may be long in coming.
    deadline = time.monotonic() + 5
    while written() != text:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert store.turns(recorder.session)[0].state is TurnState.RUNNING
    recorder.grown("1", text + "end")
    recorder.close()
    assert written() == text + "end"


def test_the_longer_an_answer_the_less_often_it_is_written(store: SessionStore) -> None:
    recorder = store.create("m")
    recorder.begun("1", None, Plan(Kind.CHAT, "Hello?", "Hello?"))
    begin, long = time.monotonic(), "x" * 1_000_000
    recorder.grown("1", long)
    writes = {len(store.turns(recorder.session)[0].answer)}
    while time.monotonic() < begin + 0.6:
        recorder.grown("1", long + "y")
        writes.add(len(store.turns(recorder.session)[0].answer))
    assert writes == {1_000_000}
    recorder.close()
    assert store.turns(recorder.session)[0].answer == long + "y"


def test_what_was_cut_off_comes_back_as_stopped(store: SessionStore) -> None:
    first, recorder = begun(store, "Guten Morgen.")
    done = run(first, "Good morning.")
    recorder.begun("cut", done.id, first.plan_refinement("Make it longer."))
    recorder.grown("cut", "Einen schönen guten")
    recorder.close()
    assert store.turns(recorder.id)[1].state is TurnState.RUNNING
    assert store.summary(recorder.id).n_turns == 2
    second, recorder, kept = gone_on(store, recorder.id, "Einen schönen guten Morgen.")
    assert [(turn.answer, turn.stopped) for turn in second.turns] == [
        ("Guten Morgen.", False),
        ("Einen schönen guten", True),
    ]
    assert kept.position.head == "cut"
    assert text_of(second) == "Einen schönen guten"
    run(second, second.plan_refinement("Make it longer."))
    assert text_of(second) == "Einen schönen guten Morgen."
    recorder.begun("text", second.turns[-1].id, Plan(Kind.TRANSLATION, "One.", "One.", None, DE, None))
    recorder.grown("text", "Ei")
    recorder.begun("nothing", "text", Plan(Kind.TRANSLATION, "Two.", "Two.", None, DE, None))
    recorder.close()
    third, recorder, _ = gone_on(store, recorder.id)
    recorder.close()
    assert [turn.state for turn in store.turns(recorder.id)][-2:] == [TurnState.STOPPED, TurnState.FAILED]
    assert text_of(third) == "Einen schönen guten Morgen."


def test_a_translation_that_was_cut_off_can_be_refined(store: SessionStore) -> None:
    recorder = store.create("m", Preferences(target=DE))
    recorder.begun("cut", None, Plan(Kind.TRANSLATION, "Good morning.", "Good morning.", None, DE, None))
    recorder.grown("cut", "Guten")
    recorder.close()
    second, recorder, _ = gone_on(store, recorder.session, "Guten Morgen.")
    assert second.draft is not None
    assert second.draft.source == EN
    assert second.draft.segments[0].status == "cancelled"
    run(second, second.plan_refinement("Finish it."))
    assert text_of(second) == "Guten Morgen."
    recorder.close()


def test_a_draft_that_the_user_wrote_is_no_less_for_being_cut_off(store: SessionStore) -> None:
    first, recorder = begun(store, "Guten Morgen.")
    done = run(first, "Good morning.")
    recorder.begun("edit", done.id, first.plan_edit("Moin."))
    recorder.grown("edit", "Moin.")
    recorder.close()
    second, recorder, _ = gone_on(store, recorder.id, "Moin, moin.")
    assert text_of(second) == "Moin."
    run(second, second.plan_refinement("Say it twice."))
    assert text_of(second) == "Moin, moin."
    recorder.close()


def test_a_process_that_ends_between_an_answer_and_the_move_to_it(store: SessionStore) -> None:
    first, recorder = begun(store, "Eins.")
    turn = run(first, "One.")
    other = replace(turn, id="other", answer="Zwei.")
    recorder.begun("other", turn.id, other.plan)
    recorder.finished(other)
    recorder.close()
    assert store.session(recorder.id).position.head == "other"


def test_accepted_are_the_last_versions_on_the_path(store: SessionStore) -> None:
    draft = translated("a", None, "Good morning.", "早上好。")
    better = changed("b", draft, "Use 早安.", "早安。")
    undone = changed("c", better, "Longer.", "大家早安。")
    chat = talked("d", "b", "Why?", "So.")
    partial = replace(translated("e", "d", "Good night.", "晚"), state=TurnState.STOPPED)
    last = translated("f", "e", "Bye.", "再见。")
    assert last.draft is not None
    kept_as_is = replace(
        translated("g", "f", "42", "42"),
        draft=replace(last.draft, segments=(replace(last.draft.segments[0], status="kept"),)),
    )
    turns = store.turns(store.add(session([draft, better, undone, chat, partial, last, kept_as_is], "g")))
    assert [turn.answer for turn in turns if turn.accepted] == ["早安。", "再见。"]
    assert [turn.answer for turn in turns if not turn.on_path] == ["大家早安。"]


def test_ids_are_found_by_their_beginning(store: SessionStore) -> None:
    with pytest.raises(UsageError, match="none is kept yet"):
        store.find("abc")
    for digits, title in (("aaaabbbb", "First"), ("aaaacccc", "Second"), ("12345678", "Third")):
        kept = replace(session([talked("a", None, "x", "y")], "a", title=title), id=digits + "0" * 24)
        store.tables.add_session(kept)
    assert store.find("12") == "12345678" + "0" * 24
    assert store.find(" AAAAB ") == "aaaabbbb" + "0" * 24
    with pytest.raises(UsageError, match=r"aaaacccc \(Second\), aaaabbbb \(First\)"):
        store.find("aaaa")
    with pytest.raises(UsageError, match=r"Did you mean 12345678 \(Third\)\?"):
        store.find("12345687")
    with pytest.raises(UsageError, match="`bayling sessions list`"):
        store.find("zzz")
    with pytest.raises(UsageError, match="There is no session"):
        store.find("")


def test_one_chat_at_a_time_has_a_session(path: Path, store: SessionStore) -> None:
    first, recorder = begun(store, "Eins.")
    run(first, "One.")
    with SessionStore.open(path) as other:
        refused = pytest.raises(UsageError, match=r"open in another chat.*--new")
        with refused:
            other.resume(recorder.id, Translator(ScriptedEngine()))
        with refused:
            other.remove([recorder.session])
        assert other.is_open(recorder.session)
        second, recorder2 = begun(other, "Zwei.")
        run(second, "Two.")
        recorder.close()
        third, again, _ = gone_on(other, recorder.id)
        assert text_of(third) == "Eins."
        again.close()
        recorder2.close()
    assert len(store.summaries()) == 2


def test_a_session_is_let_go_by_whatever_thread_closes_it(store: SessionStore) -> None:
    chat, recorder = begun(store, "Eins.")
    reader = threading.Thread(target=lambda: run(chat, "One."))
    reader.start()
    reader.join()
    recorder.close()
    again, recorder, _ = gone_on(store, recorder.session)
    assert text_of(again) == "Eins."
    recorder.close()


def test_what_is_removed_is_gone_from_the_files(path: Path) -> None:
    secret = "Geheimnis" * 2000
    with SessionStore.open(path) as store:
        keeps, recorder = begun(store, "bleibt")
        run(keeps, "stays")
        recorder.close()
        goes, recorder = begun(store, secret, preferences=Preferences())
        run(goes, secret)
        recorder.close()
        lock = path.with_suffix(".locks") / f"{recorder.session}.lock"
        assert lock.exists()

        def bytes_kept() -> bytes:
            return b"".join(file.read_bytes() for file in path.parent.glob("sessions.sqlite*"))

        assert b"GeheimnisGeheimnis" in bytes_kept()
        with SessionStore.open(path) as another:  # as a chat of another process has it open
            assert len(another.summaries()) == 2
            assert store.remove([recorder.session, recorder.session]) == 1
            assert b"GeheimnisGeheimnis" not in bytes_kept()
        assert b"GeheimnisGeheimnis" not in bytes_kept()
        assert not lock.exists()
        assert [summary.title for summary in store.summaries()] == ["stays"]
        assert store.remove([recorder.session]) == 0
        assert store.remove(summary.id for summary in store.summaries()) == 1


@pytest.mark.skipif(os.name == "nt", reason="no such permissions there")
def test_nobody_else_can_read_it(path: Path, store: SessionStore) -> None:
    chat, recorder = begun(store, "y")
    run(chat, "x")
    for file in [*path.parent.glob("sessions.sqlite*"), *path.with_suffix(".locks").iterdir()]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    recorder.close()


def test_a_full_disk_ends_the_keeping_and_not_the_chat(store: SessionStore) -> None:
    chat, recorder = begun(store, *["Satz" * 2000] * 6, preferences=Preferences())
    run(chat, "First.")
    connection = store.database.connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(5):
        run(chat, f"Question {number}")
    assert len(chat.turns) == 6
    assert "disk is full" in chat.recording_problem
    # It is said once; then the recorder is quiet.
    recorder.prefers(Preferences(style="x"))
    recorder.close()
    assert store.turns(recorder.session)[0].typed == "First."


def test_what_a_timer_could_not_write_is_said_once(store: SessionStore) -> None:
    recorder = store.create("m")
    plan = Plan(Kind.CHAT, "x", "x")
    recorder.begun("1", None, plan)
    recorder.grown("1", "y")
    connection = store.database.connection
    assert connection is not None
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    recorder.grown("1", "y" * 100_000)  # too soon after the last: a timer writes it

    def go_on() -> None:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            recorder.moved(Position(head="1"))
            time.sleep(0.01)

    with pytest.raises(OutputError, match="disk is full"):
        go_on()
    recorder.moved(Position(head=None))
    recorder.close()
    assert store.turns(recorder.session)[0].answer == "y"


def test_a_session_that_cannot_begin_is_no_session(store: SessionStore) -> None:
    connection = store.database.connection
    assert connection is not None
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    recorder = store.create("m")
    with pytest.raises(OutputError, match="not kept any further"):
        recorder.begun("1", None, Plan(Kind.CHAT, "x" * 100_000, "x"))
    assert recorder.id == ""
    recorder.grown("1", "y")
    recorder.failed("1", "z")
    assert store.summaries() == ()


def write_text(path: Path) -> None:
    path.write_text("Dear diary, " * 500)


def write_newer(path: Path) -> None:
    with SessionStore.open(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def write_other(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (a)")
    connection.close()


@pytest.mark.parametrize(
    ("write", "said"),
    [(write_text, "damaged"), (write_newer, "newer bayling-lite"), (write_other, "another program")],
)
def test_a_file_that_cannot_be_used_is_named_with_the_remedy(path: Path, write: object, said: str) -> None:
    path.parent.mkdir()
    assert callable(write)
    write(path)
    with pytest.raises(InputError, match=f"{said}.*--no-store"):
        SessionStore.open(path)


def test_a_damaged_turn_is_an_error_in_words(store: SessionStore) -> None:
    kept = store.add(session([talked("a", None, "x", "y")], "a"))
    assert store.turns(kept)
    fields = (
        '"version": 99',
        '"rule": "none"',
        '"target": "tlh"',
        '"length": "wider"',
        '"required": 1',
        '"required": [1]',
        '"replaced": []',
    )
    for wrong in ("{", "[]", "{}", *(f'{{"sent": "x", {field}}}' for field in fields)):
        store.database.run("UPDATE turns SET plan = ?", [wrong])
        with pytest.raises(InputError, match=r"damaged|newer"):
            store.turns(kept)
    store.database.run("UPDATE turns SET plan = ?", ['{"sent": "x", "of a later version": 1}'])
    assert store.turns(kept)
    store.database.run("UPDATE turns SET kind = 'none'")
    with pytest.raises(InputError, match="damaged"):
        store.summaries()


def test_a_tree_that_was_bent_into_a_ring_has_an_end(store: SessionStore) -> None:
    ring = [talked("a", "b", "x", "y"), talked("b", "a", "x", "y"), talked("c", "nowhere", "x", "y")]
    kept = store.add(session(ring, "a"))
    assert [turn.on_path for turn in store.turns(kept)] == [True, True, False]
    assert store.summary(kept).n_turns == 2


def test_in_memory(tmp_path: Path) -> None:
    with SessionStore.in_memory() as store:
        chat, recorder = begun(store, "Eins.")
        run(chat, "One.")
        recorder.close()
        again, recorder, _ = gone_on(store, recorder.id)
        assert text_of(again) == "Eins."
        assert store.remove([recorder.session]) == 1
    assert list(tmp_path.iterdir()) == []


def test_several_chats_at_once_on_one_file(path: Path) -> None:
    problems: list[str] = []

    def talk(name: int) -> None:
        with SessionStore.open(path) as own:
            chat, recorder = begun(own, *[f"Answer {name}"] * 20, preferences=Preferences())
            for number in range(20):
                run(chat, f"Line {number}")
            problems.append(chat.recording_problem)
            recorder.close()

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [""] * 4
    with SessionStore.open(path, readonly=True) as store:
        assert [summary.n_turns for summary in store.summaries()] == [20] * 4
        with pytest.raises(OutputError, match="cannot be written"):
            store.name(store.newest() or "", "x")
