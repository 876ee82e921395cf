from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import Source
from tests.translate.formats.packages import parts_of, zipped


def opened(data: bytes) -> Archive:
    return Archive(Source("book.zip", data))


def rewritten(data: bytes, changed: dict[str, bytes]) -> bytes:
    return b"".join(opened(data).rewritten(changed))


@pytest.fixture
def varied() -> bytes:
    """An archive with all that is to survive: order, times, methods, attributes, comments, extra fields, folders."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.comment = b"of the archive"
        for number, name in enumerate(("mimetype", "z/last.xml", "folder/", "a/first.xml", "名前.xml")):
            info = zipfile.ZipInfo(name, (1999 + number, 12, 31, 23, 59, 58))
            info.external_attr = 0o640 << 16
            info.comment = b"of a part"
            info.create_system = 3
            info.extra = struct.pack("<HH", 0xCAFE, 2) + b"hi"
            info.compress_type = zipfile.ZIP_DEFLATED if name.endswith("xml") else zipfile.ZIP_STORED
            archive.writestr(info, b"" if name.endswith("/") else f"text of {name} ".encode() * 20)
    return stream.getvalue()


def described(data: bytes) -> list[tuple[object, ...]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [
            (*(i.filename, i.date_time, i.compress_type, i.external_attr, i.comment, i.create_system), i.extra)
            for i in archive.infolist()
        ]


def test_nothing_changed_is_the_very_archive(varied: bytes) -> None:
    archive = opened(varied)
    assert rewritten(varied, {}) == varied
    assert rewritten(varied, {name: archive.read(name) for name in archive.names}) == varied


def test_a_changed_part_changes_alone(varied: bytes) -> None:
    new = rewritten(varied, {"z/last.xml": b"other"})
    before, after = parts_of(varied), parts_of(new)
    assert after == {**before, "z/last.xml": b"other"}
    assert list(after) == list(before)
    assert described(new) == described(varied)
    with zipfile.ZipFile(io.BytesIO(new)) as archive:
        assert archive.comment == b"of the archive"


def test_parts_are_named_without_folders(varied: bytes) -> None:
    assert opened(varied).names == ("mimetype", "z/last.xml", "a/first.xml", "名前.xml")
    assert "a/first.xml" in opened(varied)
    assert "none" not in opened(varied)


class NoSeeking(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def test_sizes_that_followed_the_data_stand_before_it() -> None:
    stream = NoSeeking()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one", "1" * 100)
        with archive.open("two", "w", force_zip64=True) as part:
            part.write(b"2" * 100)
    new = rewritten(stream.getvalue(), {"one": b"other"})
    assert parts_of(new) == {"one": b"other", "two": b"2" * 100}


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd", "C:/up", "..\\up", "a\0b"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    harmless = "x" * len(name.encode())
    data = zipped({harmless: "text"}).replace(harmless.encode(), name.encode())
    with pytest.raises(InputError, match="leads outside"):
        opened(data)


def test_two_parts_of_one_name_are_refused() -> None:
    data = zipped({"aa": "1", "ab": "2"}).replace(b"ab", b"aa")
    with pytest.raises(InputError, match="two parts aa"):
        opened(data)


def test_encrypted_parts_are_refused() -> None:
    data = bytearray(zipped({"a": "1"}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(InputError, match="without a password"):
        opened(bytes(data))


def test_an_encrypted_office_document_is_told_from_a_broken_one() -> None:
    with pytest.raises(InputError, match="password"):
        opened(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000))
    with pytest.raises(InputError, match="not a zip archive"):
        opened(b"hello")
    with pytest.raises(InputError, match="not a zip archive"):
        opened(b"")


def test_every_truncated_archive_is_an_error() -> None:
    data = zipped({"one": "1" * 50, "two": b"22"})
    for end in range(len(data)):
        with pytest.raises(InputError):
            opened(data[:end])


def test_a_changed_byte_is_an_error_or_harmless() -> None:
    data = zipped({"one": "1" * 50, "two": b"22"})
    for position in range(len(data)):
        harmed = bytearray(data)
        harmed[position] ^= 0xFF
        try:
            archive = opened(bytes(harmed))
            for name in archive.names:
                archive.read(name)
            b"".join(archive.rewritten({archive.names[0]: b"new"}))
        except InputError:
            continue


def bomb(claimed: int, packed: bytes) -> bytes:
    """An archive whose only part says that it is ``claimed`` bytes large."""
    data = bytearray(zipped({"bomb": packed}, zipfile.ZIP_STORED))
    directory = data.index(b"PK\1\2")
    for start in (8, directory + 10):
        data[start : start + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    for start in (22, directory + 24):
        data[start : start + 4] = struct.pack("<L", claimed)
    return bytes(data)


def deflated_zeros(size: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(bytes(size)) + compressor.flush()


def test_bombs_are_refused_by_what_they_say() -> None:
    packed = deflated_zeros(16 << 20)
    with pytest.raises(InputError, match="would grow to"):
        opened(bomb(16 << 20, packed))
    with pytest.raises(InputError, match="256 MiB"):
        opened(bomb(3 << 30, packed))


def test_a_bomb_that_lies_is_read_to_what_it_says() -> None:
    archive = opened(bomb(100, deflated_zeros(16 << 20)))
    with pytest.raises(InputError, match="damaged"):
        archive.read("bomb")


def test_overlapping_parts_are_refused() -> None:
    data = bytearray(zipped({"aa": "1" * 100, "bb": "2" * 100}, zipfile.ZIP_STORED))
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 1)
    data[second + 42 : second + 46] = struct.pack("<L", 4)
    with pytest.raises(InputError, match="overlaps"):
        opened(bytes(data))


def test_other_compression_is_copied_but_not_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("one", "1" * 50, zipfile.ZIP_BZIP2)
        archive.writestr("two", "2")
    with pytest.raises(InputError, match="Zip it anew"):
        opened(stream.getvalue()).read("one")
    assert parts_of(rewritten(stream.getvalue(), {"two": b"other"})) == {"one": b"1" * 50, "two": b"other"}


def test_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayling_lite.translate.formats.archive.MOST_PARTS", 2)
    with pytest.raises(InputError, match="3 parts"):
        opened(zipped({"a": "", "b": "", "c": ""}))


def test_a_missing_part_is_an_error() -> None:
    with pytest.raises(InputError, match="no part b"):
        opened(zipped({"a": ""})).read("b")
