"""PDF, of which the text is translated."""

from __future__ import annotations

from bayling_lite.translate.formats.pdf.document import read

__all__ = ["read"]
