"""The text of several tries, given to the reader as that of one."""

from __future__ import annotations

from collections.abc import Callable


class Diverged(Exception):
    """A later try says something else than what the reader has got already."""


class Outlet:
    """Hands on what is new. A try after one that broke off says what that one said, if the server chooses as before.

    Args:
        push: takes the pieces for the reader.
    """

    def __init__(self, push: Callable[[str], None]) -> None:
        self._push = push
        self._pieces: list[str] = []
        self._before = ""
        self.said = 0
        """Characters of this try."""

    @property
    def text(self) -> str:
        """What the reader has got."""
        return "".join(self._pieces)

    def begin(self) -> None:
        """Another try."""
        self._before, self.said = self.text, 0

    def push(self, piece: str) -> None:
        """The next piece of this try.

        Raises:
            Diverged: it is not what the reader has got.
        """
        known = self._before[self.said : self.said + len(piece)]
        if not piece.startswith(known):
            raise Diverged
        self.said += len(piece)
        if fresh := piece[len(known) :]:
            self._pieces.append(fresh)
            self._push(fresh)

    def end(self) -> None:
        """This try has said all.

        Raises:
            Diverged: which is less than what the reader has got.
        """
        if self.said < len(self._before):
            raise Diverged
