"""Zip archives (APPNOTE.TXT 6.3, PKWARE): documents of many parts, read safely and written part for part.

Nothing of an archive ever touches the disk. What an archive says of itself is checked when it is opened: how large its
parts are, what they are called, that they do not overlap. A part is decompressed when it is asked for, and never to
more than was said.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import Source

MOST_PARTS = 20_000
MOST_BYTES_A_PART = 256 << 20
MOST_BYTES = 2 << 30
# Deflate makes at most 1,032 bytes of one; XML of real documents stays under 100.
GREATEST_RATIO = 250
RATIO_MATTERS_FROM = 8 << 20  # bytes of a part

# What an encrypted Office document is wrapped in, and an old one begins with.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED, _DESCRIPTOR_FOLLOWS, _LEVEL, _UTF8 = 1, 8, 6, 0x800
_ZIP64 = 1  # the extra field for sizes beyond 32 bits, which no archive here reaches


class Archive:
    """A zip archive that was opened. Parts have the archive's own names: ``word/document.xml``.

    Raises:
        InputError: it is not a zip archive, is damaged or encrypted, or tries to harm.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        try:
            self._zip = zipfile.ZipFile(BytesIO(source.data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, EOFError) as error:
            raise InputError(_not_a_zip(source)) from error
        infos = self._zip.infolist()
        _check(source, infos)
        self._infos = {info.filename: info for info in infos}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts, folders left out, in the order of the archive's directory."""
        return tuple(name for name in self._infos if not name.endswith("/"))

    def label(self, name: str) -> str:
        """What to call a part in a message: with the document's name before it."""
        return f"{self._source.name}: {name}"

    def __contains__(self, name: object) -> bool:
        return name in self._infos

    def read(self, name: str) -> bytes:
        """A part's bytes.

        Raises:
            InputError: there is no such part, or it is damaged.
        """
        info = self._infos.get(name)
        if info is None:
            raise InputError(f"{self._source.name} has no part {name}: it is damaged, or not what its name says.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{self._source.name}: {name} is compressed in a way that is not read here. Zip it anew.")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, struct.error) as error:
            raise InputError(f"{self._source.name} is damaged: {name} cannot be read ({error}).") from error

    def rewritten(self, changed: Mapping[str, bytes]) -> Iterator[bytes]:
        """The archive with other bytes for some of its parts, piece by piece.

        All else stays: the other parts as they are compressed, order, times, attributes, comments. If nothing is
        other than it was, these are the very bytes of the source.

        Raises:
            InputError: a part that was to be replaced is not there, or one to be copied is damaged.
        """
        new = {name: data for name, data in changed.items() if data != self.read(name)}
        if not new:
            yield self._source.data
            return
        position = 0
        directory: dict[str, bytes] = {}
        for info in sorted(self._infos.values(), key=lambda info: info.header_offset):
            entry = _Entry(info, self._source, new.get(info.filename))
            directory[info.filename] = entry.central(position)
            local = entry.local()
            yield local
            yield entry.packed
            position += len(local) + len(entry.packed)
        central = b"".join(directory[name] for name in self._infos)
        count = len(directory)
        comment = self._zip.comment
        yield central + _END.pack(b"PK\5\6", 0, 0, count, count, len(central), position, len(comment)) + comment


class _Entry:
    """A part as it is written: the compressed bytes and the two headers that tell of them."""

    def __init__(self, info: zipfile.ZipInfo, source: Source, data: bytes | None) -> None:
        self._info = info
        start = info.header_offset
        try:
            header = _LOCAL.unpack_from(source.data, start)
        except struct.error as error:
            raise InputError(f"{source.name} is damaged: {info.filename} is not where it should be.") from error
        start += _LOCAL.size + header[9]
        self._local_extra = _without_zip64(source.data[start : start + header[10]])
        start += header[10]
        self._method, self._crc, self._size = info.compress_type, info.CRC, info.file_size
        # Sizes stand in the header, so none follow the data; the level of the compressor is of no meaning.
        self._flags = info.flag_bits & ~_DESCRIPTOR_FOLLOWS
        self.packed = source.data[start : start + info.compress_size]
        if data is not None:
            self._flags &= ~_LEVEL
            self._crc, self._size = zlib.crc32(data), len(data)
            self._method = zipfile.ZIP_DEFLATED if info.compress_type else zipfile.ZIP_STORED
            self.packed = _deflated(data) if self._method else data
        self._name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")

    def local(self) -> bytes:
        """The header before the data."""
        numbers = (self._info.extract_version, self._flags, self._method, *_dos_time(self._info))
        sizes = (self._crc, len(self.packed), self._size, len(self._name), len(self._local_extra))
        return _LOCAL.pack(b"PK\3\4", *numbers, *sizes) + self._name + self._local_extra

    def central(self, position: int) -> bytes:
        """The entry in the archive's directory; ``position`` is where the header before the data is."""
        info = self._info
        extra = _without_zip64(info.extra)
        versions = (info.create_version, info.create_system, info.extract_version, 0)
        numbers = (self._flags, self._method, *_dos_time(info))
        sizes = (self._crc, len(self.packed), self._size, len(self._name), len(extra), len(info.comment))
        rest = (0, info.internal_attr, info.external_attr, position)
        return _CENTRAL.pack(b"PK\1\2", *versions, *numbers, *sizes, *rest) + self._name + extra + info.comment


def _deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def _dos_time(info: zipfile.ZipInfo) -> tuple[int, int]:
    year, month, day, hour, minute, second = info.date_time
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def _without_zip64(extra: bytes) -> bytes:
    """Extra fields, each (kind, size, data), but for that of large sizes."""
    kept = []
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        if kind != _ZIP64:
            kept.append(extra[position : position + 4 + size])
        position += 4 + size
    return b"".join(kept) + extra[position:]


def _not_a_zip(source: Source) -> str:
    if source.data.startswith(_OLE):
        return (
            f"{source.name} is protected by a password, or of the formats before 2007. "
            "Save it without a password in the present format."
        )
    if source.data.startswith(b"PK"):
        return f"{source.name} is damaged: the end of the archive is missing or broken. Get a whole copy of it."
    return f"{source.name} is not a zip archive, so not a document of the kind its name says."


def _check(source: Source, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that is broken, or made to harm whoever opens it."""
    name = source.name
    if len(infos) > MOST_PARTS:
        raise InputError(f"{name} has {len(infos):,} parts; more than {MOST_PARTS:,} are not read.")
    seen: set[str] = set()
    for info in infos:
        part = info.filename
        if info.flag_bits & _ENCRYPTED:
            raise InputError(f"{name} is encrypted. Save it without a password.")
        if part in seen:
            raise InputError(f"{name} is damaged: it has two parts {part}.")
        seen.add(part)
        if _leads_outside(info):
            raise InputError(f"{name} has a part {part!r}, whose name leads outside the archive.")
        if info.file_size > MOST_BYTES_A_PART:
            raise InputError(f"{name}: {part} would grow to {info.file_size:,} bytes; the most read is 256 MiB.")
        if info.file_size > max(RATIO_MATTERS_FROM, GREATEST_RATIO * info.compress_size):
            raise InputError(f"{name}: {part} would grow to {info.file_size:,} bytes from {info.compress_size:,}.")
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES:
        raise InputError(f"{name} would grow to {total:,} bytes; the most read is 2 GiB.")
    _check_places(source, infos)


def _leads_outside(info: zipfile.ZipInfo) -> bool:
    raw = info.orig_filename
    steps = raw.replace("\\", "/").split("/")
    return "\0" in raw or ".." in steps or steps[0] == "" or steps[0].endswith(":")


def _check_places(source: Source, infos: list[zipfile.ZipInfo]) -> None:
    """Parts that share their bytes make much of little; parts beyond the end are not there."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise InputError(f"{source.name} is damaged: {info.filename} overlaps another part.")
        end = info.header_offset + _LOCAL.size + len(info.orig_filename) + info.compress_size
    if end > len(source.data):
        raise InputError(f"{source.name} is damaged: it ends too early. Get a whole copy of it.")
