"""Varied documents that look real, in every format, by other people's libraries or by hand; the same each time."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polib

from tests.translate.formats.authors import Author, page
from tests.translate.formats.sample_office import docx_file, epub_file, odt_file, pdf, pptx_file, xlsx_file


@dataclass(frozen=True, slots=True)
class Sample:
    """A document: what it is called, its format, its bytes, and the encoding a user would have to name."""

    name: str
    format: str
    data: bytes
    encoding: str | None = None


def txt(author: Author) -> bytes:
    newline = author.random.choice(["\n", "\r\n", "\r"])
    bullets = "\n".join(f"{author.random.choice(['-', '*', '1.', '•'])} {author.sentence()}" for _ in range(3))
    text = "\n\n".join([author.word(), *author.paragraphs(), bullets]) + author.random.choice(["", "\n", "\n\n"])
    return text.replace("\n", newline).encode(author.random.choice(["utf-8", "utf-8-sig", "utf-16"]))


def md(author: Author) -> bytes:
    def inline(text: str) -> str:
        shapes = ["**{}**", "*{}*", '[{}](https://example.org/a_b "A title")', "`{}`", "~~{}~~", "{}"]
        first, _, rest = text.partition(" ")
        return f"{author.random.choice(shapes).format(first)} {rest}"

    parts = [f"---\ntitle: {author.word()}\ntags: [a, b]\n---"] * author.random.randint(0, 1)
    parts += [f"# {author.word()}", *map(inline, author.paragraphs()), f"{author.word()}\n======="]
    parts += ["- " + "\n- ".join(author.sentence() for _ in range(3)) + "\n  1. nested\n     more of it"]
    parts += [f"> {author.sentence()}\n> {author.sentence()}", "```python\nprint('Hello')\n```", "    indented code"]
    parts += [f"| A | B |\n|---|:-:|\n| {author.word()} | `x` |\n| {author.word()} | **b** |"]
    parts += [f"![{author.word()}](image.png) <kbd>Ctrl</kbd> $a_1$ end[^1].", f"[^1]: {author.sentence()}"]
    parts += ['<div class="note">\nraw *html*\n</div>', "[ref]: https://example.org  'T'", "- [ ] todo\n- [x] done"]
    head, body = parts[: len(parts) - 12], parts[-12:]
    author.random.shuffle(body)
    newline = author.random.choice(["\n", "\r\n"])
    return ("\n\n".join(head + body) + "\n").replace("\n", newline).encode()


def html_page(author: Author) -> bytes:
    charset = author.random.choice(["utf-8", "gb18030", "UTF-8"])
    head = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="{charset}">\n<title>{author.word()}</title></head>'
    )
    text = f"{head}\n<body>\n{page(author)}\n</body>\n</html>\n"
    return text.replace("\n", author.random.choice(["\n", "\r\n"])).encode(charset)


def srt(author: Author) -> bytes:
    newline = author.random.choice(["\n", "\r\n"])
    cues = []
    for number in range(1, author.random.randint(3, 9)):
        shape = author.random.choice(["{}", "<i>{}</i>", "- {}\n- Yes.", "{{\\an8}}{}", "JOHN: {}"])
        cues.append(f"{number}\n00:00:{number:02},000 --> 00:00:{number:02},900\n{shape.format(author.sentence())}\n")
    bom = author.random.choice(["", "\ufeff"])
    return (bom + "\n".join(cues)).replace("\n", newline).encode()


def vtt(author: Author) -> bytes:
    cues = [
        author.random.choice(["", "intro\n"]) + f"00:0{number}.000 --> 00:0{number}.900 line:0 align:start\n"
        f"<v Anna>{html.escape(author.sentence(), quote=False)}</v>"
        for number in range(5)
    ]
    blocks = ["WEBVTT - A title", "NOTE nothing here\nis translated", "STYLE\n::cue { color: red }", *cues]
    return ("\n\n".join(blocks) + author.random.choice(["", "\n", "\n\n"])).encode()


def ass(author: Author) -> bytes:
    lines = [
        "[Script Info]",
        "; a comment",
        "ScriptType: v4.00+",
        "",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize",
    ]
    lines += ["Style: Default,Arial,20", "", "[Events]"]
    lines += ["Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"]
    for number in range(5):
        shape = author.random.choice(["{}", "{{\\i1}}{}{{\\i0}}", "{}\\NSecond line", "{{\\p1}}m 0 0 l 1 1{{\\p0}}"])
        text = shape.format(author.sentence())
        lines.append(f"Dialogue: 0,0:00:0{number}.00,0:00:0{number}.90,Default,,0,0,0,,{text}")
    lines.append("Comment: 0,0:00:09.00,0:00:09.90,Default,,0,0,0,,not for the viewer")
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def po(author: Author) -> bytes:
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": "nplurals=1; plural=0;"}
    seen = set()
    for number, text in enumerate(author.paragraphs()):
        entry = polib.POEntry(
            msgid=f"{text}\n%(name)s {{0}} {number}",
            comment="For translators" if author.random.random() < 0.5 else "",
            occurrences=[("a.py", number)],
            msgctxt=author.random.choice([None, "menu"]),
            flags=["python-format"],
        )
        if number % 2:
            entry.msgstr = "已译"
        seen.add(entry.msgid)
        catalogue.append(entry)
    catalogue.append(polib.POEntry(msgid="%d file", msgid_plural="%d files", msgstr_plural={0: ""}))
    catalogue.append(polib.POEntry(msgid="old", msgstr="旧", obsolete=True))
    return (str(catalogue) + "\n").encode()


def xliff(author: Author) -> bytes:
    def content(tag: str) -> str:
        text = html.escape(author.sentence(), quote=False)
        return author.random.choice([text, f'Click <{tag} id="1">here</{tag}> now. {text}'])

    if author.random.random() < 0.5:
        units = "".join(
            f'\n<trans-unit id="{n}"><source>{content("g")}</source><note>why</note></trans-unit>' for n in range(5)
        )
        body = (
            f'<file original="a.txt" source-language="en" target-language="zh" datatype="x"><body>{units}</body></file>'
        )
        text = f'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">\n{body}\n</xliff>'
    else:
        units = "".join(
            f'<unit id="{n}"><segment><source>{content("pc")}</source></segment></unit>\n' for n in range(5)
        )
        text = '<xliff version="2.0" srcLang="en" trgLang="zh" xmlns="urn:oasis:names:tc:xliff:document:2.0">'
        text += f'<file id="f">{units}</file></xliff>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def json_file(author: Author) -> bytes:
    value: dict[str, Any] = {
        "title": author.word(),
        "items": [{"text": text, "n": 1.50} for text in author.paragraphs()],
    }
    value |= {"url": "https://example.org", "empty": "", "null": None, "nested": {"a": [[author.sentence()]]}}
    indent = author.random.choice([None, 2, "\t"])
    return (json.dumps(value, indent=indent, ensure_ascii=author.random.random() < 0.5) + "\n").encode()


def jsonl(author: Author) -> bytes:
    return "".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(author.paragraphs())).encode()


def table(author: Author, delimiter: str) -> bytes:
    newline = author.random.choice(["\n", "\r\n"])
    quote = author.random.random() < 0.5
    rows = [["id", "name", "text"], *([str(n), author.word(), author.paragraph()] for n in range(5))]

    def cell(text: str) -> str:
        wanted = quote or any(char in text for char in f'{delimiter}"\n')
        return '"' + text.replace('"', '""') + '"' if wanted else text

    return newline.join(delimiter.join(map(cell, row)) for row in rows).encode() + newline.encode()


def tex(author: Author) -> bytes:
    def escaped(text: str) -> str:
        for char in "&%$#_":
            text = text.replace(char, f"\\{char}")
        return text.replace("<", "$<$").replace(">", "$>$")

    parts = [r"\documentclass[a4paper]{article}", r"\usepackage{amsmath} % a comment", r"\begin{document}"]
    parts += [rf"\section{{{escaped(author.word())}}}\label{{sec:a}}", *map(escaped, author.paragraphs())]
    nested = r"\emph{nested \textit{here}} (see~\ref{sec:a})\footnote{A note.}."
    parts += [rf"\textbf{{{escaped(author.word())}}} is {nested}"]
    parts += [r"\begin{itemize}" + "\n" + rf"\item {escaped(author.sentence())}" + "\n" + r"\end{itemize}"]
    parts += [r"\begin{equation} E = mc^2 \end{equation}", r"\begin{verbatim}" + "\nText & code\n" + r"\end{verbatim}"]
    parts += [r"\begin{tabular}{ll} Name & Age \\ \hline Anna & 12 \\ \end{tabular}", r"\end{document}"]
    return "\n\n".join(parts).encode()


MAKERS: dict[str, Callable[[Author], bytes]] = {
    "txt": txt,
    "md": md,
    "html": html_page,
    "srt": srt,
    "vtt": vtt,
    "ass": ass,
    "docx": docx_file,
    "pptx": pptx_file,
    "xlsx": xlsx_file,
    "odt": odt_file,
    "epub": epub_file,
    "po": po,
    "xliff": xliff,
    "json": json_file,
    "jsonl": jsonl,
    "csv": lambda author: table(author, ","),
    "tsv": lambda author: table(author, "\t"),
    "tex": tex,
    "pdf": pdf,
}


@functools.cache
def sample_of(name: str, seed: int = 0) -> Sample:
    """A document of a format."""
    return Sample(f"{name}-{seed}", name, MAKERS[name](Author(seed)))


def samples(each: int, formats: tuple[str, ...] = tuple(MAKERS)) -> Iterator[Sample]:
    """So many documents of each format."""
    for name in formats:
        for seed in range(each):
            yield sample_of(name, seed)
