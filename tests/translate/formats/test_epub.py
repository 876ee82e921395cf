"""EPUB: chapters in reading order, contents, title and language; every other part as it was."""

from __future__ import annotations

import io
import zipfile

import ebooklib.epub
import pytest
from lxml import etree

from bayling_lite.errors import InputError
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""

OPF = """<?xml version='1.0' encoding='utf-8'?>
<package xmlns="http://www.idpf.org/2007/opf" version="2.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf">
  <dc:title>The Book</dc:title><dc:creator opf:role="aut">Jane Doe</dc:creator>
  <dc:description>&lt;p&gt;A &lt;b&gt;fine&lt;/b&gt; book&lt;/p&gt;</dc:description>
  <dc:identifier id="id">urn:x</dc:identifier><dc:language>en-GB</dc:language>
</metadata>
<manifest>
  <item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
  <item id="b" href="text/two%20words.xhtml" media-type="application/xhtml+xml"/>
  <item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/>
  <item id="out" href="../../etc/passwd" media-type="application/xhtml+xml"/>
  <item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>
  <item id="pic" href="a.png" media-type="image/png"/>
</manifest>
<spine toc="ncx"><itemref idref="a"/><itemref idref="b"/><itemref idref="none"/></spine>
</package>"""

NCX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1" xml:lang="en">
<docTitle><text>The Book</text></docTitle>
<docAuthor><text>Jane Doe</text></docAuthor>
<navMap><navPoint id="n1" playOrder="1"><navLabel><text>Chapter One</text></navLabel><content src="text/one.xhtml"/>
</navPoint></navMap><pageList><pageTarget><navLabel><text>iv</text></navLabel></pageTarget></pageList></ncx>"""

CHAPTER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en"><head><title>One</title><link rel="x" href="x.css"/></head>
<body xml:lang="en"><h1 id="c1">Chapter<br/>One</h1>
<p class="a"><span class="cap">I</span>t was a <em>dark</em> night&#8212;no<a id="fn1" href="#n1"><sup>1</sup></a>.</p>
<p><img src="a.png" alt="A house"/></p></body></html>"""


def zipped(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


PARTS: dict[str, str | bytes] = {
    "META-INF/container.xml": CONTAINER,
    "OEBPS/book.opf": OPF,
    "OEBPS/toc.ncx": NCX,
    "OEBPS/text/two words.xhtml": CHAPTER.replace("dark", "bright"),
    "OEBPS/text/one.xhtml": CHAPTER,
    "OEBPS/a.png": b"\x89PNG\r\n\x1a\n",
}
BOOK = zipped(PARTS)


def epub3() -> bytes:
    book = ebooklib.epub.EpubBook()
    book.set_identifier("id-1")
    book.set_title("My Book")
    book.set_language("en")
    book.add_metadata("DC", "description", "What it is about")
    chapter = ebooklib.epub.EpubHtml(title="Intro", file_name="intro.xhtml", lang="en")
    chapter.content = "<html><body><h1>Intro</h1><p>Some <b>bold</b> text.</p></body></html>"
    book.add_item(chapter)
    book.toc = [chapter]
    book.spine = [chapter]
    book.add_item(ebooklib.epub.EpubNcx())
    book.add_item(ebooklib.epub.EpubNav())
    out = io.BytesIO()
    ebooklib.epub.write_epub(out, book)
    return out.getvalue()


def test_units_come_in_reading_order() -> None:
    assert shown(opened(BOOK, "epub")) == [
        *("One", "Chapter\nOne", "It was a dark night—no1.", "A house"),
        *("One", "Chapter\nOne", "It was a bright night—no1.", "A house"),
        *("The Book", "Chapter One", "The Book", "A fine book"),
    ]
    places = [unit.place for unit in opened(BOOK, "epub").units()]
    assert places[2] == "OEBPS/text/one.xhtml, line 5"
    assert places[-1] == "OEBPS/book.opf, line 5"


def test_unchanged_is_the_same() -> None:
    for data in (BOOK, epub3()):
        assert written(opened(data, "epub"), same) == data
        assert written(opened(data, "epub"), same, bilingual=True) == data


def test_only_text_changes() -> None:
    new = unzipped(written(opened(BOOK, "epub"), swapped))
    old = unzipped(BOOK)
    assert list(new) == list(old)
    assert {name for name in old if new[name] != old[name]} == {name for name in old if name.startswith("OEBPS/")} - {
        "OEBPS/a.png"
    }
    opf = new["OEBPS/book.opf"].decode()
    assert '<dc:title>tHE bOOK</dc:title><dc:creator opf:role="aut">Jane Doe</dc:creator>' in opf
    assert "&lt;p&gt;a &lt;b&gt;FINE&lt;/b&gt; BOOK&lt;/p&gt;" in opf
    assert "<dc:language>zh</dc:language>" in opf
    assert 'unique-identifier="id" xml:lang="zh"' in opf
    ncx = new["OEBPS/toc.ncx"].decode()
    assert "cHAPTER oNE" in ncx
    assert "Jane Doe" in ncx
    assert "<text>iv</text>" in ncx
    chapter = new["OEBPS/text/one.xhtml"].decode()
    assert 'xml:lang="zh"><head><title>oNE</title><link rel="x" href="x.css"/>' in chapter
    assert '<em>DARK</em> NIGHT&#8212;NO<a id="fn1" href="#n1"><sup>1</sup></a>.</p>' in chapter
    for name in old:
        if name.endswith(("xml", "opf", "ncx", "xhtml")):
            etree.fromstring(new[name], etree.XMLParser(load_dtd=False, no_network=True))


def test_twice_is_the_same() -> None:
    for data in (BOOK, epub3()):
        once = written(opened(data, "epub"), swapped, target="en")
        assert unzipped(once) != unzipped(data)
        assert unzipped(written(opened(once, "epub"), swapped, target="en")) == unzipped(data)


def test_the_type_stays_first_and_stored() -> None:
    with zipfile.ZipFile(io.BytesIO(written(opened(BOOK, "epub"), swapped))) as file:
        first = file.infolist()[0]
    assert (first.filename, first.compress_type, first.header_offset) == ("mimetype", zipfile.ZIP_STORED, 0)


def test_only_a_book_with_changes_declares_another_language() -> None:
    one = opened(BOOK, "epub")
    new = unzipped(written(one, lambda unit: "X" if "dark" in unit.text else unit.text))
    assert b"<dc:language>zh<" in new["OEBPS/book.opf"]
    assert b"<dc:title>The Book<" in new["OEBPS/book.opf"]
    assert new["OEBPS/text/two words.xhtml"] == unzipped(BOOK)["OEBPS/text/two words.xhtml"]


def test_bilingual() -> None:
    new = unzipped(written(opened(BOOK, "epub"), swapped, bilingual=True))
    chapter = new["OEBPS/text/one.xhtml"].decode()
    assert '<h1 id="c1">Chapter<br/>One<br /><span xml:lang="zh">cHAPTER<br/>oNE</span></h1>' in chapter
    copy = '<p xml:lang="zh" class="a"><span class="cap">i</span>T WAS A <em>DARK</em> NIGHT&#8212;NO<a href="#n1">'
    assert copy in chapter
    assert b"<dc:language>en-GB<" in new["OEBPS/book.opf"]
    assert b"<text>Chapter One / cHAPTER oNE</text>" in new["OEBPS/toc.ncx"]
    root = etree.fromstring(chapter.encode(), etree.XMLParser(load_dtd=False, no_network=True))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_a_book_by_another_library() -> None:
    data = epub3()
    assert shown(opened(data, "epub"))[:2] == ["Intro", "Intro"]
    assert shown(opened(data, "epub"))[-2:] == ["My Book", "What it is about"]
    assert "Some bold text." in shown(opened(data, "epub"))
    new = written(opened(data, "epub"), swapped, target="de")
    book = ebooklib.epub.read_epub(io.BytesIO(new), {"ignore_ncx": True})
    assert book.title == "mY bOOK"
    assert book.get_metadata("DC", "language")[0][0] == "de"
    chapter = book.get_item_with_href("intro.xhtml")
    assert b"<b>BOLD</b> TEXT." in chapter.get_content()
    nav = next(data for name, data in unzipped(new).items() if name.endswith("nav.xhtml")).decode()
    assert ">iNTRO</a>" in nav


ENCRYPTION = """<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#">
<enc:EncryptedData><enc:EncryptionMethod Algorithm="{}"/>
<enc:CipherData><enc:CipherReference URI="OEBPS/text/one.xhtml"/></enc:CipherData></enc:EncryptedData></encryption>"""


def test_a_protected_book_is_refused() -> None:
    encryption = ENCRYPTION.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    with pytest.raises(InputError, match="DRM"):
        opened(zipped({**PARTS, "META-INF/encryption.xml": encryption}), "epub")


def test_obfuscated_fonts_are_no_obstacle() -> None:
    encryption = ENCRYPTION.format("http://www.idpf.org/2008/embedding")
    assert shown(opened(zipped({**PARTS, "META-INF/encryption.xml": encryption}), "epub"))


def without(*names: str) -> dict[str, str | bytes]:
    return {name: data for name, data in PARTS.items() if name not in names}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 cut off", "damaged"),
        (b"<html>", "not a zip"),
        (BOOK[: len(BOOK) // 2], "damaged"),
        (zipped(without("META-INF/container.xml")), "not an EPUB"),
        (zipped(without("OEBPS/book.opf")), "package document"),
        (zipped(without("OEBPS/text/one.xhtml")), "chapter text/one.xhtml is missing"),
        (zipped({**PARTS, "OEBPS/book.opf": OPF.replace('idref="b"', 'idref="out"')}), "passwd is missing"),
        (zipped({**PARTS, "OEBPS/book.opf": OPF.replace("<itemref", "<x")}), "no text"),
        (zipped({**PARTS, "OEBPS/book.opf": OPF[:300]}), "not well-formed"),
        (zipped({**PARTS, "../evil.xhtml": CHAPTER}), "outside"),
        (zipped({**PARTS, "OEBPS/text/one.xhtml": bytes(range(256)) * 3}), "one.xhtml"),
        (
            zipped({**PARTS, "OEBPS/book.opf": OPF.replace("<package", '<!DOCTYPE p [<!ENTITY a "b">]><package', 1)}),
            "entit",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opened(data, "epub")
