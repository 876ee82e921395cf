"""How many threads: physical cores within the affinity and the container's quota."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bayling_lite.engine import cores


def test_threads_of_one_core_count_once(tmp_path: Path) -> None:
    for cpu in range(8):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    assert cores.physical_cores(set(range(8)), tmp_path) == 4
    assert cores.physical_cores({0, 4}, tmp_path) == 1
    assert cores.physical_cores({0, 1, 2}, tmp_path) == 3
    assert cores.physical_cores({11, 12}, tmp_path) == 2


@pytest.mark.parametrize(
    ("content", "cpus"),
    [("max 100000", None), ("250000 100000", 3), ("50000 100000", 1), ("odd", None), ("1 0", None)],
)
def test_the_quota_of_a_container(content: str, cpus: int | None, tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)
    assert cores.cpu_quota(file) == cpus
    assert cores.cpu_quota(tmp_path / "none") is None


def test_the_default_is_within_what_the_process_may_use() -> None:
    assert 1 <= cores.available_cores() <= (os.cpu_count() or 1)
    assert cores.default_threads(5 * 2**30) == cores.available_cores()
    assert cores.default_threads(15 * 2**20) == 1
