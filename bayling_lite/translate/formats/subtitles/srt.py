"""SubRip subtitles: numbered cues with times, as players read them.

Read tolerantly: numbers may be missing, times may have a full stop for the comma, come twice or overlap, and a cue may
have empty lines in it. All that stays as it is.
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

_TIME = r"-?(?:\d{1,3}\s*:\s*)?\d{1,2}\s*:\s*-?\d{1,2}(?:\s*[,.:]\s*-?\d{1,3})?"
_HEAD = re.compile(
    r"(?:^|(?<=[\r\n])|(?<=\ufeff))[ \t]*(?:\d+[ \t]*(?:\r\n|\r|\n)[ \t]*)?"
    rf"(?P<start>{_TIME})[ \t]*--+>[ \t]*{_TIME}(?=\s|\Z)[^\r\n]*"
)
_ARROW = re.compile(r"(?:^|(?<=[\r\n]))[ \t]*-?\d[^\r\n]{0,40}-->[^\r\n]*")
_MICRO_DVD = re.compile(r"\ufeff?\s*\{\d+\}\{\d*\}")
_TAG = re.compile(
    r"<(?P<close>/)?(?P<name>[A-Za-z]+)(?:\s[^<>\r\n]*)?/?>|<(?P<odd>/)?(?:font|[biu])\b[^<>\r\n]*>|\{\\[^{}\r\n]*\}"
    r"|\{(?:/?[biu]|[yYcCfFsS]:[^{}\r\n]*)\}|[♪♫]+|&(?:[a-z]{2,8}|\#\d{1,6});",
    re.IGNORECASE,
)
SYNTAX = CueSyntax(
    tag=_TAG,
    line_break=re.compile(r"(?:(?:\r\n|\r|\n)[ \t]*)++|\\[Nn]"),
    reads=lambda tag: html.unescape(tag) if tag[0] in "♪♫&" else "",
    escaped=lambda text: text.replace("-->", "→"),
)


class SrtDocument(CueDocument):
    """SubRip subtitles."""

    def cues(self) -> Iterator[Cue]:
        """The cues, from the line after the times to the last one that is not empty."""
        text = self.text
        before: re.Match[str] | None = None
        for head in _HEAD.finditer(text):
            if before:
                yield _cue(text, before, head.start())
            before = head
        if before:
            yield _cue(text, before, len(text))


def _cue(text: str, head: re.Match[str], end: int) -> Cue:
    start = head.end()
    # What follows the line of the times, less the line breaks around it.
    body = text[start:end]
    start += len(body) - len(body.lstrip())
    return Cue(min(start, end), max(min(start, end), start + len(body.strip())), as_time(head["start"]))


def read(source: Source, options: FormatOptions) -> SrtDocument:  # noqa: ARG001 - the registry's signature
    """Read SubRip subtitles.

    Raises:
        InputError: it is not text, has no cue, or a line of times cannot be read.
    """
    decoded = decode(source)
    text = decoded.text
    heads = {found.end() for found in _HEAD.finditer(text)}
    for arrow in _ARROW.finditer(text):
        if arrow.end() not in heads:
            raise InputError(
                f"{source.name}: the times on line {line_of(text, arrow.start())} cannot be read. "
                "They should be like 00:01:02,500 --> 00:01:04,000."
            )
    if not heads and text.strip("\ufeff \t\r\n"):
        if _MICRO_DVD.match(text):
            raise InputError(
                f"{source.name} is MicroDVD, whose times are numbers of pictures. Convert it to SubRip first."
            )
        hint = " It is WebVTT: name it .vtt." if text.lstrip("\ufeff").startswith("WEBVTT") else ""
        raise InputError(f"{source.name} has no cue of SubRip subtitles.{hint}")
    return SrtDocument(text, decoded.form, ".srt", SYNTAX)
