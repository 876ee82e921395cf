"""One document of each format with what is easily lost in it, and how to see whether it survived.

The "translation" is the text in capitals, so that every tool has the same engine: a word that was translated is in
capitals afterwards, and everything else should be as it was. Documents are built, and looked at afterwards, with
libraries that neither side writes with.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docx
import ebooklib.epub
import pptx
import pptx.util
from docx.oxml import parse_xml
from odf.opendocument import OpenDocumentText, load
from odf.style import Style, TextProperties
from odf.text import A, H, Note, NoteBody, NoteCitation, P, Span

Survived = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something in a document, and whether a translated document still has it, or has it translated."""

    what: str
    survived: Survived


@dataclass(frozen=True, slots=True)
class Specimen:
    """A document, what to look for in its translation, and sentences that the engine should be asked for as a whole."""

    suffix: str
    data: bytes
    features: tuple[Feature, ...]
    sentences: tuple[str, ...] = ()


def has(pattern: str) -> Survived:
    """Whether a document of text matches a regular expression."""
    return lambda data: re.search(pattern, data.decode("utf-8", "replace"), re.DOTALL) is not None


def part_has(part: str, pattern: str) -> Survived:
    """Whether a part of an archive does."""

    def survived(data: bytes) -> bool:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return re.search(pattern, archive.read(part).decode("utf-8", "replace"), re.DOTALL) is not None

    return survived


def txt() -> Specimen:
    """Plain text."""
    text = "Alpha one. Beta two.\r\n\r\n  - gamma item\r\n\tdelta\r\n\r\n\r\nEnd"
    return Specimen(
        ".txt",
        text.encode(),
        (
            Feature("text translated", has("ALPHA ONE.*GAMMA ITEM")),
            Feature("line ends, indentation, blank lines kept", lambda data: data == text.upper().encode()),
        ),
    )


def html() -> Specimen:
    """A page."""
    text = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Alpha title</title>'
        "<script>var alpha = '<b>';</script><style>p { color: red }</style></head>\n<body>\n"
        '<p>Beta <b>bold <i>nested</i></b> and <a href="https://example.org/?a=1&amp;b=2">a link</a> end.</p>\n'
        '<p>Press <code>ctrl_c</code> &nbsp; 1 &lt; 2 &amp; now.</p>\n<img src="x.png" alt="gamma picture">\n'
        '<p translate="no">Keep Brand</p>\n<!-- a comment -->\n<pre>code line\n  two</pre>\n'
        "<ul><li>delta<li>epsilon</ul>\n<textarea placeholder='type here'></textarea>\n"
        "<table><tr><td>zeta</td></tr></table>\n</body>\n</html>\n"
    )
    return Specimen(
        ".html",
        text.encode(),
        (
            Feature("text translated", has("BETA")),
            Feature("title translated", has("<title>ALPHA TITLE</title>")),
            Feature("nested inline tags in place", has("<b>BOLD <i>NESTED</i></b>")),
            Feature("link kept, its text translated", has(r'<a href="https://example\.org/\?a=1&amp;b=2">A LINK</a>')),
            Feature("code untouched", has("<code>ctrl_c</code>")),
            Feature("script untouched", has("var alpha = '<b>';")),
            Feature("preformatted code untouched", has("<pre>code line\n  two</pre>")),
            Feature("comment kept", has("<!-- a comment -->")),
            Feature("alt text translated", has('alt="GAMMA PICTURE"')),
            Feature("placeholder translated", has("TYPE HERE")),
            Feature('translate="no" respected', has("Keep Brand")),
            Feature("entities kept", has("&nbsp; 1 &lt; 2 &amp; NOW")),
            Feature(
                "doctype and head kept", has(r'^<!DOCTYPE html>\n<html lang="[a-z-]+"><head><meta charset="utf-8">')
            ),
            Feature("unclosed list items as they were", has("<ul><li>DELTA<li>EPSILON</ul>")),
        ),
        ("Beta bold nested and a link end.",),
    )


def srt() -> Specimen:
    """Subtitles."""
    first = "1\n00:00:01,000 --> 00:00:02,000\n<i>Alpha line</i>\n"
    text = first + "\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}- Beta.\n- Gamma.\n"
    return Specimen(
        ".srt",
        text.encode(),
        (
            Feature("text translated", has("ALPHA LINE")),
            Feature("times kept", has(r"00:00:01,000 --> 00:00:02,000.*00:00:03,000 --> 00:00:04,000")),
            Feature("tags kept", has("<i>ALPHA LINE</i>")),
            Feature("position tag kept", has(r"\{\\an8\}")),
            Feature("dialogue on two lines", has(r"- BETA\.\n- GAMMA\.")),
        ),
    )


def _saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


_BOX = (
    '<w:r xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:v="urn:schemas-microsoft-com:vml"><w:pict><v:shape style="width:90pt;height:30pt"><v:textbox>'
    "<w:txbxContent><w:p><w:r><w:t>kappa box</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
)
_FIELD = (
    '<w:r xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    '<w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText><w:fldChar w:fldCharType="end"/></w:r>'
)


def word() -> Specimen:
    """A Word document."""
    document = docx.Document()
    document.core_properties.title = "omega title"
    document.add_heading("Alpha heading", 1)
    paragraph = document.add_paragraph("Beta ")
    paragraph.add_run("bold").bold = True
    paragraph.add_run(" and ")
    paragraph.add_run("italic").italic = True
    paragraph.add_run(" end.\tTab")
    # What an editor leaves behind: one word in several runs of the same form.
    split = document.add_paragraph("Gam")
    split.add_run("ma wo")
    split.add_run("rd.")
    document.add_table(1, 2).rows[0].cells[0].text = "delta cell"
    section = document.sections[0]
    section.header.paragraphs[0].text = "epsilon header"
    section.footer.paragraphs[0].text = "zeta footer"
    document.add_paragraph()._p.append(parse_xml(_BOX))
    document.add_paragraph("Page ")._p.append(parse_xml(_FIELD))

    def runs(data: bytes) -> list[tuple[str, bool, bool]]:
        found = next(p for p in docx.Document(io.BytesIO(data)).paragraphs if "BETA" in p.text)
        return [(run.text.strip(), bool(run.bold), bool(run.italic)) for run in found.runs if run.text.strip()]

    return Specimen(
        ".docx",
        _saved(document),
        (
            Feature("text translated", part_has("word/document.xml", "ALPHA HEADING")),
            Feature(
                "bold and italic on their words",
                lambda d: ("BOLD", True, False) in runs(d) and ("ITALIC", False, True) in runs(d),
            ),
            Feature(
                "tab kept",
                lambda d: "\t" in next(p.text for p in docx.Document(io.BytesIO(d)).paragraphs if "BETA" in p.text),
            ),
            Feature(
                "a word in several runs translated as one",
                lambda d: any(p.text == "GAMMA WORD." for p in docx.Document(io.BytesIO(d)).paragraphs),
            ),
            Feature(
                "table translated",
                lambda d: docx.Document(io.BytesIO(d)).tables[0].rows[0].cells[0].text == "DELTA CELL",
            ),
            Feature(
                "header translated",
                lambda d: docx.Document(io.BytesIO(d)).sections[0].header.paragraphs[0].text == "EPSILON HEADER",
            ),
            Feature(
                "footer translated",
                lambda d: docx.Document(io.BytesIO(d)).sections[0].footer.paragraphs[0].text == "ZETA FOOTER",
            ),
            Feature("text box translated", part_has("word/document.xml", "KAPPA BOX")),
            Feature("field instruction untouched", part_has("word/document.xml", ">PAGE<")),
            Feature(
                "title property translated",
                lambda d: docx.Document(io.BytesIO(d)).core_properties.title == "OMEGA TITLE",
            ),
            Feature(
                "parts without text byte for byte",
                _same_parts(_saved(document), "word/styles.xml", "[Content_Types].xml"),
            ),
        ),
        ("Beta bold and italic end.", "Gamma word."),
    )


def _same_parts(before: bytes, *parts: str) -> Survived:
    def survived(data: bytes) -> bool:
        with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(data)) as new:
            return all(old.read(part) == new.read(part) for part in parts)

    return survived


def slides() -> Specimen:
    """A presentation."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Alpha title"
    box = slide.shapes.add_textbox(*(pptx.util.Inches(n) for n in (1, 2, 3, 1))).text_frame.paragraphs[0]
    for text, bold in (("Beta ", False), ("bold", True), (" end.", False)):
        run = box.add_run()
        run.text, run.font.bold = text, bold
    slide.shapes.add_table(1, 1, *(pptx.util.Inches(n) for n in (1, 4, 3, 1))).table.cell(0, 0).text = "gamma cell"
    slide.notes_slide.notes_text_frame.text = "delta notes"

    def opened(data: bytes) -> Any:
        return pptx.Presentation(io.BytesIO(data)).slides[0]

    def texts(data: bytes) -> list[str]:
        return [shape.text_frame.text for shape in opened(data).shapes if shape.has_text_frame]

    return Specimen(
        ".pptx",
        _saved(deck),
        (
            Feature("text translated", lambda d: "ALPHA TITLE" in texts(d)),
            Feature("a sentence in several runs kept together", lambda d: "BETA BOLD END." in texts(d)),
            Feature("bold on its word", part_has("ppt/slides/slide1.xml", r'b="1"[^>]*>\s*(<[^>]*>\s*)*BOLD<')),
            Feature("table translated", part_has("ppt/slides/slide1.xml", "GAMMA CELL")),
            Feature("notes translated", lambda d: opened(d).notes_slide.notes_text_frame.text == "DELTA NOTES"),
        ),
        ("Beta bold end.",),
    )


def odt() -> Specimen:
    """An OpenDocument text."""
    document = OpenDocumentText()
    bold = Style(name="Bold", family="text")
    bold.addElement(TextProperties(fontweight="bold"))
    document.automaticstyles.addElement(bold)
    document.text.addElement(H(outlinelevel=1, text="Alpha heading"))
    paragraph = P(text="Beta ")
    paragraph.addElement(Span(stylename=bold, text="bold"))
    paragraph.addText(" and ")
    paragraph.addElement(A(href="https://example.org/a", type="simple", text="a link"))
    paragraph.addText(" end.")
    note = Note(noteclass="footnote")
    note.addElement(NoteCitation(text="1"))
    body = NoteBody()
    body.addElement(P(text="gamma note"))
    note.addElement(body)
    paragraph.addElement(note)
    document.text.addElement(paragraph)

    def opens(data: bytes) -> bool:
        return "ALPHA HEADING" in str(load(io.BytesIO(data)).text)

    return Specimen(
        ".odt",
        _saved(document),
        (
            Feature("text translated", opens),
            Feature("bold on its word", part_has("content.xml", r'style-name="Bold"[^>]*>BOLD</text:span>')),
            Feature(
                "link kept, its text translated",
                part_has("content.xml", r'href="https://example.org/a"[^>]*>A LINK</text:a>'),
            ),
            Feature("sentence kept together", part_has("content.xml", r"BETA <.*BOLD<.*> AND <.*A LINK<.*> END\.")),
            Feature("footnote translated", part_has("content.xml", "GAMMA NOTE")),
        ),
        ("Beta bold and a link end.",),
    )


def epub() -> Specimen:
    """A book."""
    book = ebooklib.epub.EpubBook()
    book.set_identifier("id-1")
    book.set_title("omega book")
    book.set_language("en")
    chapter = ebooklib.epub.EpubHtml(title="alpha chapter", file_name="c.xhtml", lang="en")
    chapter.content = (
        '<html><body><h1>Alpha</h1><p>Beta <em>gamma</em> <a href="c.xhtml#x">delta</a>.</p>'
        '<p><img src="a.png" alt="epsilon"/></p><pre>code_line</pre></body></html>'
    )
    book.add_item(chapter)
    book.toc = [chapter]
    book.spine = ["nav", chapter]
    book.add_item(ebooklib.epub.EpubNcx())
    book.add_item(ebooklib.epub.EpubNav())
    out = io.BytesIO()
    ebooklib.epub.write_epub(out, book)

    def mimetype_first(data: bytes) -> bool:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            first = archive.infolist()[0]
            return first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED

    return Specimen(
        ".epub",
        out.getvalue(),
        (
            Feature("text translated", part_has("EPUB/c.xhtml", "BETA")),
            Feature(
                "inline tags in place", part_has("EPUB/c.xhtml", r'<em>GAMMA</em> <a href="c.xhtml#x">DELTA</a>\.')
            ),
            Feature("alt text translated", part_has("EPUB/c.xhtml", 'alt="EPSILON"')),
            Feature("preformatted code untouched", part_has("EPUB/c.xhtml", "<pre>code_line</pre>")),
            Feature("table of contents translated", part_has("EPUB/toc.ncx", "ALPHA CHAPTER")),
            Feature("navigation translated", part_has("EPUB/nav.xhtml", "ALPHA CHAPTER")),
            Feature("title of the book translated", part_has("EPUB/content.opf", "OMEGA BOOK")),
            Feature("mimetype first, stored", mimetype_first),
        ),
        ("Beta gamma delta.",),
    )


SPECIMENS: tuple[Callable[[], Specimen], ...] = (txt, html, srt, word, slides, odt, epub)
