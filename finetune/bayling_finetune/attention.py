"""Attention over one packed row, by any of several backends, all of them exact: documents never see each other.

=========  ======================================================  ===============  ==============
name       how                                                     where            shares prefix
=========  ======================================================  ===============  ==============
grouped    documents alike in length as a batch of matrices        anywhere         yes
sdpa       PyTorch's fused attention, one call a group             anywhere         yes
varlen     PyTorch's FlashAttention over offsets                   CUDA, 16 bits    no
flex       PyTorch's FlexAttention with a mask by document         CUDA             yes
flash      the flash-attn package                                  CUDA, 16 bits    no
=========  ======================================================  ===============  ==============

``auto`` takes ``varlen`` on CUDA in 16 bits, as it is part of PyTorch and the same algorithm as ``flash``, and ``sdpa``
in 32 bits. Elsewhere it is ``grouped``, which on a CPU takes 0.4 to 1.0 of the time of the fused attention, forward and
backward, for documents of 64 to 2,048 tokens, and ``sdpa`` for rows with longer ones.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bayling_finetune.grouped import AttentionKernels, grouped_attention
from bayling_finetune.packing import Layout
from bayling_lite.errors import RecipeError

SHORT = 2048
"""Up to so many tokens attended over, ``auto`` multiplies matrices on a CPU."""

Attention = Callable[[Tensor, Tensor, Tensor, Layout, float], Tensor]
"""(query (N, heads, d), key (N, kv_heads, d), value (N, kv_heads, d), layout, scale) -> (N, heads, d)."""


def shares_prefix(name: str, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether rows for this backend may begin with a shared prefix: the ``share_prefix`` of :func:`packing.pack`."""
    return resolve(name, device, dtype) not in ("varlen", "flash")


def resolve(name: str, device: torch.device, dtype: torch.dtype) -> str:
    """The backend a name of ``hardware.attention`` means here; ``auto`` on a CPU stays, as it decides by the row.

    Raises:
        RecipeError: the backend does not run on this device, in this precision, or without a package not installed.
    """
    cuda = device.type == "cuda"
    narrow = dtype in (torch.bfloat16, torch.float16)
    if name == "auto":
        return ("varlen" if narrow else "sdpa") if cuda else "auto"
    if name in ("varlen", "flex", "flash") and not cuda:
        raise RecipeError(
            f'hardware.attention = "{name}" runs on CUDA devices only; here, "auto", "grouped" and "sdpa" do.'
        )
    if name in ("varlen", "flash") and not narrow:
        raise RecipeError(f'hardware.attention = "{name}" computes in 16 bits; set precision = "bf16", or "auto" here.')
    if name == "flash" and importlib.util.find_spec("flash_attn") is None:
        raise RecipeError('hardware.attention = "flash" needs the package flash-attn: install it, or set "varlen".')
    if name not in ("grouped", "sdpa", "varlen", "flex", "flash"):
        raise RecipeError(f"hardware.attention: there is no {name!r}.")
    return name


def backend(name: str, kernels: AttentionKernels, device: torch.device, dtype: torch.dtype) -> Attention:
    """The function that does it.

    Raises:
        RecipeError: see :func:`resolve`.
    """
    grouped: Attention = functools.partial(grouped_attention, kernels=kernels)

    def auto(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float) -> Tensor:
        return (grouped if layout.longest <= SHORT else sdpa_attention)(query, key, value, layout, scale)

    known: dict[str, Attention] = {
        "auto": auto,
        "grouped": grouped,
        "sdpa": sdpa_attention,
        "varlen": varlen_attention,
        "flex": flex_attention,
        "flash": flash_attention,
    }
    return known[resolve(name, device, dtype)]


def _blocks(layout: Layout) -> list[tuple[int, int, int, int]]:
    """The row's parts as (first token, documents, tokens each, tokens of the prefix they see); the prefix is one."""
    blocks = [(0, 1, layout.n_prefix, 0)] if layout.n_prefix else []
    start = layout.n_prefix
    for count, length in layout.groups:
        blocks.append((start, count, length, layout.n_prefix))
        start += count * length
    return blocks


@functools.lru_cache(maxsize=512)
def _mask(length: int, n_prefix: int, device: torch.device) -> Tensor:
    """(length, n_prefix + length) bool: all of the prefix, and the document's own past."""
    own = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    return torch.cat((torch.ones(length, n_prefix, dtype=torch.bool, device=device), own), dim=1)


def _with_prefix(states: Tensor, block: tuple[int, int, int, int]) -> Tensor:
    """(N, kv_heads, d) -> (documents, kv_heads, prefix + tokens, d): what the documents of a block attend over."""
    start, count, length, n_prefix = block
    own = states[start : start + count * length].view(count, length, *states.shape[1:])
    if n_prefix:
        own = torch.cat((states[:n_prefix].expand(count, -1, -1, -1), own), dim=1)
    return own.transpose(1, 2)


def sdpa_attention(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float) -> Tensor:
    """PyTorch's fused attention, one call for each group of documents of one length."""
    repeat = query.shape[1] // key.shape[1]
    rows: list[Tensor] = []
    for block in _blocks(layout):
        start, count, length, n_prefix = block
        queries = query[start : start + count * length].view(count, length, *query.shape[1:]).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(
            queries,
            _with_prefix(key, block),
            _with_prefix(value, block),
            attn_mask=_mask(length, n_prefix, query.device) if n_prefix else None,
            is_causal=not n_prefix,
            scale=scale,
            enable_gqa=repeat > 1,
        )
        rows.append(mixed.transpose(1, 2).flatten(0, 1))
    return torch.cat(rows)


@functools.lru_cache(maxsize=8)
def _offsets(layout: Layout, device: torch.device) -> Tensor:
    """(documents + 1,) int32: where every document of a row begins, and the end."""
    lengths = torch.tensor((0, *layout.lengths), dtype=torch.int32)
    return lengths.cumsum(0, dtype=torch.int32).to(device)


def _unshared(layout: Layout) -> None:
    if layout.n_prefix:
        raise ValueError("this attention needs rows in which every document carries its prefix: share_prefix=False")


def varlen_attention(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float) -> Tensor:
    """PyTorch's FlashAttention over offsets (``torch.nn.attention.varlen``)."""
    from torch.nn.attention.varlen import varlen_attn

    _unshared(layout)
    offsets = _offsets(layout, query.device)
    mixed: Any = varlen_attn(  # a pair only where the normalizers are asked for
        query,
        key,
        value,
        offsets,
        offsets,
        layout.longest,
        layout.longest,
        scale=scale,
        window_size=(-1, 0),  # all of the past, nothing of the future
        enable_gqa=query.shape[1] != key.shape[1],
    )
    heads: Tensor = mixed
    return heads


def flash_attention(query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float) -> Tensor:
    """The flash-attn package's attention over offsets (arXiv 2307.08691)."""
    _unshared(layout)
    offsets = _offsets(layout, query.device)
    mixed: Tensor = importlib.import_module("flash_attn").flash_attn_varlen_func(
        query, key, value, offsets, offsets, layout.longest, layout.longest, softmax_scale=scale, causal=True
    )
    return mixed


@functools.lru_cache(maxsize=8)
def _block_mask(layout: Layout, device: torch.device) -> Any:
    """FlexAttention's mask: the prefix, which is document 0, and the own document's past."""
    from torch.nn.attention.flex_attention import create_block_mask

    numbers = torch.arange(1, len(layout.lengths) + 1).repeat_interleave(torch.tensor(layout.lengths))
    document = torch.cat((torch.zeros(layout.n_prefix, dtype=torch.int64), numbers)).to(device)

    def visible(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & ((document[query] == document[key]) | (document[key] == 0))

    n_tokens = layout.n_tokens
    return create_block_mask(visible, None, None, n_tokens, n_tokens, device=str(device))


@functools.cache
def _compiled_flex() -> Callable[..., Any]:
    from torch.nn.attention.flex_attention import flex_attention as flex

    compiled: Callable[..., Any] = torch.compile(flex, dynamic=True)
    return compiled


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    layout: Layout,
    scale: float,
    *,
    flex: Callable[..., Any] | None = None,
) -> Tensor:
    """PyTorch's FlexAttention (arXiv 2412.05496), compiled, or the function given."""
    mixed: Tensor = (flex or _compiled_flex())(
        *(states.transpose(0, 1)[None] for states in (query, key, value)),
        block_mask=_block_mask(layout, query.device),
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return mixed[0].transpose(0, 1)
