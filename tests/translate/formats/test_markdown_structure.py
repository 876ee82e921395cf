"""Translations that hold markup: whatever a model writes, the structure of the Markdown document stays."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from bayling_lite.translate.markup import Marked, is_code
from tests.translate.formats.rewriting import opened, written

DOCUMENTS = (
    "# Title *one* two\n\nPara **bold** and *em* and `code` end.\n\nSetext\n===\n\nSetext *two*\nmore\n---\n",
    "- item one\n- item two\n  continued\n\n  second para\n  - nested *x*\n    1. deep `c`\n       lazy\n- [ ] task\n",
    "> quote one\nlazy\n> - list in quote\n>   more\n>\n> > nested quote\n",
    "| A | B `a\\|b` |\n|---|:-:|\n| x \\| y | *b* |\n| [l](u) | **c** d |\n| e |\n",
    "Hard break  \nnext line\\\nthird *em*\nwrapped line here\n",
    "[ref] and [text][ref] and [ref][] <https://x.org> end.\n\n[ref]: https://e.org 'A title'\n",
    'Text ![image *of* it](a.png "Ti\'tle") and [![b](c \'d\')](e "f") end\nhere it goes on.\n',
    "***both*** **a *b* c** *a **b** c* ~~del~~ a_b_c __s__ _e_.\n",
    "<div>\nhtml *raw*\n</div>\n\ntext <b>bold</b> <br> more <!-- c --> x\n\n<p>Hello <i>there</i></p>\n",
    "Escapes \\* \\_ \\# 1\\. &amp; &lt; \\\\ end\n\n\\# no heading\n\n1\\. no list\n\n\\- no\n",
    "Term\n: Definition *one*\n: two\n\nNote[^1] here.\n\n[^1]: The note *text*.\n",
    "**中文**，*重点*。\n\n*强调*文字**粗体**文字\n",
    "## Heading ##\n\n### Heading # 3 ###\n\n#### *e* #\n\n- a\n\n      code\n- > quote\n- # heading\n",
    "A [link *em*](http://a_b_c/x(1)) and [l](<a b> 't') `a``b` ``x ` y`` *a*b **c**d [a](b)c!\n",
)
WORDS = "word * ** _ __ ` `` ``` [ ] ( ) [x](y) ![ < <b> </b> > # ## - + = === --- *** ~ ~~ ~~~ 1. 12) &amp;".split()  # noqa: SIM905
WORDS += "&#42; & \\ \\\\ | $ $$ {{x}} {% ! 你好 ， 。 “ ” （ ） a_b x*y http://a.b/c_d <https://e.org> ".split()  # noqa: SIM905
WORDS += ": :: ::: ^[n] [^1] [ref] [ref]: [x] ... ' \" <!-- --> <? :smile: © |a|b| !!!".split()  # noqa: SIM905
MANY = 400


def structure(text: str) -> list[tuple[str, ...]]:
    """The tokens that are not text."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(footnote_plugin).use(deflist_plugin)
    return [shape for token in parser.parse(text) for shape in shapes(token)]


def shapes(token: Token) -> Iterator[tuple[str, ...]]:
    if token.type != "inline":
        yield token.type, token.tag, token.content * (token.type == "code_block")
    for child in token.children or []:
        if child.type not in ("text", "softbreak"):
            content = child.content if child.type in ("code_inline", "html_inline") else ""
            yield child.type, str(child.attrs.get("href")), content


def untidy(source: Marked, chance: random.Random) -> str:
    """Words and marks by chance around and between the codes of a text."""
    if chance.random() < 0.3:
        return source.text
    pieces: list[str] = []
    for code in [*filter(is_code, source.text), ""]:
        pieces.append(chance.choice(["w", "中", "w.", "(w", "“中”"]))
        for _ in range(chance.randint(0, 3)):
            pieces += chance.choice(WORDS), chance.choice(["", " ", "  "])
        pieces.append(code)
    return "".join(pieces).strip()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_text_becomes_markup_and_no_markup_text(document: str) -> None:
    chance = random.Random(1)
    before = structure(document)
    opened_document = opened(document.encode(), "md")
    for _ in range(MANY // len(DOCUMENTS)):
        new = written(opened_document, lambda source: untidy(source, chance)).decode()
        assert structure(new) == before, new
