"""Breaking text into lines: that of a cue into at most two, that of a message at a margin.

In a cue no more than 42 columns a line are wanted, as broadcasters have it, or 20 Chinese characters; a text too long
for that still has two lines, alike in width, broken where a speaker would breathe. Chinese and Japanese break between
characters, but not before a mark that closes nor after one that opens, and not inside a word or number in Latin
letters; other languages break at spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from bayling_lite.languages import Language
from bayling_lite.translate.markup import Code, Marked, is_code
from bayling_lite.translate.sentences import is_wide

COLUMNS = 42
WIDE_COLUMNS = 40  # 20 characters of two columns
_LINE_BREAK = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_NOT_FIRST = frozenset(
    "。，、；：？！…‥·・）》〉」』】〕｝”’ー～々〻ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ.,;:?!)]}%％‰℃°\"'"
)
_NOT_LAST = frozenset("（《〈「『【〔｛“‘([{$￥¥£€#＃")
_STOPS = frozenset("。！？.!?…")
_PAUSES = frozenset("，、；：,;:—–")
_SMALL_WORDS = frozenset(
    """a an the of to in on at by for with from and or but if that as is are was my your his her our their this le la
    les de du des et ou un une der die das den dem des und oder ein eine mit von zu el los las y o con para""".split()  # noqa: SIM905
)
# What a break is worth, in columns of imbalance that it may cost.
_AT_STOP, _AT_PAUSE, _AT_SPACE, _AFTER_SMALL_WORD, _TOO_WIDE = -12, -8, 0, 8, 100


def columns(text: str) -> int:
    """The width of a text in columns; codes have none."""
    if text.isascii():
        return len(text)
    return sum(0 if is_code(char) or unicodedata.combining(char) else 2 if is_wide(char) else 1 for char in text)


def broken(
    target: Marked, language: Language, lines: int, new_line: str, escaped: Callable[[str], str] = lambda text: text
) -> str:
    """A translation on at most ``lines`` lines, one or two, as the document writes it."""
    text = target.text.strip()
    at = _place(text, language) if lines > 1 else None
    if at is None:
        return _written(target.replaced(text), escaped)
    first, second = target.replaced(text[:at].rstrip()), target.replaced(text[at:].lstrip())
    return _written(first, escaped) + new_line + _written(second, escaped)


def _written(marked: Marked, escaped: Callable[[str], str]) -> str:
    # A line break in a translation could end the cue.
    return "".join(
        piece.raw if isinstance(piece, Code) else escaped(_LINE_BREAK.sub(" ", piece)) for piece in marked.pieces
    )


def _place(text: str, language: Language) -> int | None:
    """Where to break a text that does not fit one line; None where it does, or cannot be broken."""
    limit = COLUMNS if language.spaced else WIDE_COLUMNS
    widths = [0]
    for char in text:
        widths.append(widths[-1] + columns(char))
    whole = widths[-1]
    if whole <= limit:
        return None
    places = [at for at in range(1, len(text)) if _may_break(text, at, spaced=language.spaced)]
    if not places:
        return None

    def imbalance(at: int) -> int:
        return abs(2 * widths[at] - whole)

    def cost(at: int) -> float:
        return imbalance(at) + _worth(text, at) + _TOO_WIDE * (max(widths[at], whole - widths[at]) > limit)

    # Further from the middle than the best break can be, none has to be weighed.
    furthest = min(map(imbalance, places)) + _TOO_WIDE + _AFTER_SMALL_WORD - _AT_STOP
    return min((at for at in places if imbalance(at) <= furthest), key=cost)


def wrapped(target: Marked, margin: int, new_line: str) -> str:
    """A text with its codes as they stand in the document, broken so that no line is wider than ``margin`` columns.

    ``new_line`` is what stands between two lines; indentation in it counts.
    """
    text = target.text
    indent = columns(new_line.lstrip("\r\n"))
    lines: list[str] = []
    start = last = 0  # of the line; the last place at which it may be broken
    width = 0
    for at, char in enumerate(text):
        if at > start and _may_break(text, at, spaced=_is_hangul(char)):
            last = at
        width += columns(target.code(char).reads if is_code(char) else char)
        if width > margin and last > start and not char.isspace():
            lines.append(target.replaced(text[start:last].rstrip()).raw())
            start = last
            width = indent + columns(target.replaced(text[start : at + 1]).reads)
    return new_line.join([*lines, target.replaced(text[start:]).raw()])


def _is_hangul(char: str) -> bool:
    return "\uac00" <= char <= "\ud7af"


def _may_break(text: str, at: int, *, spaced: bool) -> bool:
    before, after = text[at - 1], text[at]
    if is_code(before) or is_code(after):
        # At a code a line breaks only where there is a space: what it stands for may belong to either side.
        return before.isspace() and before != "\u00a0"
    if before.isspace():
        return before != "\u00a0" and not after.isspace() and after not in _NOT_FIRST
    if spaced or after.isspace() or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return is_wide(before) or is_wide(after)


def _worth(text: str, at: int) -> float:
    words = _bare(text[max(0, at - 24) : at]).rstrip()
    last = words[-1:].strip("\"'”’)」』） ") or words[-2:-1]
    if last in _STOPS:
        return _AT_STOP
    if last in _PAUSES:
        return _AT_PAUSE
    word = words.split(" ")[-1] if words else ""
    return _AFTER_SMALL_WORD if word.casefold() in _SMALL_WORDS else _AT_SPACE


def _bare(text: Sequence[str]) -> str:
    return "".join(char for char in text if not is_code(char))
