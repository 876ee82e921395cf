"""What the file of a translation is called."""

from __future__ import annotations

from pathlib import Path

from bayling_lite.languages import LANGUAGES, Language

_CODES = frozenset(language.code.casefold() for language in LANGUAGES)


def derived_name(path: Path, target: Language, suffix: str | None = None) -> str:
    """``{stem}.{lang}{suffix}``: letter.txt becomes letter.zh.txt, and so does letter.en.txt."""
    ending = path.suffix if suffix is None else suffix
    return f"{without_language(path.stem)[0]}.{target.code}{ending}"


def without_language(stem: str) -> tuple[str, str]:
    """A name without the language at its end, and that language's code: ``letter`` and ``en`` of letter.en."""
    rest, _, code = stem.rpartition(".")
    return (rest, code.casefold()) if rest and code.casefold() in _CODES else (stem, "")
