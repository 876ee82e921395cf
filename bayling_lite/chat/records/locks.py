"""One process at a time goes on with a session: a lock beside the database, which ends with the process."""

from __future__ import annotations

import contextlib
from pathlib import Path

import filelock

from bayling_lite.chat.records.values import SHORT_ID
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.localization import _
from bayling_lite.reasons import reason


class SessionLock:
    """Holds a session for this process, from :meth:`take` to :meth:`release`. In memory, ``folder`` None, there is
    nobody to share with.
    """

    def __init__(self, folder: Path | None, session: str) -> None:
        self.session = session
        self._path = None if folder is None else folder / f"{session}.lock"
        # The process holds it, not a thread: a session is not always closed by the one that began it.
        self._lock = None if self._path is None else filelock.FileLock(self._path, 0, 0o600, thread_local=False)

    def take(self) -> None:
        """Take the session.

        Raises:
            UsageError: another process, or another chat of this one, has it.
            OutputError: the lock cannot be written.
        """
        if self._lock is None or self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire()
        except filelock.Timeout as error:
            raise UsageError(
                _(
                    "The session {session} is open in another chat. Leave that one first, or begin a new session: "
                    "bayling-chat --new.",
                    session=self.session[:SHORT_ID],
                )
            ) from error
        except NotImplementedError:
            # A file system without locks: then it is the user's to see to it.
            self._lock = None
        except OSError as error:
            raise OutputError(
                _("{path} cannot be written: {reason}.", path=self._path, reason=reason(error))
            ) from error

    def release(self, *, remove: bool = False) -> None:
        """Let the session go; ``remove`` when there will be no such session any more. Idempotent."""
        if self._lock is not None and self._path is not None:
            if remove and self._lock.is_locked:
                with contextlib.suppress(OSError):  # on Windows a file that is open stays
                    self._path.unlink()
            self._lock.release()
