"""The small parts: the engine behind the prompt, the history's file, blocks, widths."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from prompt_toolkit.history import InMemoryHistory

from bayling_lite.chat.driver import block_text, opens_block
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import rendering
from bayling_lite.chat.screens.history import PrivateHistory, open_history
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, ModelUnreadable
from bayling_lite.languages import find_language


def test_an_engine_is_usable_before_it_is_there() -> None:
    go = threading.Event()
    told = threading.Event()

    def open_slowly() -> ScriptedEngine:
        go.wait()
        return ScriptedEngine(["Hello!"])

    with BackgroundEngine(open_slowly, when_ready=told.set) as engine:
        assert not engine.ready
        session = Session(engine)
        threading.Timer(0.05, go.set).start()
        turn = session.start(session.plan("Hi")).finish()
        assert turn is not None
        assert turn.answer == "Hello!"
        assert engine.ready
        assert told.wait(5)


def test_what_opening_raised_is_raised_where_the_engine_is_needed() -> None:
    def fail() -> ScriptedEngine:
        raise ModelUnreadable("broken")

    with BackgroundEngine(fail) as engine:
        with pytest.raises(ModelUnreadable) as raised:
            engine.wait()
        assert engine.error is raised.value
        assert not engine.ready


def test_an_engine_that_arrives_after_the_end_is_closed() -> None:
    go, arrived = threading.Event(), ScriptedEngine(["never"])

    def open_slowly() -> ScriptedEngine:
        go.wait()
        return arrived

    told = threading.Event()
    engine = BackgroundEngine(open_slowly, when_ready=told.set)
    assert engine.loading
    threading.Timer(0.05, go.set).start()
    engine.close()
    assert told.is_set()
    assert not engine.loading
    with pytest.raises(EngineClosed):
        arrived.count_tokens(Session(arrived).context)


def test_the_history_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history, problem = open_history(path)
    assert isinstance(history, PrivateHistory)
    assert problem == ""
    history.store_string("早上好")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(open_history(path)[0].load_history_strings()) == ["早上好"]


def test_without_a_place_for_it_the_history_lasts_for_the_chat(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    history, problem = open_history(tmp_path / "state" / "history")
    assert isinstance(history, InMemoryHistory)
    assert "history is not kept" in problem


@pytest.mark.parametrize(
    ("text", "opens", "block"),
    [
        ('"""', True, None),
        ('"""one', True, None),
        ('"""one\ntwo"""', False, "one\ntwo"),
        ('"""\none\n\ntwo\n"""', False, "one\n\ntwo"),
        ('""""""', False, ""),
        ("one", False, None),
        ('say """', False, None),
    ],
)
def test_blocks(text: str, opens: bool, block: str | None) -> None:
    assert opens_block(text) == opens
    assert block_text(text) == block


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("早上好", 6, "早上好"),
        ("早上好", 5, "早上…"),
        ("早上好", 4, "早…"),
    ],
)
def test_widths_are_counted_in_cells(text: str, width: int, shown: str) -> None:
    assert rendering.fit(text, width) == shown


def test_a_language_is_only_missed_where_the_model_says_what_it_knows() -> None:
    german, french = find_language("de"), find_language("fr")
    info = ModelInfo("model", "bayling", n_ctx=512, languages=(german,))
    assert rendering.unknown_language_text(french, info) == (
        "model does not know French, only de (German). /to de changes the language."
    )
    assert rendering.unknown_language_text(german, info) == ""
    assert rendering.unknown_language_text(None, info) == ""
    assert rendering.unknown_language_text(french, ModelInfo("model", "bayling", n_ctx=512)) == ""


def test_the_bottom_line() -> None:
    engine = ScriptedEngine(["早上好。"], info=ModelInfo("百聆\x1b[31m", "bayling", 60))
    session = Session(engine, target=find_language("zh"))
    assert rendering.toolbar(session, ready=False, width=80) == [("", " loading the model… · auto → zh")]
    session.start(session.plan("Good morning.")).finish()
    assert rendering.toolbar(session, ready=True, width=80) == [("", " 百聆 · auto → zh · 24/60 tokens · /help")]
    assert rendering.toolbar(session, ready=True, width=12) == [("", " 百聆 · aut…")]
