"""The lines typed before: for the owner's eyes, whole, newest first, and never in the way."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from bayling_lite.chat.screens.history import PrivateHistory, open_history


def newest(history: History, count: int) -> list[str]:
    """What a prompt gets that stops asking after so many."""

    async def load() -> list[str]:
        found: list[str] = []
        async for entry in history.load():
            found.append(entry)
            if len(found) == count:
                break
        return found

    return asyncio.run(load())


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history, problem = open_history(path)
    assert isinstance(history, PrivateHistory)
    assert problem == ""
    history.append_string("早上好")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert newest(open_history(path)[0], 9) == ["早上好"]


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("")
    path.chmod(0o644)
    open_history(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_place_for_it_it_lasts_for_the_chat(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    history, problem = open_history(tmp_path / "state" / "history")
    assert isinstance(history, InMemoryHistory)
    assert "history is not kept" in problem


def test_entries_of_several_lines_come_back_as_they_were(tmp_path: Path) -> None:
    typed = ["one", '"""\ntwo\n\n+three\n# four\n"""', "五\n", "# no comment"]
    path = tmp_path / "history"
    history, _ = open_history(path)
    for entry in typed:
        history.append_string(entry)
    assert newest(history, 9) == typed[::-1]
    assert newest(open_history(path)[0], 9) == typed[::-1]
    assert list(FileHistory(str(path)).load_history_strings()) == typed[::-1], "the format is prompt-toolkit's"


def test_a_prompt_may_stop_reading_and_go_on_at_the_next(tmp_path: Path) -> None:
    path = tmp_path / "history"
    before, _ = open_history(path)
    for number in range(2000):
        before.store_string(str(number))
    history, _ = open_history(path)
    assert newest(history, 3) == ["1999", "1998", "1997"]
    history.append_string("new")
    assert newest(history, 5) == ["new", "1999", "1998", "1997", "1996"]
    assert newest(history, 5000) == ["new", *map(str, range(1999, -1, -1))]


def test_a_long_file_is_read_only_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "history"
    with path.open("wb") as file:
        file.seek(2**33)  # 8 GiB of nothing: a sparse file
        file.write(b"\n# a time\n+the last line\n")
    history, _ = open_history(path)
    assert newest(history, 1) == ["the last line"]


def test_what_others_may_have_written_into_it_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"rubbish\n\n# t\n+a\x1b[2J\x07b\n\n# t\n+\xff\xfe\r\n\n# t\n+last, without an end")
    assert newest(open_history(path)[0], 9) == ["last, without an end", "\ufffd\ufffd", "ab"]


def test_two_chats_at_once_do_not_mix_their_entries(tmp_path: Path) -> None:
    path = tmp_path / "history"
    open_history(path)
    program = (
        "import sys; from pathlib import Path; from bayling_lite.chat.screens.history import open_history\n"
        "history, _ = open_history(Path(sys.argv[1]))\n"
        "for _ in range(100): history.store_string('\\n'.join([sys.argv[2] * 200] * 50))\n"
    )
    chats = [subprocess.Popen([sys.executable, "-c", program, str(path), letter]) for letter in "ab"]
    assert [chat.wait(60) for chat in chats] == [0, 0]
    entries = newest(open_history(path)[0], 999)
    assert sorted(entries) == ["\n".join([letter * 200] * 50) for letter in "ab" for _ in range(100)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to try it on")
def test_a_full_disk_does_not_end_the_chat() -> None:
    history = PrivateHistory(Path("/dev/full"))
    history.append_string("kept for this chat")
    assert history.get_strings() == ["kept for this chat"]
