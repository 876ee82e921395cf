"""Reading text of any encoding, writing it whole."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from bayling_lite.cli.files import LARGEST, check_output, read_source, write_whole
from bayling_lite.encodings import check_encoding
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.languages import find_language
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.job.naming import derived_name

SIMPLIFIED = "早上好。你今天怎么样？我们明天一起去公园吧。"
TRADITIONAL = "早安。你今天好嗎？我們明天一起去公園吧。"
GERMAN = "Schöne Grüße aus München. Wie geht es Ihnen? Müßig überlegen wir."


@pytest.mark.parametrize(
    ("text", "encoding", "recognised"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        ("\ufeff" + SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-16", "utf-16"),
        (SIMPLIFIED, "utf-32", "utf-32"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (GERMAN, "cp1252", "cp1252"),
        ("a\r\nb\rc\n", "utf-8", "utf-8"),
        ("", "utf-8", "utf-8"),
    ],
)
def test_encodings_are_recognised(tmp_path: Path, text: str, encoding: str, recognised: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    read = decode(read_source(str(path)))
    # A mark at the beginning stays in the text, so that it is written again.
    assert read.text.removeprefix("\ufeff") == text.removeprefix("\ufeff")
    assert read.text.encode(read.form.encoding) == path.read_bytes()
    assert read.form.encoding in (recognised, f"{recognised}-le", f"{recognised}-be")
    assert read.form.guessed == (encoding in ("gb18030", "big5", "cp1252"))


def test_a_named_encoding_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(SIMPLIFIED.encode("utf-16-le"))
    assert decode(read_source(str(path), "utf-16-le")).text == SIMPLIFIED
    with pytest.raises(InputError, match="--encoding"):
        decode(read_source(str(path), "utf-8"))
    with pytest.raises(UsageError, match="Unknown encoding 'klingon'"):
        check_encoding("klingon")
    with pytest.raises(UsageError, match="Unknown encoding 'base64'"):
        check_encoding("base64")


@pytest.mark.parametrize("data", [b"\x7fELF\x02\x01\x00\x00", b"text\0text", bytes(range(256)), b"\xff\xfe\x00"])
def test_binary_files_are_refused_with_a_remedy(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(data)
    with pytest.raises(InputError, match="--encoding"):
        decode(read_source(str(path)))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        read_source(str(tmp_path / "missing.txt"))
    with pytest.raises(InputError, match="is a folder"):
        read_source(str(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        read_source("a\0b")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read"):
        read_source(str(tmp_path / "file" / "below"))


@pytest.mark.parametrize(
    ("name", "derived"),
    [
        ("letter.txt", "letter.zh.txt"),
        ("letter.en.txt", "letter.zh.txt"),
        ("letter.v2.txt", "letter.v2.zh.txt"),
        ("letter", "letter.zh"),
        ("en.txt", "en.zh.txt"),
        ("a/b.DE.md", "b.zh.md"),
    ],
)
def test_derived_names(name: str, derived: str) -> None:
    assert derived_name(Path(name), find_language("zh")) == derived


def test_outputs_are_checked_before_the_work(tmp_path: Path) -> None:
    there = tmp_path / "there.txt"
    there.write_text("old")
    with pytest.raises(OutputError, match="--force"):
        check_output(there, force=False, inputs=[])
    check_output(there, force=True, inputs=[])
    with pytest.raises(OutputError, match="is an input"):
        check_output(tmp_path / "." / "there.txt", force=True, inputs=[there])
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path, force=True, inputs=[])
    for nowhere in (tmp_path / "missing" / "x", there / "x", Path("/proc/nowhere.txt")):
        with pytest.raises(OutputError, match="cannot be written"):
            check_output(nowhere, force=False, inputs=[])
    assert [path.name for path in tmp_path.iterdir()] == ["there.txt"]


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "text.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    write_whole(tmp_path / "fresh.txt", b"x")
    assert (tmp_path / "fresh.txt").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "text.txt"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert sorted(child.name for child in tmp_path.iterdir() if child.is_file()) == ["text.txt"]


def test_a_document_of_more_than_a_gigabyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.touch()
    os.truncate(path, LARGEST + 1)  # a hole: nothing of it is on the disk
    with pytest.raises(InputError, match="more than 1 GB"):
        read_source(str(path))


def test_standard_input_that_is_closed_is_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="Standard input is closed"):
        read_source("-")


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"text"))
    writer.start()
    assert read_source(str(pipe)).data == b"text"
    writer.join(10)


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    check_output(pipe, force=False, inputs=[])
    write_whole(pipe, b"through")
    reader.join(10)
    assert got == [b"through"]
    assert pipe.is_fifo()
