"""Resampled sets: the draws, whatever is held in memory at once; intervals and p-values."""

from __future__ import annotations

import numpy as np
import pytest

from bayling_lite.evaluate.translation import resampling
from bayling_lite.evaluate.translation.metrics import resampled_scores
from bayling_lite.evaluate.translation.resampling import N_SAMPLES, SEED, interval, p_value, resampled_sums


def test_sums_are_those_of_the_sentences_drawn() -> None:
    table = np.arange(14.0).reshape(7, 2)
    drawn = np.random.default_rng(SEED).choice(7, size=(N_SAMPLES, 7), replace=True)
    assert np.array_equal(resampled_sums([table])[0], table[drawn].sum(1))


def test_a_large_set_is_drawn_in_parts_that_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.arange(21.0).reshape(21, 1)
    whole = resampled_sums([table])[0]
    monkeypatch.setattr(resampling, "_MOST_AT_ONCE", 21 * 7)
    assert np.array_equal(resampled_sums([table])[0], whole)


def test_systems_share_their_draws() -> None:
    table = np.arange(9.0).reshape(9, 1)
    first, second = resampled_sums([table, 2 * table])
    assert np.array_equal(2 * first, second)


def test_an_interval_leaves_one_in_forty_out_at_each_end() -> None:
    assert interval(np.arange(1000.0)[::-1]) == (25.0, 974.0)
    assert interval(np.array([3.0])) == (3.0, 3.0)


def test_resampled_sets_of_which_there_is_no_score_are_left_out() -> None:
    # Two sentences of forty had anything to count: in about every seventh resampled set neither is drawn.
    table = np.array([[1.0, 1.0], [1.0, 2.0], *([[0.0, 0.0]] * 38)])
    shares = resampled_scores("instruction followed", resampled_sums([table])[0], len(table))
    assert 0 < np.isnan(shares).sum() < N_SAMPLES // 4
    assert interval(shares) == (50.0, 100.0)
    assert p_value(shares, shares, 0.0) == 1.0
    assert 0 < p_value(shares, shares + 20, 20.0) < 0.05


def test_p_values() -> None:
    noise = np.random.default_rng(1).normal(size=1000)
    assert p_value(noise, noise + 5, 5.0) == pytest.approx(1 / 1001)
    assert p_value(noise, noise, 0.0) == 1.0  # where sacreBLEU says 1/1001
    other = np.random.default_rng(2).normal(size=1000)
    assert p_value(noise, other, 0.1) > 0.3
