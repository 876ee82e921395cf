"""What a document format owes the translator: segments out, translations in, in the same order.

A format is a module with a ``read`` function that gives a :class:`Document`. The document's :class:`Writer` takes the
translations piece by piece, so that plain text can be shown while it is made; a format that can only be written
whole gives nothing before :meth:`Writer.finish`.
"""

from __future__ import annotations

from typing import Protocol

from bayling_lite.languages import Language
from bayling_lite.translate.segments import Segment


class Writer(Protocol):
    """Takes the translation of each segment in order; what the methods return, put together, is the new document."""

    def feed(self, piece: str) -> str:
        """The next piece of the current segment's translation, as the model makes it."""
        ...

    def end(self, translation: str) -> str:
        """The current segment's whole translation; what was fed of it is its beginning. The next segment follows."""
        ...

    def finish(self) -> str:
        """The rest of the document, after the last segment."""
        ...


class Document(Protocol):
    """A document that was read: what to translate of it, and how to write it again."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What to translate, in the order of the document."""
        ...

    def writer(self, target: Language) -> Writer:
        """Begin to write the document in another language."""
        ...
