"""The sequences of a context and what they hold: prefixes found again, copied instead of evaluated, forgotten in time.

A sequence whose request has ended keeps its tokens, so that the next turn of its conversation evaluates only what it
adds. Sequences copied from one another share their memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bayling_lite.engine.decoder import Decoder

# What is kept of requests that have ended: the last few, and no more than an eighth of the memory. Each step looks at
# every cell up to the last that is used, so idle ones cost time as well as room.
_IDLE_SLOTS = 4
_IDLE_SHARE = 8
# A copied prefix shorter than this is not worth a sequence.
_WORTHWHILE = 8


@dataclass(eq=False, slots=True)
class Slot:
    """One sequence: its number, the tokens in memory, whether a request works on it, when it was last used.

    ``n_shared`` of the tokens were copied: they took no memory of their own.
    """

    number: int
    tokens: list[int] = field(default_factory=list)
    busy: bool = False
    used: int = 0
    n_shared: int = 0


class Sequences:
    """All sequences of a decoder. Only the worker thread uses it. Without ``keep`` a request that has ended leaves
    nothing, so that the next one begins as the first one did.
    """

    def __init__(self, decoder: Decoder, *, keep: bool = True) -> None:
        self._decoder = decoder
        self._keep = keep
        self._slots = [Slot(number) for number in range(decoder.n_sequences)]
        self._clock = 0

    @property
    def n_busy_tokens(self) -> int:
        """Tokens that the busy slots hold in memory (fewer than they do when the owner of shared ones has gone)."""
        return sum(len(slot.tokens) - slot.n_shared for slot in self._slots if slot.busy)

    def reusable(self, prompt: Sequence[int]) -> int:
        """How many tokens of a prompt :meth:`place` would find in memory."""
        return max((self._usable(slot, prompt) for slot in self._slots), default=0)

    def place(self, prompt: Sequence[int]) -> Slot | None:
        """A slot for a prompt that begins with as much of it as any sequence holds; None when all are busy.

        The last token of the prompt is never taken from memory: it is evaluated for the logits after it.
        """
        best = max(self._slots, key=lambda slot: (self._usable(slot, prompt), slot.used))
        n_common = self._usable(best, prompt)
        target = best if not best.busy and self._continues(best, n_common) else self._idle(best)
        if target is None and not best.busy:
            target = best
        if target is None:
            return None
        if target is best:
            self.trim(target, n_common)
        else:
            self.trim(target, 0)
            if n_common >= _WORTHWHILE:
                self._copy(best, target, n_common)
        self._take(target)
        return target

    def fork(self, slot: Slot) -> Slot | None:
        """A busy slot with the same tokens; None when there is no room for one."""
        copy = self._idle(slot)
        if copy is not None:
            self.trim(copy, 0)
            self._copy(slot, copy, len(slot.tokens))
            self._take(copy)
        return copy

    def refill(self, slot: Slot, source: Slot) -> None:
        """Replace the tokens of a slot by those of another."""
        self.trim(slot, 0)
        self._copy(source, slot, len(source.tokens))

    def trim(self, slot: Slot, n_tokens: int) -> None:
        """Forget what comes after the first tokens of a slot (everything, where the model cannot forget in part)."""
        if n_tokens < len(slot.tokens):
            self._cut(slot, n_tokens)

    def restore(self, slot: Slot) -> None:
        """Bring the memory back to the slot's tokens, after an evaluation that did not end."""
        self._cut(slot, len(slot.tokens))

    def release(self, slot: Slot) -> None:
        """A request has ended: its tokens stay for the next, as long as idle ones are few."""
        slot.busy = False
        if not self._keep:
            self.trim(slot, 0)
        room = self._decoder.n_cells // _IDLE_SHARE
        idle = sorted((one for one in self._slots if not one.busy and one.tokens), key=lambda one: -one.used)
        for position, one in enumerate(idle):
            room -= len(one.tokens)
            if position and (room < 0 or position >= _IDLE_SLOTS):
                self.trim(one, 0)

    def drop(self, slot: Slot) -> None:
        """A request gave its slot up: forget it."""
        slot.busy = False
        self.trim(slot, 0)

    def evict(self) -> bool:
        """Forget the idle slot that was used longest ago; false when there is none."""
        idle = [slot for slot in self._slots if not slot.busy and slot.tokens]
        if idle:
            self.trim(min(idle, key=lambda slot: slot.used), 0)
        return bool(idle)

    def _usable(self, slot: Slot, prompt: Sequence[int]) -> int:
        """Tokens of a prompt that can be taken from a slot."""
        n_common = common_prefix(slot.tokens, prompt, len(prompt) - 1)
        if not self._decoder.can_rewind and n_common < len(slot.tokens):
            return 0
        return n_common

    def _continues(self, slot: Slot, n_common: int) -> bool:
        """Whether a prompt goes on where a slot ends, more or less, so that little is lost by writing over it."""
        return 2 * n_common >= len(slot.tokens)

    def _idle(self, besides: Slot) -> Slot | None:
        """An idle slot: an empty one, else the one used longest ago."""
        idle = [slot for slot in self._slots if not slot.busy and slot is not besides]
        return min(idle, key=lambda slot: (bool(slot.tokens), slot.used), default=None)

    def _cut(self, slot: Slot, n_tokens: int) -> None:
        del slot.tokens[self._decoder.keep(slot.number, n_tokens) :]
        slot.n_shared = min(slot.n_shared, len(slot.tokens))

    def _copy(self, source: Slot, target: Slot, n_tokens: int) -> None:
        self._decoder.copy(source.number, target.number, n_tokens)
        target.tokens[:] = source.tokens[:n_tokens]
        target.n_shared = n_tokens

    def _take(self, slot: Slot) -> None:
        self._clock += 1
        slot.busy, slot.used = True, self._clock


def common_prefix(one: Sequence[int], other: Sequence[int], limit: int) -> int:
    """Length of the common beginning of two lists, at most ``limit``."""
    low, high = 0, min(len(one), len(other), max(limit, 0))
    # Comparing slices is a loop in C, so halving beats looking at each token in turn.
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
