"""PDF: paragraphs put together from lines, and clear words where there are none."""

from __future__ import annotations

import io
import logging
import random
import re
import zlib

import pytest
from lxml import html
from pdfminer import pdffont, pdftypes
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import cm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Preformatted

from bayling_lite.errors import InputError
from bayling_lite.translate.formats import Cut
from bayling_lite.translate.formats.pdf import document as pdf
from bayling_lite.translate.formats.pdf import limits as pdf_limits
from bayling_lite.translate.formats.pdf import pages as pdf_pages
from bayling_lite.translate.formats.pdf.document import PdfDocument
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

STYLES = getSampleStyleSheet()
FIRST = "The quick brown fox jumps over the lazy dog, and nobody in the whole wide neighbourhood cares. " * 4
SECOND = "A second paragraph tells another story altogether, with numbers such as 3.5 and names such as Anna. " * 3


def built(flowables: list[Flowable], *, n_columns: int = 1, running: bool = False) -> bytes:
    """A document made by reportlab's own layout."""
    out = io.BytesIO()

    def decorate(canvas: Canvas, document: BaseDocTemplate) -> None:
        if running:
            canvas.setFont("Helvetica", 9)
            canvas.drawString(2 * cm, A4[1] - 1.2 * cm, "The Running Title")
            canvas.drawCentredString(A4[0] / 2, 1.2 * cm, f"Page {document.page}")

    width = (A4[0] - 4 * cm) / n_columns
    frames = [
        Frame(2 * cm + index * width, 2 * cm, width - (0.4 * cm if n_columns > 1 else 0), A4[1] - 4 * cm)
        for index in range(n_columns)
    ]
    template = BaseDocTemplate(out, pagesize=A4, invariant=1)
    template.addPageTemplates([PageTemplate(frames=frames, onPage=decorate)])
    template.build(flowables)
    return out.getvalue()


def drawn(*lines: tuple[float, float, str], size: float = 11, font: str = "Helvetica") -> bytes:
    """A page with text at places, from the left and from below."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setFont(font, size)
    for x, y, text in lines:
        canvas.drawString(x, y, text)
    canvas.save()
    return out.getvalue()


def body(*texts: str, style: str = "BodyText") -> list[Flowable]:
    return [Paragraph(text, STYLES[style]) for text in texts]


def test_lines_become_paragraphs() -> None:
    document = opened(built(body(FIRST, SECOND, "Short.", "Last.")), "pdf")
    assert shown(document) == [FIRST.strip(), SECOND.strip(), "Short.", "Last."]
    assert [unit.place for unit in document.units()] == ["page 1"] * 4


def test_short_lines_are_paragraphs_of_their_own() -> None:
    texts = ["The house at the end of the street is old. Call me tomorrow.", "Good morning.", "Kind regards"]
    assert shown(opened(built(body(*texts)), "pdf")) == texts
    assert shown(opened(drawn(*((60, 700 - 13 * index, text) for index, text in enumerate(texts))), "pdf")) == texts


def test_unchanged_is_the_text() -> None:
    document = opened(built(body(FIRST, "12 + 5", SECOND)), "pdf")
    assert document.suffix == ".txt"
    assert written(document, same).decode() == f"{FIRST.strip()}\n\n12 + 5\n\n{SECOND.strip()}\n"
    assert written(document, swapped).decode() == f"{FIRST.strip()}\n\n12 + 5\n\n{SECOND.strip()}\n".swapcase()


def test_headings_are_told_by_their_font() -> None:
    flowables = [*body("A Title", style="Title"), *body(FIRST), *body("A Section", style="Heading2"), *body(SECOND)]
    document = opened(built(flowables), "pdf")
    assert isinstance(document, PdfDocument)
    assert [(paragraph.text[:9], paragraph.level) for paragraph in document.paragraphs] == [
        *(("A Title", 1), ("The quick", 0), ("A Section", 2), ("A second ", 0)),
    ]
    assert next(document.units()).cut is Cut.WHOLE


def test_columns_are_read_one_after_the_other() -> None:
    texts = [
        f"Paragraph {word}. {SECOND}".strip() for word in ("one", "two", "three", "four", "five", "six", "seven") * 2
    ]
    document = opened(built(body(*texts), n_columns=2), "pdf")
    assert shown(document) == texts


def test_a_title_across_the_columns_comes_first() -> None:
    left = [(60, 700 - 14 * index, f"left line number {index} of the text here") for index in range(12)]
    right = [(310, 700 - 14 * index, f"right line number {index} of the text here") for index in range(12)]
    title = (60, 740, "A long title that goes across both of the columns of this page, from left to right")
    (heading, *rest) = shown(opened(drawn(*right, title, *left), "pdf"))
    assert heading.startswith("A long title")
    assert " ".join(rest).index("left line number 11") < " ".join(rest).index("right line number 0")


def test_what_runs_through_all_pages_is_left_out_and_paragraphs_go_on() -> None:
    random_ = random.Random(3)
    words = (FIRST + SECOND).replace(",", "").replace(".", "").split()
    texts = [f"P{' '.join(random_.choices(words, k=80))}." for _ in range(26)]
    data = built(body(*texts), running=True)
    document = opened(data, "pdf")
    assert shown(document) == texts
    assert {unit.place for unit in document.units()} >= {"page 1", "page 2", "page 3"}
    # On a single page nobody knows what runs through, but for the number.
    assert shown(opened(built(body("Text."), running=True), "pdf")) == ["The Running Title", "Text."]


def test_numbers_of_a_table_are_no_page_numbers() -> None:
    rows = [(60 + 80 * column, 800 - 20 * row, str(1990 + 3 * row + column)) for row in range(5) for column in range(3)]
    text = written(opened(drawn((60, 600, "A table of years"), *rows), "pdf"), same).decode()
    assert re.findall(r"\d{4}", text) == [str(1990 + count) for count in range(15)]


def test_words_divided_at_the_end_of_a_line_are_joined() -> None:
    lines = ["This long line of plain text ends with a divi-", "ded word, and the next one ends with a well-"]
    lines += ["known compound, while this one is well-known, pages 10-", "12 of the same text."]
    data = drawn(*((60, 700 - 13 * index, line) for index, line in enumerate(lines)))
    text = " ".join(shown(opened(data, "pdf")))
    assert "a divided word" in text
    assert "a well-known compound" in text
    assert "10-12" in text


def test_lists_keep_their_items() -> None:
    lines = [
        "The following things matter to all of us who read this:",
        "• The first item, which is so long that it goes on",
    ]
    lines += ["in a second line", "• The second item", "1. A number"]
    data = drawn(*((60 + 10 * (index == 2), 700 - 13 * index, line) for index, line in enumerate(lines)))
    paragraphs = [lines[0], f"{lines[1]} {lines[2]}", *lines[3:]]
    document = opened(data, "pdf")
    assert shown(document) == [paragraph.removeprefix("• ") for paragraph in paragraphs]
    assert written(document, same).decode() == "\n\n".join(paragraphs) + "\n"
    assert "\n\n• tHE SECOND ITEM\n\n" in written(document, swapped).decode()
    assert ">• tHE SECOND ITEM</p>" in written(document, swapped, bilingual=True).decode()


def test_chinese_lines_are_joined_without_spaces() -> None:
    registerFont(UnicodeCIDFont("STSong-Light"))
    text = "今天天气很好我们一起去公园散步然后回家吃饭再看一本有意思的书"
    data = drawn((60, 700, text), (60, 686, text), (60, 672, "完。"), font="STSong-Light")
    assert shown(opened(data, "pdf")) == [f"{text}{text}完。"]


def test_code_is_kept() -> None:
    code = [Preformatted("if x:\n    print('Hello, dear world')", STYLES["Code"])]
    document = opened(built([*body(FIRST), *code, *body(SECOND)]), "pdf")
    assert shown(document) == [FIRST.strip(), SECOND.strip()]
    assert "\n\nif x:\nprint('Hello, dear world')\n\n" in written(document, swapped).decode()
    assert "<pre" in written(document, swapped, bilingual=True).decode()
    # All of it in such a font is a typewritten text.
    letter = drawn((60, 700, "A letter"), (60, 600, "Dear Anna"), font="Courier")
    assert shown(opened(letter, "pdf")) == ["A letter", "Dear Anna"]


def test_ligatures_are_letters() -> None:
    assert pdf_pages._LIGATURES[ord("ﬃ")] == "ffi"


def test_bilingual_is_a_page_of_its_own() -> None:
    data = built([*body("A <i>Title</i>", style="Title"), *body("Tom &amp; &lt;Anna&gt;.", "12")])
    document = opened(data, "pdf")
    assert isinstance(document, PdfDocument)
    assert document.bilingual_suffix == ".html"
    page = written(document, swapped, target="ar", bilingual=True).decode()
    tree = html.fromstring(page)
    assert tree.get("lang") == "ar"
    assert [[(each.tag, each.get("lang"), each.text) for each in section] for section in tree.iter("section")] == [
        [("h1", "en", "A Title"), ("h1", "ar", "a tITLE")],
        [("p", "en", "Tom & <Anna>."), ("p", "ar", "tOM & <aNNA>.")],
        [("p", "en", "12")],
    ]
    assert {each.get("dir") for each in tree.iter("h1", "p") if each.get("lang") == "ar"} == {"rtl"}
    assert "http" not in page  # nothing is loaded from anywhere
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def with_password(password: str) -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption

    out = io.BytesIO()
    canvas = Canvas(out, encrypt=StandardEncryption(password, ownerPassword="owner", canCopy=0))
    canvas.drawString(60, 700, "A secret text")
    canvas.save()
    return out.getvalue()


def test_a_password_is_needed() -> None:
    with pytest.raises(InputError, match="password"):
        opened(with_password("hidden"), "pdf")
    assert shown(opened(with_password(""), "pdf")) == ["A secret text"]


def test_pictures_of_text_are_no_text() -> None:
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.rect(10, 10, 100, 100)
    canvas.showPage()
    canvas.save()
    with pytest.raises(InputError, match="OCR"):
        opened(out.getvalue(), "pdf")


def test_pages_without_text_are_noted() -> None:
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(60, 700, "Some text")
    canvas.showPage()
    canvas.rect(10, 10, 100, 100)
    canvas.showPage()
    canvas.save()
    document = opened(out.getvalue(), "pdf")
    assert isinstance(document, PdfDocument)
    assert document.notes == ("page 2: without text",)


def test_fonts_that_do_not_name_their_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    line = pdf_pages.Line("x", 0, 0, 1, 1, 10, bold=False)
    pages = (pdf_pages.Page(1, 100, 100, (line,), unknown=50),)
    monkeypatch.setattr(pdf, "read_pages", lambda source: pages)
    with pytest.raises(InputError, match="OCR"):
        opened(b"%PDF-", "pdf")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a PDF"),
        (b"PK\x03\x04", "not a PDF"),
        (b"%PDF-1.7\n", "damaged"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF", "damaged"),
    ],
)
def test_what_is_no_pdf_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opened(data, "pdf")


def test_damage_is_told_or_read_around(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    data = built(body(FIRST, SECOND))
    refused = 0
    with caplog.at_level(logging.DEBUG):
        for place in range(20, len(data), len(data) // 40):
            for damaged in (data[:place], data[:place] + b"\0\xff<<" + data[place + 4 :]):
                try:
                    assert shown(opened(damaged, "pdf"))
                except InputError:
                    refused += 1
    assert 0 < refused < 80
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("pdfminer").level == logging.NOTSET


def with_content(content: bytes, resources: bytes = b"", extra: bytes = b"") -> bytes:
    """A PDF by hand: one page with a content stream."""
    packed = zlib.compress(content, 9)
    return (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> " + resources +
        b" >> >>\nendobj\n4 0 obj\n<< /Filter /FlateDecode /Length " + str(len(packed)).encode() +
        b" >>\nstream\n" + packed +
        b"\nendstream\nendobj\n" + extra + b"trailer << /Root 1 0 R >>\n%%EOF\n"
    )  # fmt: skip


def with_characters(characters: str, *lines: str) -> bytes:
    """A PDF by hand whose font says which characters it draws."""
    codes = {char: code for code, char in enumerate(characters, 0x41)}
    names = "".join(f"<{code:02X}> <{ord(char):04X}> " for char, code in codes.items())
    table = f"begincmap {len(codes)} beginbfchar {names} endbfchar endcmap".encode()
    shown_lines = "".join(f"<{''.join(f'{codes[char]:02X}' for char in line)}> Tj 0 -14 Td " for line in lines)
    widths = f"/FirstChar 65 /Widths [{'600 ' * len(codes)}]".encode()
    font = b"/F2 << /Type /Font /Subtype /Type1 /BaseFont /Mine " + widths + b" /ToUnicode 9 0 R >>"
    stream = b"9 0 obj\n<< /Length " + str(len(table)).encode() + b" >>\nstream\n" + table + b"\nendstream\nendobj\n"
    content = f"BT /F2 12 Tf 60 700 Td {shown_lines}ET".encode()
    return with_content(content, extra=stream).replace(b"/F1 <<", font + b" /F1 <<")


def test_bullets_of_fonts_of_signs() -> None:
    characters = "".join(sorted(set("\uf0b7 one item of a list two")))
    text = "\uf0b7 one item of a list"
    both = opened(with_characters(characters, text, text), "pdf")
    assert written(both, same).decode() == "• one item of a list\n\n• one item of a list\n"


def test_lines_that_are_read_from_the_right() -> None:
    line = "مرحبا (بالعالم) في 2024 مع Apple Inc هنا"
    drawn_line = "انه Apple Inc عم 2024 يف )ملاعلاب( ابحرم"
    characters = "".join(sorted(set(line)))
    assert shown(opened(with_characters(characters, drawn_line), "pdf")) == [line]
    apart = drawn_line.replace(" عم", "    عم")  # too far to be one line on the page
    assert shown(opened(with_characters(characters, apart), "pdf")) == [line]


def test_a_stream_that_grows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"BT /F1 12 Tf 60 700 Td (Hello world) Tj ET "
    assert shown(opened(with_content(text), "pdf")) == ["Hello world"]
    monkeypatch.setattr(pdf_limits, "MOST_BYTES_A_STREAM", 1 << 20)
    with pytest.raises(InputError, match="grows"):
        opened(with_content(text + b" " * (2 << 20)), "pdf")


TO_UNICODE = b"begincmap 1 beginbfrange <00000000> <FFFFFFFF> <00000000> endbfrange endcmap"


@pytest.mark.parametrize(
    "extra",
    [
        b"/W [0 99999999999 500]",
        b"/DW2 [880 -1000] /W2 [0 99999999999 -1000 250 772]",
        b"/ToUnicode",
    ],
)
def test_a_font_of_all_too_many_characters_is_refused(extra: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_limits, "_MOST_CHARACTERS", 10_000)
    encoding, unicode_ = b"/Identity-V", b""
    if extra == b"/ToUnicode":
        extra, unicode_ = b"", b" /ToUnicode 7 0 R"
    objects = (
        b"5 0 obj\n<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding " + encoding + unicode_ +
        b" /DescendantFonts [6 0 R] >>\nendobj\n"
        b"6 0 obj\n<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo << /Registry (Adobe)"
        b" /Ordering (Identity) /Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /A >> " + extra +
        b" >>\nendobj\n7 0 obj\n<< /Length " + str(len(TO_UNICODE)).encode() +
        b" >>\nstream\n" + TO_UNICODE + b"\nendstream\nendobj\n"
    )  # fmt: skip
    data = with_content(b"BT /F2 12 Tf 60 700 Td <0041> Tj ET", extra=objects).replace(b"/F1 <<", b"/F2 5 0 R /F1 <<")
    with pytest.raises(InputError, match="font"):
        opened(data, "pdf")


def test_what_is_replaced_in_the_library_is_put_back() -> None:
    before = dict(vars(pdftypes)), pdffont.get_widths
    opened(drawn((60, 700, "Text")), "pdf")
    with pytest.raises(InputError):
        opened(b"%PDF-", "pdf")
    assert (dict(vars(pdftypes)), pdffont.get_widths) == before


def test_a_page_of_any_size() -> None:
    assert shown(opened(drawn((60, 700, "Text"), (9e9, 700, "far"), (60, -9e9, "away")), "pdf")) == ["Text"]
    with pytest.raises(InputError, match="no text"):
        opened(drawn((60, 700, "Text"), size=9e9), "pdf")


def test_a_drawing_that_draws_itself_comes_to_an_end() -> None:
    form = b"BT /F1 12 Tf 60 700 Td (Hello) Tj ET /X Do /X Do"
    extra = (
        b"5 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 500 500] /Resources << /XObject << /X 5 0 R >> >>"
        b" /Length " + str(len(form)).encode() + b" >>\nstream\n" + form + b"\nendstream\nendobj\n"
    )
    data = with_content(b"BT /F1 12 Tf 60 720 Td (Text) Tj ET /X Do", b"/XObject << /X 5 0 R >>", extra)
    assert shown(opened(data, "pdf"))[0].startswith("Text")


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "MOST_PAGES", 2)
    with pytest.raises(InputError, match="more than 2 pages"):
        opened(built(body(*[FIRST * 2] * 30)), "pdf")


def test_too_much_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_limits, "MOST_SECONDS", -1.0)
    with pytest.raises(InputError, match="longer than"):
        opened(built(body(FIRST)), "pdf")
