"""What encoding HTML is in: what it says itself, else what its bytes look like.

The order is that of the HTML standard (https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding)
with its reading of labels (https://encoding.spec.whatwg.org/#names-and-labels). A declaration that the bytes do not
bear out is not believed; it stays in the document as it is.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import replace

from bayling_lite.translate.formats.base import Source, TextForm
from bayling_lite.translate.formats.decoding import Decoded, decode

_LOOKED_AT = 4096
_DECLARATION = re.compile(
    rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']?(?P<xml>[\w.:-]+)
    | <meta\b[^>]{0,500}?charset\s*=\s*["']?\s*(?P<meta>[\w.:-]+)""",
    re.IGNORECASE | re.VERBOSE,
)
# How the first tag begins in encodings whose characters are of several bytes each.
_SIGNS = ((b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
# Labels that mean another encoding than their name says.
_LABELS = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk", "chinese", "gb2312-80"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "korean"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5", "x-x-big5"), "big5hkscs"),
    **dict.fromkeys(("iso-8859-9", "latin5", "l5"), "cp1254"),
    **dict.fromkeys(("tis-620", "iso-8859-11"), "cp874"),
    # A declaration that can be read as ASCII is not in UTF-16.
    **dict.fromkeys(("utf-16", "utf-16le", "utf-16be", "ucs-2", "unicode"), "utf-8"),
}
_SINGLE_BYTES = ("cp125", "iso8859", "koi8", "mac", "latin")
_NOT_ENCODINGS = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs"})


def decode_html(source: Source) -> Decoded:
    """The text of an HTML document.

    Raises:
        InputError: it is not text, or not in the encoding that was named.
    """
    decoded = _decoded(source)
    return replace(decoded, form=replace(decoded.form, errors="xmlcharrefreplace"))


def _decoded(source: Source) -> Decoded:
    data = source.data
    if source.encoding is not None or data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode(source)
    for sign, encoding in _SIGNS:
        if data.startswith(sign):
            found = _as(data, encoding)
            if found:
                return found
    declared = _declared(data)
    # Bytes beyond ASCII are UTF-8 by chance almost never: then it is what is declared that is wrong.
    if declared in (None, "utf-8") or declared.startswith(_SINGLE_BYTES):
        found = _as(data, "utf-8")
        if found and ("\0" not in found.text or re.match(r"\s*<[!?A-Za-z]", found.text)):
            return found
    found = _as(data, declared) if declared else None
    return found or decode(source)


def _declared(data: bytes) -> str | None:
    """The codec of the encoding that the document declares."""
    found = _DECLARATION.search(_COMMENT.sub(b"", data[:_LOOKED_AT]))
    if not found:
        return None
    label = (found["xml"] or found["meta"]).decode("ascii", "replace").lower()
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
        "a".encode(name)
    except (LookupError, UnicodeError):
        return None
    return None if name in _NOT_ENCODINGS else name


def _as(data: bytes, encoding: str) -> Decoded | None:
    """The text in an encoding, if the bytes are that and become the same again."""
    try:
        text = data.decode(encoding)
        return Decoded(text, TextForm(encoding)) if text.encode(encoding) == data else None
    except UnicodeError:
        return None
