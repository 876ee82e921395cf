"""What a killed download costs: bytes that are fetched twice, ours beside huggingface-hub's own.

::

    python -m benchmarks.hub_resume [--size 200] [--kills 20] [--rate 40] [--seed 1]

A loopback hub serves files of ``--size`` MB at ``--rate`` MB/s and connection, and answers one request in eight with an
error, a body that is cut short or silence. A process that fetches them is killed (SIGKILL) ``--kills`` times, at
instants drawn by chance, and started again. Then it may finish, and the file is compared. The first file has a flipped
bit until it has been refused for that; then it has to be right when it is fetched again.

huggingface-hub does not go on where it was interrupted, so it is killed on its first file only, and given fewer kills;
nor does it compare a file with the digest on record.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.loopback_hub import Fault, LoopbackHub

MB = 1_000_000
ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "owner/killed"
_FLIPPED = "flipped.safetensors"


@dataclass(frozen=True, slots=True)
class Plan:
    """Bytes, bytes per second and connection, and seconds; ``longest`` is the latest instant of a kill in a run."""

    size: int
    part: int
    rate: float
    kills: int
    longest: float
    seed: int = 1
    stall: float = 1.0
    peer: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """One run that was killed: the bytes the server sent, and those of them that are not lost."""

    sent: int
    kept: int

    @property
    def twice(self) -> int:
        """What has to be fetched again."""
        return self.sent - self.kept


@dataclass(slots=True)
class Outcome:
    """What came of it; ``right`` and ``refused`` count files."""

    kills: list[Kill] = field(default_factory=list)
    files: int = 0
    right: int = 0
    refused: int = 0


def experiment(plan: Plan, folder: Path) -> Outcome:
    """Fetch file after file, killed again and again, until all kills have been; then let the last file finish."""
    chance = random.Random(plan.seed)
    outcome = Outcome()
    with LoopbackHub(rate=plan.rate) as hub:
        for number, name in enumerate(_names()):
            content = chance.randbytes(plan.size)
            hub.add(REPOSITORY, {name: content})
            hub.fault = faults = _Faults(random.Random(chance.random()), flipped=name == _FLIPPED)
            outcome.files += 1
            _fetch(hub, faults, plan, folder / str(number), name, chance, outcome)
            outcome.right += _result(plan, folder / str(number), name).read_bytes() == content
            if len(outcome.kills) >= plan.kills and number > 0:
                return outcome
    raise AssertionError("there is always another name")


def _names() -> Iterator[str]:
    yield _FLIPPED
    number = 0
    while True:
        number += 1
        yield f"model-{number}.safetensors"


def _fetch(
    hub: LoopbackHub, faults: _Faults, plan: Plan, folder: Path, name: str, chance: random.Random, outcome: Outcome
) -> None:
    """One file: start, kill, start again, and so on until it is there."""
    for _ in range(10 * plan.kills + 10):
        sent, kept = hub.sent[name], _on_record(folder, name)
        kills_left = plan.kills - len(outcome.kills)
        # The first file leaves half of the kills for the others.
        may_kill = kills_left > (plan.kills // 2 if name == _FLIPPED else 0)
        status = _run(hub, plan, folder, name, chance.uniform(0.0, plan.longest) if may_kill else None)
        if status == 0:
            return
        # A refused file is removed; the process may have been killed before it could say so.
        came_whole = kept + hub.sent[name] - sent >= plan.size
        removed = came_whole and _on_record(folder, name) == 0
        if status == 5 or (faults.flipped and removed and not plan.peer):
            outcome.refused += 1
            faults.flipped = False
        elif status == -signal.SIGKILL:
            outcome.kills.append(Kill(hub.sent[name] - sent, max(0, _on_record(folder, name) - kept)))
        else:
            raise AssertionError(f"the download ended with {status}")
    raise AssertionError("the download does not end")


def _run(hub: LoopbackHub, plan: Plan, folder: Path, name: str, kill_after: float | None) -> int:
    """Start a download, and kill it some time after its first request; gives its exit status."""
    before = len(hub.seen)
    arguments = ["--child", hub.endpoint, name, str(folder), str(plan.part), str(plan.stall), *["peer"][: plan.peer]]
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    environment["HF_HUB_DOWNLOAD_TIMEOUT"] = str(int(max(1, plan.stall)))
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.hub_resume", *arguments],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        while kill_after is not None and len(hub.seen) == before and child.poll() is None:
            time.sleep(0.002)
        try:
            return child.wait(kill_after if kill_after is not None else 120)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
    finally:
        child.kill()
        while hub.pouring:
            time.sleep(0.005)


def _on_record(folder: Path, name: str) -> int:
    """Bytes that the next run need not fetch."""
    record = folder / f"{name}.part.json"
    if (folder / name).exists():
        return (folder / name).stat().st_size
    if not record.exists():
        return 0
    return sum(end - start for start, end in json.loads(record.read_text(encoding="ascii"))["done"])


def _result(plan: Plan, folder: Path, name: str) -> Path:
    if not plan.peer:
        return folder / name
    return next((folder / "home").glob(f"hub/*/snapshots/*/{name}"))


class _Faults:
    """One answer in eight goes wrong; and the first byte of a file has a flipped bit while ``flipped``."""

    def __init__(self, chance: random.Random, *, flipped: bool) -> None:
        self._chance = chance
        self.flipped = flipped

    def __call__(self, name: str, start: int, end: int) -> Fault | None:
        if name.endswith("/"):
            return None
        if self.flipped and start == 0:
            return Fault("flip")
        after = self._chance.randrange(max(1, end - start))
        faults = (Fault("truncate", after), Fault("stall", after), Fault("status"))
        return self._chance.choice((*faults, *[None] * 21))


def _child(endpoint: str, name: str, folder: str, part: str, stall: str, peer: str = "") -> int:
    """The process that is killed."""
    if peer:
        from huggingface_hub import hf_hub_download

        hf_hub_download(REPOSITORY, name, endpoint=endpoint)
        return 0
    from bayling_lite.errors import BaylingError
    from bayling_lite.hub import Hub, Patience

    patience = replace(Patience(), part=int(part), stall=float(stall), first_wait=0.02, tries=20)
    try:
        Hub(endpoint, patience=patience).repository(REPOSITORY).download(name, Path(folder))
    except BaylingError as error:
        return error.exit_status
    return 0


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--child"]:
        sys.exit(_child(*sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=200, help="MB of each file")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=float, default=40, help="MB/s of each connection")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    size, rate = int(options.size * MB), options.rate * MB
    plan = Plan(size, 16 * 1024 * 1024, rate, options.kills, longest=1.5, seed=options.seed)
    print("| who | files | right | refused | kills | fetched twice per kill, mean | most | one part |")
    print("|---|---|---|---|---|---|---|---|")
    for who, one in (("bayling-lite", plan), ("huggingface-hub", replace(plan, peer=True, kills=options.kills // 4))):
        with tempfile.TemporaryDirectory() as folder:
            outcome = experiment(one, Path(folder))
        twice = [kill.twice for kill in outcome.kills]
        print(
            f"| {who} | {outcome.files} | {outcome.right} | {outcome.refused} | {len(twice)} "
            f"| {sum(twice) / len(twice) / MB:.1f} MB | {max(twice) / MB:.1f} MB | {plan.part / MB:.1f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
