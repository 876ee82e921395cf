"""Zip archives for tests: taken apart, put together, with parts that are not what they should be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping


def zipped(parts: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def with_parts(data: bytes, parts: Mapping[str, bytes | str]) -> bytes:
    return zipped({**parts_of(data), **parts})


def changed_parts(before: bytes, after: bytes) -> set[str]:
    old, new = parts_of(before), parts_of(after)
    assert list(old) == list(new)
    return {name for name in old if old[name] != new[name]}
