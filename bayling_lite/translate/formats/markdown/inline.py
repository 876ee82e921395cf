"""What is text and what is markup within a paragraph of Markdown, by position.

markdown-it-py finds it.

Source: the CommonMark specification, version 0.31.2, section 6; GitHub Flavored Markdown for strikethrough.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt

from bayling_lite.translate.formats.markdown.rules import Trace, watched_parse
from bayling_lite.translate.formats.patching import Block, Piece
from bayling_lite.translate.sentences import is_wide

# Elements whose content is not prose: they are codes as a whole.
_OPAQUE = frozenset("code kbd math pre samp script style svg textarea tt var".split())  # noqa: SIM905 - a list of names
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)(?:\s[^>]*?)?(?P<alone>/?)>", re.DOTALL)
_VOID = frozenset(("br", "hr", "img", "input", "wbr"))
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WIDE_SPACE = re.compile(r"[ \t]{2,}|\t")
_URL = re.compile(r"(?:https?://|www\.)[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")
_TITLE = re.compile(
    r"""\s(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|\((?P<round>(?:[^()\\]|\\.)*)\))\s*\)\Z""",
    re.DOTALL,
)
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TITLE_SPELLING = re.compile(rf"\\(?P<escaped>[!-/:-@\[-`{{-~])|(?P<entity>{ENTITY.pattern})|\s*\n\s*")
_LONGEST_LINK_END = 4000


def inline_pieces(md: MarkdownIt, content: str, env: dict[str, Any]) -> list[Piece]:
    """The pieces of a paragraph's content in order, each character of it in one of them.

    ``env`` is what the parser knows of the document (``references``).
    """
    trace = watched_parse(md, content, env)
    marks = sorted(
        [*_matched(md, content, env, trace), *_emphasised(trace)], key=lambda piece: (piece.start, piece.end)
    )
    return _paired(content, list(_with_text(content, _whole_elements(content, _apart(marks)))))


def _matched(md: MarkdownIt, content: str, env: dict[str, Any], trace: Trace) -> Iterator[Piece]:
    for name, start, end, token in trace.matches:
        if token is None:  # it found that this is text
            continue
        text, reads = content[start:end], token.content
        if name == "newline":
            yield _newline(content, start, end, hard=token.type == "hardbreak")
        elif name == "escape" and "\n" in text:
            yield Piece(start, end, "alone", "\n", name="break")
        elif token.type == "text_special":
            if reads != text:  # a backslash before a letter is one
                yield Piece(start, end, "text", reads, spelled=True)
        elif name == "link":
            yield from _link(content, start, trace.labels[start], end)
        elif name == "image":
            yield _image(md, content, env, start, trace.labels[start], end)
        elif name == "inline_note":
            note = _inner(md, content, env, start + 2, end - 1, "note")
            yield Piece(start, end, "alone", name="note", inner=note)
        elif name == "html_inline":
            yield Piece(start, end, "alone", "\n" if _LINE_BREAK_TAG.match(text) else "", name="html")
        else:
            yield Piece(start, end, "alone", _as_read(name, text, reads), name=name)


def _as_read(name: str, text: str, reads: str) -> str:
    if name == "autolink":
        return text[1:-1]
    return reads if name == "backticks" or name.startswith("math") else ""


def _newline(content: str, start: int, end: int, *, hard: bool) -> Piece:
    while start and content[start - 1] == " ":
        start -= 1
    if hard:
        return Piece(start, end, "alone", "\n", name="break")
    wide = start > 0 and end < len(content) and is_wide(content[start - 1]) and is_wide(content[end])
    return Piece(start, end, "text", "" if wide else " ", spelled=True, name="wrap")


def _link(content: str, start: int, label: int, end: int) -> Iterator[Piece]:
    yield Piece(start, start + 1, "open", name="link")
    yield Piece(label, end, "close", name="link", inner=_title(content, label, end))


def _image(md: MarkdownIt, content: str, env: dict[str, Any], start: int, label: int, end: int) -> Piece:
    alt = _inner(md, content, env, start + 2, label, "alt")
    return Piece(start, end, "alone", name="image", inner=(*alt, *_title(content, label, end)))


def _inner(md: MarkdownIt, content: str, env: dict[str, Any], start: int, end: int, kind: str) -> tuple[Block, ...]:
    """The block within a code: parsed by itself, at its place in the content."""
    core = content[start:end].strip(" \t\n")
    if not core:
        return ()
    start += content[start:end].index(core)
    pieces = tuple(shifted(piece, start) for piece in inline_pieces(md, core, env))
    return (Block(start, start + len(core), pieces, kind),)


def _title(content: str, label: int, end: int) -> tuple[Block, ...]:
    """The title in ``](address "title")``."""
    if end - label > _LONGEST_LINK_END or not content.startswith("](", label):
        return ()
    found = _TITLE.search(content, label, end)
    group = found and next((name for name in ("double", "single", "round") if found[name]), None)
    if not found or not group:
        return ()
    return (title_block(content, *found.span(group)),)


def title_block(content: str, start: int, end: int) -> Block:
    """The text between the quotes of a link's title."""
    pieces = []
    done = start
    for found in _TITLE_SPELLING.finditer(content, start, end):
        first, last = found.span()
        pieces.append(Piece(done, first, "text", content[done:first]))
        pieces.append(Piece(first, last, "text", _title_reads(found), spelled=True))
        done = last
    pieces.append(Piece(done, end, "text", content[done:end]))
    return Block(start, end, tuple(piece for piece in pieces if piece.start < piece.end), "title")


def _title_reads(found: re.Match[str]) -> str:
    if found["entity"]:
        return html.unescape(found["entity"])
    return found["escaped"] or " "


def shifted(piece: Piece, by: int) -> Piece:
    """The same piece further on in the text."""
    return moved(piece, lambda at: at + by)


def moved(piece: Piece, place: Callable[[int], int]) -> Piece:
    """The same piece, and what is in it, at other places."""
    inner = tuple(
        replace(
            block,
            start=place(block.start),
            end=place(block.end),
            pieces=tuple(moved(deeper, place) for deeper in block.pieces),
        )
        for block in piece.inner
    )
    return replace(piece, start=place(piece.start), end=place(piece.end), inner=inner)


def _emphasised(trace: Trace) -> Iterator[Piece]:
    """The delimiters that turned out to be markup."""
    for token, start, end in trace.delimiters:
        if token.type == "strong_open":
            yield Piece(start - 1, end, "open", name="strong")
        elif token.type == "strong_close":
            yield Piece(start, end + 1, "close", name="strong")
        elif token.type in ("em_open", "s_open"):
            yield Piece(start, end, "open", name=token.type[:-5])
        elif token.type in ("em_close", "s_close"):
            yield Piece(start, end, "close", name=token.type[:-6])


def _apart(marks: list[Piece]) -> Iterator[Piece]:
    """The marks that do not stand within one before."""
    done = 0
    for mark in marks:
        if mark.start >= done:
            yield mark
            done = mark.end


def _whole_elements(content: str, marks: Iterator[Piece]) -> Iterator[Piece]:
    """The marks, with one in place of those from the beginning to the end of an element that is not prose."""
    waiting: list[Piece] = []
    for mark in marks:
        tag = _TAG.match(content, mark.start) if mark.name == "html" else None
        name = tag["name"].lower() if tag else ""
        if waiting:
            waiting.append(mark)
            opening = _TAG.match(content, waiting[0].start)
            if tag and tag["close"] and opening and opening["name"].lower() == name:
                reads = content[waiting[0].end : mark.start]
                yield Piece(waiting[0].start, mark.end, "alone", reads if name in ("code", "kbd") else "", name="code")
                waiting = []
        elif tag and name in _OPAQUE and not tag["close"] and not tag["alone"]:
            waiting = [mark]
        else:
            yield mark
    yield from waiting


def _with_text(content: str, marks: Iterator[Piece]) -> Iterator[Piece]:
    done = 0
    for mark in marks:
        yield from _text(content, done, mark.start)
        yield mark
        done = mark.end
    yield from _text(content, done, len(content))


def _text(content: str, start: int, end: int) -> Iterator[Piece]:
    done = start
    for found in _URL.finditer(content, start, end):
        stop = found.end() - (len(found[0]) - len(found[0].rstrip(".,;:!?'*~_")))
        if content[stop - 1] == ")" and "(" not in found[0]:
            stop -= 1
        yield from _prose(content, done, found.start())
        yield Piece(found.start(), stop, "alone", content[found.start() : stop], name="url")
        done = stop
    yield from _prose(content, done, end)


def _prose(content: str, start: int, end: int) -> Iterator[Piece]:
    done = start
    for found in _WIDE_SPACE.finditer(content, start, end):
        if done < found.start():
            yield Piece(done, found.start(), "text", content[done : found.start()])
        yield Piece(*found.span(), "text", " ", spelled=True, name="wrap")
        done = found.end()
    if done < end:
        yield Piece(done, end, "text", content[done:end])


def _paired(content: str, pieces: list[Piece]) -> list[Piece]:
    """The pieces with their pairs numbered; tags of HTML that belong together are pairs as well."""
    open_: list[tuple[int, str]] = []  # where they stand in the list, and what they open
    count = 0
    for position, piece in enumerate(pieces):
        tag = _TAG.fullmatch(content, piece.start, piece.end) if piece.name == "html" else None
        if piece.kind == "open":
            open_.append((position, piece.name))
        elif tag and not tag["close"] and not tag["alone"] and tag["name"].lower() not in _VOID:
            open_.append((position, f"<{tag['name'].lower()}>"))
        elif piece.kind == "close" or tag:
            name = f"<{tag['name'].lower()}>" if tag else piece.name
            while piece.kind == "close" and open_ and open_[-1][1] != name:
                open_.pop()
            if open_ and open_[-1][1] == name:
                first, _ = open_.pop()
                count += 1
                pieces[first] = replace(pieces[first], kind="open", pair=count)
                pieces[position] = replace(piece, kind="close", pair=count)
    return [piece if piece.pair or piece.kind == "text" else replace(piece, kind="alone") for piece in pieces]
