"""What the scheduler needs of a llama context: sequences of tokens in one memory, evaluated together in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bayling_lite.engine.base import SamplingParams

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens to evaluate in one sequence, where ``position`` tokens stand before them.

    Logits are wanted after each of the last ``n_logits`` tokens.
    """

    sequence: int
    position: int
    tokens: Sequence[int]
    n_logits: int


class Outcome(Enum):
    """How an evaluation ended. Unless it is done, the memory may hold part of it."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    FULL = "full"  # no room in the memory for so many tokens


class Sampler(Protocol):
    """Chooses tokens after one request's parameters."""

    def sample(self, row: int) -> int:
        """The next token, from one row of the logits; it counts as said."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Decoder(Protocol):
    """A memory of ``n_cells`` tokens that ``n_sequences`` sequences share, and a model that continues them.

    Sequences copied from one another share their cells. Only the worker thread calls it, apart from :meth:`interrupt`.
    """

    @property
    def n_cells(self) -> int:
        """Tokens that fit, of all sequences together."""
        ...

    @property
    def n_sequences(self) -> int:
        """Sequences there are, numbered from 0."""
        ...

    @property
    def n_batch(self) -> int:
        """Tokens per call of :meth:`decode`."""
        ...

    @property
    def n_outputs(self) -> int:
        """Rows of logits per call of :meth:`decode`."""
        ...

    @property
    def can_rewind(self) -> bool:
        """Whether a sequence can forget its last tokens. Recurrent models cannot: they only start over."""
        ...

    @property
    def logits(self) -> Logits:
        """Of the last :meth:`decode`: (rows, vocabulary), in the order of its chunks. Valid until the next one."""
        ...

    def decode(self, chunks: Sequence[Chunk]) -> Outcome:
        """Evaluate chunks together.

        Raises:
            EngineError: it failed; the memory may hold part of it.
        """
        ...

    def keep(self, sequence: int, n_tokens: int) -> int:
        """Forget all but the first tokens of a sequence; returns how many are left (0 if it cannot rewind)."""
        ...

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        """Let an empty sequence begin with the first tokens of another."""
        ...

    def sampler(self, params: SamplingParams) -> Sampler | None:
        """A sampler for one request, which the caller closes; None for the likeliest token of each row."""
        ...

    def interrupt(self, on: bool) -> None:
        """Let a running evaluation end early, and every later one, until it is switched off."""
        ...

    def close(self) -> None:
        """Free it."""
        ...
