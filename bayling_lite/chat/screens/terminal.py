"""The chat in a terminal, by prompt-toolkit: the prompt is there at once, and the model loads behind it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.application import Application
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import FormattedText, StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.driver import ChatOptions, Driver, opens_block
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import rendering
from bayling_lite.chat.screens.history import open_history
from bayling_lite.engine.base import Engine
from bayling_lite.errors import BaylingError
from bayling_lite.terminal import PrintableStream, printable


def run(open_engine: Callable[[], Engine], options: ChatOptions, history: Path) -> int:
    """Chat until the user leaves, and give the exit status.

    Args:
        open_engine: opens the model; called on a thread of its own.
        options: how the chat begins.
        history: the file for the lines typed.
    """
    repl = _Repl(options, history)

    def say_that_it_loads() -> None:
        repl.screen.notice("The model is still loading…")

    with BackgroundEngine(open_engine, when_ready=repl.on_ready, when_waiting=say_that_it_loads) as engine:
        try:
            repl.loop(engine)
        except BaylingError as error:
            if error is not engine.error:
                raise
            repl.screen.error(str(error))
            return error.exit_status
        if engine.loading:
            repl.screen.notice("Leaving as soon as the model has loaded…")
    return 0


class TerminalScreen:
    """Styled lines by prompt-toolkit, which knows what the terminal can do and what NO_COLOR says."""

    def __init__(self) -> None:
        self._safe = PrintableStream()

    def _print(self, style: str, text: str, end: str = "\n") -> None:
        print_formatted_text(FormattedText([(style, text)]), style=rendering.STYLE, end=end, flush=True)

    def choice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._print("class:choice", printable(text))

    def piece(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._print("", self._safe.feed(text), end="")

    def end_answer(self) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._print("", self._safe.flush())

    def notice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._print("class:notice", printable(text))

    def warning(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._print("class:warning", printable(text))

    def error(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._print("class:error", f"Error: {printable(text)}")


class _Repl:
    def __init__(self, options: ChatOptions, history: Path) -> None:
        self.screen = TerminalScreen()
        self._options = options
        kept, self._history_problem = open_history(history)
        self._prompt: PromptSession[str] = PromptSession(
            history=kept,
            completer=_CommandCompleter(),
            complete_while_typing=True,
            reserve_space_for_menu=5,
            multiline=True,  # so that pasted and `"""` lines stay together; Enter submits all the same, see _keys
            key_bindings=_keys(),
            prompt_continuation=_continuation,
            style=rendering.STYLE,
            enable_suspend=True,
            enable_open_in_editor=True,
        )
        self._engine: BackgroundEngine | None = None

    def loop(self, engine: BackgroundEngine) -> None:
        """Read a line, do what it says, again."""
        self._engine = engine
        driver = Driver(self._options.session(engine), engine, self.screen)
        if self._history_problem:
            self.screen.notice(self._history_problem)
        while True:
            try:
                line = self._read(driver)
                with _quiet_keyboard():
                    if not driver.handle(line):
                        return
            except KeyboardInterrupt:
                self.screen.notice("Ctrl-D or /bye leaves.")
            except EOFError:
                return

    def on_ready(self) -> None:
        """The model is there, or never will be. Called from the loading thread."""
        app = self._prompt.app
        if app.loop is not None and app.is_running:
            with contextlib.suppress(RuntimeError):  # the loop has just ended; the next prompt looks by itself
                app.loop.call_soon_threadsafe(self._look_at_engine, app)

    def _read(self, driver: Driver) -> str:
        session, engine = driver.session, self._engine

        def toolbar() -> StyleAndTextTuples:
            ready = engine is not None and engine.ready
            return rendering.toolbar(session, ready=ready, width=shutil.get_terminal_size().columns)

        # Patched, so that what the loading thread has to say appears above the prompt instead of inside it.
        with patch_stdout():
            return self._prompt.prompt(
                [("class:prompt", rendering.prompt_text(session))],
                bottom_toolbar=toolbar,
                pre_run=lambda: self._look_at_engine(self._prompt.app),
            )

    def _look_at_engine(self, app: Application[str]) -> None:
        error = self._engine.error if self._engine is not None else None
        if error is not None and app.future is not None and not app.future.done():
            app.exit(exception=error)
        else:
            app.invalidate()


def _continuation(_width: int, _line: int, wrapped: int) -> StyleAndTextTuples:
    """What stands before the further lines of a text; nothing before what is merely too long for one line."""
    return [] if wrapped else [("class:continuation", ". ")]


class _CommandCompleter(Completer):
    """Commands after a slash, languages after the commands that take one."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """What may follow."""
        if document.text_after_cursor.strip():
            return
        for word, typed, meaning in commands.completions(document.text):
            yield Completion(word, start_position=-len(typed), display_meta=meaning)


def _keys() -> KeyBindings:
    bindings = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)  # and not in the search of the history, which has keys of its own

    @bindings.add("enter", filter=typing)
    def _submit(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if opens_block(buffer.text):
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @bindings.add("escape", "enter", filter=typing)
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @bindings.add("c-c", filter=typing)
    def _clear_or_hint(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    return bindings


@contextlib.contextmanager
def _quiet_keyboard() -> Iterator[None]:
    """Keys pressed while an answer arrives are not echoed into it; they are there at the next prompt."""
    try:
        import termios  # POSIX only

        stdin = sys.stdin.fileno()
        before = termios.tcgetattr(stdin)
    except (ImportError, OSError, termios.error):
        yield
        return
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
