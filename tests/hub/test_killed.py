"""A download that is killed again and again, over a network that fails: right in the end, with little twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hub_resume import Plan, experiment


@pytest.mark.slow
def test_twenty_kills_lose_at_most_one_part_each(tmp_path: Path) -> None:
    plan = Plan(size=12_000_000, part=1024 * 1024, rate=2_000_000, kills=20, longest=0.6, seed=4)
    outcome = experiment(plan, tmp_path)
    assert len(outcome.kills) == plan.kills
    assert outcome.right == outcome.files >= 2
    assert outcome.refused == 1
    assert max(kill.twice for kill in outcome.kills) <= plan.part
    assert min(kill.twice for kill in outcome.kills) >= 0
    assert sum(kill.kept for kill in outcome.kills) > plan.size // 2
