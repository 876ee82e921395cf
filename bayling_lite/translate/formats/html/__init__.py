"""HTML and XHTML."""

from __future__ import annotations

from bayling_lite.translate.formats.html.document import read

__all__ = ["read"]
