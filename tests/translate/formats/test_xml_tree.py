from __future__ import annotations

import codecs
import time
from pathlib import Path

import pytest

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.xml_characters import legal
from bayling_lite.translate.formats.xml_tree import Element, XmlTree, fragment, stream

WRITTEN_ODDLY = (
    b"<?xml version='1.0'  encoding=\"UTF-8\" standalone='yes' ?>\r\n<!-- <no> > -->\r\n<?go <on?>\n"
    b'<!DOCTYPE a SYSTEM "<x>[" [<!ELEMENT a ANY> <!-- ] \' -->]>\n'
    b"<a xmlns:p='urn:p'  xmlns=\"urn:a\">\r\n <p:b\tx = '1 > 0'  ><![CDATA[<c/> ]] >]]>&#233;&gt; > </p:b >"
    b"<c/><c ></c><!-- </a> --><c  /></a>\r\n<!-- </a> -->\n<?end?>\n\n"
)


def tree(data: bytes) -> XmlTree:
    return XmlTree(data, "part.xml")


def replaced(parsed: XmlTree, *elements: Element) -> bytes:
    numbers = parsed.numbers(elements)
    return parsed.patched({numbers[element]: [element] for element in elements})


def test_nothing_changed_is_the_very_document() -> None:
    assert tree(WRITTEN_ODDLY).patched({}) == WRITTEN_ODDLY


def test_only_the_changed_element_is_written_anew() -> None:
    parsed = tree(WRITTEN_ODDLY)
    second = parsed.root[2]
    second.text = 'é < "'
    assert replaced(parsed, second) == WRITTEN_ODDLY.replace(b"<c ></c>", b'<c>\xc3\xa9 &lt; "</c>')


def test_elements_can_be_replaced_by_several_and_by_none() -> None:
    parsed = tree(b"<a><b>1</b><b>2</b><c/></a>")
    numbers = parsed.numbers(list(parsed.root))
    first, second, third = (numbers[child] for child in parsed.root)
    assert parsed.patched({first: [], third: [parsed.root[0], parsed.root[2]]}) == b"<a><b>2</b><b>1</b><c/></a>"
    assert parsed.patched({second: [parsed.root[0]]}) == b"<a><b>1</b><b>1</b><c/></a>"


def test_an_element_in_a_replaced_one_goes_with_it() -> None:
    parsed = tree(b"<a><b><c><d/></c></b><b/></a>")
    inner = parsed.root[0][0][0]
    outer = parsed.root[0]
    inner.set("x", "1")
    assert replaced(parsed, inner, outer) == b'<a><b><c><d x="1"/></c></b><b/></a>'


def test_the_root_can_be_replaced() -> None:
    parsed = tree(b"<?xml version='1.0'?><a/><!-- end -->")
    parsed.root.text = "x"
    assert replaced(parsed, parsed.root) == b"<?xml version='1.0'?><a>x</a><!-- end -->"


def test_everything_outside_the_root_stays() -> None:
    parsed = tree(WRITTEN_ODDLY)
    data = replaced(parsed, parsed.root)
    head, tail = WRITTEN_ODDLY.index(b"<a "), WRITTEN_ODDLY.index(b"</a>\r\n<!--")
    assert data.startswith(WRITTEN_ODDLY[:head])
    assert data.endswith(WRITTEN_ODDLY[tail:])


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (b"", "gb18030")]
)
def test_encodings_are_kept(mark: bytes, encoding: str) -> None:
    declared = "utf-16" if mark else encoding
    data = mark + f"<?xml version='1.0' encoding='{declared}'?><a><b>你好</b><b/></a>".encode(encoding)
    parsed = tree(data)
    assert parsed.root[0].text == "你好"
    parsed.root[1].text = "再见"
    assert replaced(parsed, parsed.root[1]) == data.replace("<b/>".encode(encoding), "<b>再见</b>".encode(encoding))


def test_characters_that_an_encoding_has_not_are_written_by_number() -> None:
    parsed = tree(b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9<b/></a>")
    parsed.root[0].text = "中"
    assert replaced(parsed, parsed.root[0]).endswith(b"<a>\xe9<b>&#20013;</b></a>")


def test_a_utf8_mark_stays() -> None:
    data = codecs.BOM_UTF8 + b"<a>\xe4\xbd\xa0</a>\n"
    assert tree(data).patched({}) == data


LAUGHS = b"<!DOCTYPE l [<!ENTITY a 'ha'>" + b"".join(
    f"<!ENTITY {name} '{f'&{before};' * 20}'>".encode() for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS + b"]><l>&i;</l>",
        LAUGHS + b"]><l x='&i;'/>",
        b"<!DOCTYPE l [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><l>&e;</l>",
        b"<!DOCTYPE l [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><l/>",
        b"<!DOCTYPE l [<!ENTITY % e SYSTEM 'http://localhost:9/'> %e;]><l/>",
        b"<!DOCTYPE l SYSTEM \"<x>[\" [<!-- <l> --><!ENTITY e 'x'>]><l/>",
    ],
)
def test_entities_are_refused(data: bytes) -> None:
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"declares entities|entity"):
        tree(data)
    assert time.perf_counter() - start < 1


def test_an_external_definition_is_never_fetched(tmp_path: Path) -> None:
    definition = tmp_path / "l.dtd"
    definition.write_text("<!ENTITY e 'from the file'>")
    data = f'<!DOCTYPE l SYSTEM "{definition.as_uri()}"><l>&e;</l>'.encode()
    try:
        root = tree(data).root
    except InputError:
        return
    assert "from the file" not in "".join(str(text) for text in root.itertext())


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"\0", b"<a>", b"<a></b>", b"<a/><a/>", b"text", b"<a>\xff</a>", b"<a b='1' b='2'/>", b"<a>&x;</a>"],
)
def test_what_is_not_well_formed_is_an_error(data: bytes) -> None:
    with pytest.raises(InputError, match=r"part\.xml is not"):
        tree(data)


def test_an_error_says_the_line() -> None:
    with pytest.raises(InputError, match="line 3"):
        tree(b"<a>\n<b>\n</c></a>")


@pytest.mark.parametrize("depth", [300, 200_000])
def test_deep_documents_are_refused(depth: int) -> None:
    with pytest.raises(InputError, match="depth"):
        tree(b"<a>" * depth + b"</a>" * depth)


def test_an_unknown_encoding_is_an_error() -> None:
    with pytest.raises(InputError):
        tree(b"<?xml version='1.0' encoding='klingon'?><a/>")


def test_a_fragment_has_the_namespaces_that_are_its_own() -> None:
    root = tree(b'<a xmlns="urn:a" xmlns:p="urn:p?x=1&amp;y=2"><p:b xmlns:q="urn:q" q:x="1"/></a>').root
    assert fragment(root[0]) == '<p:b xmlns:q="urn:q" q:x="1"/>'


def test_a_stream_gives_each_element_whole() -> None:
    data = b"<t xmlns='urn:t'>" + b"".join(b"<r><c>%d</c><c/></r>" % number for number in range(100)) + b"</t>"
    texts = [element.text for element in stream(data, "part.xml", "{*}c", "{*}r") if element.text]
    assert texts == [str(number) for number in range(100)]
    with pytest.raises(InputError, match="well-formed"):
        list(stream(data[:-9], "part.xml", "{*}c"))
    with pytest.raises(InputError, match="entities"):
        list(stream(b"<!DOCTYPE t [<!ENTITY a 'b'>]><t><c/></t>", "part.xml", "{*}c"))
    with pytest.raises(InputError, match="entities"):
        list(stream(b"<!DOCTYPE t [<!ENTITY a SYSTEM 'b'>]><t>&a;</t>", "part.xml", "{*}c"))


def test_characters_that_xml_cannot_have_go() -> None:
    assert legal("a\0b\x1b[1m\ud800\uffff\tc\n😀") == "ab[1m\tc\n😀"
