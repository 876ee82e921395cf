"""Text with codes in it: what stands inside a sentence and is not text (tags, formulas, variables, line breaks).

A document format gives each code one character, :func:`code_character`, from a plane of Unicode that is for private
use, so that a text with codes can be cut, searched and joined like any other. A model sees them as short tags,
``<1>bold</1>`` and ``<2/>``, which are validated when they come back: every one of them is there once, in order where
order means something. What the codes stand for never passes through the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bayling_lite.errors import BaylingError

CodeKind = Literal["open", "close", "alone"]

FIRST_CODE, LAST_CODE = 0x100000, 0x10FFFD
"""The code characters: Supplementary Private Use Area-B, plane 16 of Unicode."""
MOST_CODES = LAST_CODE - FIRST_CODE + 1
_CODE = re.compile(f"[{chr(FIRST_CODE)}-{chr(LAST_CODE)}]")


class MarkupLost(BaylingError):
    """A text that came back does not have the codes it should have; says which."""


@dataclass(frozen=True, slots=True)
class Code:
    """Something in a text that is not text.

    ``kind`` is ``open`` and ``close`` for markup around text, else ``alone``. An opening code and its closing one have
    the same ``pair``, which no other code of their text has. ``raw`` is what stands in the document there, for formats
    that write it back as it is; ``reads`` what a reader sees in its place: ``foo()`` for a piece of code, a line break
    for a line break, nothing for an image.
    """

    kind: CodeKind
    raw: str = ""
    pair: int = 0
    reads: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in which ``code_character(i)`` stands for ``codes[i]``. Parts of a text share its ``codes``.

    Raises:
        ValueError: a code character without a code.
    """

    text: str
    codes: tuple[Code, ...] = ()

    def __post_init__(self) -> None:
        for found in _CODE.finditer(self.text):
            if ord(found[0]) - FIRST_CODE >= len(self.codes):
                raise ValueError(f"there is no code {ord(found[0]) - FIRST_CODE}")

    def part(self, start: int, end: int) -> Marked:
        """The text from ``start`` to ``end``, with the same codes."""
        return Marked(self.text[start:end], self.codes)

    def replaced(self, text: str) -> Marked:
        """Another text with the same codes."""
        return Marked(text, self.codes)

    def code(self, character: str) -> Code:
        """What a code character stands for."""
        return self.codes[ord(character) - FIRST_CODE]

    @property
    def pieces(self) -> Iterator[str | Code]:
        """The runs of text and the codes, in order."""
        done = 0
        for found in _CODE.finditer(self.text):
            if found.start() > done:
                yield self.text[done : found.start()]
            yield self.code(found[0])
            done = found.end()
        if done < len(self.text):
            yield self.text[done:]

    @property
    def reads(self) -> str:
        """The text as a reader sees it."""
        return _CODE.sub(lambda found: self.code(found[0]).reads, self.text)

    @property
    def bare(self) -> str:
        """The text without its codes and what they read as."""
        return _CODE.sub("", self.text)

    @property
    def used(self) -> tuple[str, ...]:
        """The code characters in this text, in order."""
        return tuple(_CODE.findall(self.text))

    def raw(self) -> str:
        """The text with the codes as they stand in the document."""
        return _CODE.sub(lambda found: self.code(found[0]).raw, self.text)


class MarkedBuilder:
    """Puts a :class:`Marked` together, piece by piece.

    A character of the document that looks like a code becomes a code that stands for itself.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._codes: list[Code] = []

    def text(self, text: str) -> None:
        """Add text."""
        done = 0
        for found in _CODE.finditer(text):
            self._pieces.append(text[done : found.start()])
            self.code(Code("alone", raw=found[0], reads=found[0]))
            done = found.end()
        self._pieces.append(text[done:])

    def code(self, code: Code) -> None:
        """Add a code.

        Raises:
            ValueError: there are too many (65,534) in one text.
        """
        if len(self._codes) >= MOST_CODES:
            raise ValueError("too many codes in one text")
        self._pieces.append(code_character(len(self._codes)))
        self._codes.append(code)

    def build(self) -> Marked:
        """What was put together."""
        return Marked("".join(self._pieces), tuple(self._codes))


def plain_text(text: str) -> Marked:
    """A text without codes."""
    builder = MarkedBuilder()
    builder.text(text)
    return builder.build()


def code_character(index: int) -> str:
    """The character that stands for the code at an index."""
    return chr(FIRST_CODE + index)


def is_code(character: str) -> bool:
    """Whether a character stands for a code."""
    return FIRST_CODE <= ord(character) <= LAST_CODE


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text as a model sees it, and which tag stands for which code character."""

    text: str
    tags: tuple[tuple[str, str], ...]  # tag, code character, in the order of the text

    def restore(self, answer: str) -> str:
        """An answer with code characters for its tags.

        Spaces inside a tag and full-width brackets are forgiven.

        Raises:
            MarkupLost: a tag is missing, comes twice, or was never given; or a closing tag stands before its opening
                one, or pairs overlap that did not.
        """
        restored, order = self._replaced(answer)
        given = [tag for tag, _ in self.tags]
        counts = Counter(order)
        missing = [tag for tag in given if not counts[tag]]
        twice = sorted(tag for tag, count in counts.items() if count > 1)
        if missing or twice:
            what = [f"{', '.join(missing)} missing"] * bool(missing) + [f"{', '.join(twice)} twice"] * bool(twice)
            raise MarkupLost(f"markup: {'; '.join(what)}")
        if _nesting(order) is False and _nesting(given) is not False:
            raise MarkupLost("markup: tags are crossed")
        return restored

    def spelled(self, text: str) -> str:
        """A text with these codes, with tags for them: :meth:`restore` gives it back."""
        tags = {character: tag for tag, character in self.tags}
        return _CODE.sub(lambda found: tags[found[0]], text) if tags else text

    def _replaced(self, answer: str) -> tuple[str, list[str]]:
        characters = dict(self.tags)
        prefix = _prefix(self.tags)
        order: list[str] = []

        def character(found: re.Match[str]) -> str:
            name = found["name"]
            tag = f"</{name}>" if found["close"] else f"<{name}/>" if found["alone"] else f"<{name}>"
            # A model that takes the one kind of tag for the other means the only one there is.
            tag = next((known for known in (tag, f"<{name}/>") if known in characters), tag)
            if tag not in characters:
                raise MarkupLost(f"markup: {tag} was never given")
            order.append(tag)
            return characters[tag]

        if _CODE.search(answer):
            raise MarkupLost("markup: a character of the private use area was never given")
        if not self.tags:
            return answer, order
        return _tag_pattern(prefix).sub(character, answer), order


def tagged(marked: Marked) -> Tagged:
    """A text with short tags for its codes, numbered as they come.

    Where the text itself has such tags, ours have a letter before the number: ``<a1>``.
    """
    prefix = next(letters for letters in _prefixes() if not _tag_pattern(letters).search(marked.bare))
    names: dict[int, str] = {}
    tags: list[tuple[str, str]] = []
    count = 0
    for character in marked.used:
        code = marked.code(character)
        if code.kind == "alone" or code.pair not in names:
            count += 1
            name = f"{prefix}{count}"
            if code.kind != "alone":
                names[code.pair] = name
        else:
            name = names[code.pair]
        tag = {"open": f"<{name}>", "close": f"</{name}>", "alone": f"<{name}/>"}[code.kind]
        tags.append((tag, character))
    by_character = {character: tag for tag, character in tags}
    return Tagged(_CODE.sub(lambda found: by_character[found[0]], marked.text), tuple(tags))


def _prefixes() -> Iterator[str]:
    yield ""
    length = 1
    while True:
        yield from (chr(ord("a") + index) * length for index in range(26))
        length += 1


def _prefix(tags: tuple[tuple[str, str], ...]) -> str:
    return re.sub(r"[</>\d]", "", tags[0][0]) if tags else ""


def _tag_pattern(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"[<＜]\s*(?P<close>/)?\s*(?P<name>{prefix}\d+)\s*(?P<alone>/)?\s*[>＞]")


def _nesting(tags: list[str]) -> bool:
    """Whether pairs of tags do not cross and open before they close. Half a pair may stand anywhere."""
    there = set(tags)
    whole = {tag for tag in there if not tag.startswith("</") and not tag.endswith("/>") and f"</{tag[1:]}" in there}
    open_: list[str] = []
    for tag in tags:
        if tag in whole:
            open_.append(tag)
        elif tag.startswith("</") and f"<{tag[2:]}" in whole and (not open_ or open_.pop() != f"<{tag[2:]}"):
            return False
    return True
