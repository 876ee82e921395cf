"""EPUB."""

from __future__ import annotations

from bayling_lite.translate.formats.epub.document import read

__all__ = ["read"]
