"""Put texts in the place of the placeholders that a model writes, as the text comes.

The published v1 weights are anonymised: they write ``[NAME]``, and a backslash and an ``n`` for a line break. Such
models declare what stands for what in their metadata (``bayling.placeholders``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping


class Replacer:
    """Replaces placeholders however the text is cut; of two that begin alike, the longer one counts.

    What replaces a placeholder is not looked at again.

    Raises:
        ValueError: a placeholder is empty.
    """

    def __init__(self, replacements: Mapping[str, str]) -> None:
        if "" in replacements:
            raise ValueError("a placeholder cannot be empty")
        self._replacements = dict(replacements)
        longest_first = sorted(self._replacements, key=len, reverse=True)
        self._placeholder = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        # Every beginning that is not whole, at the end of the text: it may become a placeholder yet.
        beginnings = {text[:length] for text in longest_first for length in range(1, len(text))}
        by_length = sorted(beginnings, key=len, reverse=True)
        self._beginning = re.compile(f"(?:{'|'.join(map(re.escape, by_length))})\\Z") if by_length else None
        self._held = ""

    def feed(self, text: str) -> str:
        """Take more text, return what no later text can change."""
        self._held += text
        ready: list[str] = []
        at = 0
        while True:
            whole = self._placeholder.search(self._held, at)
            part = self._beginning.search(self._held, at) if self._beginning else None
            if part is not None and (whole is None or part.start() <= whole.start()):
                ready.append(self._held[at : part.start()])
                self._held = self._held[part.start() :]
                break
            if whole is None:
                ready.append(self._held[at:])
                self._held = ""
                break
            ready += [self._held[at : whole.start()], self._replacements[whole.group()]]
            at = whole.end()
        return "".join(ready)

    def finish(self) -> str:
        """The end has come: return what was held back; a whole placeholder in it is replaced."""
        held, self._held = self._held, ""
        return self._placeholder.sub(lambda found: self._replacements[found.group()], held)
