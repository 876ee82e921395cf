"""The user's own editor, for a text that is easier written there than in a line.

``$VISUAL``, else ``$EDITOR``, else what the system brings along: Notepad on Windows; ``editor`` (Debian's choice of the
user), nano or vi elsewhere.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bayling_lite.errors import OutputError, UsageError
from bayling_lite.localization import _
from bayling_lite.reasons import reason
from bayling_lite.terminal import printable

_FALLBACKS = ("editor", "nano", "vi")


def editor_command(
    environ: Mapping[str, str], platform: str, find: Callable[[str], str | None] = shutil.which
) -> tuple[str, ...]:
    """The program that edits, and its arguments before the file's name.

    ``platform`` is as in :data:`sys.platform`; ``find`` gives the path of a program, None where there is none.

    Raises:
        UsageError: there is none, or the variable that names it cannot be understood.
    """
    for name in ("VISUAL", "EDITOR"):
        if wanted := environ.get(name, "").strip():
            return _split(name, wanted, platform)
    if platform == "win32":
        return ("notepad.exe",)
    for fallback in _FALLBACKS:
        if path := find(fallback):
            return (path,)
    raise UsageError(_("There is no editor: name one in $VISUAL or $EDITOR, for example EDITOR=nano."))


def _split(name: str, wanted: str, platform: str) -> tuple[str, ...]:
    """A variable's words. On Windows a backslash separates folders, and an unquoted path may hold spaces."""
    if platform == "win32":
        if Path(wanted).is_file():
            return (wanted,)
        return tuple(word.strip('"') for word in shlex.split(wanted, posix=False))
    try:
        return tuple(shlex.split(wanted))
    except ValueError as error:
        raise UsageError(
            _("${name} is no command: {value}: {reason}.", name=name, value=wanted, reason=error)
        ) from None


def edit(text: str) -> str | None:
    """Open a text in the editor, wait, and give what was saved; None when the editor failed or was left by an error.

    The text goes through a file of the user's own (mode 0600) that is removed at the end. One line break at its end is
    the editor's, not the text's; control sequences are dropped.

    Raises:
        UsageError: there is no editor, it does not start, or what it wrote is not UTF-8.
        OutputError: there is no room, or no right, to write the file.
    """
    command = editor_command(os.environ, sys.platform)
    try:
        # A folder of its own, for what the editor leaves beside the file (backups, swap files); mode 0700.
        with tempfile.TemporaryDirectory(prefix="bayling-", ignore_cleanup_errors=True) as folder:
            file = Path(folder, "text.txt")
            file.write_text(f"{text}\n" if text else "", encoding="utf-8", errors="replace")
            return None if _status(command, file) else _read(file)
    except OSError as error:
        path = error.filename or tempfile.gettempdir()
        raise OutputError(_("{path} cannot be written: {reason}.", path=path, reason=reason(error))) from error


def _status(command: tuple[str, ...], file: Path) -> int:
    """The exit status of the editor."""
    try:
        with _interrupts_are_the_editors():
            return subprocess.run([*command, str(file)], check=False).returncode  # noqa: S603 - the user's choice
    except OSError as error:
        raise UsageError(
            _(
                "The editor {command} does not start: {reason}. $VISUAL or $EDITOR names another.",
                command=command[0],
                reason=reason(error),
            )
        ) from error


def _read(file: Path) -> str | None:
    try:
        # Notepad writes a byte order mark and its own line ends.
        edited = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UsageError(_("What the editor saved is not UTF-8: choose that encoding there.")) from error
    return printable(edited.removesuffix("\n"))


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    """Ctrl-C reaches the editor, which is in front, and not the chat behind it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread, and are its own affair
        return
    # A handler, not SIG_IGN: that would be inherited by the editor. An event loop hears of signals by another way.
    listening = signal.set_wakeup_fd(-1)
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.set_wakeup_fd(listening)
