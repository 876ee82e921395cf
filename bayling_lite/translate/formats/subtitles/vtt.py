"""WebVTT subtitles (W3C): cues with times and settings, in blocks that are parted by empty lines.

Notes, styles, regions, identifiers, times and settings stay as they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import FormatOptions, Source
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.formats.edits import line_of
from bayling_lite.translate.formats.subtitles.cues import Cue, CueDocument, CueSyntax, as_time

_HEADER = re.compile(r"\ufeff?WEBVTT(?=[ \t\r\n]|\Z)")
_BLOCK = re.compile(r"(?:[^\r\n]++(?:\r\n|\r|\n|\Z))++")
_TIME = r"(?:\d{2,}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_TIMES = re.compile(rf"(?:^|(?<=[\r\n]))[ \t]*(?P<start>{_TIME})[ \t]*-->[ \t]*{_TIME}[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ARROW = re.compile(r"-->")
_UNTOUCHED = re.compile(r"(?:NOTE|STYLE|REGION)(?=[ \t\r\n]|\Z)")
_TAG = re.compile(
    r"<(?P<close>/)?(?P<name>c|i|b|u|ruby|rt|lang)(?:\.[^<>\s]*)*(?:[ \t][^<>]*)?>|<v(?:\.[^<>\s]*)*[ \t][^<>]*>|</v>"
    r"|<[\d:.]+>|</?[^<>\s][^<>]{0,200}>|[♪♫]+"
)


def _reads(tag: str) -> str:
    return tag if tag[0] in "♪♫" else ""


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("\u00a0", "&nbsp;")
    return text.replace("-->", "--&gt;")


def _all_escaped(text: str) -> str:
    return _escaped(text).replace(">", "&gt;")


def _syntax(text: str) -> CueSyntax:
    """That of a document, which may write ``>`` in either way."""
    return CueSyntax(
        tag=_TAG,
        line_break=re.compile(r"(?:\r\n|\r|\n)[ \t]*"),
        reads=_reads,
        escaped=_all_escaped if "&gt;" in text else _escaped,
        unescaped=html.unescape,
    )


class VttDocument(CueDocument):
    """WebVTT subtitles."""

    def cues(self) -> Iterator[Cue]:
        """The cues in order."""
        for block in _blocks(self.text):
            times = _TIMES.search(self.text, block.start(), block.end())
            if times and not _UNTOUCHED.match(self.text, block.start()):
                end = times.end() + len(self.text[times.end() : block.end()].rstrip())
                yield Cue(times.end(), end, as_time(times["start"]))


def _blocks(text: str) -> Iterator[re.Match[str]]:
    header = _HEADER.match(text)
    return _BLOCK.finditer(text, header.end() if header else 0)


def read(source: Source, options: FormatOptions) -> VttDocument:  # noqa: ARG001 - the registry's signature
    """Read WebVTT subtitles.

    Raises:
        InputError: it is not text, does not begin with ``WEBVTT``, or a line of times cannot be read.
    """
    decoded = decode(source)
    text = decoded.text
    if not _HEADER.match(text):
        raise InputError(
            f"{source.name} does not begin with WEBVTT, as WebVTT subtitles do. If they are SubRip, name the file .srt."
        )
    for block in _blocks(text):
        untouched = _UNTOUCHED.match(text, block.start())
        arrow = _ARROW.search(text, block.start(), block.end())
        if arrow and not untouched and not _TIMES.search(text, block.start(), block.end()):
            raise InputError(
                f"{source.name}: the times on line {line_of(text, arrow.start())} cannot be read. "
                "They should be like 00:01:02.500 --> 00:01:04.000."
            )
    return VttDocument(text, decoded.form, ".vtt", _syntax(text))
