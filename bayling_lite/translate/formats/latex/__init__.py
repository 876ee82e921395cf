"""LaTeX."""

from __future__ import annotations

from bayling_lite.translate.formats.latex.document import read

__all__ = ["read"]
