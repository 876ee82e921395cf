"""The user's own editor: which one, and what comes back from it."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import sys
from pathlib import Path

import pytest

from bayling_lite.chat.screens.editor import edit, editor_command
from bayling_lite.errors import OutputError, UsageError


def nothing(_name: str) -> None:
    return None


@pytest.mark.parametrize(
    ("environ", "platform", "command"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, "linux", ("code", "--wait")),
        ({"VISUAL": " ", "EDITOR": "vi"}, "darwin", ("vi",)),
        ({"EDITOR": "'/my apps/vim' -f"}, "linux", ("/my apps/vim", "-f")),
        ({"EDITOR": r"C:\Tools\vim.exe -f"}, "win32", (r"C:\Tools\vim.exe", "-f")),
        ({"EDITOR": r'"C:\My Apps\vim.exe" -f'}, "win32", (r"C:\My Apps\vim.exe", "-f")),
        ({}, "win32", ("notepad.exe",)),
    ],
)
def test_the_editor_is_the_users(environ: dict[str, str], platform: str, command: tuple[str, ...]) -> None:
    assert editor_command(environ, platform, nothing) == command


def test_without_a_wish_it_is_what_the_system_has() -> None:
    there = {"nano": "/usr/bin/nano", "vi": "/usr/bin/vi"}
    assert editor_command({}, "linux", there.get) == ("/usr/bin/nano",)
    assert editor_command({}, "darwin", {"vi": "/usr/bin/vi"}.get) == ("/usr/bin/vi",)
    with pytest.raises(UsageError, match="EDITOR=nano"):
        editor_command({}, "linux", nothing)


def test_a_variable_that_is_no_command_is_named() -> None:
    with pytest.raises(UsageError, match=r"\$EDITOR is no command: 'vi"):
        editor_command({"EDITOR": "'vi"}, "linux", nothing)


def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> Path:
    """Make this program the editor; ``file`` is what it edits. Gives a path that it can write to as ``out``."""
    out = tmp_path / "out"
    path = tmp_path / "my editor.py"
    begin = f"import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\nout = pathlib.Path({str(out)!r})\n"
    path.write_text(begin + program)
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(path)]))
    return out


def test_a_text_goes_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = script(
        tmp_path,
        monkeypatch,
        "out.write_text(f'{file.read_text()!r} {oct(file.parent.stat().st_mode)} {file}')\n"
        "file.write_bytes('\\ufeff早上好。\\r\\n\\x1b[2Jund weiter\\r\\n'.encode())",
    )
    assert edit("Guten Morgen.\nJa.") == "早上好。\nund weiter"
    content, mode, name = out.read_text().rsplit(" ", 2)
    assert content == "'Guten Morgen.\\nJa.\\n'"
    assert stat.S_IMODE(int(mode, 8)) == 0o700
    assert not Path(name).parent.exists(), "nothing is left behind"


def test_an_empty_text_is_an_empty_file_and_all_can_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = script(tmp_path, monkeypatch, "out.write_text(str(file.stat().st_size)); file.write_text('')")
    assert edit("") == ""
    assert out.read_text() == "0"


def test_an_editor_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, monkeypatch, "file.write_text('half'); sys.exit(1)")
    assert edit("draft") is None
    script(tmp_path, monkeypatch, "file.unlink()")
    assert edit("draft") is None


def test_what_is_not_utf8_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, monkeypatch, "file.write_bytes(b'\\xff\\xfe')")
    with pytest.raises(UsageError, match="not UTF-8"):
        edit("draft")


def test_an_editor_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/nowhere/vim -f")
    with pytest.raises(UsageError, match=r"/nowhere/vim does not start: No such file.*\$VISUAL"):
        edit("draft")


def test_half_a_character_becomes_a_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, monkeypatch, "")
    assert edit("a\udcffb") == "a?b"


def test_where_no_file_can_be_made_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, monkeypatch, "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match=r"gone.* cannot be written: No such file"):
        edit("draft")


@pytest.mark.skipif(sys.platform == "win32", reason="signals to other programs are a POSIX thing")
def test_ctrl_c_is_for_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    out = script(
        tmp_path,
        monkeypatch,
        "import os, signal\n"
        "out.write_text(str(signal.getsignal(signal.SIGINT) is signal.default_int_handler))\n"
        "os.kill(os.getppid(), signal.SIGINT); file.write_text('saved')",
    )
    heard, hears = os.pipe()
    os.set_blocking(hears, False)
    try:
        signal.set_wakeup_fd(hears)
        assert edit("draft") == "saved"
    finally:
        signal.set_wakeup_fd(-1)
        os.close(hears)
        assert os.read(heard, 1) == b"", "an event loop would take the signal for its own"
        os.close(heard)
    assert out.read_text() == "True"
    assert signal.getsignal(signal.SIGINT) is before
