"""The store: what was put is there, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.translate import store_file
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.store import Selection, Store, StoredSegment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "translations.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def segment(key: str = "k", **changed: object) -> StoredSegment:
    values: dict[str, object] = {
        "source": "Good <1>morning</1>.",
        "target": "<1>早上</1>好。",
        "source_language": "en",
        "target_language": "zh",
        "model": "bayling-tiny",
        "created": 1.5,
    }
    return StoredSegment(key, **(values | changed))  # type: ignore[arg-type]


def keys(store: Store, selection: Selection | None = None) -> list[str]:
    return [found.key for found in (store.segments(selection) if selection else store.segments())]


def forked(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own, in which ``script`` can fork as it likes."""
    code = f"import os, signal, sys, threading, time\nfrom bayling_lite.translate.store import *\n{script}"
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_what_was_put_is_there_after_opening_again(path: Path) -> None:
    problems = (Problem(ProblemKind.NUMBERS, "3 is missing", fatal=False), Problem(ProblemKind.LENGTH))
    whole = segment(alternatives=("早安。", "上午好。"), problems=problems)
    odd = segment("odd", source="a\x00b \ud800 \U00100000", alternatives=("\udfff",), source_language="")
    with Store.open(path) as store:
        store.put(whole)
        store.put(odd)
    with Store.open(path) as store:
        assert store.get("k") == whole
        assert store.get("odd") == odd
        assert store.get("other") is None
        assert list(store.segments()) == [whole, odd]


def test_a_segment_takes_the_place_of_one_with_the_same_key(store: Store) -> None:
    store.put(segment())
    store.put(segment("l"))
    store.put(segment(target="早安。"))
    found = store.get("k")
    assert found is not None
    assert found.target == "早安。"
    assert keys(store) == ["k", "l"]


def test_it_counts_and_selects(store: Store) -> None:
    for number in range(2500):
        store.put(segment(f"{number}", target_language="zh" if number % 2 else "de", created=float(number)))
    store.put(segment("percent", source="100 % sure_", model="other", created=9000.0))
    counts = store.counts()
    assert [(count.target_language, count.model, count.segments, count.newest) for count in counts] == [
        ("de", "bayling-tiny", 1250, 2498.0),
        ("zh", "bayling-tiny", 1250, 2499.0),
        ("zh", "other", 1, 9000.0),
    ]
    assert len(keys(store)) == 2501
    assert keys(store, Selection(target_language="de", before=6)) == ["0", "2", "4"]
    assert keys(store, Selection(model="other")) == ["percent"]
    assert keys(store, Selection(since=2499)) == ["2499", "percent"]
    assert keys(store, Selection(text="% SURE_")) == ["percent"]
    assert keys(store, Selection(text="%", model="bayling-tiny")) == []


def test_what_is_removed_is_gone_from_the_disk(path: Path, store: Store) -> None:
    for number in range(500):
        store.put(segment(f"{number}", source=f"secret {number} " * 20, created=float(number)))
    before = store.size
    assert store.remove(Selection(before=499)) == 499
    assert keys(store) == ["499"]
    assert store.size < before / 4
    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"secret 498 " not in on_disk
    assert b"secret 499 " in on_disk
    assert store.remove(Selection(before=499)) == 0


def test_nobody_else_can_read_it(path: Path) -> None:
    mask = os.umask(0)
    try:
        with Store.open(path) as store:
            store.put(segment())
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(mask)
    assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    Store.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_name_with_special_characters_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro#b%20c" / "é 早.sqlite"
    with Store.open(path) as store:
        store.put(segment())
    assert path.is_file()


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(UsageError, match="closed"):
        store.get("k")


def write_text(path: Path) -> None:
    path.write_text("Dear diary, today I translated a document.\n" * 100)


def write_other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()


def write_newer_store(path: Path) -> None:
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def write_beginning_only(path: Path) -> None:
    with Store.open(path) as store:
        for number in range(300):
            store.put(segment(f"{number}"))
    with path.open("rb+") as file:
        file.truncate(5000)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (write_text, "damaged, or no store at all"),
        (write_other_database, "another program"),
        (write_newer_store, "newer bayling-lite"),
        (write_beginning_only, "damaged"),
    ],
)
def test_what_is_no_store_of_ours_is_refused_and_left_alone(path: Path, write: object, said: str) -> None:
    path.parent.mkdir()
    write(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"{said}.*--no-resume"), Store.open(path) as store:
        list(store.segments())
    assert path.read_bytes() == before


def test_damage_inside_is_found_when_it_is_met(path: Path) -> None:
    with Store.open(path) as store:
        for number in range(3000):
            store.put(segment(f"{number}"))
    with path.open("rb+") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 20)
    with Store.open(path) as store, pytest.raises(InputError, match="damaged"):
        list(store.segments())


def test_a_folder_in_its_place_or_a_file_in_its_folders_place(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder"):
        Store.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be opened.*--no-resume"):
        Store.open(tmp_path / "file" / "translations.sqlite")


def test_a_full_disk_keeps_what_was_put_before(path: Path, store: Store) -> None:
    store.put(segment("0"))
    assert store._database.connection is not None
    # What a full disk does to SQLite: the file cannot have another page.
    pages = store._database.connection.execute("PRAGMA page_count").fetchone()[0]
    store._database.connection.execute(f"PRAGMA max_page_count = {pages}")
    put = ["0"]

    def fill() -> None:
        for number in range(1, 10_000):
            store.put(segment(f"{number}", source="x" * 1000))
            put.append(f"{number}")

    with pytest.raises(OutputError, match=r"disk is full.*run the command again"):
        fill()
    assert keys(store) == put
    store._database.connection.execute("PRAGMA max_page_count = 100000")
    store.put(segment("later"))
    store.close()
    with Store.open(path) as again:
        assert keys(again) == [*put, "later"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="--no-resume"):
        Store.open(tmp_path / "new.sqlite")


def test_for_reading_only(path: Path) -> None:
    with pytest.raises(InputError, match="no store"):
        Store.open(path, readonly=True)
    with Store.open(path) as store:
        store.put(segment())
    with Store.open(path, readonly=True) as store:
        assert keys(store) == ["k"]
        with pytest.raises(OutputError, match="cannot be written"):
            store.put(segment("l"))


def test_a_store_on_a_medium_for_reading_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(path) as store:
        store.put(segment())
    connect, addresses = sqlite3.connect, list[str]()

    def readonly(address: str, **options: Any) -> Any:
        addresses.append(address)
        if "immutable" not in address:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error
        return connect(address, **options)

    monkeypatch.setattr(sqlite3, "connect", readonly)
    with pytest.raises(OutputError, match="cannot be written"):
        Store.open(path)
    with Store.open(path, readonly=True) as store:
        assert keys(store) == ["k"]
    assert len(addresses) == 3
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        Store.open(path, readonly=True)


def test_another_program_that_holds_it_is_waited_for_and_then_named(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, lambda: other.execute("COMMIT"))
    release.start()
    store.put(segment())
    release.join()
    store.close()
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.05)
    with Store.open(path) as impatient:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match="in use by another program"):
            impatient.put(segment("l"))
        assert keys(impatient) == ["k"]
        other.execute("COMMIT")
        impatient.put(segment("l"))
    other.close()


def test_an_older_file_is_brought_up_to_date_or_left_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(path) as store:
        store.put(segment())

    def columns() -> list[str]:
        connection = sqlite3.connect(path)
        found = [row[1] for row in connection.execute("PRAGMA table_info(segments)")]
        connection.close()
        return found

    first = store_file.MIGRATIONS
    step = ("ALTER TABLE segments ADD COLUMN note TEXT NOT NULL DEFAULT ''", "CREATE INDEX noted ON segments (note)")
    monkeypatch.setattr(store_file, "MIGRATIONS", (*first, (*step, "not SQL")))
    with pytest.raises(OutputError):
        Store.open(path)
    assert "note" not in columns()
    monkeypatch.setattr(store_file, "MIGRATIONS", (*first, step))
    with Store.open(path) as store:
        assert store.get("k") == segment()
    assert "note" in columns()
    monkeypatch.setattr(store_file, "MIGRATIONS", first)
    with pytest.raises(InputError, match="newer"):
        Store.open(path)


def test_threads(store: Store) -> None:
    def work(name: int) -> None:
        for number in range(100):
            store.put(segment(f"{name}-{number}"))
            assert store.get(f"{name}-{number}") is not None

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys(store)) == 800


def test_processes_that_make_and_fill_the_same_store_at_once(path: Path) -> None:
    script = """
children = []
for name in range(6):
    child = os.fork()
    if not child:
        with Store.open(sys.argv[1]) as store:
            for number in range(50):
                store.put(StoredSegment(f"{name}-{number}", "a", "b", "en", "zh", "m"))
        os._exit(0)
    children.append(child)
assert not any(os.waitpid(child, 0)[1] for child in children)
"""
    finished(forked(script, path))
    with Store.open(path) as store:
        assert len(keys(store)) == 300


def test_a_store_that_is_open_at_a_fork_serves_both(path: Path) -> None:
    script = """
store = Store.open(sys.argv[1])
put = lambda key: store.put(StoredSegment(key, "a", "b", "en", "zh", "m"))
stop = threading.Event()
def busy():
    number = 0
    while not stop.is_set():
        put(f"busy-{number}")
        number += 1
thread = threading.Thread(target=busy)
thread.start()
children = []
for name in range(5):
    child = os.fork()
    if not child:
        for number in range(20):
            put(f"{name}-{number}")
        assert store.get(f"{name}-19")
        os._exit(0)
    children.append(child)
assert not any(os.waitpid(child, 0)[1] for child in children)
stop.set()
thread.join()
put("parent")
store.close()
"""
    finished(forked(script, path))
    with Store.open(path) as store:
        found = keys(store)
        assert len([key for key in found if not key.startswith("busy-")]) == 101
        assert store._database.connection is not None
        assert store._database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_what_put_has_returned_from_outlives_a_killed_process(path: Path) -> None:
    script = """
with Store.open(sys.argv[1]) as store:
    number = len(list(store.segments()))
    while True:
        store.put(StoredSegment(str(number), "a" * (number % 5000), "b", "en", "zh", "m"))
        os.write(1, f"{number}\\n".encode())
        number += 1
"""
    reported = 0
    for lines in (1, 40, 200, 333):
        process = forked(script, path)
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(lines):
            reported = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split("\n")
        # The last piece may be cut off; each whole line is a promise.
        reported = max([reported, *map(int, rest[:-1])])
        process.stderr.close()
        process.stdout.close()
        process.wait()
        with Store.open(path) as store:
            found = keys(store)
            assert found == [str(number) for number in range(len(found))]
            assert len(found) in (reported + 1, reported + 2)
            assert store._database.connection is not None
            assert store._database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
