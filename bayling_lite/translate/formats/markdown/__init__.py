"""Markdown."""

from __future__ import annotations

from bayling_lite.translate.formats.markdown.document import read

__all__ = ["read"]
