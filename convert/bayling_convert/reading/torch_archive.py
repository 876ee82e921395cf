"""The zip archive around the tensors of ``torch.save``: where its entries lie, with nothing taken on trust.

``zipfile`` reads the directory at the archive's end; whether the entries are where it says, apart from each other, not
compressed and called by plain names is looked at here. Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO, cast

_LARGEST_READ = 4 * 1024 * 1024
"""Bytes of the largest directory; that of a file with 10,000 tensors has 1 MB."""
_LARGEST_COMMENT = 1 << 17
"""Bytes enough for what may stand behind the directory, which is all that is read without a length."""
_HEADER = struct.Struct("<4s22xHH")  # an entry's own header: signature, ..., length of its name, of its extra field


class DamagedArchive(Exception):
    """The archive is not one, or contradicts itself; the argument completes "it ..."."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the bytes of an entry lie in the file."""

    offset: int
    size: int


class Archive:
    """The entries of an archive, by their names without the folder that holds them all.

    Raises:
        DamagedArchive: the directory is not one that ``torch.save`` writes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        try:
            archive = zipfile.ZipFile(cast(BinaryIO, _Bounded(file)))
            entries, end = archive.infolist(), archive.start_dir
        except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            raise DamagedArchive("has no directory at its end; it is truncated or no such file") from error
        except (ValueError, NotImplementedError, OverflowError, struct.error) as error:
            raise DamagedArchive("has a damaged directory") from error
        for entry in entries:
            _check_entry(entry)
        # Where a header begins, what is before it must have ended.
        ordered = sorted(entries, key=lambda entry: entry.header_offset)
        limits = [*(entry.header_offset for entry in ordered[1:]), end]
        for entry, limit in zip(ordered, limits, strict=True):
            if entry.header_offset < 0 or _least_end(entry) > limit:
                raise DamagedArchive(f"has entries that overlap: {entry.filename!r}")
        self._entries = {
            entry.filename.partition("/")[2]: (entry, limit) for entry, limit in zip(ordered, limits, strict=True)
        }
        folders = {entry.filename.partition("/")[0] for entry in entries}
        if len(self._entries) != len(entries):
            raise DamagedArchive("has two entries of the same name")
        if len(folders) > 1:
            raise DamagedArchive("has entries in more than one folder")

    @property
    def names(self) -> Collection[str]:
        """What is in it."""
        return self._entries.keys()

    def read(self, name: str, limit: int) -> bytes:
        """An entry of at most ``limit`` bytes, checked against its checksum.

        Raises:
            DamagedArchive: no such entry, too long, or not what it was.
        """
        extent = self.locate([name])[name]
        if extent.size > limit:
            raise DamagedArchive(f"has an entry {name} of {extent.size:,} bytes, which it needs not")
        self._file.seek(extent.offset)
        data = self._file.read(extent.size)
        if len(data) != extent.size or zlib.crc32(data) != self._entries[name][0].CRC:
            raise DamagedArchive(f"has a damaged entry {name}")
        return data

    def locate(self, names: Collection[str]) -> dict[str, Extent]:
        """Where entries lie; the file is read from its beginning to its end, a few bytes for each.

        Raises:
            DamagedArchive: no such entry, or it does not lie where the directory says.
        """
        missing = next((name for name in names if name not in self._entries), None)
        if missing is not None:
            raise DamagedArchive(f"has no entry {missing!r}")
        ordered = sorted(names, key=lambda name: self._entries[name][0].header_offset)
        return {name: self._extent(*self._entries[name]) for name in ordered}

    def _extent(self, entry: zipfile.ZipInfo, limit: int) -> Extent:
        self._file.seek(entry.header_offset)
        name = _stored_name(entry)
        start = self._file.read(_HEADER.size + len(name))
        if len(start) == _HEADER.size + len(name):
            signature, name_length, extra_length = _HEADER.unpack_from(start)
            offset = entry.header_offset + _HEADER.size + name_length + extra_length
            right = signature == b"PK\x03\x04" and start[_HEADER.size :] == name and name_length == len(name)
            if right and offset + entry.file_size <= limit:
                return Extent(offset, entry.file_size)
        raise DamagedArchive(f"has no entry {entry.filename!r} where its directory says")


class _Bounded:
    """A file for ``zipfile``, which would read a directory in one piece, as long as that claims to be."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_READ:
            raise ValueError
        return self._file.read(size if size >= 0 else _LARGEST_COMMENT)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Only what ``torch.save`` writes: neither compressed nor encrypted, in a folder, by a plain name."""
    name = entry.filename
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
        raise DamagedArchive(f"has a compressed or encrypted entry: {name[:80]!r}")
    parts = name.split("/")
    if len(parts) < 2 or any(part in ("", ".", "..") or not part.isprintable() or "\\" in part for part in parts):
        raise DamagedArchive(f"has an entry with a strange name: {name[:80]!r}")
    if name != entry.orig_filename:
        raise DamagedArchive(f"has an entry with a strange name: {entry.orig_filename[:80]!r}")


def _stored_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")


def _least_end(entry: zipfile.ZipInfo) -> int:
    return entry.header_offset + _HEADER.size + len(_stored_name(entry)) + entry.file_size
