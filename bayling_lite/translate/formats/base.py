"""What a document format owes the translator: units to translate out, translations in, in the same order.

A format is a module with a function ``read(source, options) -> Document``. Reading finds the units; writing puts
translations in their place and leaves everything else as it was. **A unit that comes back unchanged stands in the new
document exactly as it stood in the old one**, byte for byte, so a document whose units all come back unchanged is the
same document; of a zip archive, each part is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bayling_lite.languages import Language
from bayling_lite.translate.markup import Marked


class Cut(Enum):
    """How a unit is cut into segments: at sentences (a paragraph), or not at all (a cue, a label, a title)."""

    SENTENCES = "sentences"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a document to translate: a paragraph, a cell, a message, a cue.

    ``source`` is its text in one line, as a model should see it (white space that means nothing is one space, line
    breaks that mean something are codes); white space around it belongs to the document. ``place`` says to a person
    where it stands ("line 12", "Prices!B3", "00:01:05"); ``notes`` what the document tells translators about it.
    ``width`` is the most columns the format has room for, 0 for any (a Chinese character takes two).
    """

    source: Marked
    cut: Cut = Cut.SENTENCES
    place: str = ""
    notes: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class TranslatedUnit:
    """A unit's translation. ``target`` has the codes of ``source``, each once; in what order is up to the language.

    ``unchanged`` units are written as they stand in the document, and nothing is added for them.
    """

    source: Marked
    target: Marked

    @property
    def unchanged(self) -> bool:
        """Whether the translation is the source."""
        return self.target.text == self.source.text


@dataclass(frozen=True, slots=True)
class Layout:
    """How a translated document is written.

    ``bilingual``: the source stays, the translation follows it, in the format's own manner. ``source`` is None when it
    is not known. Where a document declares its language, one in which anything was translated declares the target.
    """

    target: Language
    source: Language | None = None
    bilingual: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A document as bytes. ``encoding`` is what the user says it has; None to find out."""

    name: str
    data: bytes
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What a user may say about reading a document; a format takes what concerns it.

    ``keys`` choose values of JSON by path (``title``, ``items[*].text``, ``**.label``); ``columns`` of tables by
    name, by letter or by number from 1; ``header`` says whether the first row of a table is one, None to find out.
    ``limit`` is the greatest width of a segment in columns, where a format cuts sentences itself.
    """

    keys: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    header: bool | None = None
    limit: int = 400


@dataclass(frozen=True, slots=True)
class TextForm:
    """How a document of text becomes bytes.

    ``errors`` as in :meth:`str.encode`: ``xmlcharrefreplace`` where a character that the encoding has not can be
    written otherwise. ``guessed`` says that the encoding was guessed from the bytes.
    """

    encoding: str = "utf-8"
    errors: str = "strict"
    guessed: bool = False


class Document(Protocol):
    """A document that was read."""

    @property
    def form(self) -> TextForm | None:
        """Of a document of text; None where :meth:`write` gives bytes."""
        ...

    @property
    def suffix(self) -> str:
        """What the written document's file name should end with (``.docx``); usually that of the source."""
        ...

    @property
    def can_be_bilingual(self) -> bool:
        """Whether :meth:`write` knows a bilingual layout."""
        ...

    def units(self) -> Iterator[Unit]:
        """What to translate, in order. Each call gives the same units again, also while another goes on."""
        ...

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str | bytes]:
        """The new document, piece by piece: str with a ``form``, bytes without.

        Takes one translation for each unit, in order, as it needs them: text comes as soon as it is translated. The
        document itself is not changed by it, and can be written again.
        """
        ...
