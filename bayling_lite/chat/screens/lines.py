"""The chat by lines: those of a script, of a program, or of a person in front of a plain screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from bayling_lite.chat.blocks import BLOCK, opens_block
from bayling_lite.chat.driver import Driver
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.errors import InputError
from bayling_lite.localization import _
from bayling_lite.reasons import reason

if TYPE_CHECKING:
    from bayling_lite.chat.screens.plain import PlainScreen
    from bayling_lite.chat.session.session import Session
    from bayling_lite.engine.base import Engine

INTERRUPTED = 130
_MOST_DIGITS = 4

Begin = Callable[[BackgroundEngine], Driver]
"""Begins a chat with an engine that may still be loading."""


class LineReader:
    """Lines as UTF-8, whatever the locale says; a byte-order mark at the beginning is dropped."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._number = 0

    def read(self) -> str | None:
        """The next line without its end; None when there is none.

        Raises:
            InputError: it cannot be read, or is not UTF-8.
        """
        try:
            raw = self._source.readline()
        except OSError as error:
            raise InputError(_("The input cannot be read: {reason}.", reason=reason(error))) from error
        if not raw:
            return None
        self._number += 1
        try:
            line = raw.decode("utf-8-sig" if self._number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                _("Line {number} of the input is not UTF-8: convert it, for example with iconv.", number=self._number)
            ) from error
        return line.rstrip("\r\n")

    def read_all(self) -> str:
        """All lines that are left, as one text.

        Raises:
            InputError: they cannot be read, or are not UTF-8.
        """
        return "\n".join(iter(self.read, None))


def run(
    open_engine: Callable[[], Engine],
    begin: Begin,
    lines: LineReader,
    *,
    person: PlainScreen | None = None,
) -> int:
    """Answer every line, and give the exit status: that of the first error, 130 when interrupted, else 0.

    ``person`` is the screen of somebody who types the lines: then there is a prompt before each, Ctrl-C stops just the
    answer, and leaving is no error.

    Raises:
        BaylingError: the model or the session cannot be opened, or the lines cannot be read.
    """

    def say_that_it_loads() -> None:
        if person is not None:
            person.notice(_("The model is still loading…"))

    with BackgroundEngine(open_engine, when_waiting=say_that_it_loads) as engine:
        driver = begin(engine)

        def ask() -> None:
            if person is not None:
                person.prompt(prompt_text(driver.session))

        blocks = _blocks(lines, ask)
        while True:
            try:
                block = next(blocks, None)
                if block is None and person is not None:
                    person.prompt("\n")  # Ctrl-D is not echoed
                if block is None or not _do(driver, block, by_person=person is not None):
                    break
            except KeyboardInterrupt:
                driver.interrupted = True
                if person is not None:
                    person.notice("\n" + _("Ctrl-D or /bye leaves."))
                blocks = _blocks(lines, ask)
            if driver.interrupted and person is None:
                return INTERRUPTED
    return 0 if person is not None else driver.status


def run_once(open_engine: Callable[[], Engine], begin: Begin, text: str) -> int:
    """Answer one text, which is never a command, and give the exit status.

    Raises:
        BaylingError: the model or the session cannot be opened.
    """
    with BackgroundEngine(open_engine) as engine:
        driver = begin(engine)
        driver.handle(f"{BLOCK}\n{text}\n{BLOCK}")
        return INTERRUPTED if driver.interrupted else driver.status


def prompt_text(session: Session) -> str:
    """What stands before a line: the language that it is translated into, if any."""
    target = session.preferences.target
    return f"{target.code}> " if target is not None else "> "


def _do(driver: Driver, block: str, *, by_person: bool) -> bool:
    """Do what a line says; False when it was to leave. A person chooses by a number alone, as by a key elsewhere."""
    if by_person and (number := _chosen(driver, block)):
        driver.choose(number)
        return True
    return driver.handle(block)


def _chosen(driver: Driver, line: str) -> int:
    """The number that a line is, if it is that of a version to choose from; else 0."""
    line = line.strip()
    number = int(line) if line.isascii() and line.isdecimal() and len(line) < _MOST_DIGITS else 0
    return number if number <= len(driver.choosing) else 0


def _blocks(lines: LineReader, ask: Callable[[], None]) -> Iterator[str]:
    '''Lines one by one, but those from ``"""`` to ``"""`` together. The input's end ends a block, too.'''
    held: list[str] = []
    while True:
        ask()
        line = lines.read()
        if line is None:
            break
        held.append(line)
        text = "\n".join(held)
        if not opens_block(text):
            yield text
            held = []
    if held:
        yield "\n".join((*held, BLOCK))
