"""Where the rows of a tensor to write come from: one stored tensor, or several put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bayling_convert.reading.shards import Index, Located, Shards


class Source(Protocol):
    """Rows of one tensor, under its name in the checkpoint."""

    @property
    def name(self) -> str:
        """The name in the checkpoint, for messages."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns), or (n,)."""
        ...

    @property
    def parts(self) -> tuple[Located, ...]:
        """The stored tensors it is made of, the one that decides the order of work first."""
        ...

    @property
    def recipe(self) -> str:
        """What decides the rows besides the parts: with other such numbers, it is another tensor."""
        ...

    def rows(self, shards: Shards, index: Index) -> npt.NDArray[np.float32]:
        """The chosen rows as float32, C-contiguous. All ``parts`` are open."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """A stored tensor as it is."""

    part: Located
    recipe = ""

    @property
    def name(self) -> str:
        """Its own."""
        return self.part.tensor.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Its own."""
        return self.part.tensor.shape

    @property
    def parts(self) -> tuple[Located, ...]:
        """Itself."""
        return (self.part,)

    def rows(self, shards: Shards, index: Index) -> npt.NDArray[np.float32]:
        """The rows as they are."""
        return shards.rows(self.part, index)


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """Values that follow from the configuration, float32."""

    name: str
    values: npt.NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        return self.values.shape

    @property
    def parts(self) -> tuple[Located, ...]:
        """Nothing is read."""
        return ()

    @property
    def recipe(self) -> str:
        """The values themselves."""
        return self.values.tobytes().hex()

    def rows(self, shards: Shards, index: Index) -> npt.NDArray[np.float32]:  # noqa: ARG002 - as every source
        """The chosen values."""
        return np.ascontiguousarray(self.values[index])


@dataclass(frozen=True, slots=True)
class Scaled:
    """A stored matrix times a number, transposed or not. It is read whole, so it should be a thin one."""

    part: Located
    factor: float = 1.0
    transposed: bool = False

    @property
    def name(self) -> str:
        """The matrix's own."""
        return self.part.tensor.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result."""
        return self.part.tensor.shape[::-1] if self.transposed else self.part.tensor.shape

    @property
    def parts(self) -> tuple[Located, ...]:
        """The matrix."""
        return (self.part,)

    @property
    def recipe(self) -> str:
        """How it is scaled and turned."""
        return f"{self.factor} {self.transposed}"

    def rows(self, shards: Shards, index: Index) -> npt.NDArray[np.float32]:
        """The chosen rows of the result."""
        values = shards.rows(self.part, slice(None)) * np.float32(self.factor)
        return np.ascontiguousarray((values.T if self.transposed else values)[index])
