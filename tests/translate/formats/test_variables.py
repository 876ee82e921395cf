import pytest

from bayling_lite.languages import find_language
from bayling_lite.translate.formats.base import TranslatedUnit
from bayling_lite.translate.formats.message_patterns import case_texts, is_message_pattern
from bayling_lite.translate.formats.values import paragraphs, rebuilt
from bayling_lite.translate.formats.variables import (
    Mnemonic,
    Syntax,
    has_words,
    mark,
    take_mnemonic,
    with_mnemonic,
)
from bayling_lite.translate.formats.wording import looks_like_text


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Copied %d of %(total)s files to %1$s", ["%d", "%(total)s", "%1$s"]),
        ("Loading %-5.2f%% at %H:%M", ["%-5.2f", "%%", "%H", "%M"]),
        ("%1 of %L2, %n items, %{name}", ["%1", "%L2", "%n", "%{name}"]),
        ("Hello {name}, {0}, {} and {price:.2f}", ["{name}", "{0}", "{}", "{price:.2f}"]),
        ("{{count}} new, ${user} and #{id}", ["{{count}}", "${user}", "#{id}"]),
        ("{n, number} on {day, date, short}", ["{n, number}", "{day, date, short}"]),
        ("$name pays $5 for $APP_NAME$", ["$name", "$APP_NAME$"]),
        ("See $t(other.key) and @:common.ok", ["$t(other.key)", "@:common.ok"]),
        ("Tom &amp; Jerry&nbsp;&#8211; x", ["&amp;", "&nbsp;", "&#8211;"]),
        ("50% of users, 20 % discount, 100%", []),
        ("me@example.com costs $20", []),
        ("one\ntwo\r\nthree\tfour", ["\n", "\r\n", "\t"]),
        ("half \ud800 a pair", ["\ud800"]),
        ("a \x1b[1mbold\x1b[0m word", ["\x1b[1m", "\x1b[0m"]),
    ],
)
def test_variables_become_codes(text: str, codes: list[str]) -> None:
    marked = mark(text)
    assert [code.raw for code in marked.codes] == codes
    assert marked.raw() == text


def test_tags_become_pairs_where_they_are() -> None:
    marked = mark('<b>Save</b> or <a href="x">quit<br></a> </i>')
    assert [(code.kind, code.pair) for code in marked.codes] == [
        ("open", 1), ("close", 1), ("open", 2), ("alone", 0), ("close", 2), ("alone", 0),
    ]  # fmt: skip
    assert marked.reads == "Save or quit "


def test_a_code_reads_as_its_reader_sees_it() -> None:
    assert mark("%d%% of Tom &amp; Co").reads == "%d% of Tom & Co"


def test_without_formats_a_percent_sign_is_one() -> None:
    assert mark("100%s", Syntax.TAGS).codes == ()


def test_a_text_of_variables_has_no_words() -> None:
    assert not has_words(mark("%s: {0} (<b>12</b>)"))
    assert has_words(mark("%s: {0} x"))


def test_patterns_for_several_cases_are_known() -> None:
    assert is_message_pattern("{count, plural, one {# file} other {# files}}")
    assert is_message_pattern("You have {n,selectordinal, one{#st} other{#th}} place")
    assert not is_message_pattern("{count, number} files")


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("{n, plural, =0 {None.} one {# file} other {{n} files}}", ["None.", "# file", "{n} files"]),
        (" {who, select, male{He left} other{They left}} ", ["He left", "They left"]),
        ("{n, plural, offset:1 one {One more} other {# more}}", ["One more", "# more"]),
        ("You have {n, plural, one {# file} other {# files}}.", []),
        ("{n, plural, one {# file} other {# files}} left", []),
        ("{n, plural, one {{m, plural, one {a} other {b}}} other {c}}", []),
        ("{n, plural, one {# file} other {# files}", []),
        ("{n, plural, one {Say '{'this} other {that}}", []),
    ],
)
def test_texts_for_cases_are_found_where_they_are_whole(text: str, texts: list[str]) -> None:
    assert [text[start:end] for start, end in case_texts(text)] == texts


@pytest.mark.parametrize(
    ("label", "bare", "letter"),
    [
        ("_File", "File", "F"),
        ("Save _As…", "Save As…", "A"),
        ("&Open file", "Open file", "O"),
        ("E_xit", "Exit", "x"),
        ("文件(_F)", "文件", "F"),
        ("foo_bar", "foo_bar", None),
        ("R&D", "R&D", None),
        ("Tom &amp; Jerry", "Tom &amp; Jerry", None),
        ("__init__", "__init__", None),
        (
            "Set the variable _name before the program starts.",
            "Set the variable _name before the program starts.",
            None,
        ),
    ],
)
def test_keys_of_menus_are_taken_out(label: str, bare: str, letter: str | None) -> None:
    text, mnemonic = take_mnemonic(label)
    assert text == bare
    assert (mnemonic.letter if mnemonic else None) == letter


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Ablage", "de", "_Ablage"),
        ("Fichier", "fr", "_Fichier"),
        ("Une fenêtre", "fr", "Une _fenêtre"),
        ("文件", "zh", "文件(_F)"),
        ("打开…", "zh", "打开(_F)…"),
        ("Файл", "ru", "Файл(_F)"),
    ],
)
def test_translated_labels_have_their_key_again(text: str, language: str, expected: str) -> None:
    assert with_mnemonic(text, Mnemonic("_", "F"), find_language(language)) == expected


def test_a_value_is_cut_into_paragraphs_and_put_together_again() -> None:
    value = "  Usage:\n\nFirst do this.\nThen that,\nand this.\n - one\n - two\n"
    found = paragraphs(value)
    assert [paragraph.source.reads for paragraph in found] == [
        "Usage:", "First do this.", "Then that,\nand this.", "one", "two",
    ]  # fmt: skip
    same = (TranslatedUnit(paragraph.source, paragraph.source) for paragraph in found)
    assert rebuilt(value, found, same) is None
    upper = (TranslatedUnit(each.source, each.source.replaced(each.source.text.upper())) for each in found)
    assert rebuilt(value, found, upper) == value.upper()


def test_wrapped_chinese_is_joined_without_spaces() -> None:
    lines = [
        "这是一个很长的段落，它在固定的宽度处被折成了几行，",
        "所以每一行的长度都差不多，只有最后一行比较短一些，",
        "到此结束",
    ]
    (paragraph,) = paragraphs("\n".join(lines))
    assert paragraph.source.text == "".join(lines)


def test_wrapped_lines_are_joined_and_wrapped_again() -> None:
    value = (
        "The quick brown fox jumps over the lazy dog, and\n  then it goes on for a while until it comes to\n  an end."
    )
    (paragraph,) = paragraphs(value)
    assert paragraph.source.text == (
        "The quick brown fox jumps over the lazy dog, and then it goes on for a while until it comes to an end."
    )
    assert paragraph.written(paragraph.source.replaced(paragraph.source.text.upper())) == value.upper()
    chinese = "敏捷的棕色狐狸跳过那条懒狗，然后它继续走了一会儿，直到最后它终于走到了尽头。"
    lines = paragraph.written(paragraph.source.replaced(chinese)).split("\n")
    assert "".join(line.strip() for line in lines) == chinese
    assert all(len(line.strip()) <= 24 and line.strip()[0] not in "，。" for line in lines)


@pytest.mark.parametrize(
    "text", ["Settings", "File not found.", "Größe", "你好", "Save as…", "Don't", "USA", "Yes/No", "Hello, {name}"]
)
def test_what_people_write_is_text(text: str) -> None:
    assert looks_like_text(text)


@pytest.mark.parametrize(
    "text",
    """12.5 2024-01-31 https://a.b/c #ffcc00 /usr/bin/x src/main.py maxItems snake_case SHOUTING_CASE a.b.c e3b0c44298fc
    12px application/json en_US kebab-case me@example.com true <div> QLDBSession""".split(),  # noqa: SIM905
)
def test_what_programs_write_is_not(text: str) -> None:
    assert not looks_like_text(text)


def test_entities_of_letters_and_marks_are_text() -> None:
    value = "Don&#39;t ask Tom &amp; Jerry about caf&eacute;s &lt;here&gt;, <b>New&nbsp;York</b>."
    (paragraph,) = paragraphs(value)
    assert paragraph.source.bare == "Don't ask Tom & Jerry about cafés here, New\u00a0York."
    target = paragraph.source.replaced(paragraph.source.text.replace("Don't", "N'e"))
    assert paragraph.written(target) == value.replace("Don", "N").replace("&#39;t", "&#39;e")


@pytest.mark.parametrize(
    "value", ["R&D and Q&amp;A", "'It' isn&#39;t", "so &lt; is", "a &quot;b&#34; c", "x &#123;y&#125;"]
)
def test_entities_that_would_not_come_back_stay(value: str) -> None:
    (paragraph,) = paragraphs(value)
    assert any(code.raw.startswith("&") for code in paragraph.source.codes)
    assert paragraph.written(paragraph.source.replaced(paragraph.source.text)) == value


@pytest.mark.parametrize("word", ["a=a", "--a=b", "{a}", "a:b", "a: b;", "a/b", "-a", "a.b"])
@pytest.mark.parametrize("end", [" !", "!", " a b", ""])
def test_a_value_of_one_thing_again_and_again_is_told_at_once(word: str, end: str) -> None:
    assert looks_like_text(word * 130 + end) in (True, False)
