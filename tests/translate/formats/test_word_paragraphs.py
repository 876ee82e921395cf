from __future__ import annotations

import io
import re

import docx
import pytest

from bayling_lite.translate.markup import Marked, tagged
from tests.translate.formats.packages import parts_of, with_parts
from tests.translate.formats.rewriting import opened, shown, swapped, written
from tests.translate.formats.word_xml import (
    BOLD,
    NAMESPACES,
    TAB,
    body_of,
    changed,
    field,
    mark,
    p,
    reads,
    run,
    tags,
    text_box,
    word,
)


def replaced(body: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in body
        body = body.replace(old, new)
    return body


def test_only_the_changed_paragraph_is_written_anew() -> None:
    body = "<w:p  w:rsidR='1'><w:r ><w:t>Stays</w:t></w:r></w:p >\r\n" + p(run("Changes"))
    new = changed(body, lambda source: "New" if source.text == "Changes" else source.text)
    assert new == replaced(body, ("Changes", "New"))


def test_runs_that_look_the_same_are_one_text() -> None:
    hint = '<w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr>'
    laid_out = f'<w:r w:rsidR="00A1">{hint}<w:lastRenderedPageBreak/><w:t>llo</w:t></w:r>'
    spelt = '<w:proofErr w:type="spellStart"/>'
    body = p(run("He", '<w:lang w:val="de"/>'), spelt, laid_out, run(" world", "<w:noProof/>"))
    assert tags(body) == ["Hello world"]
    assert changed(body).count("<w:r>") == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p(run("All of it bold", BOLD)), "All of it bold"),
        (p(run("Mostly bold ", BOLD), run("not"), run(" text", BOLD)), "Mostly bold <1>not</1> text"),
        (p(run("One"), run(" ", BOLD), run("text")), "One text"),
        (p(run("Name: "), run("   ", '<w:u w:val="single"/>')), "Name: <1>   </1>"),
        (
            p(run("A longer text "), run("bold", BOLD), TAB, run("bold too", BOLD)),
            "A longer text <1>bold<2/>bold too</1>",
        ),
        (p(run("Some"), "<w:r><w:noBreakHyphen/><w:softHyphen/></w:r>", run("thing")), "Some\u2011thing"),
        (p(run("two\nlines")), "two lines"),
        (p(run("In "), f'<w:smartTag w:element="City">{run("Paris")}</w:smartTag>'), "In Paris"),
    ],
)
def test_what_most_of_a_paragraph_looks_like_is_no_code(body: str, text: str) -> None:
    assert tags(body) == [text]


def test_formatting_goes_with_its_text_when_the_order_changes() -> None:
    red = '<w:color w:val="FF0000"/>'
    data = word(p(run("a "), run("red", red), run(" cat"), TAB, run("end")))

    def turned(source: Marked) -> str:
        start, end, tab = source.used
        return f"末{tab}猫{start}红{end}"

    new = docx.Document(io.BytesIO(written(opened(data, "docx"), turned))).paragraphs[0]
    assert new.text == "末\t猫红"
    assert [one.text for one in new.runs if one.font.color.rgb is not None] == ["红"]


def test_computed_fields_are_one_code_and_stay() -> None:
    body = p(run("Page "), field("PAGE", run("7")), run(" of many"))
    assert tags(body) == ["Page <1/> of many"]
    assert reads(body) == ["Page 7 of many"]
    assert changed(body) == replaced(body, ("Page ", "pAGE "), (" of many", " OF MANY"))


def test_the_result_of_a_link_field_is_translated() -> None:
    link = field('HYPERLINK "https://example.org/a"', run("the site"))
    body = p(run("See "), link, run(", section "), field("REF _R", run("Three")))
    assert tags(body) == ["See <1>the site</1>, section <2/>"]
    assert changed(body) == replaced(body, ("See", "sEE"), ("the site", "THE SITE"), ("section", "SECTION"))


def test_a_field_in_a_field() -> None:
    body = p(run("If "), field("IF 1", run("then "), field("PAGE", run("2")), run(" pages")))
    assert tags(body) == ["If <1>then <2/> pages</1>"]
    assert changed(body) == replaced(body, ("If ", "iF "), ("then", "THEN"), (" pages", " PAGES"))


@pytest.mark.parametrize("marks", [["end"], ["begin"], ["separate"], ["end", "begin"], ["begin", "begin", "end"]])
def test_fields_that_begin_or_end_elsewhere(marks: list[str]) -> None:
    body = p(run("One "), *map(mark, marks), run("two"))
    assert changed(body) == replaced(body, ("One", "oNE"), ("two", "TWO"))


def test_simple_fields_and_controls() -> None:
    named = f'<w:sdt><w:sdtPr><w:alias w:val="Name"/></w:sdtPr><w:sdtContent>{run("customer")}</w:sdtContent></w:sdt>'
    chosen = f"<w:sdt><w:sdtPr><w:dropDownList/></w:sdtPr><w:sdtContent>{run('Yes')}</w:sdtContent></w:sdt>"
    body = p(run("At "), f'<w:fldSimple w:instr=" TIME ">{run("noon")}</w:fldSimple>', run(" the "), named, chosen)
    assert tags(body) == ["At <1/> the <2>customer</2><3/>"]
    assert changed(body) == replaced(body, ("At ", "aT "), (" the ", " THE "), ("customer", "CUSTOMER"))


def test_a_table_of_contents_over_several_paragraphs() -> None:
    number = field("PAGEREF _Toc1", run("3"))
    entry = f'<w:hyperlink w:anchor="_Toc1">{run("Chapter")}{TAB}{number}</w:hyperlink>'
    begin = mark("begin") + "<w:r><w:instrText>TOC</w:instrText></w:r>" + mark("separate")
    body = p(begin, entry) + p(entry) + p(mark("end"))
    assert tags(body) == ["<1/><2>Chapter<3/><4/></2>", "<1>Chapter<2/><3/></1>"]
    assert changed(body) == replaced(body, ("Chapter", "cHAPTER"))


def test_hyperlinks_keep_where_they_lead() -> None:
    link = f'<w:hyperlink r:id="rId9" w:history="1">{run("our site", "<w:u/>")}</w:hyperlink>'
    body = p(run("See "), link, run("."))
    assert tags(body) == ["See <1>our site</1>."]
    assert changed(body) == replaced(body, ("See", "sEE"), ("our site", "OUR SITE"))


def test_insertions_are_text_and_deletions_stay() -> None:
    deleted = '<w:del w:id="2" w:author="A"><w:r><w:delText>old</w:delText></w:r></w:del>'
    body = p(run("Some "), deleted, f'<w:ins w:id="3" w:author="A">{run("new")}</w:ins>', run(" text"))
    assert tags(body) == ["Some <1/><2>new</2> text"]
    assert changed(body) == replaced(body, ("Some", "sOME"), (">new<", ">NEW<"), (" text", " TEXT"))


def test_hidden_text_stays_and_is_not_seen() -> None:
    body = p(run("Seen"), run("secret", "<w:vanish/>"), run(" too", '<w:vanish w:val="0"/>'))
    assert tags(body) == ["Seen<1/><2> too</2>"]
    assert ">secret<" in changed(body)
    assert tags(p(run("secret", "<w:vanish/>"))) == []


def test_as_deep_as_xml_may_be() -> None:
    depth = 240
    body = p(run("out "), '<w:ins w:id="1">' * depth, run("in"), "</w:ins>" * depth)
    assert changed(body) == replaced(body, ("out", "OUT"), (">in<", ">IN<"))
    assert reads(body) == ["out in"]


def test_text_of_hidden_styles_stays() -> None:
    styles = f'<w:styles {NAMESPACES}><w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'
    body = p(run("Seen"), run("secret", '<w:rStyle w:val="H"/>')) + p('<w:pPr><w:pStyle w:val="H"/></w:pPr>', run("x"))
    data = with_parts(word(body), {"word/styles.xml": styles})
    assert [tagged(unit.source).text for unit in opened(data, "docx").units()] == ["Seen<1/>"]


def test_code_is_told_by_its_style() -> None:
    named = [("C", "Verbatim Char"), ("P", "Source Code")]
    styles = "".join(f'<w:style w:styleId="{id_}"><w:name w:val="{name}"/></w:style>' for id_, name in named)
    body = p(run("Run "), run("make", '<w:rStyle w:val="C"/>')) + p('<w:pPr><w:pStyle w:val="P"/></w:pPr>', run("x"))
    data = with_parts(word(body), {"word/styles.xml": f"<w:styles {NAMESPACES}>{styles}</w:styles>"})
    assert shown(opened(data, "docx")) == ["Run make"]
    assert body_of(written(opened(data, "docx"), swapped)) == body.replace("Run", "rUN")


def test_more_codes_than_a_text_can_have_leave_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayling_lite.translate.markup.MOST_CODES", 3)
    assert tags(p(run("x"), TAB, TAB, TAB, TAB) + p(run("y"), TAB)) == ["y<1/>"]


def test_formulas_are_codes() -> None:
    math = "<m:oMath><m:r><m:t>E=mc</m:t></m:r></m:oMath>"
    body = p(run("Here "), math, run(" holds."))
    assert tags(body) == ["Here <1/> holds."]
    assert reads(body) == ["Here E=mc holds."]
    assert math in changed(body)
    assert tags(p(math)) == []


def test_text_boxes_are_translated_once_and_written_twice() -> None:
    body = p(run("Around "), text_box("In the box"), run("it"))
    assert tags(body) == ["Around <1/>it", "A box", "In the box"]
    swaps = (("Around", "aROUND"), ("In the box", "iN THE BOX"), ("A box", "a BOX"), (">it<", ">IT<"))
    assert changed(body) == replaced(body, *swaps)
    new = changed(body, lambda source: "变" if source.text == "In the box" else source.text)
    assert new == replaced(body, ("In the box", "变")), "the paragraph around it stands as it stood"


def test_watermarks_are_text() -> None:
    body = p('<w:r><w:pict><v:shape alt="A sign"><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>')
    assert reads(body) == ["A sign", "DRAFT"]
    assert changed(body) == replaced(body, ("A sign", "a SIGN"), ("DRAFT", "draft"))


def test_what_there_is_once_is_not_in_the_second_paragraph() -> None:
    head = '<w:pPr><w:pageBreakBefore/><w:sectPr/></w:pPr><w:bookmarkStart w:id="0" w:name="b"/>'
    note, break_ = '<w:r><w:footnoteReference w:id="2"/></w:r>', "<w:r><w:br/></w:r>"
    body = p(head, run("Text"), note, break_, run("more"), '<w:bookmarkEnd w:id="0"/>', text_box("Box"))
    body = body.replace("<w:p>", '<w:p w14:paraId="1A">', 1)
    first, second = re.split(r"(?=<w:p><w:pPr>)", changed(body, bilingual=True))
    assert "w14:paraId" in first
    assert "sectPr" not in first
    assert second == p("<w:pPr><w:sectPr/></w:pPr>", run("tEXT"), break_, run("MORE"))
    assert first.count("bOX") == 2


def test_a_page_ends_after_the_second_paragraph() -> None:
    break_ = '<w:r><w:br w:type="page"/></w:r>'
    body = p(run("One"), break_, run("two"), break_)
    assert changed(body, bilingual=True) == p(run("One"), break_, run("two")) + p(run("oNE"), run("TWO"), break_)


def test_what_counts_on_is_text_in_the_second_paragraph() -> None:
    entry = field('TC "Bears"').replace(mark("separate"), "")
    simple = f'<w:fldSimple w:instr="SEQ Table">{run("7")}</w:fldSimple>'
    body = p(entry, run("Figure "), field("SEQ Figure", run("3")), run(", table "), simple, run(": bears"))
    second = p(run("fIGURE "), run("3"), run(", TABLE "), run("7"), run(": BEARS"))
    assert changed(body, bilingual=True) == body + second
    assert "SEQ Figure" in changed(body)


def test_controls_no_longer_show_data_once_they_are_translated() -> None:
    def control(content: str, data: str = '<w:dataBinding w:xpath="/a"/>', kind: str = "<w:richText/>") -> str:
        return f"<w:sdt><w:sdtPr>{data}{kind}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"

    inside = p(run("By "), control(run("friends")))
    assert changed(inside) == p(run("bY "), control(run("FRIENDS"), data=""))
    assert changed(control(p(run("Title")))) == control(p(run("tITLE")), data="")
    assert changed(control(p(run("Title"))), bilingual=True) == control(p(run("Title")) + p(run("tITLE")), data="")
    assert changed(control(p(run("...")))) == control(p(run("...")))
    plain = control(p(run("Title")), kind="<w:text/>")
    assert changed(plain) == control(p(run("tITLE")), data="", kind="<w:text/>")
    assert changed(plain, bilingual=True) == plain + p(run("tITLE"))
    cell = control(f"<w:tc>{p(run('Title'))}</w:tc>", data="", kind="<w:text/>")
    assert changed(cell, bilingual=True) == cell.replace("</w:p>", f"</w:p>{p(run('tITLE'))}")


def test_an_entry_that_is_a_reference_to_its_page_is_text() -> None:
    assert tags(p(field("PAGEREF _Toc1 \\h", run("Introduction"), TAB, run("12")))) == ["<1>Introduction<2/>12</1>"]
    assert tags(p(field("PAGEREF _Toc1 \\h", run("iv")))) == []


def test_characters_xml_cannot_have_never_reach_the_file() -> None:
    new = written(opened(word(p(run("Text"))), "docx"), lambda source: "a\0\x1b[0m\ufffe & <b>")
    assert docx.Document(io.BytesIO(new)).paragraphs[0].text == "a[0m & <b>"


def test_codes_that_come_crosswise_still_make_a_document() -> None:
    link = f'<w:hyperlink r:id="x">{run("c")}</w:hyperlink>'
    data = word(p(run("aaaa "), run("b", BOLD), link, run("d", "<w:i/>")))

    def crossed(source: Marked) -> str:
        codes = [*source.used[::2], *source.used[1::2]]
        return "".join(f"{code}{number}" for number, code in enumerate(codes))

    assert docx.Document(io.BytesIO(written(opened(data, "docx"), crossed))).paragraphs[0].text == "012345"


def test_a_character_that_looks_like_a_code_survives() -> None:
    body = p(run("Odd \U00100000 text "), run("bold", BOLD))
    assert changed(body) == replaced(body, ("Odd", "oDD"), ("text", "TEXT"), ("bold", "BOLD"))


def test_paragraphs_have_the_direction_of_their_language() -> None:
    body = p('<w:pPr><w:keepNext/><w:jc w:val="center"/></w:pPr>', run("One", BOLD))
    arabic = written(opened(word(body), "docx"), swapped, target="ar")
    properties = '<w:pPr><w:keepNext/><w:bidi/><w:jc w:val="center"/></w:pPr>'
    mark = '<w:b/><w:bCs/><w:rtl/><w:lang w:bidi="ar"/>'
    assert p(properties, run("oNE", mark)) in parts_of(arabic)["word/document.xml"].decode()
    assert body_of(written(opened(arabic, "docx"), swapped)) == body.replace("<w:b/>", "<w:b/><w:bCs/>")


def test_languages_are_said_of_translated_runs_only() -> None:
    body = p(run("One", "<w:b/><w:rPrChange/>")) + p(run("2"))
    new = parts_of(written(opened(word(body), "docx"), swapped, target="de"))["word/document.xml"].decode()
    assert new.count('<w:lang w:val="de"/>') == 1
    assert '<w:lang w:val="de"/><w:rPrChange/>' in new
