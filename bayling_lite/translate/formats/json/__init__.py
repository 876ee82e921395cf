"""JSON and JSON Lines."""

from __future__ import annotations

from bayling_lite.translate.formats.json.document import read

__all__ = ["read"]
