"""HTML: units as a reader sees them, everything else untouched, whatever state the markup is in."""

from __future__ import annotations

import random
import re

import pytest
from lxml import etree, html

from bayling_lite.errors import InputError
from bayling_lite.languages import find_language
from bayling_lite.translate.formats import (
    Cut,
    FormatOptions,
    Layout,
    Source,
    TranslatedUnit,
    find_format,
    open_document,
)
from bayling_lite.translate.formats.html.document import HtmlDocument, read
from bayling_lite.translate.formats.html.writing import nested
from bayling_lite.translate.markup import Code, Marked, code_character, tagged
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head>
  <meta charset="utf-8"><title>Tea &amp; coffee</title>
  <meta name=description content="All about &quot;tea&quot;"><meta name=viewport content="width=device-width">
  <meta property="og:title" content='Tea'>
  <style>p > a { color: red }</style>
  <script>if (a < b && c) { document.write("<p>Hi</p>") }</script>
</head>
<body class="x">
  <!-- a comment with <b>tags</b> -->
  <h1 id="top">Hello,
     <em>brave</em> world</h1>
  <p>Is <b><i>very</i></b> nice &mdash; see <a href="x?a=1&b=2" title="The page">the <code>foo()</code> page</a>.<br>
     A new line with <img src=a.png alt="A cat"> in it.</p>
  <ul><li>One<li>Two <span lang="en">words</span><ul><li>Nested</ul></ul>
  <table><tr><th>Head<td>Cell<td>12.5</table>
  <pre>left
     alone</pre>
  <form><label>Name <input name=n placeholder="Your name"></label><button>Save</button><input type=submit value=Go>
  <input type=text value=Not><select><option>Red</option><option>Blue</select><textarea>one
two</textarea></form>
  <figure><img src="b.png" alt=Map><figcaption>The map</figcaption></figure>
  <details><summary>More</summary>Much more</details>
  <P>Unclosed, with ruby <ruby>漢<rt>kan</rt></ruby>, H<sub>2</sub>O and <svg><title>No</title><path d="M0"/></svg> too
</body>
</html>
"""


def page() -> HtmlDocument:
    document = opened(PAGE.encode(), "html")
    assert isinstance(document, HtmlDocument)
    return document


def fragment(text: str, **options: object) -> list[str]:
    return [tagged(unit.source).text for unit in opened(text.encode(), "html").units()]


def test_what_a_reader_sees_is_units() -> None:
    assert shown(page()) == [
        "Tea & coffee",
        'All about "tea"',
        "Tea",
        "Hello, brave world",
        "The page",
        "A cat",
        "Is very nice — see the foo() page.\n A new line with  in it.",
        *("One", "Two words", "Nested", "Head", "Cell", "Name", "Your name", "Save", "Go", "Red", "Blue", "one\ntwo"),
        *("Map", "The map", "More", "Much more", "Unclosed, with ruby 漢, H2O and  too"),
    ]


def test_places_and_cuts() -> None:
    units = {unit.source.reads: unit for unit in page().units()}
    assert units["Hello, brave world"].place == "line 12"
    assert units["A cat"].place == "line 15, img alt"
    assert units["Red"].cut is Cut.WHOLE
    assert units["Tea"].cut is Cut.WHOLE
    assert units["Much more"].cut is Cut.SENTENCES


def test_unchanged_is_the_same() -> None:
    assert written(page(), same) == PAGE.encode()
    assert written(page(), same, bilingual=True) == PAGE.encode()


def test_only_text_changes() -> None:
    once = written(page(), swapped, target="en").decode()
    before, after = html.fromstring(PAGE), html.fromstring(once)
    read_attributes = {"title", "alt", "placeholder"}
    for old, new in zip(before.iter(), after.iter(), strict=True):
        assert old.tag == new.tag
        assert {name for name, value in old.items() if new.get(name) != value} <= read_attributes | {"content", "value"}
    for untouched in ("<!-- a comment with <b>tags</b> -->", "p > a { color: red }", 'document.write("<p>Hi</p>")'):
        assert untouched in once
    assert "<pre>left\n     alone</pre>" in once
    assert 'SEE <a href="x?a=1&b=2" title="tHE PAGE">THE <code>foo()</code> PAGE</a>.<br>' in once
    assert "tEA &amp; COFFEE" in once
    assert "NICE &mdash; SEE" in once
    assert 'content="aLL ABOUT &quot;TEA&quot;"' in once
    twice = written(opened(once.encode(), "html"), swapped, target="en").decode()
    # All that is lost is where lines ended in the source.
    assert re.sub(r"\s+", " ", twice) == re.sub(r"\s+", " ", PAGE)


def test_the_language_is_declared_where_something_was_translated() -> None:
    assert '<html lang="zh">' in written(page(), swapped).decode()
    assert 'tWO <span lang="zh">WORDS' in written(page(), swapped).decode()
    assert '<html lang="en-US">' in written(page(), same).decode()
    assert '<html lang="en-US">' in written(page(), swapped, target="en").decode()
    assert written(opened(b"<html><p>Hi", "html"), swapped) == b"<html><p>hI"


def test_the_direction_of_the_script_is_declared() -> None:
    assert written(opened(b"<html lang=en><p>Hi", "html"), swapped, target="ar") == b'<html lang=ar dir="rtl"><p>hI'
    source = b'<html lang="ar" dir="rtl"><p>Hi'
    assert written(opened(source, "html"), swapped, target="en") == b'<html lang="en" dir="ltr"><p>hI'


def test_other_languages_in_the_text_stay_declared() -> None:
    source = b'<html lang="en"><body lang="en-GB"><p lang="fr">Bonjour</p>'
    assert written(opened(source, "html"), swapped) == b'<html lang="zh"><body lang="zh"><p lang="fr">bONJOUR</p>'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a</p>", '<p>a</p><p lang="zh">A</p>'),
        ("<div>\n  <p>a</p>\n</div>", '<div>\n  <p>a</p>\n  <p lang="zh">A</p>\n</div>'),
        ('<p id="x" class=c><b id=y>a</b></p>', '<p id="x" class=c><b id=y>a</b></p><p lang="zh" class=c><b>A</b></p>'),
        ('<p lang="en">a</p>', '<p lang="en">a</p><p lang="zh">A</p>'),
        ("<p>a<p>b", '<p>a<p lang="zh">A</p><p>b<p lang="zh">B</p>'),
        ("<h1>a</h1>", '<h1>a<br><span lang="zh">A</span></h1>'),
        ("<ul><li>a<ul><li>b</ul></ul>", None),
        ("<table><td>a</table>", '<table><td>a<br><span lang="zh">A</span></table>'),
        ("<title>a</title>", "<title>a / A</title>"),
        ("<option>a", "<option>a / A"),
        ("<img alt=a>", '<img alt="a / A">'),
        ("<p>a <script>x()</script> b</p>", '<p>a <script>x()</script> b</p><p lang="zh">A  B</p>'),
    ],
)
def test_bilingual(source: str, expected: str | None) -> None:
    if expected is None:
        expected = '<ul><li>a<br><span lang="zh">A</span><ul><li>b<br><span lang="zh">B</span></ul></ul>'
    assert written(opened(source.encode(), "html"), swapped, bilingual=True).decode() == expected


@pytest.mark.parametrize(
    ("source", "units"),
    [
        ("<p><b>All of it</b></p>", ["All of it"]),
        ("<p><img src=x> Text <br></p>", ["Text"]),
        ("<p>One<br><br>Two<br>three</p>", ["One", "Two<1/>three"]),
        ("<p>See <a><b><i>this</i></b></a> now", ["See <1>this</1> now"]),
        ("<p>An <i class=icon></i><a id=x></a>icon", ["An <1/>icon"]),
        ("<p><b>a <i>b</b> c</i>", ["<1>a <2/>b</1> c"]),
        ("<p>Use <span translate=no>a <b>b</b></span> now", ["Use <1/> now"]),
        ("<div translate=no>no <p translate=yes>yes</p> no</div> yes", ["yes", "yes"]),
        ("<p class='a notranslate'>no</p><p translate='no'>no<p>yes", ["yes"]),
        ("<p>Hyphen&shy;ation long<wbr>word", ["Hyphenation longword"]),
        ("<p>Hi {{ user.name }}! <% if x > 1 %>yes<% end %> <?php echo $a->b ?> there", None),
        (
            r"<p>Let \(a &lt; b\) and \[ x^{2} \] or $$y$$, for $5 (or \( so)",
            ["Let <1/> and <2/> or <3/>, for $5 (or \\( so)"],
        ),
        ("<p>&nbsp; <b>12</b> &rarr;</p><p>&nbsp;Yes&nbsp;</p>", ["Yes"]),
        ("<p title='https://example.org/a'>x</p><img alt='photo.JPG'>", ["x"]),
        ("<p title=a title=b>x", ["a", "x"]),
        ("<p>Never closed <code>code and</p><p>more", ["Never closed <1/>", "more"]),
        ("<body><code>never closed<p>more</body>", ["more"]),
        ("<p>1 < 2 & 3 <4 a<b>c</b>", ["1 < 2 & 3 <4 a<1>c</1>"]),
        ("<p>a &copy=1 &unknown; &amp;", ["a ©=1 <1/> &"]),
        ("<a title='x&copy=1'>", ["x&copy=1"]),
        ("<title>Not <b>bold</title>", ["Not <b>bold"]),
        ("<title>not closed <p>text", ["not closed", "text"]),
        ("<SCRIPT>no</SCRIPT><P>yes</P>", ["yes"]),
        ("<svg><style/><text>no</text></svg>yes", ["yes"]),
        ("<![CDATA[ no > no ]]><!--[if IE]><p>no</p><![endif]--><![if !IE]><p>yes</p><![endif]>", ["yes"]),
        ("<p>a\U00100000b", ["a<1/>b"]),
        ("</p></b>stray</div>", ["stray"]),
        ("text <a href='unfinished", ["text"]),
        ("<!--> <p>yes</p> -->", ["yes"]),
    ],
)
def test_odd_markup(source: str, units: list[str] | None) -> None:
    expected = units or ["Hi <1/>! <2/>yes<3/> <4/> there"]
    got = fragment(source)
    assert got == expected
    document = opened(source.encode(), "html")
    assert written(document, same).decode() == source


def test_broken_markup_survives() -> None:
    random_ = random.Random(5)
    scraps = [
        "<",
        ">",
        "</",
        "/>",
        "<p",
        "<b>",
        "</b>",
        "<a href=",
        '"',
        "'",
        "=",
        "&",
        "&amp",
        ";",
        "<!--",
        "-->",
        "\0",
    ]
    scraps += ["<![CDATA[", "]]>", "<?", "?>", "<script>", "</script>", "<title>", "<td>", "<li>", "text ", "\r\n", "ü"]
    scraps += [
        "<svg>",
        "</svg>",
        "<pre>",
        "</pre>",
        " alt='x y'",
        " translate=no",
        "<br>",
        "{{",
        "}}",
        "&#0;",
        "&#xD800;",
    ]
    for _ in range(300):
        text = "<html>" + "".join(random_.choices(scraps, k=random_.randrange(1, 60)))
        document = opened(text.encode(), "html")
        assert written(document, same).decode() == text
        assert "\ufffd" not in written(document, swapped).decode() or "&#" in text
        written(document, swapped, bilingual=True)


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<b>", "<title>", "<!--", "<a b='", "&amp;", "{{", "<p>x", "<svg>", "x<br>"]
)
def test_time_is_linear(unit: str) -> None:
    text = unit * 5_000
    document = opened(text.encode(), "html")
    assert written(document, same).decode() == text


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("gb2312", "gb18030", "漢字測試 Text"),
        ("big5", "big5", "繁體中文 Text"),
        ("Shift_JIS", "shift_jis", "日本語 Text"),
        ("iso-8859-1", "cp1252", "“naïve” Text"),
        ("windows-1251", "cp1251", "Привет Text"),
        ("koi8-r", "koi8-r", "Привет Text"),
        ("iso-2022-jp", "iso-2022-jp", "日本語 Text"),
        ("iso-8859-1", "utf-8", "naïve Text"),  # a wrong declaration
        ("utf-16", "utf-8", "naïve Text"),
        ("nonsense", "utf-8", "naïve Text"),
    ],
)
def test_declared_encodings(declared: str, codec: str, text: str) -> None:
    for head in (f'<meta charset="{declared}">', f'<meta http-equiv=X content="text/html; charset={declared}">'):
        data = f"{head}<p>{text}</p>".encode(codec)
        document = opened(data, "html")
        assert shown(document) == [text]
        assert written(document, same) == data
        assert text.swapcase()[-4:] in written(document, swapped).decode(codec)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_encodings_that_are_told_by_bytes(codec: str) -> None:
    data = "<p>naïve 漢字</p>".encode(codec)
    document = opened(data, "html")
    assert shown(document)[-1].endswith("naïve 漢字")
    assert written(document, same) == data


def test_what_the_encoding_does_not_have_becomes_a_reference() -> None:
    document = opened('<meta charset="iso-8859-1"><p>caf\u00e9'.encode("latin-1"), "html")
    assert written(document, lambda _: "茶 é") == '<meta charset="iso-8859-1"><p>&#33590; é'.encode("latin-1")


def test_a_translation_cannot_become_markup() -> None:
    document = opened(b"<p title='x'>Text</p><textarea>Text</textarea><img alt=x>", "html")
    change = lambda _: "<script>'\"&amp;</textarea>"  # noqa: E731
    out = written(document, change).decode()
    tree = html.fromstring(f"<div>{out}</div>")
    assert not list(tree.iter("script"))
    assert {element.text for element in tree if element.text} == {"<script>'\"&amp;</textarea>"}
    assert tree[0].get("title") == tree[2].get("alt") == "<script>'\"&amp;</textarea>"


def test_text_comes_as_soon_as_it_is_translated() -> None:
    document = opened(b"<html lang=en><p>a<p>b<p>c", "html")
    asked: list[str] = []

    def translations(change: str):  # type: ignore[no-untyped-def]
        for unit in document.units():
            asked.append(unit.source.text)
            yield TranslatedUnit(unit.source, unit.source.replaced(change))

    pieces = document.write(translations("A"), Layout(find_language("zh")))
    first = next(pieces)
    assert first == "<html lang=zh><p>A"
    assert asked == ["a"]


@pytest.mark.slow
def test_too_many_codes_are_refused() -> None:
    for text in ("<p>x{{ y }}" + "{{ y }}" * 70_000, "<p>x" + "\U00100000" * 70_000):
        with pytest.raises(InputError, match="more than 65,534 tags"):
            opened(text.encode(), "html")
    assert len(shown(opened(b"<p>" + b"<b>x</b>y" * 30_000, "html"))) > 1


def test_damaged_text_is_refused() -> None:
    with pytest.raises(InputError, match="--encoding"):
        opened(b"<p>" + "ü".encode() * 30 + b"\xff</p>", "html")
    with pytest.raises(InputError, match="--encoding"):
        opened(bytes(range(256)) * 3, "html")


def test_xhtml_stays_well_formed() -> None:
    source = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html [<!ENTITY me "I">]>\n'
        b'<h:html xmlns:h="http://www.w3.org/1999/xhtml" xml:lang="en"><h:head><h:title>A</h:title><h:script src="x"/>'
        b'</h:head><h:body><h:p id="p">&me; and <h:i>you</h:i> <h:br/>&#160;x</h:p><h:h1>B</h:h1>'
        b"<![CDATA[no <p>]]></h:body></h:html>"
    )
    document = read(Source("a.xhtml", source), FormatOptions())
    assert [tagged(unit.source).text for unit in document.units()] == ["A", "<1/> and <2>you</2> <3/>\xa0x", "B"]
    assert written(document, same) == source
    bilingual = written(document, swapped, bilingual=True)
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(bilingual, parser)
    name = "{http://www.w3.org/1999/xhtml}"
    copies = [
        element.tag for element in root.iter() if element.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh"
    ]
    assert copies == [f"{name}p", f"{name}span"]
    assert b"&#160;X" in bilingual
    assert len(root.findall(".//*[@id='p']")) == 1


def test_xml_has_no_characters_it_may_not_have() -> None:
    document = read(Source("a.xhtml", b"<p>Text</p>"), FormatOptions())
    assert written(document, lambda _: "a\0\x0b\x1bb ]]> c") == b"<p>ab ]]&gt; c</p>"


def test_crossed_pairs_are_nested_in_xml() -> None:
    codes = (Code("open", "<b>", 1), Code("close", "</b>", 1), Code("open", "<i>", 2), Code("close", "</i>", 2))
    b, not_b, i, not_i = map(code_character, range(4))
    crossed = Marked(f"{b}x{i}y{not_b}z{not_i}", codes)
    assert crossed.replaced(nested(crossed)).raw() == "<b>x<i>y</i></b><i>z</i>"
    whole = Marked(f"{b}x{i}y{not_i}{not_b}", codes)
    assert nested(whole) == whole.text


def test_the_suffix_stays() -> None:
    for name, suffix in (("a.htm", ".htm"), ("a.XHTML", ".xhtml"), ("-", ".html")):
        assert open_document(Source(name, b"<p>x"), find_format("html")).suffix == suffix
