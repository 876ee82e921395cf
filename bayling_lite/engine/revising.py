"""A former answer revised, as pure logic: which of its tokens stay, told from rows of logits. It never touches a model.

The former answer is a *script*. Where it has to have a phrase, and where it is to be kept as it is, its tokens are
firm. Each of the others is taken unless the model finds another one so much likelier that it outweighs the leaning
towards the script: then the model has its way for a few tokens, until the script goes on behind the place that was
left. Where it does not find back, the script is kept after all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from bayling_lite.engine.base import Revision
from bayling_lite.engine.constraints import Vocabulary
from bayling_lite.engine.ranking import Logits
from bayling_lite.engine.words import joins, needs_border
from bayling_lite.errors import EngineError, PhrasesDoNotFit
from bayling_lite.localization import _

# Tokens that the model may go its own way before it has to be back, and how far behind the place it left the script is
# looked at for that.
_MOST_ASTRAY = 6
_WINDOW = 6
# What each token left out or said twice on the way back costs, in nats.
_PER_SKIPPED = 0.5


class Tokenize(Protocol):
    """Gives the ids of a text within an answer; the ``first`` one begins it."""

    def __call__(self, text: str, *, first: bool) -> list[int]: ...  # noqa: D102


class FormerAnswer:
    """The tokens of a text, and where in it each ends.

    ``ends[i]`` is the number of characters in the first i tokens; None within a character.

    Raises:
        PhrasesDoNotFit: the tokens say another text, as they do of a vocabulary that cannot spell this one.
    """

    def __init__(self, text: str, ids: Sequence[int], vocabulary: Vocabulary) -> None:
        self.text = text
        self.ids = list(ids)
        self.ends: list[int | None] = [0]
        data, pieces = text.encode(errors="replace"), [vocabulary.piece(id_) for id_ in self.ids]
        said = b"".join(pieces)
        # Behind a special token, some vocabularies begin every text with a space.
        n_bytes = -1 if said == b" " + data else 0
        if n_bytes == 0 and said != data:
            raise PhrasesDoNotFit("The answer cannot be spelled in this model's tokens as it stands.")
        n_chars = 0
        for piece in pieces:
            before, n_bytes = max(n_bytes, 0), n_bytes + len(piece)
            n_chars += sum(byte & 0xC0 != 0x80 for byte in data[before : max(n_bytes, 0)])
            inside = 0 < n_bytes < len(data) and data[n_bytes] & 0xC0 == 0x80
            self.ends.append(None if inside else n_chars)

    def upto(self, position: int, least: int = 0) -> int:
        """The most tokens, ``least`` or more, that end at this character or before it."""
        found = (count for count in range(len(self.ids), least, -1) if _at_most(self.ends[count], position))
        return next(found, least)

    def since(self, position: int, least: int = 0) -> int:
        """The fewest tokens, ``least`` or more, that reach this character."""
        last = len(self.ids)
        found = (count for count in range(least, last) if (end := self.ends[count]) is not None and end >= position)
        return next(found, last)

    def end(self, count: int) -> int:
        """Characters in the first tokens, whose end must be one of a character."""
        end = self.ends[count]
        assert end is not None  # noqa: S101 - upto() and since() give no others
        return end

    def scripted(self, kept: Sequence[tuple[int, int]]) -> list[Scripted]:
        """The tokens as a script, firm where they have a character that is kept: ``kept`` are (start, stop) in
        characters.
        """
        result = [Scripted(id_) for id_ in self.ids]
        for start, stop in kept:
            first, last = self.upto(start), self.since(stop)
            for at in range(first, last):
                ends_there = at == last - 1 and self.ends[last] == stop
                bordered = ends_there and needs_border(self.text[stop - 1])
                result[at] = Scripted(self.ids[at], firm=True, bordered=bordered)
        return result


def _at_most(end: int | None, position: int) -> bool:
    return end is not None and end <= position


@dataclass(frozen=True, slots=True)
class Scripted:
    """A token of the script; ``firm`` where nothing else may stand, ``new`` in the phrase that is put in. Behind one
    that is ``bordered``, nothing may run on as one word with it.
    """

    token: int
    firm: bool = False
    new: bool = False
    bordered: bool = False


def script(former: FormerAnswer, revision: Revision, tokenize: Tokenize) -> list[Scripted]:
    """The former answer with the phrase in each of its places.

    The space before a place belongs to the phrase's first token, as in every vocabulary that has such tokens; what a
    token has beyond a place is tokenized anew, together with the phrase.
    """
    result: list[Scripted] = []
    at, text, scripted = 0, former.text, former.scripted(revision.kept)
    bordered = needs_border(revision.phrase[-1])
    for start, stop in revision.places:
        first = former.upto(start - (text[start - 1 : start] == " "), at)
        last = former.since(stop, first)
        result += scripted[at:first]
        seam = text[former.end(first) : start] + revision.phrase + text[stop : max(stop, former.end(last))]
        result += (Scripted(id_, firm=True, new=True) for id_ in tokenize(seam, first=first == 0))
        result[-1] = replace(result[-1], bordered=bordered)
        at = last
    return result + scripted[at:]


@dataclass(frozen=True, slots=True)
class _Left:
    """Where the script was left: the token there, how many were decided, where it usually goes on, and where it does if
    the way back is not found.
    """

    at: int
    n_tokens: int
    usual: int
    resume: int


class Reviser:
    """The new answer while it is decided. ``tokens`` are those so far; ``done`` once it has ended.

    Args:
        tokens: those it begins with, whatever the model says.
        script: what is expected to follow.
        revision: the phrase, and the leaning.
        vocabulary: for what stands behind the phrase.
        ends: the tokens that usually end an answer.
        is_end: whether a token ends an answer.
    """

    def __init__(
        self,
        tokens: Sequence[int],
        script: Sequence[Scripted],
        revision: Revision,
        vocabulary: Vocabulary,
        ends: Sequence[int],
        is_end: Callable[[int], bool],
    ) -> None:
        self.tokens = list(tokens)
        self.done = False
        self._script = list(script)
        self._at = 0
        self._leaning = revision.leaning
        # Of the phrase, where the tokens to begin with end with it.
        self._bordered = needs_border(revision.phrase[-1])
        self._vocabulary = vocabulary
        self._ends = list(ends)
        self._is_end = is_end
        self._left: _Left | None = None
        self._n_left = 0
        self._follow_phrase()

    def leave(self, resume: int) -> None:
        """The script was left for the phrase: it goes on somewhere near, at ``resume`` if nowhere else."""
        self._left = _Left(0, len(self.tokens), resume, resume)

    def guess(self, room: int) -> list[int]:
        """Up to ``room`` tokens that are expected to follow."""
        at = self._at if self._left is None else self._left.usual
        return [scripted.token for scripted in self._script[at : at + max(0, room)]]

    def judge(self, logits: Logits, guess: Sequence[int]) -> None:
        """Decide from the logits after the newest token, and after each of the guesses that followed it."""
        for row, expected in zip(logits, [*guess, None], strict=True):
            n_tokens = len(self.tokens)
            self._decide(row)
            if self.done or self.tokens[n_tokens:] != [expected]:
                return

    def _decide(self, row: Logits) -> None:
        best = int(row.argmax())
        peak = row[best]
        if not np.isfinite(peak):
            raise EngineError(
                _("The model computes no numbers here: its file may be damaged. Fetch or convert it again.")
            )
        if self._left is not None:
            self._find_back(row, best)
            return
        wanted = self._value(row, self._at)
        # The first change makes another necessary at times; the more there have been, the less likely that is.
        free = not self._is_firm(self._at) and peak - wanted > self._leaning * (1 + self._n_left)
        if free and not self._is_out_of_place(best):
            self._n_left += 1
            self._left = _Left(self._at, len(self.tokens), self._at + 1, self._at)
            self.tokens.append(best)
        else:
            self._take(self._at)

    def _find_back(self, row: Logits, best: int) -> None:
        """Go on with the script where it is likely enough, or further astray."""
        left = self._left
        assert left is not None  # noqa: S101 - called where it was left
        last = min(max(left.at + _WINDOW, left.usual), len(self._script))
        firm = next((at for at in range(left.at, last) if self._is_firm(at)), last)
        values = {
            at: self._value(row, at) - _PER_SKIPPED * abs(at - left.usual)
            for at in range(left.at, firm + 1)
            if at in (left.usual, len(self._script)) or not self._runs_on(self._script[at].token)
        }
        at = max(values, key=lambda one: values[one])
        if row[best] - values[at] <= self._leaning:
            self._left = None
            self._take(at)
        elif len(self.tokens) - left.n_tokens >= _MOST_ASTRAY or self._is_out_of_place(best):
            del self.tokens[left.n_tokens :]
            self._left = None
            self._take(left.resume)
        else:
            self.tokens.append(best)

    def _take(self, at: int) -> None:
        """Go on with a token of the script, or end behind its last."""
        self._at = at
        if at == len(self._script):
            self.done = True
        else:
            self.tokens.append(self._script[at].token)
            self._at += 1

    def _follow_phrase(self) -> None:
        """What comes before the end of the first phrase is not up to the model: it has been read already."""
        new = {at for at, scripted in enumerate(self._script) if scripted.new}
        if not new:
            return
        last = min(new)
        while last + 1 in new:
            last += 1
        self.tokens += [scripted.token for scripted in self._script[: last + 1]]
        self._at = last + 1

    def _value(self, row: Logits, at: int) -> float:
        if at == len(self._script):
            return float(row[self._ends].max(initial=-np.inf))
        return float(row[self._script[at].token])

    def _is_firm(self, at: int) -> bool:
        return at < len(self._script) and self._script[at].firm

    def _is_out_of_place(self, token: int) -> bool:
        """Whether a token would end the answer too early, stand for no text, or make one word with the phrase."""
        return self._is_end(token) or not self._vocabulary.piece(token) or self._runs_on(token)

    def _runs_on(self, token: int) -> bool:
        """Whether a token would make one word with what must be a word of its own before it."""
        if self._left is None:
            behind = self._at > 0 and self._script[self._at - 1].bordered
        else:
            behind = self._bordered and len(self.tokens) == self._left.n_tokens
        if not behind:
            return False
        first = self._vocabulary.piece(token).decode(errors="replace")[:1]
        return first == "\ufffd" or joins(first or " ")  # U+FFFD: a part of a character, which may be a letter
