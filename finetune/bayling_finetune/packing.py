"""Exact packing: many documents in one row, none of which sees another, and their common beginning evaluated once.

A batch is one row of ``prefix + documents``. Every linear layer works on the whole row, with no padding but the few
tokens that even out documents of nearly the same length. Only attention looks at the structure: each document attends
to the prefix and to its own past. Because the keys and values of a prefix do not depend on what follows it, this is
the same mathematics as evaluating every document alone; a test holds it to that.

The attention function is registered with transformers under :data:`ATTENTION`, so the model stays its
``LlamaForCausalLM``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface

ATTENTION = "bayling_packed"

Softmax = Callable[[Tensor, Tensor, float], Tensor]


@dataclass(frozen=True, slots=True)
class Document:
    """A tokenized dialogue without the prefix it shares with the others.

    ``ids``: (n,) token ids. ``targets``: (n,) bool, true where the token is a response's and so is to be learnt.
    """

    ids: NDArray[np.int32]
    targets: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is divided: ``n_prefix`` tokens, then groups of (documents, tokens a document)."""

    n_prefix: int
    groups: tuple[tuple[int, int], ...]

    @property
    def n_tokens(self) -> int:
        """Tokens in the row, padding included."""
        return self.n_prefix + sum(count * length for count, length in self.groups)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """One row for the model.

    ``input_ids``, ``position_ids``: (1, N) int64; positions restart after the prefix in every document.
    ``predict_from``: (T,) int64, row indices whose next token is to be learnt. ``predict_ids``: (T,) those next tokens.
    """

    input_ids: Tensor
    position_ids: Tensor
    predict_from: Tensor
    predict_ids: Tensor
    layout: Layout

    def to(self, device: torch.device) -> PackedBatch:
        """The same batch on another device."""
        return PackedBatch(
            self.input_ids.to(device),
            self.position_ids.to(device),
            self.predict_from.to(device),
            self.predict_ids.to(device),
            self.layout,
        )


def pack(prefix: NDArray[np.int32], documents: Sequence[Document], *, max_padding: int = 2) -> PackedBatch:
    """Lay documents out in one row.

    Documents are sorted by length; those within ``max_padding`` tokens of each other share a group and are padded to
    its longest (with token 0, never attended to by anything that counts, never learnt).

    The last prefix token predicts the first token of a document, and each document's token the next one. A document
    whose first token is a target is refused, because its prediction would have to start from the shared prefix.

    Raises:
        ValueError: no documents, an empty prefix, or a document that begins with a target.
    """
    if not len(documents) or not len(prefix):
        raise ValueError("a batch needs documents and a prefix")
    ordered = sorted(documents, key=lambda document: len(document.ids))
    groups: list[list[Document]] = []
    for document in ordered:
        if groups and len(document.ids) - len(groups[-1][0].ids) <= max_padding:
            groups[-1].append(document)
        else:
            groups.append([document])
    layout = Layout(len(prefix), tuple((len(group), len(group[-1].ids)) for group in groups))
    ids = np.zeros(layout.n_tokens, dtype=np.int64)
    positions = np.empty(layout.n_tokens, dtype=np.int64)
    ids[: len(prefix)] = prefix
    positions[: len(prefix)] = np.arange(len(prefix))
    predict_from: list[NDArray[np.int64]] = []
    start = len(prefix)
    for group, (_, length) in zip(groups, layout.groups, strict=True):
        for document in group:
            if document.targets[0]:
                raise ValueError("a document cannot begin with a response")
            ids[start : start + len(document.ids)] = document.ids
            positions[start : start + length] = np.arange(len(prefix), len(prefix) + length)
            predict_from.append(np.flatnonzero(document.targets) + start - 1)
            start += length
    sources = np.concatenate(predict_from)
    return PackedBatch(
        torch.from_numpy(ids)[None],
        torch.from_numpy(positions)[None],
        torch.from_numpy(sources),
        torch.from_numpy(ids[sources + 1]),
        layout,
    )


@functools.lru_cache(maxsize=512)
def _mask(length: int, n_prefix: int, device: torch.device) -> Tensor:
    """(length, n_prefix + length) bool: all of the prefix, and the document's own past."""
    own = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    return torch.cat((torch.ones(length, n_prefix, dtype=torch.bool, device=device), own), dim=1)


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    layout: Layout,
    scaling: float | None = None,
    softmax: Softmax | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attention over one packed row, in the shape transformers wants.

    query: (1, heads, N, head_dim). key, value: (1, kv_heads, N, head_dim). Returns (1, N, heads, head_dim).
    ``softmax`` replaces torch's fused attention by plain matrix products around it: on a CPU, for short documents,
    their backward pass takes a third of the time.
    """
    del module, attention_mask  # the layout says it all
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    repeat = query.shape[1] // key.shape[1]
    if repeat > 1:
        key, value = (states.repeat_interleave(repeat, dim=1) for states in (key, value))
    # split, not slices: the gradient of a slice fills a tensor of the whole row with zeros, that of a split does not
    sizes = [layout.n_prefix, *(count * length for count, length in layout.groups)]
    queries, keys, values = (torch.split(states, sizes, dim=2) for states in (query, key, value))

    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        # (count, heads, length, head_dim) -> (count * length, heads, head_dim)
        if softmax is not None and query.device.type == "cpu":
            mixed = softmax(query @ key.transpose(-1, -2), mask, scale) @ value
        else:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
        return mixed.transpose(1, 2).flatten(0, 1)

    rows = [attend(queries[0], keys[0], values[0], _mask(layout.n_prefix, 0, query.device))]
    for number, (count, length) in enumerate(layout.groups, start=1):
        own_query, own_key, own_value = (
            states[number][0].reshape(-1, count, length, states[number].shape[-1]).transpose(0, 1)
            for states in (queries, keys, values)
        )
        rows.append(
            attend(
                own_query,
                torch.cat((keys[0].expand(count, -1, -1, -1), own_key), dim=2),
                torch.cat((values[0].expand(count, -1, -1, -1), own_value), dim=2),
                _mask(length, layout.n_prefix, query.device),
            )
        )
    return torch.cat(rows)[None], None


def _no_mask(*_: object, **__: object) -> None:
    """Transformers asks for a mask; the layout replaces it."""


AttentionInterface.register(ATTENTION, packed_attention)
AttentionMaskInterface.register(ATTENTION, _no_mask)
