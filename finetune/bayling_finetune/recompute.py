"""Activations that the backward pass makes again instead of keeping them.

A linear layer keeps its input for the gradient of its weight. Where that input is a pointwise function of tensors that
are kept anyway (a norm of the residual stream, the product in SwiGLU), keeping it as well buys nothing: making it again
takes one quick pass. :class:`Recomputing` does so for whatever layer keeps it, be it plain, low-rank or quantized.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import torch
from torch import Tensor


@dataclass(slots=True)
class _Recipe:
    """How to make a tensor again; ``uses`` of it are kept by layers, ``left`` of them not yet asked for."""

    make: Callable[[], Tensor]
    tensor: Tensor  # the one it replaces: until the context ends, so that no other takes its place in memory
    uses: int = 0
    left: int = 0
    made: Tensor | None = None

    def take(self) -> Tensor:
        if self.made is None:
            with torch.no_grad():
                self.made = self.make()
            self.left = self.uses
        made = self.made
        self.left -= 1
        if not self.left:  # the last layer that needs it: gone before the backward pass goes on
            self.made = None
        return made


class Recomputing:
    """While it is entered, tensors given to :meth:`again` are kept as the way to make them. One for each use."""

    def __init__(self) -> None:
        self._recipes: dict[int, _Recipe] = {}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, _unpack)

    def __enter__(self) -> Recomputing:
        self._hooks.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._hooks.__exit__(kind, error, traceback)
        for recipe in self._recipes.values():
            recipe.tensor = torch.empty(0)
        self._recipes.clear()

    def again(self, tensor: Tensor, make: Callable[[], Tensor]) -> Tensor:
        """``tensor``, which ``make`` gives again, from tensors that are kept (detached: it holds on to them)."""
        self._recipes[tensor.data_ptr()] = _Recipe(make, tensor)
        return tensor

    def _pack(self, tensor: Tensor) -> Tensor | tuple[_Recipe, torch.Size]:
        recipe = self._recipes.get(tensor.data_ptr())
        if (
            recipe is None
            or tensor.dtype != recipe.tensor.dtype
            or tensor.numel() != recipe.tensor.numel()
            or not tensor.is_contiguous()
        ):
            return tensor
        recipe.uses += 1
        return recipe, tensor.shape


def _unpack(packed: Tensor | tuple[_Recipe, torch.Size]) -> Tensor:
    if isinstance(packed, Tensor):
        return packed
    recipe, shape = packed
    return recipe.take().view(shape)
