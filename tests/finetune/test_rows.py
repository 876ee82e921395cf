"""Steps are planned alike by everybody: each dialogue as often as its epochs say, in rows that keep to their size."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bayling_finetune.config import Schedule
from bayling_finetune.rows import Position, RowSource, StepRows, count_steps, rows_in_order
from bayling_lite.errors import RecipeError
from tests.finetune.small_training import dataset


def steps_of(source: RowSource) -> list[StepRows]:
    return list(iter(source.next, None))


@pytest.mark.parametrize("shared", [True, False], ids=["prefix once", "prefix in each"])
@pytest.mark.parametrize("epochs", [1.0, 3.0])
def test_every_dialogue_is_seen_as_often_as_the_epochs_say(epochs: float, shared: bool) -> None:
    data = dataset(150)
    schedule = Schedule(epochs=epochs, batch_tokens=256, rows=4)
    steps = steps_of(RowSource(data, schedule, shared=shared))
    seen = Counter(int(number) for step in steps for row in step.rows for number in row)
    assert seen == {number: int(epochs) for number in range(150)}
    assert len(steps) == count_steps(data, schedule, shared=shared)
    assert all(len(step.rows) == 4 for step in steps[:-1])


def test_half_an_epoch_is_half_of_the_dialogues_and_weights_count() -> None:
    half = Schedule(epochs=1.5, batch_tokens=256)
    seen = Counter(int(n) for step in steps_of(RowSource(dataset(100), half)) for row in step.rows for n in row)
    assert Counter(seen.values()) == {1: 50, 2: 50}
    once = Schedule(epochs=1.0, batch_tokens=256)
    twice = steps_of(RowSource(dataset(100, weights=2.0), once))
    assert sum(len(row) for step in twice for row in step.rows) == 200


@pytest.mark.parametrize("shared", [True, False], ids=["prefix once", "prefix in each"])
def test_rows_keep_to_their_tokens_and_are_filled(shared: bool) -> None:
    data = dataset(300)
    schedule = Schedule(steps=20, batch_tokens=256, rows=2)
    source = RowSource(data, schedule, shared=shared)
    prefix = len(data.prefix)
    for _ in range(20):
        planned = source.next()
        assert planned is not None
        lengths = [np.diff(data.offsets)[row] + (0 if shared else prefix) for row in planned.rows]
        sizes = [int(length.sum()) + (prefix if shared else 0) for length in lengths]
        assert all(256 - 60 < size <= 256 for size in sizes)
        assert planned.targets == sum(
            int(data.document(int(number)).targets.sum()) for row in planned.rows for number in row
        )


def test_a_source_goes_on_from_any_position_with_the_same_steps() -> None:
    data = dataset(60)
    schedule = Schedule(steps=30, batch_tokens=256, rows=3)
    straight = RowSource(data, schedule)
    for _ in range(7):
        planned = straight.next()
    assert planned is not None
    assert planned.after.epoch > 0, "rows went over the end of an epoch"
    resumed = RowSource(data, schedule, position=Position(planned.after.epoch, planned.after.used))
    for _ in range(9):
        one, two = straight.next(), resumed.next()
        assert one is not None
        assert two is not None
        assert all(np.array_equal(a, b) for a, b in zip(one.rows, two.rows, strict=True))
        assert (one.targets, one.after) == (two.targets, two.after)


def test_a_dialogue_longer_than_a_row_has_one_for_itself() -> None:
    data = dataset(20)
    schedule = Schedule(epochs=1.0, batch_tokens=12)  # 2 tokens beside the prefix
    steps = steps_of(RowSource(data, schedule))
    assert [len(row) for step in steps for row in step.rows] == [1] * 20


@pytest.mark.parametrize("shared", [True, False])
def test_rows_in_order_hold_every_dialogue_once(shared: bool) -> None:
    data = dataset(80)
    for budget in (12, 100, 100_000):
        rows = rows_in_order(data, batch_tokens=budget, shared=shared)
        assert np.concatenate(rows).tolist() == list(range(80))


def test_a_position_beyond_the_passes_asked_for_is_their_end() -> None:
    assert count_steps(dataset(20), Schedule(epochs=1.0, batch_tokens=256), position=Position(2, 7)) == 0


def test_dialogues_without_weight_are_refused() -> None:
    with pytest.raises(RecipeError, match="weight 0"):
        RowSource(dataset(20, weights=0.0), Schedule(steps=1, batch_tokens=256))
