from __future__ import annotations

import io
import re
from typing import Any

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from bayling_lite.errors import InputError
from bayling_lite.translate.markup import Marked, tagged
from tests.translate.formats.packages import changed_parts, parts_of, with_parts, zipped
from tests.translate.formats.rewriting import opened, same, shown, swapped, written


@pytest.fixture(scope="module")
def talk() -> bytes:
    """A talk of two slides; the second was made first."""
    presentation = pptx.Presentation()
    presentation.core_properties.title = "A Talk"
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Numbers"
    table = second.shapes.add_table(2, 2, 0, 0, Inches(4), Inches(2)).table
    table.cell(0, 0).text = "Cell"
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "Grouped"
    data = CategoryChartData()
    data.categories = ["East"]
    data.add_series("Sales", (1,))
    chart = second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(3), Inches(3), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Chart title"
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Hello"
    frame = first.placeholders[1].text_frame
    frame.text = "First point"
    paragraph = frame.add_paragraph()
    paragraph.level = 1
    bold = paragraph.add_run()
    bold.text, bold.font.bold = "bold", True
    paragraph.add_run().text = " and then much more"
    paragraph.add_line_break()
    link = paragraph.add_run()
    link.text, link.hyperlink.address = "a link", "https://example.org/"
    first.notes_slide.notes_text_frame.text = "Speak slowly."
    slides = presentation.slides._sldIdLst
    slides.insert(0, slides[1])
    stream = io.BytesIO()
    presentation.save(stream)
    return stream.getvalue()


def slides_of(data: bytes) -> list[Any]:
    return list(pptx.Presentation(io.BytesIO(data)).slides)


def test_units_come_in_the_order_of_the_slides(talk: bytes) -> None:
    assert shown(opened(talk, "pptx")) == [
        *("Hello", "First point", "bold and then much more\na link", "Speak slowly."),
        *("Numbers", "Cell", "Grouped", "Chart title", "Sales", "East", "A Talk"),
    ]
    places = [unit.place for unit in opened(talk, "pptx").units()]
    assert places[0] == "slide 1"
    assert places[3:5] == ["slide 1, notes", "slide 2"]


def test_what_a_model_sees(talk: bytes) -> None:
    third = list(opened(talk, "pptx").units())[2]
    assert tagged(third.source).text == "<1>bold</1> and then much more<2/><3>a link</3>"


def test_a_chart_shows_translated_names(talk: bytes) -> None:
    chart = next(
        shape.chart for shape in slides_of(written(opened(talk, "pptx"), swapped))[1].shapes if shape.has_chart
    )
    assert list(chart.plots[0].categories) == ["eAST"]
    assert [(one.name, list(one.values)) for one in chart.plots[0].series] == [("sALES", [1])]


def test_paragraphs_have_the_direction_of_their_language(talk: bytes) -> None:
    def properties(data: bytes) -> list[dict[str, str]]:
        frame = slides_of(data)[0].placeholders[1].text_frame
        return [dict(one._p.pPr.attrib) if one._p.pPr is not None else {} for one in frame.paragraphs]

    arabic = written(opened(talk, "pptx"), swapped, target="ar")
    assert properties(arabic) == [{"rtl": "1"}, {"lvl": "1", "rtl": "1"}]
    assert properties(written(opened(arabic, "pptx"), swapped)) == [{"rtl": "0"}, {"lvl": "1", "rtl": "0"}]


def test_an_unchanged_presentation_is_the_very_file(talk: bytes) -> None:
    assert written(opened(talk, "pptx"), same) == talk


def test_a_translated_presentation_looks_as_it_did(talk: bytes) -> None:
    new = written(opened(talk, "pptx"), swapped)
    first, second = slides_of(new)
    paragraph = first.placeholders[1].text_frame.paragraphs[1]
    assert paragraph.level == 1
    assert [(run.text, run.font.bold, run.hyperlink.address) for run in paragraph.runs] == [
        ("BOLD", True, None),
        (" AND THEN MUCH MORE", None, None),
        ("A LINK", None, "https://example.org/"),
    ]
    assert paragraph.text == "BOLD AND THEN MUCH MORE\vA LINK"
    assert first.notes_slide.notes_text_frame.text == "sPEAK SLOWLY."
    shapes = list(second.shapes)
    assert [shape.table.cell(0, 0).text for shape in shapes if shape.has_table] == ["cELL"]
    assert [shape.chart.chart_title.text_frame.text for shape in shapes if shape.has_chart] == ["cHART TITLE"]
    assert [inner.text_frame.text for shape in shapes if shape.shape_type == 6 for inner in shape.shapes] == ["gROUPED"]


def test_masters_and_placeholders_of_layouts_stay(talk: bytes) -> None:
    changed = changed_parts(talk, written(opened(talk, "pptx"), swapped))
    assert not [name for name in changed if "Master" in name or "Layout" in name]


@pytest.mark.parametrize("name", ["ppt/slideLayouts/slideLayout2.xml", "ppt/slideMasters/slideMaster1.xml"])
def test_text_that_a_layout_puts_on_slides_is_translated(talk: bytes, name: str) -> None:
    layout = parts_of(talk)[name].decode()
    text = "<p:txBody><a:bodyPr/><a:p><a:r><a:t>Our slogan</a:t></a:r></a:p></p:txBody>"
    shape = (
        f'<p:sp><p:nvSpPr><p:cNvPr id="99" name="x"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>{text}</p:sp></p:spTree>'
    )
    data = with_parts(talk, {name: layout.replace("</p:spTree>", shape)})
    assert "Our slogan" in shown(opened(data, "pptx"))
    assert changed_parts(data, written(opened(data, "pptx"), swapped)) >= {name}


def test_a_bilingual_slide_has_both_paragraphs(talk: bytes) -> None:
    first, _ = slides_of(written(opened(talk, "pptx"), swapped, bilingual=True))
    assert first.shapes.title.text == "Hello\nhELLO"
    assert [paragraph.level for paragraph in first.placeholders[1].text_frame.paragraphs] == [0, 0, 1, 1]


def test_changed_twice_it_is_as_before_but_for_the_language(talk: bytes) -> None:
    twice = written(opened(written(opened(talk, "pptx"), swapped), "pptx"), swapped)
    language = re.compile(rb'<a:rPr lang="[^"]*"/>| lang="[^"]*"|<a:rPr/>')
    name = "ppt/slides/slide2.xml"
    assert language.sub(b"", parts_of(twice)[name]) == language.sub(b"", parts_of(talk)[name])


def test_numbers_of_slides_are_codes_and_alternative_texts_are_text(talk: bytes) -> None:
    name = "ppt/slides/slide1.xml"
    slide = parts_of(talk)[name].decode().replace('name="Title 1"', 'name="Title 1" descr="A map"')
    field = '<a:fld id="{1}" type="slidenum"><a:rPr/><a:t>12</a:t></a:fld><a:r><a:t>Numbers'
    slide = slide.replace("<a:r><a:t>Numbers", f"{field}")
    data = with_parts(talk, {name: slide})
    units = {tagged(unit.source).text for unit in opened(data, "pptx").units()}
    assert {"A map", "<1/>Numbers"} <= units

    def moved(source: Marked) -> str:
        return f"数字{source.used[0]}" if "Numbers" in source.text else source.text

    text = parts_of(written(opened(data, "pptx"), moved))[name].decode()
    assert "数字</a:t></a:r><a:fld" in text
    assert 'descr="A map"' in text


def test_runs_that_look_the_same_are_one_text(talk: bytes) -> None:
    name = "ppt/slides/slide1.xml"
    runs = '<a:r><a:rPr lang="de-DE" dirty="0"/><a:t>Num</a:t></a:r><a:r><a:rPr b="0"/><a:t>bers</a:t></a:r>'
    slide = parts_of(talk)[name].decode().replace("<a:r><a:t>Numbers", f"{runs}<a:r><a:t> of all")
    units = opened(with_parts(talk, {name: slide}), "pptx").units()
    assert "Num<1>bers</1> of all" in {tagged(unit.source).text for unit in units}


def test_what_is_written_for_readers_of_different_age_is_one_text(talk: bytes) -> None:
    name = "ppt/slides/slide1.xml"
    shape = "<p:sp><p:txBody><a:p><a:r><a:t>Both</a:t></a:r></a:p></p:txBody></p:sp>"
    spaces = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    both = f"<mc:Choice>{shape}</mc:Choice><mc:Fallback>{shape}</mc:Fallback>"
    slide = parts_of(talk)[name].decode()
    slide = slide.replace("</p:spTree>", f"<mc:AlternateContent {spaces}>{both}</mc:AlternateContent></p:spTree>")
    data = with_parts(talk, {name: slide})
    assert shown(opened(data, "pptx")).count("Both") == 1
    assert parts_of(written(opened(data, "pptx"), swapped))[name].count(b">bOTH<") == 2


def test_a_document_of_another_kind_is_an_error(talk: bytes) -> None:
    with pytest.raises(InputError, match="another kind"):
        opened(talk, "docx")
    with pytest.raises(InputError):
        opened(zipped({"_rels/.rels": "<Relationships/>"}), "pptx")
    with pytest.raises(InputError):
        opened(talk[: len(talk) // 2], "pptx")
