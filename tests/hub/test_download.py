"""A download that meets every fault a network has, and comes out right or says why not."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.errors import ChecksumMismatch, HubError, OutputError
from bayling_lite.hub import Hub, RemoteFile
from bayling_lite.hub.part import Spans
from bayling_lite.hub.patience import Patience
from benchmarks.loopback_hub import Fault, LoopbackHub
from tests.hub.conftest import QUICK, MakeHub

CONTENT = random.Random(3).randbytes(1_500_001)
NAME = "model.gguf"

Fetch = Callable[[], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def fetch(server: LoopbackHub, hub: Hub, folder: Path) -> Fetch:
    server.add("owner/name", {NAME: CONTENT})
    return lambda: hub.repository("owner/name").download(NAME, folder)


def only_the_file(folder: Path) -> bool:
    return [path.name for path in folder.iterdir()] == [NAME] and (folder / NAME).read_bytes() == CONTENT


def on_record(folder: Path) -> int:
    record = json.loads((folder / f"{NAME}.part.json").read_text())
    return sum(end - start for start, end in record["done"])


def test_a_file_comes_whole_over_several_connections(server: LoopbackHub, fetch: Fetch, folder: Path) -> None:
    assert fetch() == folder / NAME
    assert only_the_file(folder)
    assert server.sent[NAME] == len(CONTENT)
    ranges = [seen.range for seen in server.seen if seen.path.startswith("/storage/")]
    assert len(ranges) == -(-len(CONTENT) // QUICK.share)
    assert len([seen for seen in server.seen if seen.method == "HEAD"]) == 1


@pytest.mark.slow
def test_progress_is_told_to_the_caller_in_its_own_thread(server: LoopbackHub, hub: Hub, folder: Path) -> None:
    server.add("owner/name", {NAME: CONTENT})
    server.rate = 1_000_000
    told: list[tuple[int, int, str, threading.Thread]] = []
    hub.repository("owner/name").download(NAME, folder, lambda *what: told.append((*what, threading.current_thread())))
    assert {thread for *_, thread in told} == {threading.current_thread()}
    assert {total for _, total, *_ in told} == {len(CONTENT)}
    for name in (NAME, f"checking {NAME}"):
        done = [done for done, _, of, _ in told if of == name]
        assert done == sorted(done)
        assert done[-1] == len(CONTENT)
        assert len(done) > 1


@pytest.mark.parametrize("content", [b"", b"x", CONTENT[:20_000]])
def test_small_and_empty_files(server: LoopbackHub, hub: Hub, folder: Path, content: bytes) -> None:
    server.add("owner/name", {"deep/er/file.txt": content})
    path = hub.repository("owner/name").download("deep/er/file.txt", folder)
    assert path == folder / "deep" / "er" / "file.txt"
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("truncate", 10_000), Fault("truncate", 0), Fault("truncate", 50_000)],
        [Fault("status", status=500), Fault("status", status=503), Fault("status", status=504)],
        [Fault("status", status=429, retry_after="0"), Fault("status", status=503, retry_after="soon")],
        [Fault("status", status=403)],
    ],
    ids=["truncated", "5xx", "busy", "expired"],
)
def test_faults_are_got_over_and_nothing_comes_twice(
    server: LoopbackHub, fetch: Fetch, folder: Path, faults: list[Fault]
) -> None:
    server.inject(NAME, *faults)
    fetch()
    assert only_the_file(folder)
    assert server.sent[NAME] == len(CONTENT)


@pytest.mark.slow
def test_a_silent_connection_is_given_up_and_continued(server: LoopbackHub, make_hub: MakeHub, folder: Path) -> None:
    server.add("owner/name", {NAME: CONTENT})
    server.inject(NAME, Fault("stall", 20_000), Fault("stall", 0))
    began = time.monotonic()
    make_hub(patience=replace(QUICK, stall=0.3)).repository("owner/name").download(NAME, folder)
    assert 0.3 < time.monotonic() - began < 5
    assert only_the_file(folder)
    # On a busy machine the server may once be silent without meaning it.
    assert server.sent[NAME] < len(CONTENT) + QUICK.part


def test_another_range_than_asked_for_is_not_taken(server: LoopbackHub, fetch: Fetch, folder: Path) -> None:
    server.inject(NAME, Fault("shift"), Fault("shift"))
    fetch()
    assert only_the_file(folder)


@pytest.mark.slow
def test_a_server_that_says_when_to_come_back_is_obeyed(server: LoopbackHub, fetch: Fetch) -> None:
    server.inject(NAME, Fault("status", status=429, retry_after="1"))
    began = time.monotonic()
    fetch()
    assert time.monotonic() - began > 1


def test_a_server_that_asks_for_too_long_is_not_waited_for(server: LoopbackHub, fetch: Fetch) -> None:
    server.always[NAME] = Fault("status", status=429, retry_after="3600")
    with pytest.raises(HubError, match="come back in 3600 seconds"):
        fetch()


def test_a_signed_address_that_expires_is_asked_for_anew(server: LoopbackHub, fetch: Fetch, folder: Path) -> None:
    count = 0

    def fault(_name: str, _start: int, _end: int) -> Fault | None:
        nonlocal count
        count += 1
        if count == 8:
            server.expire()
        return None

    server.fault = fault
    fetch()
    assert only_the_file(folder)
    assert server.sent[NAME] == len(CONTENT)


@pytest.mark.parametrize("faults", [[], [Fault("truncate", 700_000)]])
def test_a_server_without_ranges(server: LoopbackHub, fetch: Fetch, folder: Path, faults: list[Fault]) -> None:
    server.always[NAME] = Fault("whole")
    server.inject(NAME, Fault("whole"), *faults)
    fetch()
    assert only_the_file(folder)


def test_giving_up_keeps_what_came(server: LoopbackHub, fetch: Fetch, folder: Path) -> None:
    server.fault = lambda _name, start, _end: Fault("status", status=500) if start > 700_000 else None
    with pytest.raises(HubError, match=r"answers 500.*run the same command again later; what has come is kept"):
        fetch()
    kept = on_record(folder)
    assert 700_000 <= kept < len(CONTENT)
    assert not (folder / NAME).exists()
    server.fault = lambda *_: None
    fetch()
    assert only_the_file(folder)
    # What was on its way when it was given up comes again.
    assert len(CONTENT) <= server.sent[NAME] <= len(CONTENT) + QUICK.part


def test_a_flipped_bit_is_refused_and_the_next_run_is_right(server: LoopbackHub, fetch: Fetch, folder: Path) -> None:
    server.inject(NAME, Fault("flip"))
    with pytest.raises(ChecksumMismatch, match="run the same command again") as caught:
        fetch()
    assert caught.value.exit_status == 5
    assert [path.name for path in folder.iterdir()] in ([], [f"{NAME}.part.lock"])
    fetch()
    assert only_the_file(folder)


def test_a_file_that_is_longer_than_on_record_is_refused(server: LoopbackHub, fetch: Fetch) -> None:
    server.always[NAME] = Fault("grown")
    with pytest.raises(HubError, match="1,500,001 bytes on record, but 1500002"):
        fetch()


def interrupt(server: LoopbackHub, hub: Hub, folder: Path, *, at: int) -> None:
    """Ctrl-C, when some bytes have come."""

    def progress(done: int, _total: int, _name: str) -> None:
        if done >= at:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        hub.repository("owner/name").download(NAME, folder, progress)
    while server.pouring:
        time.sleep(0.01)


def test_control_c_keeps_what_came(server: LoopbackHub, hub: Hub, fetch: Fetch, folder: Path) -> None:
    server.rate = 1_500_000
    interrupt(server, hub, folder, at=400_000)
    assert on_record(folder) >= 400_000
    lost = server.sent[NAME] - on_record(folder)
    assert lost <= QUICK.part
    server.rate = None
    fetch()
    assert only_the_file(folder)
    assert server.sent[NAME] == len(CONTENT) + lost


@pytest.mark.slow
def test_control_c_does_not_wait_for_a_silent_server(server: LoopbackHub, make_hub: MakeHub, folder: Path) -> None:
    server.add("owner/name", {NAME: CONTENT})
    server.always[NAME] = Fault("stall", 30_000)
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    began = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        make_hub(patience=replace(QUICK, stall=20.0)).repository("owner/name").download(NAME, folder)
    assert time.monotonic() - began < 5
    assert on_record(folder) == 4 * 30_000


def test_a_changed_file_is_begun_again(server: LoopbackHub, hub: Hub, fetch: Fetch, folder: Path) -> None:
    server.add("owner/name", {NAME: CONTENT[::-1]})
    server.rate = 1_500_000
    interrupt(server, hub, folder, at=400_000)
    server.rate = None
    server.add("owner/name", {NAME: CONTENT})
    fetch()
    assert only_the_file(folder)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["no part", "no json", "outside", "another format", "short part"])
def test_a_record_that_cannot_be_true_is_not_believed(
    server: LoopbackHub, hub: Hub, fetch: Fetch, folder: Path, damage: str
) -> None:
    server.rate = 1_500_000
    interrupt(server, hub, folder, at=300_000)
    server.rate = None
    part, record = folder / f"{NAME}.part", folder / f"{NAME}.part.json"
    said = json.loads(record.read_text())
    if damage == "no part":
        part.unlink()
    elif damage == "short part":
        part.write_bytes(b"short")
    elif damage == "no json":
        record.write_text("{")
    elif damage == "outside":
        record.write_text(json.dumps(said | {"done": [[0, len(CONTENT) + 1]]}))
    else:
        record.write_text(json.dumps(said | {"format": 99}))
    fetch()
    assert only_the_file(folder)


def test_a_right_file_is_not_fetched_again_and_a_wrong_one_is(server: LoopbackHub, fetch: Fetch, folder: Path) -> None:
    fetch()
    fetch()
    assert server.sent[NAME] == len(CONTENT)
    (folder / NAME).write_bytes(CONTENT[::-1])
    fetch()
    assert only_the_file(folder)
    assert server.sent[NAME] == 2 * len(CONTENT)


def test_two_processes_do_not_fetch_the_same_file(fetch: Fetch, folder: Path) -> None:
    folder.mkdir()
    code = (
        "import filelock, sys\n"
        "with filelock.FileLock(sys.argv[1]):\n    print('locked', flush=True)\n    sys.stdin.read()"
    )
    lock = str(folder / f"{NAME}.part.lock")
    with subprocess.Popen(
        [sys.executable, "-c", code, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(HubError, match="being fetched by another process"):
            fetch()
        other.communicate("")
    fetch()
    assert only_the_file(folder)


def test_what_does_not_fit_is_not_begun(server: LoopbackHub, hub: Hub, folder: Path) -> None:
    server.add("owner/name", {NAME: CONTENT})
    repository = hub.repository("owner/name")
    huge = replace(repository, files={NAME: RemoteFile(10**18, sha256=repository.files[NAME].sha256)})
    with pytest.raises(OutputError, match=r"needs 1000000000\.0 GB more"):
        huge.download(NAME, folder)
    assert not server.sent


@pytest.mark.slow
def test_a_disk_that_gets_full_keeps_what_came(server: LoopbackHub, hub: Hub, fetch: Fetch, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    server.rate = 500_000

    def progress(done: int, _total: int, _name: str) -> None:
        if done:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) // 2, limits[1]))

    try:
        with pytest.raises(OutputError, match=r"is full.*1\.5 MB.*what has come is kept"):
            hub.repository("owner/name").download(NAME, folder, progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 0 < on_record(folder) <= len(CONTENT) // 2
    server.rate = None
    fetch()
    assert only_the_file(folder)


def test_a_folder_in_the_way(fetch: Fetch, folder: Path) -> None:
    (folder / NAME).mkdir(parents=True)
    with pytest.raises(OutputError, match="is a folder"):
        fetch()


def test_a_folder_that_cannot_be_made(server: LoopbackHub, hub: Hub, tmp_path: Path) -> None:
    server.add("owner/name", {NAME: CONTENT})
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        hub.repository("owner/name").download(NAME, tmp_path / "file" / "models")


def test_a_file_without_a_digest_is_not_taken(server: LoopbackHub, hub: Hub, folder: Path) -> None:
    server.add("owner/name", {NAME: CONTENT})
    repository = hub.repository("owner/name")
    with pytest.raises(HubError, match="no digest on record"):
        replace(repository, files={NAME: RemoteFile(len(CONTENT))}).download(NAME, folder)


def test_waits_double_are_spread_and_end() -> None:
    patience = Patience(first_wait=1, longest_wait=8, tries=6)
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (50, 8.0)):
        waits = {patience.wait(failures) for _ in range(50)}
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert patience.wait(1, asked=60) == 60
    assert [patience.ends(failures) for failures in (1, 5, 6)] == [False, False, True]
    assert patience.ends(1, asked=1000)


def test_spans_against_a_set_of_numbers() -> None:
    chance = random.Random(5)
    for _ in range(200):
        spans, numbers = Spans(), set[int]()
        for _ in range(12):
            start = chance.randrange(40)
            end = start + chance.randrange(12)
            spans.add(start, end)
            numbers.update(range(start, end))
            assert {number for span in spans for number in range(*span)} == numbers
            assert spans.total == len(numbers)
            assert all(a[1] < b[0] for a, b in zip(list(spans), list(spans)[1:], strict=False))
            missing = {number for gap in spans.gaps(60) for number in range(*gap)}
            assert missing == set(range(60)) - numbers
