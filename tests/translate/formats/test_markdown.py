"""Markdown: what is text, what stays, and that no translation turns into markup."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.markdown.document import MarkdownDocument
from bayling_lite.translate.formats.patching import parted
from bayling_lite.translate.markup import code_character as code
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

GUIDE = """---
title: "The guide"
tags: [a, b]
---
# Getting *started* with `bayling` #

<!-- a comment -->
A paragraph with **bold**, `code`, a [link](https://example.org/a_b "A title") and
wrapped text with ![an image](a.png "Its title").\\
A new line. AT&amp;T costs 5 \\* 3 &copy; ~~old~~ <b>new</b> things; see <https://example.org>.

Setext heading
--------------

> A quotation
> of two lines with $x^2$.

> [!NOTE]
> An alert
> of two lines.

1. First item
2. Second item

   with a paragraph

- [ ] a task
- [x] done

```python
print("Untouched")
```

    indented code

| Name | What \\| it is |
|:-----|:------------:|
| `a\\|b` | some **text** |
| one  |

<p align="center">HTML with <i>emphasis</i></p>

!!! note "A title"
    An admonition.

A note[^1] and [a reference][ref], [Ref] too; https://example.org/x_y_z is an address. $$a
b$$

[^1]: The note's text.
[ref]: https://example.org 'The "title"'

$$
x = y
$$

Term
: Definition
"""


def changed(source: str, *translations: str, bilingual: bool = False) -> str:
    """A document in which each unit is translated as said."""
    coming = iter(translations)
    text = written(opened(source.encode(), "md"), lambda _: next(coming), bilingual=bilingual).decode()
    assert next(coming, None) is None, "there are fewer units"
    return text


def html(text: str) -> str:
    rendered: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return re.sub(r"\s+", " ", rendered)


@pytest.mark.parametrize("bilingual", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_unchanged_documents_are_the_same(newline: str, bilingual: bool) -> None:
    data = GUIDE.replace("\n", newline).encode()
    assert written(opened(data, "md"), same, bilingual=bilingual) == data


@pytest.mark.parametrize(
    "text", ["", "\n", "\ufeff# A\n", "a", "\ufeff", "---\n", "---\na: b\n", "  \n\t\n", "a\u2028b\x0bc\n"]
)
def test_odd_documents_are_the_same(text: str) -> None:
    assert written(opened(text.encode(), "md"), same) == text.encode()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_swapping_twice_gives_the_document_back(newline: str) -> None:
    data = GUIDE.replace("\n", newline).encode()
    once = written(opened(data, "md"), swapped)
    assert once != data
    assert written(opened(once, "md"), swapped) == data


def test_only_text_changes() -> None:
    once = written(opened(GUIDE.encode(), "md"), swapped).decode()
    for kept in ("tags: [a, b]", "`bayling`", "https://example.org/a_b", "a.png", "&copy;", "<https://example.org>",
                 "$x^2$", "> [!NOTE]\n", "- [x] ", 'print("Untouched")', "    indented code", "`a\\|b`", "[^1]: ",
                 "x = y", "https://example.org/x_y_z", "$$a\nb$$", "<!-- a comment -->"):  # fmt: skip
        assert kept in once, kept
    for new in ("# gETTING *STARTED*", '"a TITLE"', "![AN IMAGE]", '"iTS TITLE"', "wHAT \\| IT IS", "<i>EMPHASIS</i>",
                '!!! note "a TITLE"', "'tHE \"TITLE\"'", "tERM\n: dEFINITION", "at&amp;t"):  # fmt: skip
        assert new in once, new


def test_units_are_what_a_reader_sees() -> None:
    units = shown(opened(GUIDE.encode(), "md"))
    assert units[:2] == [
        "Getting started with bayling",
        (
            "A paragraph with bold, code, a link and wrapped text with .\nA new line. AT&T costs 5 * 3 © old new "
            "things; see https://example.org."
        ),
    ]
    assert "A quotation of two lines with x^2." in units
    assert "An alert of two lines." in units
    assert units[2:5] == ["A title", "an image", "Its title"]
    assert not any("Untouched" in unit or "[ ]" in unit or "tags" in unit for unit in units)


def test_a_wrapped_paragraph_comes_out_on_one_line() -> None:
    assert changed("> one\n> two\n> three\n", "eins zwei") == "> eins zwei\n"
    assert shown(opened("我们昨天\n去了公园。\n".encode(), "md")) == ["我们昨天去了公园。"]


HARMLESS = [
    "snake_case_name",
    "2 * 3 * 4",
    "a < b",
    "5 $ or 6 $",
    "-1 degree",
    "#tag",
    "1.5 metres",
    "(c) me",
    "C++",
    "a ~ b",
    "a\\b \\n",
]
MARKUP = ["# one", "- one", "+ one", "1. one", "2) one", "---", "> one", "```one", "*one* two", "**one**", "_one_",
          "`one`", "~~one~~", "<b>one</b>", "<div>", "&amp; and &", "[one](two)", "![one](two)", "***",
          "$x$ one", "!!! note one", ":::one", "\\*one", "one\\", "[^1] one", "[one]: two", "<!-- one -->", "{{one}}",
          "[TOC]", "| a | b |", "one #", "[ ] one", "one ] two", '"one"', "~~~"]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_nothing_is_escaped_without_need(text: str) -> None:
    assert changed("Text\n", text) == text + "\n"
    assert changed("# Text\n", text) == f"# {text}\n"


SOURCES = ["Text\n", "- Text\n", "# Text\n", "Text\n===\n", "|Text|\n|-|\n", '[](a "Text")\n', "![Text](a)\n",
           "[Text](a)\n", "**Text**\n", "> Text\n", "[^1]: Text\n", "1. Text\n\n   x\n"]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("text", [*HARMLESS, *MARKUP])
def test_a_translation_does_not_turn_into_markup(source: str, text: str) -> None:
    source = source.replace("Text", "Hello")
    document = opened(source.encode(), "md")
    new = written(document, lambda unit: unit.text.replace("Hello", text))
    again = opened(new, "md")
    others = ["x"] if "   x" in source else []
    assert shown(again) == ([text] if any(map(str.isalpha, text)) else []) + others
    # The same structure: the text put back gives the document back, as HTML.
    if any(map(str.isalpha, text)):
        back = written(again, lambda unit: unit.text.replace(text, "Hello")).decode()
        assert html(back) == html(source)


def test_emphasis_stays_emphasis_in_chinese() -> None:
    assert changed("**Hello.** World\n", f"{code(0)}“你好。”{code(1)}世界") == "**“你好。”** 世界\n"
    assert changed("_Hello_ World\n", f"你{code(0)}好{code(1)}世界") == "你*好*世界\n"
    assert changed("A **big** World\n", f"x{code(0)} y {code(1)}z") == "x **y** z\n"
    assert changed("A **big** World\n", f"x{code(0)}{code(1)}y") == "xy\n"


def test_references_keep_their_names() -> None:
    definition = "\n[hello]: https://example.org\n"
    assert changed(f"A [Hello] b\n{definition}", f"{code(0)}Hallo{code(1)}") == f"[Hallo][Hello]\n{definition}"
    assert changed(f"A [Hello][] b\n{definition}", f"{code(0)}Hallo{code(1)}") == f"[Hallo][Hello]\n{definition}"
    assert changed(f"A [x][hello] b\n{definition}", f"{code(0)}y{code(1)}") == f"[y][hello]\n{definition}"


def test_codes_may_change_their_order() -> None:
    source = 'See `a` and **the [link](x "Title")** here.\n'
    text = f"{code(1)}{code(2)}Verweis{code(3)}{code(4)} und {code(0)}"
    assert changed(source, text, "Titel") == '**[Verweis](x "Titel")** und `a`\n'


def test_hard_breaks_keep_the_prefix_of_their_line() -> None:
    assert changed("> one  \n> two\n", f"eins{code(0)}zwei") == "> eins  \n> zwei\n"
    assert changed("- one\\\n  two\n", f"eins{code(0)}- zwei") == "- eins\\\n  \\- zwei\n"


def test_bilingual_documents() -> None:
    source = "# One\n\nTwo\nthree.\n\n- four\n- `five`\n\n> six\n\n|a|b|\n|-|-|\n|c|1|\n"
    new = "# One\n\n# oNE\n\nTwo\nthree.\n\ntWO\nTHREE.\n\n- four  \n  FOUR\n- `five`\n\n> six\n>\n> SIX\n\n"
    new += "|a<br>A|b<br>B|\n|-|-|\n|c<br>C|1|\n"
    assert written(opened(source.encode(), "md"), swapped, bilingual=True).decode() == new


def test_lines_of_other_programs_stay() -> None:
    source = "::: warning\nText one\n:::\n{% raw %}\n\nText *two* {.cls} :smile: {ref}`x` {{ name }}\n\n[TOC]\n"
    document = opened(source.encode(), "md")
    assert shown(document) == ["Text one", "Text two   x "]
    assert written(document, swapped).decode() == source.replace("Text one", "tEXT ONE").replace(
        "Text *two*", "tEXT *TWO*"
    )


@pytest.mark.parametrize("text", ["[" * 3000, "![" * 500, "> " * 3000, "*a " * 3000, "`" * 3000, "<a " * 3000,
                                  "^[" * 3000, "{{" * 3000, "|".join("a" * 2000) + "\n" + "|".join("-" * 2000),
                                  "![a](" * 500, "- " * 3000 + "x", "&" * 3000])  # fmt: skip
def test_hostile_documents_are_the_same(text: str) -> None:
    assert written(opened(text.encode(), "md"), same) == text.encode()


def test_more_codes_than_a_text_can_have_make_several_units() -> None:
    document = opened(b"`a` b " * 20 + b"**`c` d** e", "md")
    assert isinstance(document, MarkdownDocument)
    parts = [part for block in document.blocks() for part in parted(block, most=5)]
    assert [part.source.reads for part in parts] == [*["a b a b a b a b a"] + [" b a b a b a b a b a"] * 3, " b c d e"]
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]


def test_addresses_of_translators_stay_addresses() -> None:
    assert changed("Text\n", "see https://a.b/c_d_e or <http://a.b>") == "see https://a.b/c_d_e or \\<http://a.b>\n"


def test_more_marks_than_anybody_writes_are_refused() -> None:
    with pytest.raises(InputError, match=r"paragraph on line 3 has more than 50,000 marks .* Divide it"):
        opened(b"Text.\n\n" + b"*a " * 50_001, "md")


def test_binary_files_are_refused() -> None:
    with pytest.raises(InputError, match="not text"):
        opened(bytes(range(256)), "md")
