"""Exact packing: many documents in one row, none of which sees another, and their common beginning evaluated once.

A batch is one row of ``prefix + documents``. Every linear layer works on the whole row, with no padding but a few
tokens at its end. Only attention looks at the structure, as
:class:`Layout` tells it: each document attends to the prefix and to its own past. Because the keys and values of a
prefix do not depend on what follows it, this is the same mathematics as evaluating every document alone; a test holds
every backend of :mod:`bayling_finetune.attention` to that. Backends that cannot share a prefix get rows in which each
document carries it (``share_prefix=False``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Document:
    """A tokenized dialogue without the prefix it shares with the others.

    ``ids``: (n,) token ids. ``targets``: (n,) bool, true where the token is a response's and so is to be learnt.
    """

    ids: NDArray[np.int32]
    targets: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is divided: ``n_prefix`` shared tokens (0: none), then groups of (documents, tokens a document)."""

    n_prefix: int
    groups: tuple[tuple[int, int], ...]

    @property
    def n_tokens(self) -> int:
        """Tokens in the row, padding included."""
        return self.n_prefix + sum(count * length for count, length in self.groups)

    @property
    def longest(self) -> int:
        """The most tokens a document attends over, the shared prefix included."""
        return self.n_prefix + max(length for _, length in self.groups)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of every document, the shared prefix not counted."""
        return tuple(length for count, length in self.groups for _ in range(count))


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """One row for the model.

    ``input_ids``, ``position_ids``: (1, N) int64; positions restart after the prefix in every document.
    ``predict_from``: (T,) int64, row indices whose next token is to be learnt. ``predict_ids``: (T,) those next tokens.
    ``real_tokens``: what the documents count one by one, each with its prefix and without padding.
    """

    input_ids: Tensor
    position_ids: Tensor
    predict_from: Tensor
    predict_ids: Tensor
    layout: Layout
    real_tokens: int

    def to(self, device: torch.device) -> PackedBatch:
        """The same batch on another device."""
        if self.input_ids.device == device:
            return self
        return PackedBatch(
            self.input_ids.to(device, non_blocking=True),
            self.position_ids.to(device, non_blocking=True),
            self.predict_from.to(device, non_blocking=True),
            self.predict_ids.to(device, non_blocking=True),
            self.layout,
            self.real_tokens,
        )


def pack(
    prefix: NDArray[np.int32],
    documents: Sequence[Document],
    *,
    share_prefix: bool = True,
    max_padding: int = 0,
    multiple: int = 64,
) -> PackedBatch:
    """Lay documents out in one row.

    Documents are sorted by length; those within ``max_padding`` tokens of each other share a group and are padded to
    its longest (with token 0, never attended to by anything that counts, never learnt). With ``share_prefix`` the
    row begins with the prefix, once; without, every document does.

    The last prefix token predicts the first token of a document, and each document's token the next one.

    At the end stands a document of padding that fills the row up to a ``multiple``, learns nothing and is seen by
    nobody: a CPU library makes and keeps code for every shape of matrix that it meets, nearly a megabyte each.

    Raises:
        ValueError: no documents, an empty one, or one that begins with a target while there is no prefix.
    """
    if not documents or not all(len(document.ids) for document in documents):
        raise ValueError("a batch needs documents, and a document needs tokens")
    if not len(prefix) and any(document.targets[0] for document in documents):
        raise ValueError("a document cannot begin with a response: there is nothing before it to predict it from")
    own = 0 if share_prefix else len(prefix)  # tokens of the prefix that stand in each document
    groups: list[list[Document]] = []
    for document in sorted(documents, key=lambda document: len(document.ids)):
        if groups and len(document.ids) - len(groups[-1][0].ids) <= max_padding:
            groups[-1].append(document)
        else:
            groups.append([document])
    sizes = [(len(group), own + len(group[-1].ids)) for group in groups]
    layout = Layout(len(prefix) - own, tuple(sizes))
    if missing := -layout.n_tokens % multiple:
        layout = Layout(layout.n_prefix, (*sizes, (1, missing)))
    ids = np.zeros(layout.n_tokens, dtype=np.int64)
    positions = np.empty(layout.n_tokens, dtype=np.int64)
    ids[: layout.n_prefix] = prefix[: layout.n_prefix]
    positions[: layout.n_prefix] = np.arange(layout.n_prefix)
    predict_from: list[NDArray[np.int64]] = []
    predict_ids: list[NDArray[np.int64]] = []
    start = layout.n_prefix
    for group, (_, length) in zip(groups, sizes, strict=True):
        for document in group:
            first = start + own  # where the document's own tokens begin
            ids[start:first] = prefix[len(prefix) - own :]
            ids[first : first + len(document.ids)] = document.ids
            positions[start : start + length] = np.arange(layout.n_prefix, layout.n_prefix + length)
            learnt = np.flatnonzero(document.targets)
            sources = learnt + (first - 1)
            if len(learnt) and learnt[0] == 0 and not own:
                sources[0] = layout.n_prefix - 1
            predict_from.append(sources)
            predict_ids.append(document.ids[learnt].astype(np.int64))
            start += length
    positions[start:] = np.arange(layout.n_prefix, layout.n_prefix + missing)
    return PackedBatch(
        torch.from_numpy(ids)[None],
        torch.from_numpy(positions)[None],
        torch.from_numpy(np.concatenate(predict_from)),
        torch.from_numpy(np.concatenate(predict_ids)),
        layout,
        sum(len(prefix) + len(document.ids) for document in documents),
    )
