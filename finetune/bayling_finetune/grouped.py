"""Attention of many short documents as batches of plain matrix products, for devices without a kernel of their own.

Documents of like length are padded to one of a few lengths and make a tile; within a tile, queries go in blocks that
look no further than they may, so that of long documents' scores less than half is computed for nothing. As in
FlashAttention (arXiv 2205.14135), only query, key, value, output and one number a query are kept: the backward pass
makes the probabilities again. A CPU library compiles a product for every shape it meets and keeps it, hence the few
lengths and the counts in powers of two.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from bayling_finetune.packing import Layout

BLOCK = 128
"""Queries of a document at a time."""

_LARGEST_COUNT = 8
_LARGEST_TILE = 2048  # tokens, so that long documents do not add up


class AttentionKernels(Protocol):
    """The pointwise parts of attention, fused or as they are; see fused.py."""

    @property
    def exponentials(self) -> Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor, Tensor]]:
        """(scores, bias, scale) -> exponentials, their sums, logarithms of the normalizers."""

    @property
    def attention_gradient(self) -> Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, float], tuple[Tensor, Tensor]]:
        """(scores, bias, normalizers, gradient of the probabilities, products, scale) -> probabilities, gradient."""

    @property
    def products(self) -> Callable[[Tensor, Tensor], Tensor]:
        """Sums of products over the last axis, which stays."""


@dataclass(frozen=True, slots=True)
class Tile:
    """``count`` documents of ``length`` tokens, padded, which begin at ``start`` of the padded row."""

    start: int
    count: int
    length: int
    n_prefix: int

    def blocks(self) -> list[tuple[int, int]]:
        """The queries' blocks: from, to."""
        return [(begin, min(begin + BLOCK, self.length)) for begin in range(0, self.length, BLOCK)]


@dataclass(frozen=True)
class Tiling:
    """A row's tiles, in a row of their own, which is padded by repeating each document's last token.

    ``spread``: (padded,) which token of the row stands there; ``back``: (N,) where a token went; ``real``:
    (padded, 1, 1) bool, false for padding.
    """

    tiles: tuple[Tile, ...]
    spread: Tensor
    back: Tensor
    real: Tensor

    @classmethod
    @functools.lru_cache(maxsize=8)
    def of(cls, layout: Layout, device: torch.device) -> Tiling:
        """Lay out a row; the shared prefix is the first tile."""
        documents = [(layout.n_prefix, 0)] if layout.n_prefix else []  # (tokens, prefix)
        documents += [(length, layout.n_prefix) for length in layout.lengths]
        tiles: list[Tile] = []
        spread: list[Tensor] = []
        back: list[Tensor] = []
        row = padded = number = 0
        while number < len(documents):
            length, n_prefix = _rounded(documents[number][0]), documents[number][1]
            alike = number
            while alike < len(documents) and (_rounded(documents[alike][0]), documents[alike][1]) == (length, n_prefix):
                alike += 1
            most = max(1, min(alike - number, _LARGEST_COUNT, _LARGEST_TILE // length))
            count = 1 << most.bit_length() - 1
            tiles.append(Tile(padded, count, length, n_prefix))
            for tokens, _ in documents[number : number + count]:
                spread.append(torch.arange(length).clamp(max=tokens - 1) + row)
                back.append(torch.arange(tokens) + padded)
                row, padded = row + tokens, padded + length
            number += count
        gone = torch.cat(back)
        real = torch.zeros(padded, 1, 1, dtype=torch.bool)
        real[gone] = True
        return cls(tuple(tiles), torch.cat(spread).to(device), gone.to(device), real.to(device))


def _rounded(length: int) -> int:
    """To one of few lengths, not much more than it is."""
    step = 16 if length <= 64 else 32
    return -(-length // step) * step


@functools.lru_cache(maxsize=256)
def _bias(begin: int, end: int, n_prefix: int, device: torch.device) -> Tensor:
    """(end - begin, n_prefix + end) float32: 0 for the prefix and a query's past, else a number far below any score."""
    seen = torch.ones(end, end, dtype=torch.bool, device=device).tril()[begin:]
    seen = torch.cat((torch.ones(end - begin, n_prefix, dtype=torch.bool, device=device), seen), dim=1)
    return torch.where(seen, 0.0, -1e30)


def _queries(states: Tensor, tile: Tile, kv_heads: int) -> Tensor:
    """(padded, heads, d) -> (documents, kv_heads, heads that share keys, tokens, d), a view."""
    rows = states[tile.start : tile.start + tile.count * tile.length]
    return rows.view(tile.count, tile.length, kv_heads, -1, rows.shape[-1]).permute(0, 2, 3, 1, 4)


def _keys(states: Tensor, tile: Tile) -> Tensor:
    """(padded, kv_heads, d) -> (documents * kv_heads, prefix + tokens, d): what a tile's documents attend over."""
    own = states[tile.start : tile.start + tile.count * tile.length].view(tile.count, tile.length, *states.shape[1:])
    if tile.n_prefix:
        own = torch.cat((states[: tile.n_prefix].expand(tile.count, -1, -1, -1), own), dim=1)
    return own.transpose(1, 2).flatten(0, 1)


class _Grouped(torch.autograd.Function):
    """Documents alike in length as a batch of matrices, heads that share keys as rows of one."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float, kernels: AttentionKernels
    ) -> Tensor:
        tiling = Tiling.of(layout, query.device)
        queries, keys, values = (states.index_select(0, tiling.spread) for states in (query, key, value))
        mixed = torch.empty_like(queries)
        normalizers: list[Tensor] = []
        for tile in tiling.tiles:
            tile_queries, tile_mixed = (_queries(states, tile, key.shape[1]) for states in (queries, mixed))
            tile_keys, tile_values = _keys(keys, tile), _keys(values, tile)
            for begin, end in tile.blocks():
                seen = tile.n_prefix + end
                block = _rows(tile_queries, begin, end)
                scores = (block @ tile_keys[:, :seen].mT).view(len(block), -1, end - begin, seen)
                bias = _bias(begin, end, tile.n_prefix, query.device)
                weights, sums, normalizer = kernels.exponentials(scores, bias, scale)
                heads = (weights.flatten(1, 2) @ tile_values[:, :seen]) / sums.flatten(1, 2)
                tile_mixed[:, :, :, begin:end].copy_(heads.view(tile_mixed[:, :, :, begin:end].shape))
                normalizers.append(normalizer)
        output = mixed.index_select(0, tiling.back)
        ctx.save_for_backward(query, key, value, output, *normalizers)
        ctx.layout, ctx.scale, ctx.kernels = layout, scale, kernels
        return output

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, output, *normalizers = ctx.saved_tensors
        tiling, left = Tiling.of(ctx.layout, query.device), iter(normalizers)
        n_prefix = ctx.layout.n_prefix
        queries, keys, values = (states.index_select(0, tiling.spread) for states in (query, key, value))
        # What stands in for padding is a real token's: no gradient may come from it.
        given = outputs[0].index_select(0, tiling.spread).mul_(tiling.real)
        products = ctx.kernels.products(outputs[0], output).index_select(0, tiling.spread).mul_(tiling.real)
        query_gradient, key_gradient, value_gradient = (torch.empty_like(states) for states in (queries, keys, values))
        # Every document adds to the prefix's gradients: in float32.
        key_sum, value_sum = (keys.new_zeros(n_prefix, *key.shape[1:], dtype=torch.float32) for _ in range(2))
        for tile in tiling.tiles:
            tile_queries, tile_given, tile_products, tile_gradient = (
                _queries(states, tile, key.shape[1]) for states in (queries, given, products, query_gradient)
            )
            tile_keys, tile_values = _keys(keys, tile), _keys(values, tile)
            tile_key_gradient, tile_value_gradient = torch.zeros_like(tile_keys), torch.zeros_like(tile_values)
            for begin, end in tile.blocks():
                seen = tile.n_prefix + end
                block, block_given = _rows(tile_queries, begin, end), _rows(tile_given, begin, end)
                shape = (len(block), -1, end - begin, seen)
                probabilities, gradient = ctx.kernels.attention_gradient(
                    (block @ tile_keys[:, :seen].mT).view(shape),
                    _bias(begin, end, tile.n_prefix, query.device),
                    next(left),
                    (block_given @ tile_values[:, :seen].mT).view(shape),
                    tile_products[:, :, :, begin:end].flatten(0, 1),
                    ctx.scale,
                )
                probabilities, gradient = probabilities.flatten(1, 2), gradient.flatten(1, 2)
                tile_value_gradient[:, :seen] += probabilities.mT @ block_given
                tile_key_gradient[:, :seen] += gradient.mT @ block
                wanted = tile_gradient[:, :, :, begin:end]
                wanted.copy_((gradient @ tile_keys[:, :seen]).view(wanted.shape))
            _put(key_gradient, key_sum, tile_key_gradient, tile)
            _put(value_gradient, value_sum, tile_value_gradient, tile)
        if n_prefix:
            key_gradient[:n_prefix] += key_sum
            value_gradient[:n_prefix] += value_sum
        found = (states.index_select(0, tiling.back) for states in (query_gradient, key_gradient, value_gradient))
        return (*found, None, None, None)


def _rows(queries: Tensor, begin: int, end: int) -> Tensor:
    """Some tokens of (documents, kv_heads, R, tokens, d) as (documents * kv_heads, R * tokens, d)."""
    return queries[:, :, :, begin:end].flatten(0, 1).flatten(1, 2)


def _put(states: Tensor, prefix: Tensor, rows: Tensor, tile: Tile) -> None:
    """The way back of :func:`_keys`, into ``states``; what belongs to the shared prefix is added to ``prefix``."""
    rows = rows.view(tile.count, -1, *rows.shape[1:]).transpose(1, 2)
    wanted = states[tile.start : tile.start + tile.count * tile.length]
    wanted.view(tile.count, tile.length, *states.shape[1:]).copy_(rows[:, tile.n_prefix :])
    if tile.n_prefix:
        prefix += rows[:, : tile.n_prefix].sum(0, dtype=torch.float32)


def grouped_attention(
    query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float, *, kernels: AttentionKernels
) -> Tensor:
    """Attention over one packed row; shapes as in attention.py."""
    mixed: Tensor = _Grouped.apply(query, key, value, layout, scale, kernels)  # type: ignore[no-untyped-call]
    return mixed
