"""Completion at the prompt: commands after a slash, and after them what each takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bayling_lite.terminal import printable

Complete = Callable[[str], Iterable[tuple[str, str, str]]]
"""What can follow a line as typed so far: (word, the part of it already typed, what it means)."""

# More than can be looked through; a folder may hold any number of files.
_MOST = 100


class LineCompleter(Completer):
    """Completes the end of a line, as ``complete`` says. Names of files and sessions are made safe to look at."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """What may follow."""
        line = document.text
        if not line.startswith("/") or "\n" in line or document.text_after_cursor.strip():
            return
        for number, (word, typed, meaning) in enumerate(self._complete(line)):
            if number == _MOST:
                return
            safe = printable(word, keep="")
            if safe == word:  # what is inserted is what is meant, or nothing
                yield Completion(word, start_position=-len(typed), display_meta=printable(meaning, keep=""))
