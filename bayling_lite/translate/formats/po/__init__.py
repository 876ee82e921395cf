"""gettext catalogues."""

from __future__ import annotations

from bayling_lite.translate.formats.po.document import read

__all__ = ["read"]
