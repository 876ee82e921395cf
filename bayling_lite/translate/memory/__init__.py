"""Translation memories: TMX files read, indexed, looked up and written."""

from __future__ import annotations

from bayling_lite.translate.memory.memory import TranslationMemory
from bayling_lite.translate.memory.tmx import read_tmx
from bayling_lite.translate.memory.tmx_writer import write_tmx
from bayling_lite.translate.memory.units import Unit, Variant

__all__ = ["TranslationMemory", "Unit", "Variant", "read_tmx", "write_tmx"]
