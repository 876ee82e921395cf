"""Bytes to text, whatever the encoding: by mark, as UTF-8, or as one of the encodings there were before Unicode."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from bayling_lite.encodings import BYTE_ORDER_MARKS
from bayling_lite.errors import InputError
from bayling_lite.localization import _
from bayling_lite.translate.formats.base import Source, TextForm

# Encodings that take a mark off and put one on, and those that leave that alone.
_MARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
# What a text that is not UTF-8 is guessed to be.
_LEGACY = ["gb18030", "big5", "cp1252"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and how it becomes bytes again: ``text.encode(form.encoding)`` gives those it was read from."""

    text: str
    form: TextForm


def decode(source: Source) -> Decoded:
    """The text of a document.

    Raises:
        InputError: it is not text, or not in the encoding that was named.
    """
    name, data, encoding = source.name, source.data, source.encoding
    if encoding is not None:
        codec = _codec(name, data, encoding)
        return Decoded(_as_named(name, data, codec), TextForm(codec))
    marked = next((codec for mark, codec in BYTE_ORDER_MARKS if data.startswith(mark)), None)
    try:
        text = data.decode(marked or "utf-8")
        if "\0" not in text:
            return Decoded(text, TextForm(marked or "utf-8"))
    except UnicodeDecodeError as error:
        if _is_damaged_utf8(data):
            raise InputError(
                _(
                    "{name} is UTF-8 text but for {place}. Repair it, or cut it off; if it is of another encoding "
                    "after all, name that with --encoding.",
                    name=name,
                    place=_place(data, error),
                )
            ) from error
    except UnicodeError:
        pass
    guess = None if marked or b"\0" in data else _guess(data)
    if guess is None:
        raise InputError(
            _(
                "{name} is not text that can be recognised: it is a binary file, or in an encoding to be named with "
                "--encoding, for example --encoding gb18030 or utf-16-le.",
                name=name,
            )
        )
    return Decoded(data.decode(guess), TextForm(guess, guessed=True))


def _codec(name: str, data: bytes, encoding: str) -> str:
    """The codec for an encoding that writes the bytes it reads, with a mark of their order or without one."""
    try:
        normal = codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(
            f"{name} is said to be in the encoding {encoding}, which is unknown. Name the right one with --encoding."
        ) from error
    if normal not in _MARKED:
        return encoding
    marked = (codec for mark, codec in BYTE_ORDER_MARKS if data.startswith(mark) and codec.startswith(normal))
    return next(marked, _MARKED[normal])


def _as_named(name: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not {encoding} text: {_place(data, error)}. "
            "Repair it, or name another encoding with --encoding."
        ) from error
    except (UnicodeError, LookupError) as error:
        raise InputError(f"{name} is not {encoding} text: {error}. Name another with --encoding.") from error


def _place(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    return _("the byte 0x{byte} on line {line}", byte=f"{data[error.start]:02x}", line=line)


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII decodes: chance does not make UTF-8 of text in another encoding."""
    if data.startswith(tuple(mark for mark, _ in BYTE_ORDER_MARKS[1:])) or b"\0" in data:
        return False
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    return sum(not character.isascii() for character in text) - bad > 4 * bad


def _guess(data: bytes) -> str | None:
    """The likeliest of the encodings that Chinese and Western text had before Unicode."""
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=_LEGACY).best()
    return best.encoding if best is not None and best.encoding in _LEGACY else None
