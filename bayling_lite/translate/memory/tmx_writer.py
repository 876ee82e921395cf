"""Writing TMX 1.4b (LISA OSCAR; https://www.gala-global.org/tmx-14b), as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from bayling_lite import __version__
from bayling_lite.translate.markup import Code, Marked
from bayling_lite.translate.memory.units import Unit

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_tmx(units: Iterable[Unit], *, source_language: str = "*all*") -> Iterator[str]:
    """The lines of a memory. ``source_language`` is that of all units, or ``*all*``.

    What XML cannot hold (control characters, lone surrogates) becomes U+FFFD.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n'
    yield (
        f'<header creationtool="bayling-lite" creationtoolversion={_attribute(__version__)} segtype="sentence" '
        f'o-tmf="bayling-lite" adminlang="en" srclang={_attribute(source_language)} datatype="unknown"/>\n<body>\n'
    )
    for unit in units:
        yield _unit(unit)
    yield "</body>\n</tmx>\n"


def _unit(unit: Unit) -> str:
    created = f' creationdate="{datetime.fromtimestamp(unit.created, UTC):%Y%m%dT%H%M%SZ}"' if unit.created else ""
    lines = [f"<tu{created}>"]
    lines += [f"<prop type={_attribute(kind)}>{_text(value)}</prop>" for kind, value in unit.properties]
    numbers: dict[tuple[str, int], int] = {}
    for variant in unit.variants:
        content = _segment(variant.text, numbers)
        lines.append(f"<tuv xml:lang={_attribute(variant.language)}><seg>{content}</seg></tuv>")
    return "\n".join([*lines, "</tu>\n"])


def _segment(text: Marked, numbers: dict[tuple[str, int], int]) -> str:
    """A text with its codes as elements. ``numbers`` are those of the unit's codes, by kind and pair."""
    kinds = [(piece.kind, piece.pair) for piece in text.pieces if isinstance(piece, Code)]
    seen: dict[int, int] = {}
    parts = []
    for piece in text.pieces:
        if isinstance(piece, str):
            parts.append(_text(piece))
            continue
        alone = piece.kind == "alone"
        # Codes that stand alone may all have the pair 0: then their order tells them apart.
        nth = seen[piece.pair] = seen.get(piece.pair, 0) + 1 if alone else 1
        identity = (f"alone{nth}" if alone else "pair", piece.pair)
        number = numbers.setdefault(identity, len(numbers) + 1)
        whole = not alone and all((kind, piece.pair) in kinds for kind in ("open", "close"))
        parts.append(_element(piece, number, whole=whole))
    return "".join(parts)


def _element(code: Code, number: int, *, whole: bool) -> str:
    raw = _text(code.raw)
    if code.kind == "alone":
        return f'<ph x="{number}">{raw}</ph>'
    if not whole:
        return f'<it pos="{"begin" if code.kind == "open" else "end"}" x="{number}">{raw}</it>'
    if code.kind == "open":
        return f'<bpt i="{number}" x="{number}">{raw}</bpt>'
    return f'<ept i="{number}">{raw}</ept>'


def _text(text: str) -> str:
    # A lone carriage return would come back as a line feed.
    return escape(_FORBIDDEN.sub("\ufffd", text), {"\r": "&#13;"})


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))
