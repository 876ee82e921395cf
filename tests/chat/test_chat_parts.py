"""The small parts: the engine behind the prompt, blocks, widths."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest
from prompt_toolkit.formatted_text import fragment_list_to_text
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat import remarks
from bayling_lite.chat.blocks import block_text, opens_block
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import rendering
from bayling_lite.chat.screens.bottom_line import Status, bottom_line
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, ModelUnreadable
from bayling_lite.languages import find_language
from bayling_lite.terminal import fit


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


def test_opening_begins_when_it_is_told_to_or_needed() -> None:
    opened, beside = threading.Event(), threading.Event()

    def open_now() -> ScriptedEngine:
        opened.set()
        return ScriptedEngine()

    with BackgroundEngine(open_now, beside=beside.set, begin=False) as engine:
        assert not engine.loading
        assert not opened.is_set()
        engine.begin()
        engine.begin()
        assert opened.wait(5)
        assert beside.wait(5)
    with BackgroundEngine(ScriptedEngine, begin=False) as engine:
        assert engine.info.name == "scripted"
    with BackgroundEngine(open_now, begin=False) as engine:
        opened.clear()
    engine.begin()
    assert not opened.is_set(), "it was closed before"


def test_what_opening_raised_is_raised_where_the_engine_is_needed() -> None:
    def fail() -> ScriptedEngine:
        raise ModelUnreadable("broken")

    with BackgroundEngine(fail) as engine:
        with pytest.raises(ModelUnreadable) as raised:
            engine.wait()
        assert engine.error is raised.value
        assert not engine.ready


def test_what_goes_wrong_beside_is_not_said_across_the_prompt(capfd: pytest.CaptureFixture[str]) -> None:
    failing: SimpleQueue[threading.Thread] = SimpleQueue()

    def fail() -> None:
        failing.put(threading.current_thread())
        raise OSError("broken")

    with BackgroundEngine(ScriptedEngine, beside=fail) as engine:
        assert engine.info.name == "scripted"
        thread = failing.get(timeout=5)
        thread.join(5)
        assert not thread.is_alive()
    assert capfd.readouterr().err == ""


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
    assert fit(text, width) == shown


def test_a_language_is_only_missed_where_the_model_says_what_it_knows() -> None:
    german, french = find_language("de"), find_language("fr")
    info = ModelInfo("model", "bayling", n_ctx=512, languages=(german,))
    assert remarks.unknown_language_text(french, info) == (
        "model does not know French, only de (German). /to de changes the language."
    )
    assert remarks.unknown_language_text(german, info) == ""
    assert remarks.unknown_language_text(None, info) == ""
    assert remarks.unknown_language_text(french, ModelInfo("model", "bayling", n_ctx=512)) == ""


@pytest.mark.parametrize(
    ("plan", "other", "shown"),
    [
        (Plan(Kind.CHAT, "hi", "hi"), "", ""),
        (Plan(Kind.TRANSLATION, "hi", "hi", target=find_language("zh")), "", "→ zh"),
        (
            Plan(Kind.TRANSLATION, "hi", "hi", target=find_language("zh"), source=find_language("en")),
            "feedback on the draft",
            "en → zh · Tab if it was feedback on the draft",
        ),
        (Plan(Kind.REFINEMENT, "formal", "formal", target=find_language("de")), "", "↻ refining de"),
        (Plan(Kind.REFINEMENT, "a", "use\n\x1b[31mb", target=find_language("de")), "", "↻ refining de · use b"),
    ],
)
def test_how_a_line_was_understood(plan: Plan, other: str, shown: str) -> None:
    assert rendering.choice_text(plan, other) == shown


@pytest.mark.parametrize("status", [Status("auto → zh"), Status("自动 → zh", "百聆", 24, 60, 12.3)])
def test_the_bottom_line_fits_any_width(status: Status) -> None:
    longest = fragment_list_to_text(bottom_line(status, "Tab if it was a text", 1000))
    for width in range(1, 100):
        line = fragment_list_to_text(bottom_line(status, "Tab if it was a text", width))
        assert get_cwidth(line) <= width
        if width > get_cwidth(longest):
            assert line == longest
    assert fragment_list_to_text(bottom_line(status, "Tab if it was a text", 20)).strip() != ""
