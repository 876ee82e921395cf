from __future__ import annotations

import io

import docx
import pytest

from bayling_lite.errors import InputError
from tests.translate.formats.packages import changed_parts, parts_of, with_parts, zipped
from tests.translate.formats.rewriting import opened, same, shown, swapped, written
from tests.translate.formats.word_xml import NAMESPACES, body_of, p, run

STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
TRANSITIONAL = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@pytest.fixture(scope="module")
def report() -> bytes:
    """A report such as an office writes it."""
    document = docx.Document()
    document.core_properties.title = "The Annual Report"
    document.add_heading("Results", 1)
    paragraph = document.add_paragraph("Sales rose by ")
    paragraph.add_run("12 percent").bold = True
    paragraph.add_run(" in spring.")
    document.add_paragraph("First item", style="List Number")
    document.add_paragraph("Second item", style="List Number")
    table = document.add_table(2, 2)
    table.cell(0, 0).text = "Region"
    table.cell(0, 1).text = "Sales"
    inner = table.cell(1, 0).add_table(1, 1)
    inner.cell(0, 0).text = "Nested"
    table.cell(1, 1).text = "42"
    section = document.sections[0]
    section.header.paragraphs[0].text = "Annual report"
    section.footer.paragraphs[0].text = "Confidential"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def test_units_are_what_a_reader_reads(report: bytes) -> None:
    texts = shown(opened(report, "docx"))
    assert texts[:4] == ["Results", "Sales rose by 12 percent in spring.", "First item", "Second item"]
    assert texts[4:8] == ["Region", "Sales", "Nested", "42"]
    assert sorted(texts[8:]) == ["Annual report", "Confidential", "The Annual Report"]


def test_an_unchanged_document_is_the_very_file(report: bytes) -> None:
    assert written(opened(report, "docx"), same) == report
    assert written(opened(report, "docx"), same, bilingual=True) == report


def test_a_translated_document_reads_and_looks_right(report: bytes) -> None:
    new = written(opened(report, "docx"), swapped)
    document = docx.Document(io.BytesIO(new))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[:4] == ["rESULTS", "sALES ROSE BY 12 PERCENT IN SPRING.", "fIRST ITEM", "sECOND ITEM"]
    styles = [paragraph.style.name for paragraph in document.paragraphs]
    assert styles[:4] == ["Heading 1", "Normal", "List Number", "List Number"]
    runs = [(one.text, one.bold) for one in document.paragraphs[1].runs]
    assert runs == [("sALES ROSE BY ", None), ("12 PERCENT", True), (" IN SPRING.", None)]
    assert document.tables[0].cell(1, 0).tables[0].cell(0, 0).text == "nESTED"
    assert document.sections[0].header.paragraphs[0].text == "aNNUAL REPORT"
    assert document.core_properties.title == "tHE aNNUAL rEPORT"


def test_parts_without_text_stay(report: bytes) -> None:
    changed = changed_parts(report, written(opened(report, "docx"), swapped))
    assert {"word/document.xml", "docProps/core.xml"} < changed
    assert all(name.startswith(("word/document", "word/header", "word/footer", "docProps/core")) for name in changed)


def test_changed_twice_it_is_as_before_but_for_the_language(report: bytes) -> None:
    twice = written(opened(written(opened(report, "docx"), swapped), "docx"), swapped)
    assert body_of(twice) == body_of(report)


def test_a_bilingual_document_has_a_paragraph_below_each(report: bytes) -> None:
    document = docx.Document(io.BytesIO(written(opened(report, "docx"), swapped, bilingual=True)))
    assert [(one.text, one.style.name) for one in document.paragraphs[:4]] == [
        ("Results", "Heading 1"),
        ("rESULTS", "Heading 1"),
        ("Sales rose by 12 percent in spring.", "Normal"),
        ("sALES ROSE BY 12 PERCENT IN SPRING.", "Normal"),
    ]
    assert document.tables[0].cell(0, 0).text == "Region\nrEGION"
    assert document.core_properties.title == "The Annual Report / tHE aNNUAL rEPORT"


def test_a_second_paragraph_is_not_counted_in_a_list(report: bytes) -> None:
    document = docx.Document(io.BytesIO(written(opened(report, "docx"), swapped, bilingual=True)))
    numbers = {one.text: one._p.pPr.numPr for one in document.paragraphs if one.style.name == "List Number"}
    assert numbers["First item"] is None
    assert numbers["fIRST ITEM"].numId.val == 0


def test_notes_and_charts_and_diagrams_are_translated(report: bytes) -> None:
    drawing = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    text = "<a:p><a:r><a:t>Step one</a:t></a:r></a:p>"
    parts = {
        "word/footnotes.xml": f"<w:footnotes {NAMESPACES}><w:footnote>{p(run('A note'))}</w:footnote></w:footnotes>",
        "word/charts/chart1.xml": f"<c {drawing}><a:p><a:r><a:t>A chart</a:t></a:r></a:p></c>",
        "word/diagrams/data1.xml": f"<d {drawing}>{text}</d>",
        "word/diagrams/drawing1.xml": f"<d {drawing}>{text}</d>",
    }
    kinds = ("footnotes", "chart", "diagramData", "diagramDrawing")
    added = "".join(
        f'<Relationship Id="x{kind}" Type="http://types/{kind}" Target="/{name}"/>'
        for kind, name in zip(kinds, parts, strict=True)
    )
    listing = "word/_rels/document.xml.rels"
    links = parts_of(report)[listing].replace(b"</Relationships>", f"{added}</Relationships>".encode())
    data = with_parts(report, {**parts, listing: links})
    texts = shown(opened(data, "docx"))
    assert {"A note", "A chart", "Step one"} < set(texts)
    assert texts.count("Step one") == 1, "a diagram says it once and draws it once"
    new = parts_of(written(opened(data, "docx"), swapped))
    found = [word in new[name] for name, word in zip(parts, (b"a NOTE", b"a CHART", b"sTEP", b"sTEP"), strict=True)]
    assert found == [True] * 4


@pytest.mark.parametrize("name", ["word/styles.xml", "docProps/core.xml", "[Content_Types].xml"])
def test_parts_that_are_not_needed_may_be_missing(report: bytes, name: str) -> None:
    data = zipped({part: content for part, content in parts_of(report).items() if part != name})
    assert written(opened(data, "docx"), same) == data


@pytest.mark.parametrize("name", ["word/document.xml", "_rels/.rels"])
def test_parts_that_are_needed_may_not_be_missing(report: bytes, name: str) -> None:
    data = zipped({part: content for part, content in parts_of(report).items() if part != name})
    with pytest.raises(InputError):
        opened(data, "docx")


@pytest.mark.parametrize(
    "text", ["", "<w:document", "<html/>", '<!DOCTYPE w [<!ENTITY a "b">]><w/>', "\0", "<a>" * 5000]
)
def test_a_damaged_part_is_an_error(report: bytes, text: str) -> None:
    with pytest.raises(InputError):
        opened(with_parts(report, {"word/document.xml": text}), "docx")


def test_another_archive_is_not_a_word_document() -> None:
    with pytest.raises(InputError, match="not an Office document"):
        opened(zipped({"a": "b"}), "docx")


def test_units_and_writing_do_not_disturb_each_other(report: bytes) -> None:
    document = opened(report, "docx")
    ahead = iter(document.units())
    next(ahead)
    first = written(document, swapped)
    assert [unit.source.reads for unit in ahead] == shown(document)[1:]
    assert written(document, swapped) == first


def test_places_tell_where_to_look(report: bytes) -> None:
    places = [unit.place for unit in opened(report, "docx").units()]
    assert places[:2] == ["paragraph 1", "paragraph 2"]
    assert any(place.startswith("header") for place in places)


def test_a_strict_document_is_read_too(report: bytes) -> None:
    document = parts_of(report)["word/document.xml"].replace(TRANSITIONAL, STRICT)
    new = written(opened(with_parts(report, {"word/document.xml": document}), "docx"), swapped)
    text = parts_of(new)["word/document.xml"]
    assert b">rESULTS<" in text
    assert TRANSITIONAL not in text
