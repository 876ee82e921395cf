"""llama.cpp's log lines, passed on to Python logging under ``bayling_lite.engine``."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

logger = logging.getLogger("bayling_lite.engine")
# Without any handler Python prints warnings to stderr by itself; a library leaves that to the program.
logger.addHandler(logging.NullHandler())

# ggml_log_level of ggml.h: 1 debug, 2 info (hundreds of lines a model, so DEBUG here), 3 warning, 4 error.
_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.WARNING, 4: logging.ERROR}
_CONTINUED = 5
# What llama.cpp warns of, and is what we want: a memory larger than one request may be, an evaluation that was
# interrupted, a batch for which room is made.
_FALSE_ALARMS = (
    "possible training context overflow",
    "failed with error 1",
    "compute status: 1",
    "failed to decode, ret = 2",
    "failed to find a memory slot",
)


class NativeLog:
    """Collects fragments into lines, logs them, and lets a loader read the errors of its own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line = ""
        self._level = logging.DEBUG
        self._errors: dict[int, list[str]] = {}

    def write(self, level: int, text: bytes | None, _user_data: object) -> None:
        """The callback of ``llama_log_set``: fragments arrive with or without a newline, from any thread."""
        lines = []
        with self._lock:
            if level != _CONTINUED:
                self._level = _LEVELS.get(level, logging.DEBUG)
            *whole, self._line = (self._line + (text or b"").decode(errors="replace")).split("\n")
            log_level, kept = self._level, self._errors.get(threading.get_ident())
            lines = [line.strip() for line in whole if line.strip(" .")]
            if kept is not None and log_level >= logging.ERROR:
                kept.extend(lines)
        for line in lines:
            alarm = not any(known in line for known in _FALSE_ALARMS)
            logger.log(log_level if alarm else logging.DEBUG, "%s", line)

    @contextlib.contextmanager
    def errors(self) -> Iterator[list[str]]:
        """The error lines that this thread causes inside the ``with`` block."""
        thread = threading.get_ident()
        kept: list[str] = []
        with self._lock:
            self._errors[thread] = kept
        try:
            yield kept
        finally:
            with self._lock:
                del self._errors[thread]
