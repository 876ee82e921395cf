"""The chat in a terminal: the prompt is there at once, and the model loads behind it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.patch_stdout import patch_stdout

from bayling_lite.chat.beginning import ChatOptions
from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.commands.completing import Known
from bayling_lite.chat.driver import Driver
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import rendering
from bayling_lite.chat.screens.bottom_line import bottom_line, hint, status_of
from bayling_lite.chat.screens.completing import LineCompleter
from bayling_lite.chat.screens.history import open_history
from bayling_lite.chat.screens.keyboard import keyboard_of
from bayling_lite.chat.screens.keys import Actions, Choose, Entered, Flip, key_bindings
from bayling_lite.chat.screens.offers import Offers, offers_of
from bayling_lite.chat.screens.resizing import erase_reflowed
from bayling_lite.chat.screens.terminal_screen import TerminalScreen
from bayling_lite.engine.base import Engine
from bayling_lite.errors import BaylingError
from bayling_lite.languages import load_detector
from bayling_lite.localization import _

_SESSIONS_OFFERED = 30
# Keys that have been waiting for a prompt are all read within this time.
_TYPED_AHEAD_SECONDS = 0.1


def run(open_engine: Callable[[], Engine], options: ChatOptions, history: Path) -> int:
    """Chat until the user leaves, and give the exit status.

    Args:
        open_engine: opens the model; called on a thread of its own.
        options: how the chat begins.
        history: the file for the lines typed.

    Raises:
        BaylingError: the session to go on with cannot be read.
    """
    keyboard = keyboard_of(sys.stdin)
    screen = TerminalScreen(keyboard)
    repl = _Repl(screen, history)

    def say_that_it_loads() -> None:
        screen.notice(_("The model is still loading…"))

    with (
        keyboard.quiet(),
        BackgroundEngine(
            open_engine,
            when_ready=repl.on_ready,
            when_waiting=say_that_it_loads,
            beside=load_detector,  # the first line that is translated needs it, too
            begin=False,
        ) as engine,
    ):
        driver = options.driver(engine, screen)
        try:
            repl.loop(driver)
        except BaylingError as error:
            if error is not engine.error:
                raise
            screen.error(error, str(error))
            return error.exit_status
        if engine.loading:
            screen.notice(_("Leaving as soon as the model has loaded…"))
    return 0


class _Repl:
    """Reads from the prompt, does what is entered, again."""

    def __init__(self, screen: TerminalScreen, history: Path) -> None:
        self._screen = screen
        self._driver: Driver | None = None
        kept, self._history_problem = open_history(history)
        self._prompt: PromptSession[Entered] = PromptSession(
            history=kept,
            completer=LineCompleter(self._completions),
            complete_while_typing=True,
            reserve_space_for_menu=5,
            multiline=True,  # so that pasted and `"""` lines stay together; Enter submits all the same, see keys.py
            prompt_continuation=_continuation,
            style=rendering.STYLE,
            include_default_pygments_style=False,
            search_ignore_case=True,
            enable_suspend=True,
        )
        erase_reflowed(self._prompt.app)

    def loop(self, driver: Driver) -> None:
        """Until the user leaves.

        Raises:
            BaylingError: the model could not be opened.
        """
        self._driver = driver
        if self._history_problem:
            self._screen.notice(self._history_problem)
        while True:
            try:
                if not self._do(driver, self._read(driver)):
                    return
            except KeyboardInterrupt:
                self._screen.notice(_("Ctrl-D or /bye leaves."))
            except EOFError:
                return

    def on_ready(self) -> None:
        """The model is there, or never will be. Called from the loading thread."""
        app = self._prompt.app
        if app.loop is not None and app.is_running:
            with contextlib.suppress(RuntimeError):  # the loop has just ended; the next prompt looks by itself
                app.loop.call_soon_threadsafe(self._look_at_engine, app)

    def _completions(self, line: str) -> Iterable[tuple[str, str, str]]:
        if (driver := self._driver) is None:
            return ()
        known = Known(
            driver.session.preferences.terms,
            sessions=lambda: driver.keeping.sessions(_SESSIONS_OFFERED),
            models=driver.model_change.models.names,
        )
        return commands.completions(line, known)

    def _do(self, driver: Driver, entered: Entered) -> bool:
        """What was entered; False when it was to leave."""
        with self._screen.working():
            match entered:
                case str():
                    return driver.handle(entered)
                case Flip():
                    driver.flip()
                case Choose(number):
                    driver.choose(number)
        return True

    def _read(self, driver: Driver) -> Entered:
        moment = _Moment(driver, typed_ahead=self._screen.keys_wait())
        app = self._prompt.app
        app.erase_when_done = False

        def toolbar() -> StyleAndTextTuples:
            return moment.bottom_line(self._prompt.default_buffer.text)

        # Patched, so that what the loading thread has to say appears above the prompt instead of inside it.
        with patch_stdout():
            return self._prompt.prompt(
                [("class:prompt", rendering.prompt_text(driver.session))],
                bottom_toolbar=toolbar,
                key_bindings=key_bindings(moment.actions(self._screen)),
                pre_run=lambda: self._before_drawing(app, moment),
            )

    def _before_drawing(self, app: Application[Entered], moment: _Moment) -> None:
        self._look_at_engine(app)
        if self._driver is not None and app.loop is not None:
            app.loop.call_soon(self._driver.engine.begin)  # once the prompt stands there
            app.loop.call_later(_TYPED_AHEAD_SECONDS, moment.offer, app)

    def _look_at_engine(self, app: Application[Entered]) -> None:
        error = self._driver.engine.error if self._driver is not None else None
        if error is not None and app.future is not None and not app.future.done():
            app.exit(exception=error)
            return
        if self._driver is not None:
            self._driver.look_at_model()
        app.invalidate()


class _Moment:
    """The chat at one prompt: nothing in it changes until the next one, but that the model gets ready.

    What was ``typed_ahead`` of the prompt is text, for nobody could know then what a single key would do now.
    """

    def __init__(self, driver: Driver, *, typed_ahead: bool) -> None:
        self._driver = driver
        self._offers = offers_of(driver)
        self._typed_ahead = typed_ahead
        self._look()

    def offer(self, app: Application[Entered]) -> None:
        """From now on keys are pressed in the sight of what they do."""
        if self._typed_ahead:
            self._typed_ahead = False
            app.invalidate()

    def _offered(self) -> Offers:
        return Offers() if self._typed_ahead else self._offers

    def actions(self, screen: TerminalScreen) -> Actions:
        """What keys can do."""
        return Actions(
            offers=self._offered,
            keep_draft=self._keep_draft,
            edit=screen.edit,
            complain=lambda error: screen.error(error, str(error)),
        )

    def bottom_line(self, typed: str) -> StyleAndTextTuples:
        """The line below the prompt, with so much typed already."""
        if self._driver.engine.ready and not self._status.model:
            self._look()
        return bottom_line(self._status, hint(typed, self._offered()), shutil.get_terminal_size().columns)

    def _look(self) -> None:
        self._status = status_of(self._driver.session, ready=self._driver.engine.ready)

    def _keep_draft(self) -> None:
        self._driver.choosing = ()
        self._offers = offers_of(self._driver)


def _continuation(_width: int, _line: int, wrapped: int) -> StyleAndTextTuples:
    """What stands before the further lines of a text; nothing before what is merely too long for one line."""
    return [] if wrapped else [("class:continuation", ". ")]
