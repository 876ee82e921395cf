"""Prompt-lookup drafting: guess the next tokens from where the text has said the same before.

A refinement repeats most of the draft it refines, which stands in its prompt. The guesses are evaluated in one step and
kept as far as the model would have chosen them itself, so the text is the same with and without, only sooner.

Method: prompt lookup decoding (https://github.com/apoorvumang/prompt-lookup-decoding), with a place kept across a
changed word: after a substitution the text usually goes on where the old one did.
"""

from __future__ import annotations

from collections.abc import Sequence

_N_GRAM = 3
# Tokens guessed at a time, carefully and boldly. On a CPU, a step of four rows takes about three times as long as one
# of a single row, a step of 24 about eight times: the first pays when two guesses of three are right, the second when
# eight of 23 are. Where it fails after a few, the text has most likely only changed a word.
_CAREFUL, _BOLD = 3, 23
_ENOUGH = {_CAREFUL: 2, _BOLD: 2}
# After a careful guess that did not pay, so many tokens come without one.
_REST = 6
# How far behind a changed word the old text is searched for the place where it goes on.
_WINDOW = 12


class PromptLookup:
    """Drafts for one growing text: short ones until one was right, long ones until one was not.

    ``bold`` begins with long ones, for a text that is known to repeat itself.
    """

    def __init__(self, *, bold: bool = False) -> None:
        self._follower: dict[tuple[int, ...], int] = {}  # an n-gram, and where its last occurrence went on
        self._seen = 0  # tokens looked at
        self._place: int | None = None  # where the passage goes on that the text is repeating
        self._left: int | None = None  # where the text left such a passage
        self._length = _BOLD if bold else _CAREFUL
        self._rest_until = 0  # tokens of the text

    def propose(self, tokens: Sequence[int], room: int) -> list[int]:
        """Up to ``room`` tokens that may follow; none where the text has not said anything like it before."""
        for position in range(self._seen, len(tokens)):
            self._follow(tokens, position)
            if position >= _N_GRAM:
                self._follower[tuple(tokens[position - _N_GRAM : position])] = position
        self._seen = len(tokens)
        if self._place is None or room < 1 or len(tokens) < self._rest_until:
            return []
        wanted = min(room, self._length)
        draft = list(tokens[self._place : self._place + wanted])
        while len(draft) < wanted:  # the passage reaches to the end of the text: it goes round
            draft += draft[: wanted - len(draft)]
        return draft

    def learn(self, proposed: int, accepted: int) -> None:
        """How many of the proposed tokens were right."""
        if accepted >= _ENOUGH[self._length]:
            self._length = _BOLD
        elif accepted < proposed:
            if self._length == _CAREFUL:
                self._rest_until = self._seen + _REST
            self._length = _CAREFUL

    def _follow(self, tokens: Sequence[int], position: int) -> None:
        """Move the place on to after the token at this position."""
        if self._place is not None and tokens[self._place] == tokens[position]:
            self._place += 1
            return
        if self._place is not None:
            self._left = self._place
        self._place = self._follower.get(tuple(tokens[position - _N_GRAM + 1 : position + 1])) or self._resumed(
            tokens, position
        )
        if self._place is not None:
            self._left = None

    def _resumed(self, tokens: Sequence[int], position: int) -> int | None:
        """Where a passage goes on that the text left for a word or two, and has come back to with this token."""
        if self._left is None:
            return None
        for candidate in range(self._left, min(self._left + _WINDOW, position)):
            if tokens[candidate] == tokens[position]:
                return candidate + 1
        return None
