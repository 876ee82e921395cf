"""Document formats: each reads a document into segments and writes the translations back into its layout."""

from __future__ import annotations

from bayling_lite.translate.formats.base import Document, Writer

__all__ = ["Document", "Writer"]
