"""What a chat shows in a terminal: styled lines that scroll by, written once and never moved.

prompt-toolkit knows what the terminal can do and what NO_COLOR says. No line is wrapped here: the terminal does that,
so a window may be resized, and what is copied from it is one line.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Protocol, TextIO

from prompt_toolkit import print_formatted_text
from prompt_toolkit.application import get_app_session
from prompt_toolkit.formatted_text import FormattedText, OneStyleAndTextTuple
from prompt_toolkit.input.typeahead import clear_typeahead, get_typeahead, store_typeahead

from bayling_lite.chat.differences import Change
from bayling_lite.chat.screens import rendering
from bayling_lite.chat.screens.keyboard import Keyboard
from bayling_lite.chat.screens.screen import Question
from bayling_lite.chat.screens.waiting import WaitingSign
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.errors import BaylingError
from bayling_lite.localization import _
from bayling_lite.terminal import PrintableStream, printable

# What is written in Markdown; translations are shown as they are, for they may be of anything.
_MARKDOWN = (Kind.CHAT, Kind.EXPLANATION)


class TerminalScreen:
    """See :class:`~bayling_lite.chat.screens.screen.Screen`. Lines may come from any thread, answers from one."""

    asks = True
    has_keys = True

    def __init__(self, keyboard: Keyboard) -> None:
        self._keyboard = keyboard
        self._output = get_app_session().output
        self._sign = WaitingSign(self._output)
        self._working = False
        self._text: AnswerText = _Raw()
        self._line_is_begun = False

    @contextmanager
    def working(self) -> Iterator[None]:
        """Inside, the user waits for what their line said: a sign shows that it is being done."""
        self._working = True
        self._sign.start()
        self._expect_pastes(True)
        try:
            with redirect_stderr(_BesideSign(self._sign, sys.stderr)):
                yield
        finally:
            self._working = False
            self._sign.stop()
            self._expect_pastes(False)

    def choice(self, plan: Plan, other: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if text := rendering.choice_text(plan, other):
            self._line("class:choice", text)

    def begin_answer(self, plan: Plan) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if plan.kind not in _MARKDOWN:
            self._text = _Raw()
            return
        from bayling_lite.chat.screens.markdown import MarkdownStream

        self._text = MarkdownStream()

    def piece(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if fragments := self._text.feed(text):
            self._sign.stop()
            self._write(fragments)
            self._line_is_begun = not fragments[-1][1].endswith("\n")

    def end_answer(self, turn: Turn | None) -> None:  # noqa: ARG002 - the answer has been shown
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._sign.stop()
        rest = self._text.flush()
        # An answer that ends its last line itself is not followed by an empty one.
        ended = rest[-1][1].endswith("\n") if rest else not self._line_is_begun
        self._write([*rest, ("", "" if ended else "\n")])
        self._line_is_begun = False

    def notice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._line("class:notice", text)

    def warning(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._line("class:warning", text)

    def error(self, error: BaylingError, text: str) -> None:  # noqa: ARG002 - the text says it
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._line("class:error", _("Error: {text}", text=text))

    def changes(self, changes: Sequence[Change]) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        from prompt_toolkit.output import ColorDepth

        from bayling_lite.chat.screens.changes import marked, styled

        depth = ColorDepth.from_env() or self._output.get_default_color_depth()  # NO_COLOR says so, or the terminal
        shown = styled(changes) if depth is not ColorDepth.MONOCHROME else [("", marked(changes))]
        with self._sign.hidden():
            self._write([*((style, printable(text)) for style, text in shown), ("", "\n")])

    def alternatives(self, texts: Sequence[str]) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        with self._sign.hidden():
            for number, text in enumerate(texts, start=1):
                indented = printable(text).replace("\n", "\n   ")
                self._write([("class:key", f"{number}"), ("", f"  {indented}\n")])

    def ask(self, question: Question) -> str:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        from bayling_lite.chat.screens.question import choice_lines, keys_text, read_key

        with self._interrupted():
            self._line("class:warning", question.text)
            self._write(choice_lines(question))
            self._forget_keys()  # what was typed before it is no answer to it
            key = read_key(question, rendering.STYLE)
            self._write([("class:prompt", keys_text(question)), ("", f"{key}\n")])
        return key

    def keys_wait(self) -> bool:
        """Whether something was typed before there was a prompt to read it."""
        source = get_app_session().input
        ahead = get_typeahead(source)
        store_typeahead(source, ahead)
        return bool(ahead) or self._keyboard.waits()

    def _forget_keys(self) -> None:
        clear_typeahead(get_app_session().input)
        self._keyboard.forget()

    def edit(self, text: str) -> str | None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        from bayling_lite.chat.screens import editor

        with self._interrupted(), self._keyboard.lent():
            self._expect_pastes(False)
            return editor.edit(text)

    @contextmanager
    def _interrupted(self) -> Iterator[None]:
        """Inside, it is the user who is waited for."""
        self._sign.stop()
        try:
            yield
        finally:
            if self._working:
                self._sign.start()
                self._expect_pastes(True)

    def _expect_pastes(self, expected: bool) -> None:
        """Whether what is pasted is to stay together until the next prompt, as it does there."""
        if expected:
            self._output.enable_bracketed_paste()
        else:
            self._output.disable_bracketed_paste()
        self._output.flush()

    def _line(self, style: str, text: str) -> None:
        from bayling_lite.wrapping import wrapped

        with self._sign.hidden():
            self._write([(style, wrapped(printable(text), self._output.get_size().columns)), ("", "\n")])

    def _write(self, fragments: Iterable[OneStyleAndTextTuple]) -> None:
        print_formatted_text(
            FormattedText(list(fragments)),
            style=rendering.STYLE,
            end="",
            flush=True,
            include_default_pygments_style=False,
        )


class _BesideSign(io.TextIOBase):
    """Standard error while a sign may stand on the line of the cursor: what the loading model has to say, above it."""

    def __init__(self, sign: WaitingSign, stream: TextIO) -> None:
        self._sign = sign
        self._stream = stream

    def write(self, text: str) -> int:
        with self._sign.hidden():
            return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


class AnswerText(Protocol):
    """Makes what can be shown out of an answer that comes in pieces: (style, text)."""

    def feed(self, piece: str) -> Sequence[tuple[str, str]]:
        """Take the next piece, give what is certain."""
        ...

    def flush(self) -> Sequence[tuple[str, str]]:
        """Give what was held back."""
        ...


class _Raw:
    """An answer as it is, but for control sequences."""

    def __init__(self) -> None:
        self._safe = PrintableStream()

    def feed(self, piece: str) -> Sequence[tuple[str, str]]:
        text = self._safe.feed(piece)
        return [("", text)] if text else []

    def flush(self) -> Sequence[tuple[str, str]]:
        text = self._safe.flush()
        return [("", text)] if text else []
