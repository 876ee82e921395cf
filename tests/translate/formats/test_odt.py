from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from odf import dc, draw, style, table, teletype, text
from odf.opendocument import OpenDocumentText, load

from bayling_lite.errors import InputError
from bayling_lite.translate.markup import Marked, tagged
from tests.translate.formats.packages import changed_parts, parts_of, with_parts, zipped
from tests.translate.formats.rewriting import opened, same, shown, swapped, written


@pytest.fixture(scope="module")
def letter() -> bytes:
    """A letter with a bit of everything."""
    document = OpenDocumentText()
    bold = style.Style(name="T1", family="text")
    bold.addElement(style.TextProperties(fontweight="bold", language="en", languageasian="ja", countryasian="JP"))
    document.automaticstyles.addElement(bold)
    document.automaticstyles.addElement(style.Style(name="T2", family="text"))
    document.meta.addElement(dc.Title(text="A Letter"))
    document.text.addElement(text.H(outlinelevel=1, text="Dear Madam"))
    paragraph = text.P(text="Please ")
    paragraph.addElement(text.Span(stylename=bold, text="read"))
    paragraph.addText(" this ")
    paragraph.addElement(text.Span(stylename="T2", text="carefully"))
    paragraph.addElement(text.LineBreak())
    paragraph.addElement(text.A(href="https://example.org/", text="here"))
    note = text.Note(noteclass="footnote", id="f1")
    note.addElement(text.NoteCitation(text="1"))
    body = text.NoteBody()
    body.addElement(text.P(text="In a note."))
    note.addElement(body)
    paragraph.addElement(note)
    paragraph.addText(".")
    document.text.addElement(paragraph)
    cells = table.Table(name="Table")
    line = table.TableRow()
    for kind, words in (("string", "Total"), ("float", "42 EUR")):
        cell = table.TableCell(valuetype=kind, **({"value": "42"} if kind == "float" else {}))
        cell.addElement(text.P(text=words))
        line.addElement(cell)
    cells.addElement(table.TableColumn())
    cells.addElement(line)
    document.text.addElement(cells)
    frame = draw.Frame(width="1cm", height="1cm")
    box = draw.TextBox()
    box.addElement(text.P(text="In a box"))
    frame.addElement(box)
    around = text.P(text="Around a box ")
    around.addElement(frame)
    document.text.addElement(around)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def with_body(letter: bytes, body: str) -> bytes:
    content = parts_of(letter)["content.xml"].decode()
    head, tail = content.partition("<office:text")[0], "</office:text></office:body></office:document-content>"
    return with_parts(letter, {"content.xml": f"{head}<office:text>{body}{tail}"})


def body_of(data: bytes) -> str:
    return parts_of(data)["content.xml"].decode().partition("<office:text>")[2].partition("</office:text>")[0]


@pytest.fixture
def rewrite(letter: bytes) -> Callable[..., str]:
    def rewritten(body: str, change: Callable[[Marked], str] = swapped, *, bilingual: bool = False) -> str:
        return body_of(written(opened(with_body(letter, body), "odt"), change, bilingual=bilingual))

    return rewritten


@pytest.fixture
def tags(letter: bytes) -> Callable[[str], list[str]]:
    def seen(body: str) -> list[str]:
        units = opened(with_body(letter, body), "odt").units()
        return [tagged(unit.source).text for unit in units if unit.place != "document properties"]

    return seen


def paragraphs(data: bytes) -> list[Any]:
    return [teletype.extractText(one) for one in load(io.BytesIO(data)).getElementsByType(text.P)]


def test_units_are_what_a_reader_reads(letter: bytes) -> None:
    assert shown(opened(letter, "odt")) == [
        *("Dear Madam", "Please read this carefully\nhere.", "In a note."),
        *("Total", "Around a box ", "In a box", "A Letter"),
    ]


def test_an_unchanged_letter_is_the_very_file(letter: bytes) -> None:
    assert written(opened(letter, "odt"), same) == letter
    assert written(opened(letter, "odt"), same, bilingual=True) == letter


def test_a_translated_letter_reads_right(letter: bytes) -> None:
    new = written(opened(letter, "odt"), swapped)
    assert changed_parts(letter, new) == {"content.xml", "meta.xml"}
    texts = paragraphs(new)
    assert "pLEASE READ THIS CAREFULLY\nHERE1iN A NOTE.." in texts
    assert {"iN A NOTE.", "tOTAL", "42 EUR", "iN A BOX"} < set(texts)
    document = load(io.BytesIO(new))
    spans = [(one.getAttribute("stylename"), str(one)) for one in document.getElementsByType(text.Span)]
    assert spans == [("T1", "READ")]
    assert [one.getAttribute("href") for one in document.getElementsByType(text.A)] == ["https://example.org/"]
    assert [str(one) for one in document.meta.getElementsByType(dc.Title)] == ["a lETTER"]


def test_references_and_numbers_in_a_second_paragraph(rewrite: Callable[..., str]) -> None:
    number = '<text:sequence text:name="Figure">3</text:sequence>'
    reference = '<text:bookmark-ref text:ref-name="b">there</text:bookmark-ref>'
    body = f"<text:p>Figure {number}, see {reference}</text:p>"
    second = f"<text:p>fIGURE 3, SEE {reference}</text:p>"
    assert rewrite(body, bilingual=True) == body + second


def test_what_was_typed_into_a_field_is_text(rewrite: Callable[..., str], tags: Callable[[str], list[str]]) -> None:
    field = '<text:text-input text:description="Name">friends</text:text-input>'
    body = f"<text:p>We are {field}.</text:p>"
    assert tags(body) == ["We are <1>friends</1>."]
    assert rewrite(body) == body.replace("We are", "wE ARE").replace("friends", "FRIENDS")


def test_code_is_told_by_its_style(rewrite: Callable[..., str], tags: Callable[[str], list[str]]) -> None:
    code = '<text:span text:style-name="Source_20_Text">pip  install</text:span>'
    body = f'<text:p text:style-name="Source_20_Code">x = 1</text:p><text:p>Run {code}, now</text:p>'
    assert tags(body) == ["Run <1/>, now"]
    assert rewrite(body) == body.replace("Run", "rUN").replace("now", "NOW")


def test_a_translation_looks_as_the_source_in_its_own_script(letter: bytes) -> None:
    def bold(target: str, *, bilingual: bool = False) -> dict[str, str]:
        new = written(opened(letter, "odt"), swapped, target=target, bilingual=bilingual)
        (properties,) = load(io.BytesIO(new)).automaticstyles.getElementsByType(style.TextProperties)
        return {name: value for (_, name), value in properties.attributes.items()}

    old = {"font-weight": "bold", "language": "en", "language-asian": "ja", "country-asian": "JP"}
    assert bold("zh") == old | {"font-weight-asian": "bold", "language-asian": "zh", "country-asian": "CN"}
    assert bold("ar", bilingual=True) == old | {"font-weight-complex": "bold"}
    assert bold("de") == old | {"language": "de", "country": "none"}
    assert bold("de", bilingual=True) == old


def test_a_manifest_need_not_be_xml(letter: bytes) -> None:
    assert opened(with_parts(letter, {"META-INF/manifest.xml": "<m:manifest/>"}), "odt")


def test_the_kind_of_document_stays_first_and_uncompressed(letter: bytes) -> None:
    new = written(opened(letter, "odt"), swapped)
    assert new[30:77] == b"mimetypeapplication/vnd.oasis.opendocument.text"


def test_a_bilingual_letter_has_a_paragraph_below_each(letter: bytes) -> None:
    new = written(opened(letter, "odt"), swapped, bilingual=True)
    texts = paragraphs(new)
    first = texts.index("Please read this carefully\nhere1In a note.iN A NOTE..")
    assert "pLEASE READ THIS CAREFULLY\nHERE." in texts[first:]
    assert len(load(io.BytesIO(new)).getElementsByType(text.Note)) == 1
    headings = [str(one) for one in load(io.BytesIO(new)).getElementsByType(text.H)]
    assert headings == ["Dear Madam", "dEAR mADAM"]


def test_only_the_changed_paragraph_is_written_anew(rewrite: Callable[..., str]) -> None:
    body = "<text:p  text:style-name='P1'>Stays  &#233;</text:p >\n<text:p>Changes</text:p>"
    assert rewrite(body, lambda source: source.text.replace("Changes", "New")) == body.replace("Changes", "New")


def test_changed_twice_it_is_as_before(rewrite: Callable[..., str]) -> None:
    body = '<text:p>One <text:span text:style-name="T1">two<text:tab/></text:span> <text:s text:c="2"/>three</text:p>'
    assert "tWO" not in rewrite(body)
    assert rewrite(rewrite(body)) == body.replace("two<text:tab/>", "two").replace(
        "</text:span>", '</text:span><text:span text:style-name="T1"><text:tab/></text:span>'
    )


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("  Leading\n and  inner   space", "Leading and inner space"),
        ('a<text:s/><text:s text:c="3"/>b', "a    b"),
        ('<text:span text:style-name="T2">no</text:span>thing', "nothing"),
        ('long text <text:span text:style-name="T1">b</text:span>', "long text <1>b</1>"),
        ('<text:span text:style-name="Emphasis">whole</text:span>', "whole"),
        ("one<text:soft-page-break/>word", "oneword"),
        ('Page <text:page-number text:select-page="current">3</text:page-number>', "Page <1/>"),
        ("Said<office:annotation><text:p>Is that so?</text:p></office:annotation>.", "Said<1/>."),
    ],
)
def test_what_a_model_sees(tags: Callable[[str], list[str]], body: str, seen: str) -> None:
    assert tags(f"<text:p>{body}</text:p>") == [seen]


def test_spaces_that_count_are_written_so_that_they_do(rewrite: Callable[..., str]) -> None:
    assert rewrite("<text:p>a</text:p>", lambda source: " b  c\n d") == (
        '<text:p><text:s text:c="1"/>b <text:s text:c="1"/>c <text:s text:c="1"/>d</text:p>'
    )


def test_formatting_goes_with_its_text_when_the_order_changes(rewrite: Callable[..., str]) -> None:
    def turned(source: Marked) -> str:
        return "猫{}红{}".format(*source.used) if source.used else source.text

    body = '<text:p>a <text:span text:style-name="T1">red</text:span> cat</text:p>'
    assert rewrite(body, turned) == '<text:p>猫<text:span text:style-name="T1">红</text:span></text:p>'


def test_a_second_paragraph_begins_no_page(letter: bytes) -> None:
    spaces = 'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    spaces += ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    properties = '<style:paragraph-properties fo:break-before="page"/>'
    name = 'style:name="P1" style:family="paragraph" style:parent-style-name="Standard"'
    style_ = f"<style:style {spaces} {name}>{properties}</style:style>"
    content = parts_of(with_body(letter, '<text:p text:style-name="P1">Text</text:p>'))["content.xml"].decode()
    content = content.replace("</office:automatic-styles>", f"{style_}</office:automatic-styles>")
    body = body_of(written(opened(with_parts(letter, {"content.xml": content}), "odt"), swapped, bilingual=True))
    assert body == '<text:p text:style-name="P1">Text</text:p><text:p text:style-name="Standard">tEXT</text:p>'


def test_counts_that_are_none_do_no_harm(tags: Callable[[str], list[str]]) -> None:
    for count in ("9" * 5000, "-1", "", "x"):
        assert tags(f'<text:p>a<text:s text:c="{count}"/>b</text:p>') == ["a b"]


def test_as_deep_as_xml_may_be(rewrite: Callable[..., str]) -> None:
    link, span = '<text:a xlink:href="x">', '<text:span text:style-name="T1">'
    body = f"<text:p>out {link * 120}{span * 120}in{'</text:span>' * 120}{'</text:a>' * 120}</text:p>"
    assert rewrite(body) == body.replace("out", "OUT").replace("in<", "IN<")


def test_what_was_deleted_or_is_hidden_stays(tags: Callable[[str], list[str]]) -> None:
    changes = "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
    hidden = '<text:section text:name="s" text:display="none"><text:p>hidden</text:p></text:section>'
    assert tags(f"{changes}</text:changed-region></text:tracked-changes>{hidden}<text:p>here</text:p>") == ["here"]


def test_alternative_texts_are_translated(rewrite: Callable[..., str]) -> None:
    image = '<draw:image xlink:href="a.png"/><svg:title>A map</svg:title><svg:desc>By us</svg:desc>'
    body = f"<text:p><draw:frame>{image}</draw:frame></text:p>"
    assert rewrite(body) == body.replace("A map", "a MAP").replace("By us", "bY US")


def test_headers_and_footers_are_translated(letter: bytes) -> None:
    document = load(io.BytesIO(letter))
    layout = style.PageLayout(name="L")
    document.automaticstyles.addElement(layout)
    master = style.MasterPage(name="Standard", pagelayoutname=layout)
    header = style.Header()
    header.addElement(text.P(text="Our company"))
    master.addElement(header)
    document.masterstyles.addElement(master)
    stream = io.BytesIO()
    document.save(stream)
    assert "Our company" in shown(opened(stream.getvalue(), "odt"))
    assert "styles.xml" in changed_parts(stream.getvalue(), written(opened(stream.getvalue(), "odt"), swapped))


def test_titles_of_charts_are_translated(letter: bytes) -> None:
    spaces = 'xmlns:chart="urn:oasis:names:tc:opendocument:xmlns:chart:1.0"'
    spaces += ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    chart = (
        f"<chart:chart {spaces}><chart:title><text:p>Sales</text:p></chart:title><text:p>East</text:p></chart:chart>"
    )
    data = with_parts(letter, {"Object 1/content.xml": chart})
    new = parts_of(written(opened(data, "odt"), swapped))["Object 1/content.xml"].decode()
    assert new == chart.replace("Sales", "sALES")


def test_other_documents_are_errors(letter: bytes) -> None:
    with pytest.raises(InputError, match="not an OpenDocument text"):
        opened(zipped({"a": "b"}), "odt")
    sheet = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}
    with pytest.raises(InputError, match="not an OpenDocument text"):
        opened(with_parts(letter, sheet), "odt")
    manifest = "<m:manifest xmlns:m='urn:m'><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"
    with pytest.raises(InputError, match="password"):
        opened(with_parts(letter, {"META-INF/manifest.xml": manifest}), "odt")


@pytest.mark.parametrize("content", ["", "<office", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'])
@pytest.mark.parametrize("name", ["content.xml", "styles.xml", "meta.xml"])
def test_a_damaged_part_is_an_error(letter: bytes, name: str, content: str) -> None:
    with pytest.raises(InputError):
        opened(with_parts(letter, {name: content}), "odt")
