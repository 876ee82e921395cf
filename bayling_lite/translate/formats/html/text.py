"""The text of HTML: character references read, and written again as the document writes them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.xml_characters import legal
from bayling_lite.translate.markup import FIRST_CODE, LAST_CODE, MOST_CODES, Code, Marked, MarkedBuilder

_REFERENCE = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};?)")
# What template languages put into a text, and formulas as MathJax and KaTeX find them.
_NO_TEXT = re.compile(
    r"""\{\{[^{}\n]{0,500}\}\} | \{%[^%{}\n]{0,500}%\} | \{\#[^#{}\n]{0,500}\#\}
    | \\\((?:[^\\]|\\[^()]){1,1000}+\\\) | \\\[(?:[^\\]|\\[^\[\]]){1,1000}+\\\] | \$\$[^$]{1,1000}+\$\$""",
    re.VERBOSE,
)
_HAS_NO_TEXT = re.compile(r"\{[{%#]|\\[(\[]|\$\$")
_SPACES = re.compile(r"[ \t\n\f\r]+")
_XML_NAMES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_CODE = re.compile(f"([{chr(FIRST_CODE)}-{chr(LAST_CODE)}])")
_SPECIAL = re.compile(r"[&<>\"'\u0080-\U0010ffff]")
_TOO_MANY = f"A paragraph has more than {MOST_CODES:,} tags. Break it into several."


@dataclass(slots=True)
class Manner:
    """How a text writes its characters: ``references`` for some, which it always writes so; ``bare`` ones never."""

    references: dict[str, str] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)

    def of(self, character: str) -> str | None:
        """The reference that the text writes for a character."""
        return None if character in self.bare else self.references.get(character)


class TextReader:
    """Puts the text of a unit together from what stands in the document.

    White space collapses to one space. Soft hyphens are left out. What template languages put into the text, formulas,
    and references to what is not known (entities of a DTD) become codes.
    ``breaks`` says that line breaks mean something; they become codes.
    """

    def __init__(self, *, xml: bool, attribute: bool = False, breaks: bool = False) -> None:
        self.manner = Manner()
        self._builder = MarkedBuilder()
        self._xml = xml
        self._attribute = attribute
        self._breaks = breaks
        self._count = 0
        self._after_space = True  # whether a space would be the second one

    def code(self, code: Code) -> int:
        """Add a code; gives its index in the unit."""
        if self._count >= MOST_CODES:
            raise InputError(_TOO_MANY)
        self._builder.code(code)
        self._after_space = False
        self._count += 1
        return self._count - 1

    def text(self, raw: str) -> None:
        """Add text as it stands in the document."""
        done = 0
        for found in _NO_TEXT.finditer(raw) if _HAS_NO_TEXT.search(raw) else ():
            self._plain(raw[done : found.start()])
            self.code(Code("alone", found[0], reads=found[0]))
            done = found.end()
        self._plain(raw[done:])

    def build(self) -> Marked:
        """The unit's text."""
        return self._builder.build()

    def _plain(self, raw: str) -> None:
        done = 0
        for found in _REFERENCE.finditer(raw) if "&" in raw else ():
            text = self._referred(found, raw)
            if text is None:
                continue
            self._characters(raw[done : found.start()])
            done = found.end()
            if text == found[0] or ((self._attribute or self._breaks) and text in ("\n", "\r")):
                self.code(Code("alone", found[0], reads="\n" if text in ("\n", "\r") else found[0]))
                continue
            if len(text) == 1:
                self.manner.references.setdefault(text, found[0])
            self._add(text)
        self._characters(raw[done:])

    def _referred(self, found: re.Match[str], raw: str) -> str | None:
        """What a reference stands for; itself where that is not known; None where it is none."""
        reference = found[0]
        closed = reference.endswith(";")
        if self._xml and reference[1] != "#":
            named = _XML_NAMES.get(reference[1:-1]) or html.unescape(reference)
            return (named if named != reference else reference) if closed else None
        if self._attribute and not closed and re.match("[=A-Za-z0-9]", raw[found.end() : found.end() + 1]):
            return None
        text = html.unescape(reference)
        if text == reference:
            return reference if closed else None
        return text or reference

    def _characters(self, raw: str) -> None:
        if raw:
            self.manner.bare.update(_SPECIAL.findall(raw))
            self._add(raw)

    def _add(self, text: str) -> None:
        text = text.replace("\u00ad", "")
        if self._breaks:
            lines = re.split(r"(\r\n|\r|\n)", text)
            for index, line in enumerate(lines):
                if index % 2:
                    self.code(Code("alone", line, reads="\n"))
                else:
                    self._add_line(line)
        else:
            self._add_line(_SPACES.sub(" ", text))

    def _add_line(self, text: str) -> None:
        if self._after_space and not self._breaks:
            text = text.lstrip(" ")
        if text:
            # A character that looks like a code becomes one.
            self._count += sum(FIRST_CODE <= ord(character) <= LAST_CODE for character in text if not text.isascii())
            if self._count > MOST_CODES:
                raise InputError(_TOO_MANY)
            self._builder.text(text)
            self._after_space = text.endswith(" ")


def escaped(text: str, manner: Manner, *, xml: bool, quote: str = "") -> str:
    """A text as HTML, with as few references as possible and those the document has; ``quote`` is around it."""
    if xml:
        text = legal(text)

    def reference(found: re.Match[str]) -> str:
        character = found[0]
        if character == quote:
            return "&quot;" if quote == '"' else "&#39;"
        known = manner.of(character)
        if known is not None:
            return known
        if character == "&":
            plain = not xml and "&" in manner.bare and not re.match("[A-Za-z#]", text[found.end() : found.end() + 1])
            return "&" if plain else "&amp;"
        if character == "<":
            plain = not xml and "<" in manner.bare and not re.match("[A-Za-z/!?%]", text[found.end() : found.end() + 1])
            return "<" if plain or (quote and not xml) else "&lt;"
        if character == ">" and xml and text.endswith("]]", 0, found.start()):
            return "&gt;"
        if character == "\u00a0" and character not in manner.bare:
            return "&#160;" if xml else "&nbsp;"
        return character

    return _SPECIAL.sub(reference, text)


def split_codes(text: str) -> list[str]:
    """A text cut at its code characters: text, code, text, code, … text."""
    return _CODE.split(text)
