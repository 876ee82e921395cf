"""The session that runs: kept when there is something to keep, saved, loaded, exported, left for another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.chat.records.exports import json_file
from bayling_lite.chat.records.running import RunningSession
from bayling_lite.chat.records.schema import FILE_NAME
from bayling_lite.chat.records.store import SessionStore
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.languages import find_language

ZH = Preferences(target=find_language("zh"), source=find_language("en"))


def say(session: Session, *lines: str) -> None:
    for line in lines:
        session.start(session.plan(line)).finish()


def begin(folder: Path, *answers: str, remembered: bool = True) -> tuple[RunningSession, Session]:
    running = RunningSession(folder, "tiny", remembered=remembered)
    return running, Session(ScriptedEngine(answers), ZH, recorder=running.new(ZH))


def test_nothing_is_there_before_the_first_turn(tmp_path: Path) -> None:
    running, session = begin(tmp_path, "早上好。")
    session.prefer(style="plain")
    running.rename("Greetings")
    assert (running.id, running.title, list(running.sessions(9))) == ("", "Greetings", [])
    with pytest.raises(UsageError, match="nothing to save yet"):
        running.save(tmp_path / "session.json")
    assert not (tmp_path / FILE_NAME).exists()
    say(session, "Good morning.")
    (entry,) = running.sessions(9)
    assert (entry.id, entry.title, entry.n_turns) == (running.id, "Greetings", 1)
    assert running.title == "Greetings"
    running.close()
    with SessionStore.open(tmp_path / FILE_NAME) as store:
        (summary,) = store.summaries()
        assert summary.model == "tiny"
        assert store.session(summary.id).preferences.style == "plain"


@pytest.mark.parametrize("remembered", [True, False])
def test_a_saved_session_goes_on_where_it_was(tmp_path: Path, remembered: bool) -> None:
    running, session = begin(tmp_path, "早上好。", "早安。", "晚安。", remembered=remembered)
    session.prefer(terms=(("token", "词元"),))
    say(session, "Good morning.", 'use "早安"')
    session.undo()
    say(session, "Good night.")
    saved = running.save(tmp_path / "saved.json")
    assert (saved.count, saved.what) == (3, "JSON, 3 turns")
    first = running.id
    kept, recorder = running.load(str(tmp_path / "saved.json"), ScriptedEngine())
    assert running.id != first
    assert running.title == "Good morning."
    assert [turn.answer for turn in kept.turns] == ["早上好。", "晚安。"]
    assert kept.preferences == session.preferences
    engine = ScriptedEngine(["夜安。"])
    again = Session(engine, recorder=recorder, kept=kept)
    say(again, 'use "夜安"')
    assert [turn.content for turn in engine.requests[-1].conversation][-2:] == ["晚安。", 'Use the word "夜安".']
    assert running.save(tmp_path / "again.json").count == 4
    assert len(running.sessions(9)) == (2 if remembered else 0)
    running.close()
    assert (tmp_path / FILE_NAME).exists() == remembered


def test_what_was_saved_is_what_is_kept(tmp_path: Path) -> None:
    running, session = begin(tmp_path, "早上好。")
    say(session, "Good morning.")
    running.save(tmp_path / "saved.json")
    running.close()
    (read,) = json_file.read(tmp_path / "saved.json")
    with SessionStore.open(tmp_path / FILE_NAME) as store:
        assert read == store.session(read.id)
        assert store.session(store.add(read)).path[0].draft == read.path[0].draft


def test_going_on_with_the_last_session(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none is kept yet"):
        RunningSession(tmp_path, "tiny", remembered=True).find("")
    running, session = begin(tmp_path, "早上好。")
    say(session, "Good morning.")
    identity = running.id
    running.close()
    running = RunningSession(tmp_path, "tiny", remembered=True)
    kept, _recorder = running.resume(running.find(""), ScriptedEngine())
    assert running.id == identity
    assert [turn.answer for turn in kept.turns] == ["早上好。"]
    with pytest.raises(UsageError, match="That is the session that runs"):
        running.load(identity, ScriptedEngine())
    other = RunningSession(tmp_path, "tiny", remembered=True)
    with pytest.raises(UsageError, match="open in another chat"):
        other.resume(other.find(identity), ScriptedEngine())
    other.close()
    running.close()


def test_a_chat_that_is_not_kept_goes_on_with_a_copy(tmp_path: Path) -> None:
    running, session = begin(tmp_path, "早上好。")
    say(session, "Good morning.")
    running.close()
    running = RunningSession(tmp_path, "tiny", remembered=False)
    kept, recorder = running.resume(running.find(""), ScriptedEngine())
    say(Session(ScriptedEngine(["早安。"]), recorder=recorder, kept=kept), 'use "早安"')
    assert running.export(tmp_path / "copy.md").count == 2
    running.close()
    with SessionStore.open(tmp_path / FILE_NAME) as store:
        assert [summary.n_turns for summary in store.summaries()] == [1]


def test_what_cannot_be_loaded_or_written_is_said_and_changes_nothing(tmp_path: Path) -> None:
    running, session = begin(tmp_path, "早上好。")
    say(session, "Good morning.")
    identity = running.id
    (tmp_path / "notes.json").write_text("{}")
    two = json_file.parse(json_file.dump([]))
    (tmp_path / "none.json").write_text(json_file.dump(two))
    with pytest.raises(InputError, match=r"notes\.json cannot be loaded"):
        running.load(str(tmp_path / "notes.json"), ScriptedEngine())
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read"):
        running.load(str(tmp_path / "nowhere.json"), ScriptedEngine())
    with pytest.raises(UsageError, match="holds 0 sessions"):
        running.load(str(tmp_path / "none.json"), ScriptedEngine())
    with pytest.raises(UsageError, match="There is no session ffff"):
        running.load("ffff", ScriptedEngine())
    with pytest.raises(OutputError, match="exists"):
        running.export(tmp_path / "notes.json")
    with pytest.raises(UsageError, match=r"\.tmx"):
        running.export(tmp_path / "notes.docx")
    assert (running.id, running.export(tmp_path / "mine.tmx").count) == (identity, 1)
    running.close()


def test_an_export_of_nothing_writes_nothing(tmp_path: Path) -> None:
    running = RunningSession(tmp_path, "tiny", remembered=False)
    session = Session(ScriptedEngine(["Hello!"]), Preferences(), recorder=running.new(Preferences()))
    say(session, "Hi")
    with pytest.raises(UsageError, match="no translation is finished"):
        running.export(tmp_path / "mine.tmx")
    assert list(tmp_path.iterdir()) == []
    running.close()


def test_a_file_that_lacks_what_could_not_be_kept_says_so(tmp_path: Path) -> None:
    running, session = begin(tmp_path, "早上好。", "晚安。")
    say(session, "Good morning.")
    with SessionStore.open(tmp_path / FILE_NAME) as store:
        store.database.run("ALTER TABLE turns RENAME COLUMN answer TO another")
        say(session, "Good night.")
        assert "not kept any further" in session.recording_problem
        store.database.run("ALTER TABLE turns RENAME COLUMN another TO answer")
    written = running.save(tmp_path / "session.json")
    assert (written.count, "what came after" in written.what) == (1, True)
    running.close()


def test_a_record_that_cannot_be_opened_does_not_stop_the_chat(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("no database, but long enough to be taken for one" * 50)
    running, session = begin(tmp_path, "早上好。")
    say(session, "Good morning.")
    assert [turn.answer for turn in session.turns] == ["早上好。"]
    assert "This session is not kept." in session.recording_problem
    with pytest.raises(UsageError, match="This chat is not kept"):
        running.save(tmp_path / "session.json")
    running.close()
