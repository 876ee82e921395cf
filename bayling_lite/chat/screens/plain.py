"""The chat without a screen: lines in, answers out.

For pipes and scripts: only answers go to the output, one after the other; all else goes to the other stream. For a
terminal that can do nothing (``TERM=dumb``) the same, with a prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TextIO

from bayling_lite.chat.driver import ChatOptions, Driver, opens_block
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import rendering
from bayling_lite.engine.base import Engine
from bayling_lite.errors import InputError
from bayling_lite.terminal import PrintableStream, printable

INTERRUPTED = 130


class PlainScreen:
    """Answers on one stream, everything else on another; what may reach a terminal is made safe.

    ``quiet`` leaves out what is only information.
    """

    def __init__(self, answers: TextIO, notices: TextIO, *, quiet: bool = False) -> None:
        self._answers = answers
        self._notices = notices
        self._quiet = quiet
        self._safe = PrintableStream() if answers.isatty() else None

    def choice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self.notice(text)

    def piece(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._answers.write(self._safe.feed(text) if self._safe is not None else text)
        self._answers.flush()

    def end_answer(self) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self._answers.write((self._safe.flush() if self._safe is not None else "") + "\n")
        self._answers.flush()

    def notice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        if not self._quiet:
            self.warning(text)

    def warning(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        print(printable(text), file=self._notices, flush=True)

    def error(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.driver.Screen`."""
        self.warning(f"Error: {text}")

    def prompt(self, text: str) -> None:
        """Ask for a line."""
        print(text, end="", file=self._notices, flush=True)


def run(open_engine: Callable[[], Engine], options: ChatOptions, source: BinaryIO, screen: PlainScreen) -> int:
    """Answer every line of ``source``, and give the exit status: 0, that of the first error, or 130 when interrupted.

    When ``source`` is a terminal, a prompt is shown and Ctrl-C stops just the answer.

    Raises:
        BaylingError: the model cannot be opened, or ``source`` cannot be read or is not UTF-8.
    """
    interactive = source.isatty()
    with BackgroundEngine(open_engine) as engine:
        driver = Driver(options.session(engine), engine, screen)

        def prompt() -> None:
            if interactive:
                screen.prompt(rendering.prompt_text(driver.session))

        blocks = _blocks(_decoded(source, prompt))
        while True:
            try:
                block = next(blocks, None)
                if block is None or not driver.handle(block):
                    break
            except KeyboardInterrupt:
                driver.interrupted = True
                if interactive:
                    screen.notice("\nCtrl-D or /bye leaves.")
                blocks = _blocks(_decoded(source, prompt))
            if driver.interrupted and not interactive:
                return INTERRUPTED
    return 0 if interactive else driver.status


def run_once(open_engine: Callable[[], Engine], options: ChatOptions, text: str, screen: PlainScreen) -> int:
    """Answer one text and give the exit status.

    Raises:
        BaylingError: the model cannot be opened.
    """
    with BackgroundEngine(open_engine) as engine:
        driver = Driver(options.session(engine), engine, screen)
        driver.handle(text)
        return INTERRUPTED if driver.interrupted else driver.status


def _decoded(source: BinaryIO, prompt: Callable[[], None]) -> Iterator[str]:
    """Lines as UTF-8, whatever the locale says; a byte-order mark at the beginning is dropped."""
    number = 0
    while True:
        prompt()
        try:
            raw = source.readline()
        except OSError as error:
            raise InputError(f"The input cannot be read: {error.strerror or error}.") from error
        if not raw:
            return
        number += 1
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"Line {number} of the input is not UTF-8: convert it, for example with iconv.") from error
        yield line.rstrip("\r\n")


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    '''Lines one by one, but those from ``"""`` to ``"""`` together. The input's end ends a block, too.'''
    held: list[str] = []
    for line in lines:
        held.append(line)
        text = "\n".join(held)
        if not opens_block(text):
            yield text
            held = []
    if held:
        yield "\n".join((*held, '"""'))
