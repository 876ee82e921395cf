"""Documents that are damaged, in another encoding than they should be, or made to harm; the same each time."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Iterator

from tests.translate.formats.authors import Author
from tests.translate.formats.samples import MAKERS, Sample

ARCHIVES = ("docx", "pptx", "xlsx", "odt", "epub")
BINARY = (*ARCHIVES, "pdf")
TEXTS = tuple(name for name in MAKERS if name not in BINARY)
# The part of each archive that holds the text.
MAIN_PART = {
    "docx": "word/document.xml",
    "pptx": "ppt/slides/slide1.xml",
    "xlsx": "xl/worksheets/sheet1.xml",
    "odt": "content.xml",
    "epub": "EPUB/c0.xhtml",
}
CHINESE = "早上好。你今天怎么样？我们明天一起去公园吧。\n"


def malformed(name: str) -> Iterator[Sample]:
    """Those of a format."""
    yield from damaged(name)
    if name in TEXTS:
        yield from otherwise_encoded(name)
    if name in ARCHIVES:
        yield from hostile_archives(name)
        yield from (Sample(f"{name} with {what}", name, with_main_part(name, text)) for what, text in hostile_xml())
    if name in ("xliff", "html"):
        yield from (Sample(f"{name} with {what}", name, text) for what, text in hostile_xml())
    yield from (sample for sample in deep() if sample.format == name)


def long_lines(name: str) -> Iterator[Sample]:
    """Documents of text that are one line."""
    length = 10_000_000 if name in ("txt", "json", "html") else 1_000_000
    prose = "The quick brown fox jumps over the lazy dog, and nobody in the whole forest minds it on such a morning. "
    line = prose * (length // len(prose))
    bodies = dict.fromkeys(("txt", "md", "html", "tex"), line)
    bodies |= {
        "json": f'{{"a": "{line}"}}',
        "jsonl": f'"{line}"',
        "csv": f'id,text\n1,"{line}"',
        "tsv": f"id\ttext\n1\t{line}",
    }
    file = '<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file source-language="en"><body>'
    unit = f'<trans-unit id="1"><source>{line}</source></trans-unit>'
    bodies |= {"xliff": f"{file}{unit}</body></file></xliff>"}
    bodies |= {"po": f'msgid "{line}"\nmsgstr ""\n', "srt": f"1\n00:00:01,000 --> 00:00:02,000\n{line}"}
    bodies |= {"vtt": f"WEBVTT\n\n00:01.000 --> 00:02.000\n{line}"}
    bodies |= {"ass": f"[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.00,0:00:01.00,{line}\n"}
    yield Sample(f"{name} in a line of {length:,}", name, bodies[name].encode())
    alike = {
        "txt": b"x" * (length // 4),
        "html": b"<" * (length // 10),
        "md": b"[a " * (length // 100),
        "tex": b"{" * (length // 100),
    }
    if name in alike:
        yield Sample(f"{name} of one character again and again", name, alike[name])


def damaged(name: str) -> Iterator[Sample]:
    """Cut off, with bytes changed or put in, of another format, or without anything."""
    whole = MAKERS[name](Author(1))
    for part in range(1, 7):
        yield Sample(f"{name} cut at {part}/7", name, whole[: len(whole) * part // 7])
    for seed in range(8):
        random_ = random.Random(seed)
        changed = bytearray(whole)
        for _ in range(1 + seed * 3):
            changed[random_.randrange(len(changed))] = random_.randrange(256)
        yield Sample(f"{name} with {1 + seed * 3} other bytes", name, bytes(changed))
    middle = len(whole) // 2
    garbage = (
        b"\0" * 9,
        b"\x1b]0;x\x07\x1b[2J",
        b"\xed\xa0\x80",
        b"\xff\xfe\xff",
        b"</s><|eot_id|>",
        b"\xf4\x80\x80\x80",
    )
    for piece in garbage:
        yield Sample(f"{name} with {piece!r} inside", name, whole[:middle] + piece + whole[middle:])
    for other in ("txt", "docx", "pdf", "xliff"):
        if other != name:
            yield Sample(f"{name} that is {other}", name, MAKERS[other](Author(2)))
    for what, data in (("nothing", b""), ("a space", b" \n"), ("a byte order mark", b"\xef\xbb\xbf")):
        yield Sample(f"{name} with {what}", name, data)


def otherwise_encoded(name: str) -> Iterator[Sample]:
    """A document of text in Chinese encodings, in UTF-16, with old line ends or none at all."""
    bare = name in ("txt", "md", "html", "tex")
    text = CHINESE * 5 if bare else MAKERS[name](Author(3)).decode("utf-8-sig")
    for encoding in ("gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"):
        data = text.encode(encoding, "replace")
        yield Sample(f"{name} in {encoding}", name, data)
        yield Sample(f"{name} in {encoding}, named", name, data, encoding)
    for what, newline in (("CR only", "\r"), ("line separators", "\u2028"), ("no line ends", " ")):
        yield Sample(f"{name} with {what}", name, text.replace("\r\n", "\n").replace("\n", newline).encode())
    yield Sample(
        f"{name} with a lone surrogate", name, text.encode()[:40] + "\\ud800 \ud800".encode("utf-8", "surrogatepass")
    )


def archive(parts: Iterator[tuple[str, bytes]], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for part, data in parts:
            file.writestr(part, data)
    return out.getvalue()


def parts_of(name: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(MAKERS[name](Author(4)))) as file:
        yield from ((part, file.read(part)) for part in file.namelist())


def with_main_part(name: str, data: bytes) -> bytes:
    """An archive in which the part with the text is another."""
    return archive((part, data if part == MAIN_PART[name] else content) for part, content in parts_of(name))


def hostile_archives(name: str) -> Iterator[Sample]:
    main = MAIN_PART[name]

    def more(*extra: tuple[str, bytes]) -> bytes:
        return archive(iter([*parts_of(name), *extra]))

    size = 300_000_000 if name == "docx" else 60_000_000
    yield Sample(f"{name}: a bomb", name, with_main_part(name, b"<a>" + b" " * size))
    yield Sample(f"{name}: a bomb beside", name, more(("bomb.bin", b"\0" * 60_000_000)))
    yield Sample(f"{name}: many parts", name, more(*((f"p{n}", b"") for n in range(20_000))))
    for path in ("../../evil.txt", "/tmp/evil.txt", "C:\\evil.txt", "a/../../../evil.txt"):
        yield Sample(f"{name}: {path}", name, more((path, b"evil")))
    without = archive((part, data) for part, data in parts_of(name) if part != main)
    yield Sample(f"{name}: without its text", name, without)
    yield Sample(f"{name}: an empty archive", name, archive(iter(())))
    whole = MAKERS[name](Author(4))
    yield Sample(f"{name}: bytes before", name, b"#!/bin/sh\n" + whole)
    yield Sample(f"{name}: bytes behind", name, whole + b"\0" * 70_000)
    encrypted = bytearray(whole)
    at = 0
    while (at := encrypted.find(b"PK\x01\x02", at)) >= 0:
        struct.pack_into("<H", encrypted, at + 8, 1)
        at += 4
    yield Sample(f"{name}: encrypted", name, bytes(encrypted))


def hostile_xml() -> Iterator[tuple[str, bytes]]:
    head = '<?xml version="1.0"?>'
    laughs = "".join(f'<!ENTITY l{n} "{10 * f"&l{n - 1};"}">' for n in range(1, 12))
    yield "a billion laughs", f'{head}<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x>&l11;</x>'.encode()
    yield "a quadratic entity", f'{head}<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]><x>{"&a;" * 50_000}</x>'.encode()
    yield "an external entity", f'{head}<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'.encode()
    yield "a parameter entity", f'{head}<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:9/e">%e;]><x/>'.encode()
    yield "an external DTD", f'{head}<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x>text</x>'.encode()
    yield "deep nesting", f"{head}{'<a>' * 30_000}{'</a>' * 30_000}".encode()
    attributes = " ".join(f'a{n}="x"' for n in range(50_000))
    yield "many attributes", f"{head}<a {attributes}/>".encode()
    yield "elements not closed", f"{head}<a><b>text</a>".encode()
    yield "an unknown encoding", b'<?xml version="1.0" encoding="klingon"?><a>text</a>'
    yield "a wrong encoding", b'<?xml version="1.0" encoding="utf-8"?><a>caf\xe9</a>'
    yield "control characters", b'<?xml version="1.0"?><a>\x01\x1b&#1;</a>'


def deep() -> Iterator[Sample]:
    """Nested deeper than a program that calls itself can go."""
    depth = 100_000
    yield Sample("json, deep lists", "json", b"[" * depth + b'"text"' + b"]" * depth)
    yield Sample("json, deep objects", "json", b'{"a":' * depth + b'"text"' + b"}" * depth)
    yield Sample("json, never closed", "json", b"[" * depth)
    yield Sample("md, deep quotes", "md", b">" * depth + b" text")
    yield Sample("md, deep lists", "md", b"".join(b" " * n + b"- a\n" for n in range(500)))
    yield Sample("md, deep emphasis", "md", b"*a " * depth + b"b* " * 10)
    yield Sample("tex, deep groups", "tex", b"{" * depth + b"text" + b"}" * depth)
    yield Sample("tex, deep environments", "tex", b"\\begin{center}" * 5_000 + b"text")
    yield Sample("html, deep tags", "html", b"<div>" * 30_000 + b"text")
    yield Sample("html, deep inline tags", "html", b"<b>" * 30_000 + b"text")
    yield Sample("html, deep tags that end", "html", b"<b>" * 70_000 + b"text" + b"</b>" * 70_000)
    yield Sample("po, many lines", "po", b'msgid ""\n' + b'"text "\n' * depth + b'msgstr ""\n')
