"""Our SQLite files: what belongs together happens together, and what is odd can be read."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from bayling_lite.database import Database, DatabaseKind, as_bytes
from bayling_lite.errors import OutputError, UsageError

KIND = DatabaseKind(
    noun="notebook",
    remedy="--no-notes works without it",
    elsewhere="name another",
    kept_on="for more",
    application_id=0x12345678,
    migrations=(("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)",),),
    busy_seconds=0.05,
)


def texts(database: Database) -> list[str]:
    return [row[0] for row in database.run("SELECT text FROM notes ORDER BY id")]


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_transaction_happens_as_a_whole_or_not_at_all(tmp_path: Path, in_memory: bool) -> None:
    database = Database(None if in_memory else tmp_path / "notes.sqlite", KIND)

    def write(*notes: str) -> None:
        with database.transaction():
            for note in notes:
                database.run("INSERT INTO notes (text) VALUES (?)", [note])
            if "wrong" in notes:
                raise ValueError

    write("one", "two")
    with pytest.raises(ValueError):  # noqa: PT011 - it is our own
        write("three", "wrong")
    assert texts(database) == ["one", "two"]
    assert (database.size > 0) is not in_memory
    database.close()
    database.close()
    with pytest.raises(UsageError, match="The notebook was closed"):
        texts(database)


def test_what_is_read_in_a_snapshot_is_of_one_moment(tmp_path: Path) -> None:
    first, second = (Database(tmp_path / "notes.sqlite", KIND) for _ in range(2))
    first.run("INSERT INTO notes (text) VALUES ('one')")
    with first.snapshot():
        assert texts(first) == ["one"]
        second.run("DELETE FROM notes")
        assert (texts(first), texts(second)) == (["one"], [])
    assert texts(first) == []
    for database in (first, second):
        database.close()


def test_a_transaction_is_one_threads_own(tmp_path: Path) -> None:
    database = Database(tmp_path / "notes.sqlite", KIND)
    inside, waiting = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait()
        waiting.set()
        database.run("INSERT INTO notes (text) VALUES ('other')")

    thread = threading.Thread(target=other)
    thread.start()
    with contextlib.suppress(RuntimeError), database.transaction():
        database.run("INSERT INTO notes (text) VALUES ('mine')")
        inside.set()
        waiting.wait()
        raise RuntimeError
    thread.join()
    assert texts(database) == ["other"]
    database.close()


def test_another_process_that_writes_is_named_after_a_while(tmp_path: Path) -> None:
    one, two = Database(tmp_path / "notes.sqlite", KIND), Database(tmp_path / "notes.sqlite", KIND)
    with one.transaction():
        one.run("INSERT INTO notes (text) VALUES ('one')")
        assert texts(two) == []
        with pytest.raises(OutputError, match=r"notebook .* in use by another program.*--no-notes"):
            two.run("INSERT INTO notes (text) VALUES ('two')")
    assert texts(two) == ["one"]
    one.close()
    two.close()


def test_any_text_comes_back_and_bytes_that_are_none_can_be_looked_at(tmp_path: Path) -> None:
    database = Database(tmp_path / "notes.sqlite", KIND)
    odd = "a\x00b\ud800\U0001f600"
    for value in (as_bytes(odd), b"caf\xe9"):
        database.run("INSERT INTO notes (text) VALUES (CAST(? AS TEXT))", [value])
    assert texts(database) == [odd, "caf\ufffd"]
    database.close()
