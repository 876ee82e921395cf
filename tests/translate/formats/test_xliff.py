import re

import pytest
from lxml import etree

from bayling_lite.errors import InputError
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

FIRST = """\
<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns='urn:oasis:names:tc:xliff:document:1.2'>
 <file original="a.html" source-language="en" datatype="html">
  <!-- <trans-unit id="c"><source>Not a unit</source></trans-unit> -->
  <body>
   <trans-unit id="1">
    <source>Hello <g id="1" ctype="bold">big <x id="2" equiv-text="{{name}}"/></g> world &amp; &quot;all&quot; %s\
</source>
    <note>A greeting</note>
   </trans-unit>
   <trans-unit id="2" translate="no"><source>Not to be translated</source></trans-unit>
   <trans-unit id="3" approved="yes"><source>Approved</source><target/></trans-unit>
   <trans-unit id="4"><source>Again <bpt id="1">&lt;b></bpt>bold<ept id="1">&lt;/b></ept><ph id="3">%d</ph></source\
><target state='new'>Again</target></trans-unit>
   <trans-unit id="5"><source><![CDATA[Some <b>raw</b> text & more]]></source>
      <target/></trans-unit>
   <trans-unit id="6"><source>Done</source><target state="translated">Fertig</target></trans-unit>
   <trans-unit id="7"><source>Signed</source><target state="signed-off"></target></trans-unit>
   <group translate="no"><trans-unit id="8"><source>In a group</source></trans-unit>
   <trans-unit id="9" translate="yes"><source>
      But <mrk mtype="protected">ACME</mrk> is.
   </source></trans-unit></group>
   <trans-unit id="10"><source>{n, plural, one {day} other {days}}</source></trans-unit>
   <trans-unit id="11"><source>12 %</source></trans-unit>
  </body>
 </file>
</xliff>
"""
SECOND = """\
<?xml version="1.0"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en">
 <file id="f1"><unit id="1"><notes><note>Be nice</note></notes>
   <originalData><data id="d1">&lt;br/></data></originalData>
   <segment id="s1"><source>First <pc id="1">bold</pc> <sc id="2"/>open<ec startRef="2"/>.</source></segment>
   <ignorable><source> </source></ignorable>
   <segment id="s2" state="final"><source>Second.</source></segment>
   <segment id="s3" state="initial"><source>Third<ph id="4" dataRef="d1"/>x.</source><target>Third.</target></segment>
   <segment id="s4"><source>Fourth.</source><target>Viertes.</target></segment>
 </unit><unit id="2" translate="no"><segment><source>Fifth.</source></segment></unit></file></xliff>"""
STUDIO = """\
\ufeff<?xml version="1.0" encoding="utf-8"?><xliff xmlns:sdl="http://sdl.com/FileTypes/SdlXliff/1.0" \
xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2"><file original="x" source-language="en-US" \
target-language="zh-CN"><body><trans-unit id="u1"><source>One. Two.</source><seg-source><g id="9">\
<mrk mtype="seg" mid="1">One.</mrk> <mrk mtype="seg" mid="2">Two.</mrk></g></seg-source>\
<sdl:seg-defs><sdl:seg id="1" locked="true"/><sdl:seg id="2"/></sdl:seg-defs></trans-unit>
<trans-unit id="u2"><source>Three. Four.</source><seg-source><mrk mtype="seg" mid="3">Three.</mrk> \
<mrk mtype="seg" mid="4">Four.</mrk></seg-source><target><mrk mtype="seg" mid="4"/> <mrk mtype="seg" mid="3"></mrk>\
</target></trans-unit></body></file></xliff>"""
DOCUMENTS = (FIRST, SECOND, STUDIO)


def test_units_are_those_without_a_translation() -> None:
    assert shown(opened(FIRST.encode(), "xliff")) == [
        'Hello big {{name}} world & "all" %s',
        "Again bold%d",
        "Some raw text & more",
        "But ACME is.",
    ]
    assert shown(opened(SECOND.encode(), "xliff")) == ["First bold open.", "Thirdx."]
    assert shown(opened(STUDIO.encode(), "xliff")) == ["Two.", "Three.", "Four."]


def test_a_unit_has_its_place_and_notes() -> None:
    for text, expected in ((FIRST, ("unit 1", "A greeting")), (SECOND, ("unit 1", "Be nice"))):
        unit = next(opened(text.encode(), "xliff").units())
        assert (unit.place, unit.notes) == expected


def test_inline_elements_are_codes() -> None:
    first, again, raw, but = opened(FIRST.encode(), "xliff").units()
    assert [(code.kind, code.raw) for code in first.source.codes] == [
        ("open", '<g id="1" ctype="bold">'),
        ("alone", '<x id="2" equiv-text="{{name}}"/>'),
        ("close", "</g>"),
        ("alone", "%s"),
    ]
    assert [(code.kind, code.raw) for code in again.source.codes] == [
        ("open", '<bpt id="1">&lt;b></bpt>'),
        ("close", '<ept id="1">&lt;/b></ept>'),
        ("alone", '<ph id="3">%d</ph>'),
    ]
    assert [(code.kind, code.raw) for code in raw.source.codes] == [("open", "<b>"), ("close", "</b>")]
    assert [code.raw for code in but.source.codes] == ['<mrk mtype="protected">ACME</mrk>']
    second = next(opened(SECOND.encode(), "xliff").units())
    assert [code.kind for code in second.source.codes] == ["open", "close", "open", "close"]


@pytest.mark.parametrize("text", DOCUMENTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_unchanged_it_is_the_same(text: str, newline: str) -> None:
    data = text.replace("\n", newline).encode()
    assert written(opened(data, "xliff"), same) == data


def test_targets_of_the_first_version() -> None:
    new = written(opened(FIRST.encode(), "xliff"), swapped).decode()
    expected = (
        FIRST.replace('datatype="html">', 'datatype="html" target-language="zh">')
        .replace(
            "</source>\n    <note>",
            '</source>\n    <target state="translated">hELLO <g id="1" ctype="bold">BIG '
            '<x id="2" equiv-text="{{name}}"/></g> WORLD &amp; "ALL" %s</target>\n    <note>',
        )
        .replace(
            "<target state='new'>Again</target>",
            '<target state="translated">aGAIN <bpt id="1">&lt;b></bpt>BOLD<ept id="1">&lt;/b></ept>'
            '<ph id="3">%d</ph></target>',
        )
        .replace("\n      <target/>", "\n      <target><![CDATA[sOME <b>RAW</b> TEXT & MORE]]></target>")
        .replace(
            "is.\n   </source>",
            'is.\n   </source><target state="translated">\n      bUT <mrk mtype="protected">ACME</mrk> IS.'
            "\n   </target>",
        )
    )
    assert new == expected


def test_targets_of_the_second_version() -> None:
    new = written(opened(SECOND.encode(), "xliff"), swapped).decode()
    assert 'srcLang="en" trgLang="zh">' in new
    assert (
        '<segment id="s1" state="translated"><source>First <pc id="1">bold</pc> <sc id="2"/>open<ec startRef="2"/>.'
        '</source><target>fIRST <pc id="1">BOLD</pc> <sc id="2"/>OPEN<ec startRef="2"/>.</target></segment>'
    ) in new
    assert 'id="s3" state="translated"><source>Third<ph id="4" dataRef="d1"/>x.</source><target>tHIRD<ph' in new
    untouched = re.compile(r'<ignorable>.*?</ignorable>|<segment id="s[24]".*?</segment>|<unit id="2".*?</unit>')
    assert untouched.findall(new) == untouched.findall(SECOND)


def test_marked_segments_are_filled() -> None:
    new = written(opened(STUDIO.encode(), "sdlxliff"), swapped).decode()
    assert 'target-language="zh-CN"' in new
    assert (
        '</seg-source><target state="translated"><g id="9"><mrk mtype="seg" mid="1">One.</mrk> '
        '<mrk mtype="seg" mid="2">tWO.</mrk></g></target>'
    ) in new
    assert '<target><mrk mtype="seg" mid="4">fOUR.</mrk> <mrk mtype="seg" mid="3">tHREE.</mrk></target>' in new


@pytest.mark.parametrize("text", DOCUMENTS)
def test_after_a_change_there_is_nothing_left_and_sources_are_the_same(text: str) -> None:
    new = written(opened(text.encode(), "xliff"), swapped)
    assert shown(opened(new, "xliff")) == []
    sources = [
        [etree.tostring(node, with_tail=False) for node in etree.fromstring(data).iter("{*}source", "{*}note")]
        for data in (text.encode(), new)
    ]
    assert sources[0] == sources[1]


def test_only_what_is_translated_changes() -> None:
    new = written(opened(FIRST.encode(), "xliff"), lambda unit: "更多" if "raw" in unit.text else unit.text)
    assert new.decode() == FIRST.replace('datatype="html">', 'datatype="html" target-language="zh">').replace(
        "\n      <target/>", "\n      <target><![CDATA[更多]]></target>"
    )


def test_a_translation_cannot_break_its_document() -> None:
    new = written(opened(FIRST.encode(), "xliff"), lambda unit: "a < b & c ]]> d \x00\x08" + "".join(unit.used))
    texts = ["".join(map(str, node.itertext())) for node in etree.fromstring(new).iter("{*}target")]
    assert texts[0].startswith("a < b & c ]]> d ")
    assert shown(opened(new, "xliff")) == []


def test_other_encodings() -> None:
    for encoding in ("utf-16", "iso-8859-1"):
        data = FIRST.replace("UTF-8", encoding).encode(encoding)
        assert written(opened(data, "xliff"), same) == data
        new = written(opened(data, "xliff"), lambda unit: "更多" + "".join(unit.used))
        assert "更多" in "".join(map(str, etree.fromstring(new).itertext()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html/>", "is not XLIFF: its root element is <html>"),
        (FIRST[:400], "is not well-formed XML"),
        ("", "XML"),
        ('<!DOCTYPE xliff [<!ENTITY a "b">]><xliff>&a;</xliff>', "declares entities"),
        ('<!DOCTYPE xliff [<!ENTITY a SYSTEM "file:///etc/passwd">]><xliff>&a;</xliff>', "declares entities"),
        ("<xliff>" * 5000, "XML"),
    ],
)
def test_damage_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opened(text.encode(), "xliff")
