"""Numbers with units, for people."""

from __future__ import annotations


def bytes_text(count: int) -> str:
    """``4.1 GB``: decimal units, as shops and file managers count."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 segment``, ``2,000 segments``."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def count_text(count: int) -> str:
    """``6.74 B``: how many, in thousands, millions or billions."""
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.{2 if unit == 'B' else 1}f} {unit}"
    return str(count)
