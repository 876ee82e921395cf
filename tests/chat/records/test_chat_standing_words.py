"""Words that were asked for earlier in a chat: they stand after an undo, an edit, and when the chat goes on later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.chat.records.codec import draft_from_json, draft_json, stored_draft
from bayling_lite.chat.records.store import SessionStore
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.translate import Translator
from tests.chat.session.conversing import DE, EN, drafting, run, text_of

SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
USE_CAT, USE_SWEET, USE_MALE = "use Katze", "use süße", "Katze should be Kater"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with SessionStore.open(tmp_path / "sessions.sqlite") as opened:
        yield opened


def kept(engine: ScriptedEngine) -> list[str]:
    """What of the draft was no place for the word that was asked for last."""
    revision = engine.requests[-1].revision
    assert revision is not None
    return [revision.text[start:stop] for start, stop in revision.kept]


def test_the_draft_s_own_history_counts() -> None:
    session, engine = drafting("Ein Tier.", "Eine Katze.", "Ein Kater.", "Eine süße Katze.", info=SEARCHES)
    for line in ("A cat.", USE_CAT, USE_MALE):
        run(session, line)
    assert session.draft is not None
    assert session.draft.wanted == ("Kater",)
    session.undo()
    run(session, USE_SWEET)
    assert (text_of(session), kept(engine)) == ("Eine süße Katze.", ["Katze"])
    session.undo()
    session.undo()
    assert not session.draft.wanted


def test_what_the_user_takes_out_is_not_wanted_any_longer() -> None:
    session, engine = drafting("Ein Tier.", "Eine Katze.", "Eine süße Katze da.", info=SEARCHES)
    for line in ("A cat.", USE_CAT):
        run(session, line)
    run(session, session.plan_edit("Eine Katze da."))
    assert session.draft is not None
    assert session.draft.wanted == ("Katze",)
    run(session, USE_SWEET)
    assert kept(engine) == ["Katze"]
    run(session, session.plan_edit("Ein süße da."))
    assert (session.draft.wanted, session.draft.missing_words) == (("süße",), ())


def test_they_stand_when_the_chat_goes_on(store: SessionStore) -> None:
    preferences = Preferences(target=DE, source=EN)
    recorder = store.create("scripted", preferences)
    engine = ScriptedEngine(["Ein Tier.", "Eine Katze.", "Eine süße Katze."], info=SEARCHES)
    first = Session(engine, preferences, recorder=recorder)
    for line in ("A cat.", USE_CAT, USE_SWEET):
        run(first, line)
    # Killed in the middle of the next: what it was asked for is known all the same.
    plan = first.plan_refinement("use da")
    recorder.begun("cut", first.turns[-1].id, plan)
    recorder.grown("cut", "Eine süße Katze da")
    recorder.close()
    engine = ScriptedEngine(["Eine süße Katze da. Miau."], info=SEARCHES)
    stored, recorder = store.resume(recorder.id, Translator(engine))
    second = Session(engine, recorder=recorder, kept=stored)
    assert [turn.draft.wanted for turn in second.turns if turn.draft] == [
        (),
        ("Katze",),
        ("Katze", "süße"),
        ("Katze", "süße", "da"),
    ]
    run(second, "use Miau")
    assert kept(engine) == ["süße", "Katze", "da"]
    recorder.close()


def test_a_draft_that_was_kept_before_words_stood_is_read() -> None:
    session, _ = drafting("Ein Tier.", "Eine Katze.", info=SEARCHES)
    for line in ("A cat.", USE_CAT):
        run(session, line)
    assert session.draft is not None
    value = draft_json(stored_draft(session.draft))
    del value["standing"]
    old = draft_from_json(value)
    assert (old.standing, old.required) == ((), ("Katze",))
