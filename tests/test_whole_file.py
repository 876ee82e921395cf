"""A file appears whole or not at all, and what killed processes left goes."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from bayling_lite.whole_file import replace_whole, replacing_whole


def temporary(folder: Path) -> Path:
    (found,) = folder.glob(".bayling-*")
    return found


def test_what_a_killed_process_left_goes_when_the_file_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / ("long name " * 24 + ".txt")
    with replacing_whole(path):
        name = temporary(tmp_path).name
    path.unlink()
    left = tmp_path / name
    left.write_bytes(b"half")
    replace_whole(tmp_path / "other.txt", b"other")
    assert left.exists()
    replace_whole(path, b"whole")
    assert not left.exists()
    assert path.read_bytes() == b"whole"


def test_what_somebody_still_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing_whole(path) as file:
        file.write(b"slow")
        replace_whole(path, b"quick")
        assert path.read_bytes() == b"quick"
    assert path.read_bytes() == b"slow"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing_whole(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_many_write_the_same_file_at_once_and_one_of_them_wins(tmp_path: Path) -> None:
    path = tmp_path / ("a." + "long" * 60)
    with contextlib.ExitStack() as stack:
        for number in range(20):
            stack.enter_context(replacing_whole(path)).write(b"%d" % number)
        assert not path.exists()
        assert len(list(tmp_path.iterdir())) == 20
    assert path.read_bytes() == b"0"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_takes_what_another_has_just_begun_for_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def write(number: int) -> None:
        for _ in range(100):
            replace_whole(path, b"%d" % number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in (b"0", b"1", b"2", b"3")
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing_whole(path):
        name = temporary(tmp_path)
    os.mkfifo(name)
    replace_whole(path, b"text")
    assert name.is_fifo()
    assert path.read_bytes() == b"text"
