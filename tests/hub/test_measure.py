"""What is told of one file after another, added up to one measure of a whole pull."""

from __future__ import annotations

from bayling_convert import Step
from bayling_lite.hub import Hub, Repository
from bayling_lite.pulling.measure import Measure, weights_to_fetch
from benchmarks.loopback_hub import LoopbackHub

SHARDS = {f"model-0000{number}-of-00002.safetensors": bytes(1000 * number) for number in (1, 2)}
ONE, TWO = SHARDS


def repositories(server: LoopbackHub, hub: Hub) -> tuple[Repository, Repository]:
    server.add("some/delta", {**SHARDS, "config.json": b"{}"})
    server.add("some/base", SHARDS)
    return hub.repository("some/delta"), hub.repository("some/base")


def test_two_checkpoints_whose_files_have_the_same_names(server: LoopbackHub, hub: Hub) -> None:
    told: list[tuple[int, int, str]] = []
    delta, base = repositories(server, hub)
    files = {**weights_to_fetch(delta), **weights_to_fetch(base)}
    assert files == {f"hf://some/{of}/{name}": len(SHARDS[name]) for of in ("delta", "base") for name in SHARDS}
    measure = Measure(files, 500, lambda *what: told.append(what), result_is_checked=True)
    of_delta, of_base = measure.fetching(delta), measure.fetching(base)
    of_delta(1000, 1000, ONE)
    of_base(600, 1000, ONE)
    of_base(600, 1000, "waiting for host")
    of_base(1000, 1000, f"checking {ONE}")
    assert told == [
        (0, 6000, "Fetching"),
        (0, 6500, "Checking"),
        (0, 500, "Converting"),
        (1000, 6000, "Fetching"),
        (1600, 6000, "Fetching"),
        (0, 0, "Waiting for host"),
        (1000, 6500, "Checking"),
    ]
    told.clear()
    of_delta(0, 2000, TWO)
    measure.converting(Step(100, 480, "blk.0.ffn_up.weight", 7, 2100, frozenset(files)))
    measure.checking_result(480, 480, "Checking")
    # The file that was only checked had been fetched before.
    assert told == [
        (2000, 6000, "Fetching"),
        (100, 480, "Converting: tensor 7 of 2,100"),
        (6480, 6480, "Checking"),
    ]


def test_what_an_earlier_run_converted_is_not_fetched_again(server: LoopbackHub, hub: Hub) -> None:
    told: list[tuple[int, int, str]] = []
    delta, _ = repositories(server, hub)
    measure = Measure(weights_to_fetch(delta), 500, lambda *what: told.append(what))
    needed = frozenset({f"hf://some/delta/{TWO}"})
    measure.converting(Step(160, 480, "blk.1.ffn_up.weight", 7, 21, needed))
    measure.fetching(delta)(500, 2000, TWO)
    assert told[3:] == [(160, 480, "Converting: tensor 7 of 21"), (1500, 3000, "Fetching")]
