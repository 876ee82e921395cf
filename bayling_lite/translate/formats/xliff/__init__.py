"""XLIFF."""

from __future__ import annotations

from bayling_lite.translate.formats.xliff.document import read

__all__ = ["read"]
