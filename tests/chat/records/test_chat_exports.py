"""Exports: what is in each format, what cannot break it, and that it can be read again."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bayling_lite.chat.records.exports import json_file
from bayling_lite.chat.records.exports.formats import FORMATS, format_named, format_of, write
from bayling_lite.chat.records.exports.markdown import markdown
from bayling_lite.chat.records.exports.quotation import inline, quoted, quoted_markdown
from bayling_lite.chat.records.exports.tmx import tmx
from bayling_lite.chat.records.values import StoredSegment, TurnState
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.translate.memory.tmx import read_tmx
from tests.chat.records.kept_sessions import EN, ZH, changed, edited, session, talked, translated

HOSTILE = [
    "# heading",
    "line\n# heading\n---\n===",
    "- list\n+ list\n1. list\n2) list\n> quote",
    "one\ntwo\n===",
    "```\ncode",
    "    indented\n\tcode",
    "<script>alert(1)</script> <!-- begins",
    "a <b>bold</b> &amp; *stars* _under_ `code` [link](http://x) ![i](j)",
    "[a]: http://example.com\n\n[a]",
    "carriage\r# return\r\n# both",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "\\ back\\slash \\*",
    "~~~\n~~~",
    "***",
    "  \n\n  spaces",
    "$x$ ~~gone~~ snake_case",
    "\x1b[31mred\x1b[0m",
]


def text_of(block: str) -> str:
    """What a reader of a Markdown block sees, each line on its own."""
    shown: list[str] = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(block):
        if token.type == "inline":
            children = token.children or ()
            shown += ["\n" if child.type in ("hardbreak", "softbreak") else child.content for child in children]
        elif token.type == "paragraph_close":
            shown.append("\n\n")
    return "".join(shown).strip("\n")


def kinds_of(block: str) -> set[str]:
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(block)
    inline_kinds = {child.type for token in parsed for child in token.children or ()}
    return {token.type for token in parsed} | inline_kinds


@pytest.mark.parametrize("text", HOSTILE)
def test_a_quoted_text_is_a_quotation_and_nothing_else(text: str) -> None:
    block = quoted(text)
    assert kinds_of(block) <= {
        *("blockquote_open", "blockquote_close", "paragraph_open", "paragraph_close", "inline"),
        *("text", "text_special", "hardbreak", "softbreak"),
    }
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    assert [line.strip("\u00a0 ") for line in text_of(block).split("\n") if line.strip("\u00a0 ")] == lines


def test_prose_is_quoted_without_a_backslash() -> None:
    assert quoted("早上好，朋友。It's 5 o'clock (sharp)!") == "> 早上好，朋友。It's 5 o'clock (sharp)!"
    assert quoted("one\ntwo\n\nthree") == "> one\\\n> two\n>\n> three"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_wrote_stays_in_its_block(text: str) -> None:
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(f"{quoted_markdown(text)}\n\n## Next")
    assert parsed[0].type in ("blockquote_open", "fence")
    assert [token.tag for token in parsed if token.type == "heading_open" and token.level == 0] == ["h2"]
    assert "html_block" not in {token.type for token in parsed}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_heading_is_one_line(text: str) -> None:
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(f"# x {inline(text)}")
    assert [token.type for token in parsed] == ["heading_open", "inline", "heading_close"]


def test_markdown_tells_the_path_and_nothing_that_was_undone() -> None:
    first = translated("a", None, "Good morning.", "早上好。")
    undone = changed("b", first, "Make it formal.", "早上好，先生。")
    better = changed("c", first, 'Use the word "早安".', "早安。")
    text = markdown([session([first, undone, better, talked("d", "c", "Thanks!", "- *You're* welcome.")], "d")])
    assert "先生" not in text
    assert text.startswith("# Good morning.\n\n")
    assert "session 01234567" in text
    assert "Terms: token → 词元" in text
    assert (
        "## 1. Translation from English into Chinese\n\n> Good morning.\n\nDraft:\n\n> 早上好。\n\n"
        '## 2. Change\n\n> Use the word "早安".\n\nNew draft:\n\n> 早安。\n\n'
        "## 3. Question\n\n> Thanks!\n\nAnswer:\n\n> - *You're* welcome.\n"
    ) in text


def test_markdown_of_what_stands_beside_the_conversation() -> None:
    first = translated("a", None, "Good morning.", "早上好。")
    back = replace(talked("b", "a", "x", "Good *morning*."), plan=Plan(Kind.BACK, "/back", "早上好。", None, EN, ZH))
    why = replace(talked("c", "a", "x", "So."), plan=Plan(Kind.EXPLANATION, "/explain Why?", "Why?", None, ZH, EN))
    text = markdown([session([first, back, why], "a")])
    assert "## 2. Translated back\n\n> Good \\*morning\\*.\n\n## 3. Explanation\n\n> Why?\n\nAnswer:\n\n> So.\n" in text


def test_markdown_says_what_is_not_whole() -> None:
    stopped = replace(translated("a", None, "Hi.", "你"), state=TurnState.STOPPED)
    assert "*Stopped before its end.*" in markdown([session([stopped], "a")])


def test_a_session_comes_back_from_json_as_it_was() -> None:
    first = translated("a", None, "Good \ud800morning.\x00", "早上好。")
    branch = changed("b", first, "Make it formal.", "早上好，先生。")
    kept = session([first, branch, edited("c", branch, "早！"), talked("d", "a", "Hi", "")], "a", title="早\x1b[1m")
    text = json_file.dump([kept])
    assert text.encode()
    assert "早上好" in text
    assert json_file.parse(text) == (kept,)
    assert json.loads(text)["program"].startswith("bayling-lite ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "it is not JSON"),
        ('{"a": 1}', "no session that /save"),
        ('{"format": "bayling-sessions", "version": 99, "sessions": []}', "newer bayling-lite"),
        ('{"format": "bayling-sessions", "version": 1, "sessions": [{}]}', "damaged: there is no 'turns'"),
        ('{"format": "bayling-sessions", "version": 1, "sessions": [7]}', "damaged"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    file.write_text(text)
    with pytest.raises(InputError, match=reason) as raised:
        json_file.read(file)
    assert str(file) in str(raised.value)


def test_two_turns_of_one_id_are_refused() -> None:
    twice = session([translated("a", None, "Hi.", "你好。"), translated("a", None, "Ho.", "嗨。")], "a")
    with pytest.raises(InputError, match="two turns with one id"):
        json_file.parse(json_file.dump([twice]))


def test_a_memory_holds_what_was_accepted_sentence_by_sentence(tmp_path: Path) -> None:
    first = translated("a", None, "Good morning.", "早上好。")
    better = changed("b", first, 'Use the word "早安".', "早安。")
    two = translated("c", "b", "One & <two>. Three.", "一和二。三。")
    assert two.draft is not None
    conversation = two.conversation
    parts = (
        StoredSegment("One & <two>.", "一和<二>。", "ok", conversation),
        StoredSegment("42", "42", "kept", conversation),
        StoredSegment("Three.", "三。", "ok", conversation),
    )
    two = replace(two, draft=replace(two.draft, segments=parts))
    failed = translated("d", "c", "Five.", "Five.")
    assert failed.draft is not None
    failed = replace(
        failed, draft=replace(failed.draft, segments=(replace(failed.draft.segments[0], status="failed"),))
    )
    file = tmp_path / "memory.tmx"
    file.write_text(tmx([session([first, better, two, failed], "d")]), encoding="utf-8")
    assert 'srclang="en"' in file.read_text(encoding="utf-8")
    pairs = [tuple((v.language, v.text.reads) for v in unit.variants) for unit in read_tmx(file)]
    assert pairs == [
        (("en", "Good morning."), ("zh", "早安。")),
        (("en", "One & <two>."), ("zh", "一和<二>。")),
        (("en", "Three."), ("zh", "三。")),
    ]


def test_a_pair_is_in_a_memory_once() -> None:
    again = [translated("a", None, "Hi.", "你好。"), translated("b", "a", "Hi.", "你好。")]
    assert tmx([session(again, "b")]).count("<tu ") == 1


def test_a_format_is_told_by_the_name_of_the_file() -> None:
    assert [format_of(Path(name)).name for name in ("a.MD", "b.json", "c.tmx", "d.jsonl")] == [
        format_.name for format_ in FORMATS
    ]
    with pytest.raises(UsageError, match=r"x\.docx .*\.md .*\.json .*\.tmx .*\.jsonl"):
        format_of(Path("x.docx"))
    with pytest.raises(UsageError, match="There are: md, json, tmx, dialogues"):
        format_named("docx")


def test_a_file_is_whole_and_never_over_another_unasked(tmp_path: Path) -> None:
    exported = format_named("md").export([session([translated("a", None, "Hi.", "你好。")], "a")])
    assert (exported.count, exported.what) == (1, "Markdown, 1 turn")
    file = tmp_path / "session.md"
    file.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write(file, exported)
    assert file.read_text() == "mine"
    write(file, exported, overwrite=True)
    assert file.read_text(encoding="utf-8") == exported.text
    with pytest.raises(OutputError, match="is a folder"):
        write(tmp_path, exported, overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "nowhere" / "a.md", exported)
    assert [path.name for path in tmp_path.iterdir()] == ["session.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    exported = format_named("md").export([session([translated("a", None, "Hi.", "你好。")], "a")])
    target, link, pipe, loop = (tmp_path / f"{name}.md" for name in ("there", "link", "pipe", "loop"))
    target.write_text("old")
    link.symlink_to(target)
    write(link, exported, overwrite=True)
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == exported.text
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, exported)
    assert os.read(reading, 10_000).decode() == exported.text
    os.close(reading)
    assert pipe.is_fifo()
    loop.symlink_to(loop)
    with pytest.raises(OutputError, match="cannot be written"):
        write(loop, exported)
