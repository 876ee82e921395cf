"""Tables: comma-separated and tab-separated values."""

from __future__ import annotations

from bayling_lite.translate.formats.csv.document import read

__all__ = ["read"]
