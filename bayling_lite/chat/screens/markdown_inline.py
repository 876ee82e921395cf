"""Bold, italic and code inside a line of Markdown whose end may not have come yet.

After CommonMark 0.31, section 6, with three differences that answers of models ask for. A marker beside a Chinese
character or its punctuation counts (``**中文**：``, where CommonMark's rule needs a space); one with letters or digits
on both sides does not (``2*3*4``, ``2**3**4``), nor do those of Python's ``__names__``; and what is opened must be
closed in the same line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Fragment = tuple[str, str]

# What is opened and not closed within so many characters is shown as it is: a reader should not wait for it.
LONGEST_SPAN = 400

_PLAIN = re.compile(r"[^*_`\\]+")
_SPECIAL_NAME = re.compile(r"__[A-Za-z0-9]\w*__", re.ASCII)
_ESCAPED = frozenset("*_`#>+-.|~")
_STYLES = {1: "class:emphasis", 2: "class:strong", 3: "class:strong class:emphasis"}


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before a text in its line, as far as it matters: the current word."""

    word: str = ""

    def after(self, text: str) -> Context:
        """The context behind a text that follows."""
        words = (self.word + text).split()
        return Context(words[-1][-LONGEST_SPAN:] if words and not text[-1:].isspace() else "")

    @property
    def is_address(self) -> bool:
        """Whether the current word is a link, whose signs are no markers."""
        return "://" in self.word


def parse(text: str, context: Context, style: str, *, ended: bool) -> tuple[list[Fragment], int]:
    """What can be shown of a text already, and how many of its characters that takes.

    Unless the line has ``ended``, the rest waits for more.
    """
    fragments: list[Fragment] = []
    position = 0
    while position < len(text):
        plain = _PLAIN.match(text, position)
        if plain is not None:
            fragments.append((style, plain[0]))
            context, position = context.after(plain[0]), plain.end()
            continue
        found = _marker(text[position : position + 2 * LONGEST_SPAN], context, style, ended=ended)
        if found is None:
            break
        shown, length = found
        fragments += shown
        context = context.after(text[position : position + length])
        position += length
    return fragments, position


def _marker(text: str, context: Context, style: str, *, ended: bool) -> tuple[list[Fragment], int] | None:
    """What a text that begins with a marker begins with; None when that is not certain yet."""
    if len(text) == 1 and not ended:
        return None
    if text[0] == "\\":
        is_escape = text[1:2] in _ESCAPED and len(text) > 1
        return ([(style, text[1])], 2) if is_escape else ([(style, text[0])], 1)
    size = _run(text, 0)
    if size == len(text) < LONGEST_SPAN and not ended:
        return None
    literal = [(style, text[:size])], size
    if text[0] == "`":
        close = _closing_code(text, size, ended=ended)
        if close is None or close < 0:
            return None if close is None else literal
        return [(f"{style} class:code".lstrip(), text[size:close])], close + size
    if size not in _STYLES or not _opens(text, size, context):
        return literal
    close = _closing_emphasis(text, size, ended=ended)
    if close is None or close < 0 or _SPECIAL_NAME.fullmatch(text[: close + size]):
        return None if close is None else literal
    inner = f"{style} {_STYLES[size]}".lstrip()
    return parse(text[size:close], context.after(text[:size]), inner, ended=True)[0], close + size


def _run(text: str, position: int) -> int:
    """How often the character at a position is repeated."""
    end = position + 1
    while end < len(text) and text[end] == text[position]:
        end += 1
    return end - position


def _opens(text: str, size: int, context: Context) -> bool:
    before, after = context.word[-1:], text[size : size + 1]
    if not after or after.isspace() or context.is_address:
        return False
    return not (_is_word(before) if text[0] == "_" else _is_ascii_word(before) and _is_ascii_word(after))


def _closes(text: str, position: int, size: int) -> bool:
    before, after = text[position - 1], text[position + size : position + size + 1]
    if before.isspace():
        return False
    return not (_is_word(after) if text[position] == "_" else _is_ascii_word(before) and _is_ascii_word(after))


def _closing_code(text: str, size: int, *, ended: bool) -> int | None:
    """Where the code that so many backticks open is closed; -1 when it is not, None when that is not certain."""
    position = size
    while 0 <= (position := text.find("`", position)) < LONGEST_SPAN:
        found = _run(text, position)
        if position + found == len(text) and not ended:
            return None
        if found == size:
            return position
        position += found
    return -1 if ended or len(text) >= LONGEST_SPAN or position >= 0 else None


def _closing_emphasis(text: str, size: int, *, ended: bool) -> int | None:
    """Where the emphasis that so many markers open is closed; -1 and None as in :func:`_closing_code`."""
    position = size
    while position < min(len(text), LONGEST_SPAN):
        character = text[position]
        if character == "\\":
            position += 2
            continue
        if character not in (text[0], "`"):
            position += 1
            continue
        found = _run(text, position)
        if position + found == len(text) and not ended:
            return None
        if character == "`":
            close = _closing_code(text[position:], found, ended=ended)
            if close is None:
                return None
            position += found if close < 0 else close + found
            continue
        # In ``**bold *and italic***`` the last run closes both, the inner one first.
        if (found == size or (found == max(_STYLES) and size < found)) and _closes(text, position, found):
            return position + found - size
        position += found
    return -1 if ended or len(text) >= LONGEST_SPAN else None


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()
