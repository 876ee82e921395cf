from __future__ import annotations

import random
from collections import Counter

import pytest

from bayling_lite.chat.screens.markdown import MarkdownStream
from bayling_lite.terminal import printable

STRONG, EMPHASIS, CODE, BLOCK = "class:strong", "class:emphasis", "class:code", "class:code-block"


def joined(fragments: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one style as one."""
    result: list[tuple[str, str]] = []
    for style, text in fragments:
        if result and result[-1][0] == style:
            result[-1] = style, result[-1][1] + text
        elif text:
            result.append((style, text))
    return result


def rendered(*pieces: str) -> list[tuple[str, str]]:
    stream = MarkdownStream()
    fragments = [fragment for piece in pieces for fragment in stream.feed(piece)]
    return joined(fragments + stream.flush())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**bold** and *italic*", [(STRONG, "bold"), ("", " and "), (EMPHASIS, "italic")]),
        ("__bold__ x _italic_", [("", "__bold__ x "), (EMPHASIS, "italic")]),
        ("__two words__", [(STRONG, "two words")]),
        ("***both***", [(f"{STRONG} {EMPHASIS}", "both")]),
        ("**a *b***", [(STRONG, "a "), (f"{STRONG} {EMPHASIS}", "b")]),
        ("*a **b** c*", [(EMPHASIS, "a "), (f"{EMPHASIS} {STRONG}", "b"), (EMPHASIS, " c")]),
        ("**中文**：好", [(STRONG, "中文"), ("", "：好")]),
        ("这是**“强调”**的", [("", "这是"), (STRONG, "“强调”"), ("", "的")]),
        ("`a **b** _c_`", [(CODE, "a **b** _c_")]),
        ("``a ` b``", [(CODE, "a ` b")]),
        ("**a `**` b**", [(STRONG, "a "), (f"{STRONG} {CODE}", "**"), (STRONG, " b")]),
        (r"\*not\* \_this\_", [("", "*not* _this_")]),
        ("# A **title**\nx", [("class:heading", "A "), (f"class:heading {STRONG}", "title"), ("", "\nx")]),
        (
            "- one\n  12. two",
            [("class:list-marker", "- "), ("", "one\n  "), ("class:list-marker", "12. "), ("", "two")],
        ),
        ("> - q", [("class:quote", ">"), ("", " "), ("class:list-marker", "- "), ("", "q")]),
        ("a\n\n* * *\nb", [("", "a\n\n"), ("class:rule", "* * *"), ("", "\nb")]),
    ],
)
def test_what_markers_mean_is_a_style(text: str, wanted: list[tuple[str, str]]) -> None:
    assert rendered(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 = 24 and 2*3*4",
        "x**2 + y**2",
        "snake_case_names and __init__ and 中文_名_字",
        "**never closed",
        "`never closed",
        "**not over\nlines**",
        "#hashtag ####### seven",
        "https://example.org/a_b_/*c*",
        "[a link](https://example.org/_x_)",
        "| a | **b** |\n|---|---|",
        "<b>html</b> &amp;",
        "-dash +plus 1.5 10.",
        "a **** b",
        "\\",
        "",
    ],
)
def test_what_is_no_marker_is_text(text: str) -> None:
    assert rendered(text) == ([("", text)] if text else [])


def test_code_is_shown_as_it_is_with_its_fences_and_in_colours() -> None:
    code = "def f(x):\n    '''All of\n    def this is a string.'''\n    # No more.\n    return **x**\n"
    found = rendered(f"```python\n{code}```\n**after**")
    assert "".join(text for _, text in found) == f"```python\n{code}```\nafter"
    assert found[0] == ("class:fence", "```python")
    assert (f"{BLOCK}.keyword", "def") in found
    assert (f"{BLOCK}.string", "    def this is a string.'''") in found
    assert (f"{BLOCK}.comment", "# No more.") in found
    assert (f"{BLOCK}.keyword", "return") in found
    assert found[-1] == (STRONG, "after")


def test_code_in_other_languages() -> None:
    found = rendered('```bash\necho "hi" # said\n```\n```html\n<b>x</b>\n```')
    assert (f"{BLOCK}.string", '"hi"') in found
    assert (f"{BLOCK}.comment", "# said") in found
    assert (f"{BLOCK}.tag", "b") in found


@pytest.mark.parametrize("opening", ["```", "```no-such-language", "~~~~ text", "```rita"])
def test_code_in_no_known_language_has_no_colours(opening: str) -> None:
    assert rendered(f"{opening}\nx = **1**") == [("class:fence", opening), ("", "\n"), (BLOCK, "x = **1**")]


def test_quoted_code_ends_where_it_is_closed() -> None:
    found = rendered("> ```\n> x\n> ```\n**after**")
    assert "".join(text for _, text in found) == "> ```\n> x\n> ```\nafter"
    assert found[-1] == (STRONG, "after")


def test_text_is_shown_as_soon_as_it_is_certain() -> None:
    stream = MarkdownStream()
    assert stream.feed("Guten ") == [("", "Guten ")]
    assert stream.feed("Morgen, *") == [("", "Morgen, ")]
    assert stream.feed("lie") == []
    assert stream.feed("be* ") == [(EMPHASIS, "liebe"), ("", " ")]
    assert joined(stream.feed("2 * 3")) == [("", "2 * 3")]
    assert joined(stream.feed(" **" + "long " * 100)) == [("", " **" + "long " * 100)]
    assert stream.flush() == []


@pytest.mark.parametrize("sign", ["*", "- ", "_", "#", "`", "~", "1", "|"])
def test_a_model_that_repeats_itself_is_shown_while_it_does(sign: str) -> None:
    stream = MarkdownStream()
    shown = "".join(text for _ in range(500) for _style, text in stream.feed(sign * 4))
    assert len(shown) > len(sign) * 1000
    assert shown + "".join(text for _style, text in stream.flush()) == sign * 2000


def test_control_sequences_do_not_pass() -> None:
    assert rendered("**a\x1b[3", "1mb**\x1b]0;title\x07 \x9b2Jc") == [(STRONG, "ab"), ("", " c")]
    assert rendered("```python\n", "x\x1b[2J\n") == [("class:fence", "```python"), ("", "\n"), (BLOCK, "x"), ("", "\n")]


def test_however_an_answer_is_cut_the_same_is_shown_and_only_markers_go() -> None:
    chance = random.Random(11)
    words = [
        "*",
        "*",
        "**",
        "_",
        "`",
        "\\",
        "a",
        "中",
        " ",
        "\n",
        "#",
        "-",
        ">",
        "1.",
        "```",
        "~~~",
        "|",
        "：",
        "://",
        "\x1b[",
    ]
    for _ in range(1500):
        text = "".join(chance.choices(words, k=chance.randrange(30))) * chance.choice((1, 1, 1, 20))
        whole = rendered(text)
        cuts = sorted(chance.randrange(len(text) + 1) for _ in range(5))
        pieces = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert rendered(*pieces) == whole
        shown, safe = "".join(part for _, part in whole), printable(text)
        assert set(Counter(safe) - Counter(shown)) <= set("*_`#\\ \t")
        rest = iter(safe)
        assert all(character in rest for character in shown), "in the same order"
