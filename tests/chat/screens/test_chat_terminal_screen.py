"""The screen of a terminal, without one: what is written, and which keys answer a question."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from bayling_lite.chat.differences import Change
from bayling_lite.chat.screens.keyboard import NoKeyboard
from bayling_lite.chat.screens.screen import Question
from bayling_lite.chat.screens.terminal_screen import TerminalScreen
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.errors import UsageError
from bayling_lite.terminal import printable

QUESTION = Question("Too much.\x1b[2J", (("n", "send nothing"), ("d", "drop some\x07"), ("s", "sum up")))


class Shown:
    """A screen 20 cells wide, and what it shows: text without styles, or raw."""

    def __init__(self, keys: PipeInput, stream: io.StringIO) -> None:
        self.keys = keys
        self.screen = TerminalScreen(NoKeyboard())
        self._stream = stream

    @property
    def raw(self) -> str:
        return self._stream.getvalue()

    @property
    def text(self) -> str:
        return printable(self.raw)


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Iterator[Shown]:
    depth = getattr(request, "param", ColorDepth.DEPTH_4_BIT)
    stream = io.StringIO()
    output = Vt100_Output(stream, lambda: Size(24, 20), default_color_depth=depth, enable_cpr=False)
    with create_pipe_input() as keys, create_app_session(input=keys, output=output):
        yield Shown(keys, stream)


@pytest.mark.parametrize(
    "pieces", [("Hallo,\n", "Welt", "!"), ("Hallo,\nWelt!\n",), ("Hallo,\nWelt", "!\x1b[2J\n"), ()]
)
def test_an_answer_ends_its_last_line_once(shown: Shown, pieces: tuple[str, ...]) -> None:
    shown.screen.begin_answer(Plan(Kind.TRANSLATION, "x", "x"))
    for piece in pieces:
        shown.screen.piece(piece)
    shown.screen.end_answer(None)
    assert shown.text == ("Hallo,\nWelt!\n" if pieces else "")
    assert "\x1b[2J" not in shown.raw


def test_answers_are_not_wrapped_and_what_the_chat_says_is(shown: Shown) -> None:
    long = "one two three four five six"
    shown.screen.begin_answer(Plan(Kind.CHAT, "x", "x"))
    shown.screen.piece(long)
    shown.screen.end_answer(None)
    shown.screen.notice(long)
    shown.screen.error(UsageError(long), long)
    assert shown.text == f"{long}\none two three four\nfive six\nError: one two three\nfour five six\n"


CHANGES = (Change("kept", "Guten "), Change("removed", "Tag"), Change("added", "Morgen"), Change("kept", "."))


@pytest.mark.parametrize(
    ("shown", "text"),
    [(ColorDepth.DEPTH_4_BIT, "Guten Tag Morgen.\n"), (ColorDepth.MONOCHROME, "Guten [-Tag-]{+Morgen+}.\n")],
    indirect=["shown"],
)
def test_changes_show_without_colours_too(shown: Shown, text: str) -> None:
    shown.screen.changes(CHANGES)
    assert shown.text == text


@pytest.mark.parametrize(
    ("keys", "key"), [("d", "d"), ("xs", "s"), ("n", "n"), ("\r", "n"), ("\x03", "n"), ("\x04", "n"), ("\x1b", "n")]
)
def test_one_key_answers_a_question_and_the_ways_out_lose_nothing(shown: Shown, keys: str, key: str) -> None:
    shown.keys.send_text(keys)
    assert shown.screen.ask(QUESTION) == key
    assert "Too much.\n  d  drop some\n  s  sum up\n  n  send nothing\n" in shown.text
    assert shown.text.endswith(f"Press d, s, n: {key}\n")
    assert "\x1b[2J" not in shown.raw


def test_what_others_say_on_standard_error_is_said(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    with shown.screen.working():
        print("from the loader", file=sys.stderr)
    assert capsys.readouterr().err == "from the loader\n"
