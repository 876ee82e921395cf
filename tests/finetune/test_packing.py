"""How documents are laid out in a row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bayling_finetune.packing import Document, Layout, pack
from tests.finetune.rows import PREFIX, some_documents


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("max_padding", [0, 2, 100])
def test_every_target_is_predicted_from_the_token_before_it(share: bool, max_padding: int) -> None:
    documents = some_documents()
    batch = pack(PREFIX, documents, share_prefix=share, max_padding=max_padding)
    whole = [np.concatenate((PREFIX, document.ids)) for document in documents]
    expected = sorted(
        (int(ids[position - 1]), int(ids[position]), int(position - 1))
        for ids, document in zip(whole, documents, strict=True)
        for position in np.flatnonzero(document.targets) + len(PREFIX)
    )
    found = zip(
        batch.input_ids[0, batch.predict_from].tolist(),
        batch.predict_ids.tolist(),
        batch.position_ids[0, batch.predict_from].tolist(),
        strict=True,
    )
    assert sorted(found) == expected
    assert batch.real_tokens == sum(map(len, whole))


def test_a_shared_prefix_stands_in_the_row_once() -> None:
    documents = some_documents((4, 4, 6))
    shared = pack(PREFIX, documents, multiple=1)
    assert shared.layout == Layout(len(PREFIX), ((2, 4), (1, 6)))
    assert shared.input_ids[0, : len(PREFIX)].tolist() == PREFIX.tolist()
    assert shared.position_ids[0].tolist() == [*range(7), *range(7, 11), *range(7, 11), *range(7, 13)]
    carried = pack(PREFIX, documents, share_prefix=False, multiple=1)
    assert carried.layout == Layout(0, ((2, 11), (1, 13)))
    assert carried.position_ids[0].tolist() == [*range(11), *range(11), *range(13)]
    assert carried.layout.lengths == (11, 11, 13)
    assert carried.layout.longest == shared.layout.longest == 13


def test_padding_is_bounded_and_never_learnt() -> None:
    documents = some_documents()
    batch = pack(PREFIX, documents, max_padding=3, multiple=1)
    real = len(PREFIX) + sum(len(document.ids) for document in documents)
    assert real < batch.layout.n_tokens <= real + 3 * len(documents)
    assert pack(PREFIX, documents, multiple=1).layout.n_tokens == real
    assert (batch.predict_ids > 0).all()


@pytest.mark.parametrize("share", [True, False])
def test_the_row_is_filled_up_by_a_document_of_padding(share: bool) -> None:
    documents = some_documents()
    plain = pack(PREFIX, documents, share_prefix=share, multiple=1)
    filled = pack(PREFIX, documents, share_prefix=share, multiple=100)
    n_tokens = plain.layout.n_tokens
    assert filled.layout.n_tokens % 100 == 0
    assert filled.layout.groups == (*plain.layout.groups, (1, filled.layout.n_tokens - n_tokens))
    assert torch.equal(filled.input_ids[:, :n_tokens], plain.input_ids)
    assert torch.equal(filled.predict_from, plain.predict_from)
    assert filled.position_ids[0, n_tokens] == filled.layout.n_prefix
    assert filled.real_tokens == plain.real_tokens
    assert pack(PREFIX, documents, share_prefix=share, multiple=n_tokens).layout == plain.layout


@pytest.mark.parametrize("share", [True, False])
def test_a_response_may_follow_the_prefix_but_not_nothing(share: bool) -> None:
    document = Document(np.array([4, 5], dtype=np.int32), np.array([True, False]))
    batch = pack(PREFIX, [document, document], share_prefix=share)
    assert batch.input_ids[0, batch.predict_from].tolist() == [11, 11]
    assert batch.predict_ids.tolist() == [4, 4]
    with pytest.raises(ValueError, match="begin with a response"):
        pack(PREFIX[:0], [document], share_prefix=share)


def test_an_empty_batch_or_document_is_refused() -> None:
    with pytest.raises(ValueError, match="needs documents"):
        pack(PREFIX, [])
    with pytest.raises(ValueError, match="needs tokens"):
        pack(PREFIX, [Document(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.bool_))])


def test_moving_keeps_everything() -> None:
    batch = pack(PREFIX, some_documents())
    moved = batch.to(torch.device("meta"))
    assert moved.input_ids.is_meta
    assert (moved.layout, moved.real_tokens) == (batch.layout, batch.real_tokens)
