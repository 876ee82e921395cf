"""Runs a chat in the screen that fits where it is called."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.cli.chat_models import InstalledModels
from bayling_lite.cli.chat_options import Asked
from bayling_lite.cli.opening import find_model, open_engine
from bayling_lite.cli.options import EngineFlags
from bayling_lite.cli.saying import say
from bayling_lite.errors import BaylingError, UsageError
from bayling_lite.localization import _
from bayling_lite.terminal import is_dumb

if TYPE_CHECKING:
    from bayling_lite.chat.beginning import ChatOptions
    from bayling_lite.chat.driver import Driver
    from bayling_lite.chat.keeping import Opened
    from bayling_lite.chat.loading import BackgroundEngine
    from bayling_lite.chat.records.running import RunningSession
    from bayling_lite.engine.base import Engine
    from bayling_lite.settings import Settings


def carry_out(asked: Asked, flags: EngineFlags, *, quiet: bool) -> int:
    """Chat, and give the exit status.

    Raises:
        BaylingError: the model or the session cannot be opened.
    """
    if asked.prompt is None and sys.stdin is None:
        raise UsageError(_("There is nothing to read: standard input is closed. --prompt TEXT answers one text."))
    path, settings = find_model(flags)
    running = _running(asked, path, settings)

    def opened(tell: Callable[[str], None] = say) -> Engine:
        return open_engine(path, settings, template=flags.template, quiet=quiet, tell=tell)

    with contextlib.closing(running):
        options = replace(_chat_options(asked, running), models=InstalledModels(settings, quiet=quiet))
        if asked.as_json:
            return _for_a_program(opened, options, asked, quiet=quiet)
        if asked.prompt is not None or settings.plain or not _has_screen():
            return _in_plain_text(opened, options, asked, quiet=quiet)
        return _in_a_terminal(opened, options, asked, settings)


def _running(asked: Asked, model: Path, settings: Settings) -> RunningSession:
    from bayling_lite.chat.records.running import RunningSession

    return RunningSession(settings.data_dir, model.stem, remembered=asked.remembered)


def _chat_options(asked: Asked, running: RunningSession) -> ChatOptions:
    from bayling_lite.chat.beginning import ChatOptions
    from bayling_lite.chat.keeping import Opened
    from bayling_lite.chat.session.preferences import Preferences

    if asked.continued is None:
        preferences = asked.preferences(Preferences())

        def keep(_engine: Engine) -> Opened:
            return Opened(running, running.new(preferences))

        return ChatOptions(preferences, asked.sampling, keep, asked.on_overflow)
    # Before the model is loaded, which takes longer than to see that there is no such session.
    session = running.find(asked.continued)

    def go_on(engine: Engine) -> Opened:
        kept, recorder = running.resume(session, engine)
        preferences = asked.preferences(kept.preferences)
        if preferences != kept.preferences:
            recorder.prefers(preferences)
        return Opened(running, recorder, replace(kept, preferences=preferences))

    return ChatOptions(sampling=asked.sampling, keep=go_on, on_overflow=asked.on_overflow)


def _has_screen() -> bool:
    """Whether both ends are a terminal that can move its cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_dumb()


def _in_a_terminal(open_engine: Callable[[], Engine], options: ChatOptions, asked: Asked, settings: Settings) -> int:
    from bayling_lite.chat import remarks
    from bayling_lite.chat.screens import terminal

    def opened_for_a_person() -> Engine:
        """Who is going to type lines should know before the first one that none will be translated."""
        loaded = open_engine()
        if warning := remarks.unknown_language_text(asked.says.get("target"), loaded.info):
            say(warning)
        return loaded

    return terminal.run(opened_for_a_person, options, settings.state_dir / "history")


def _in_plain_text(open_engine: Callable[[], Engine], options: ChatOptions, asked: Asked, *, quiet: bool) -> int:
    from bayling_lite.chat.screens import lines
    from bayling_lite.chat.screens.plain import PlainScreen

    _write_utf8()
    person = asked.person
    reader = lines.LineReader(sys.stdin.buffer) if sys.stdin is not None else None
    screen = PlainScreen(
        sys.stdout,
        sys.stderr,
        quiet=quiet,
        announced=person and sys.stdout.isatty(),
        read=reader.read if person and reader is not None else None,
    )

    def begin(engine: BackgroundEngine) -> Driver:
        return options.driver(engine, screen)

    if asked.prompt is not None or reader is None:
        return lines.run_once(open_engine, begin, asked.prompt or "")
    return lines.run(open_engine, begin, reader, person=screen if person else None)


def _for_a_program(
    open_engine: Callable[[Callable[[str], None]], Engine], options: ChatOptions, asked: Asked, *, quiet: bool
) -> int:
    """Whatever happens from here on is a line of JSON."""
    from bayling_lite.chat.screens import lines
    from bayling_lite.chat.screens.json import JsonScreen

    _write_utf8()
    screen = JsonScreen(sys.stdout, quiet=quiet)
    if isinstance(options.models, InstalledModels):
        options = replace(options, models=replace(options.models, tell=screen.notice))

    def opened() -> Engine:
        return open_engine(screen.notice)

    def begin(engine: BackgroundEngine) -> Driver:
        driver = options.driver(engine, screen)
        if asked.remembered:  # else the id would be of no use
            screen.session_id = lambda: driver.keeping.id
        return driver

    try:
        if asked.prompt is not None:
            return lines.run_once(opened, begin, asked.prompt)
        return lines.run(opened, begin, lines.LineReader(sys.stdin.buffer))
    except BaylingError as error:
        screen.error(error, str(error))
        return error.exit_status


def _write_utf8() -> None:
    """UTF-8 on standard output, whatever the locale: a program reads it, and half a character is a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
