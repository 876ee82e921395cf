"""What parallel text is read from, and what is left out of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bayling_lite.errors import UsageError
from bayling_lite.languages import Language, find_language


class Format(StrEnum):
    """How parallel text is stored."""

    TSV = "tsv"  # source TAB target, a pair a line
    TMX = "tmx"  # Translation Memory eXchange 1.1 to 1.4b
    PARQUET = "parquet"  # columns, as on the Hugging Face hub
    ALIGNED = "aligned"  # two text files, line by line


class Reason(StrEnum):
    """Why a pair is left out: by a reader, by a filter, or by the search for test sentences."""

    EMPTY = "empty"
    LONG_LINE = "long-line"
    LANGUAGES_MISSING = "languages-missing"
    TOO_LONG = "too-long"
    LENGTH_RATIO = "length-ratio"
    WRONG_LANGUAGE = "wrong-language"
    COPY = "copy"
    NO_TEXT = "no-text"
    DAMAGED = "damaged"
    DUPLICATE = "duplicate"
    TEST_SET = "test-set"

    @property
    def explanation(self) -> str:
        """For a report."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Reason.EMPTY: "one side is empty",
    Reason.LONG_LINE: "a line or segment too long to be a sentence",
    Reason.LANGUAGES_MISSING: "a unit of the memory without both languages",
    Reason.TOO_LONG: "too many words or characters",
    Reason.LENGTH_RATIO: "one side too long for the other",
    Reason.WRONG_LANGUAGE: "a side in another language than named",
    Reason.COPY: "source and target are the same",
    Reason.NO_TEXT: "mostly numbers, punctuation or symbols",
    Reason.DAMAGED: "characters lost in an earlier conversion (U+FFFD)",
    Reason.DUPLICATE: "the pair occurred before",
    Reason.TEST_SET: "a sentence of a test set",
}


class Skipped(Counter[Reason]):
    """How many pairs were left out, by reason; those of several readers or processes add up with ``update``."""


@dataclass(frozen=True, slots=True)
class ParallelSource:
    """Parallel text and how to read it.

    ``paths``: one file, or two aligned ones, source first. ``format``: None goes by the name (``.gz`` is looked
    through). ``columns``: of a TSV file two numbers from 1, of a Parquet file two names (``translation.en`` for a field
    of a struct), source first; needed only where there are more than two, or where they cannot be guessed.
    ``encoding``: None is UTF-8, or what a byte order mark or an XML declaration says. ``weight`` is how often an epoch
    passes over it. ``max_words``: sources of more words are left out; 0 for no limit.

    Raises:
        UsageError: the values contradict each other.
    """

    paths: tuple[Path, ...]
    source: Language
    target: Language
    format: Format | None = None
    columns: tuple[str, ...] = ()
    encoding: str | None = None
    origin: str = ""
    weight: float = 1.0
    max_words: int = 0

    def __post_init__(self) -> None:
        if len(self.paths) not in (1, 2):
            raise UsageError("Parallel text is one file, or two aligned ones: source and target.")
        if self.source == self.target:
            raise UsageError(f"{self.name}: source and target are the same language ({self.source.english}).")
        if len(self.columns) not in (0, 2):
            raise UsageError(f"{self.name}: name two columns, source and target, not {len(self.columns)}.")
        if not 0 < self.weight <= 1000:
            raise UsageError(f"{self.name}: the weight must be above 0 and at most 1000.")
        if self.max_words < 0:
            raise UsageError(f"{self.name}: the limit of words must be 1 or more, or 0 for none.")

    @property
    def name(self) -> str:
        """For messages."""
        return " and ".join(map(str, self.paths))

    def resolved_format(self) -> Format:
        """The format named, or that of the file's name.

        Raises:
            UsageError: the name does not tell, or format and number of files contradict each other.
        """
        if self.format is None and len(self.paths) == 2:
            return Format.ALIGNED
        chosen = self.format or _BY_SUFFIX.get(_suffix(self.paths[0]))
        if chosen is None:
            raise UsageError(
                f"What {self.name} holds cannot be told from its name: name the format with --format "
                f"(tsv, tmx or parquet), or two aligned text files with --input."
            )
        if (chosen is Format.ALIGNED) != (len(self.paths) == 2):
            wanted = "two files" if chosen is Format.ALIGNED else "one file"
            raise UsageError(f"The format {chosen} takes {wanted}, not {self.name}.")
        return chosen


_BY_SUFFIX = {
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".tmx": Format.TMX,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


def _suffix(path: Path) -> str:
    name = path.name.casefold().removesuffix(".gz")
    return Path(name).suffix


# ISO 639-2 and 639-3 codes, as some memories and data sets have them.
_THREE_LETTERS = {
    "eng": "en",
    "zho": "zh",
    "chi": "zh",
    "cmn": "zh",
    "deu": "de",
    "ger": "de",
    "fra": "fr",
    "fre": "fr",
    "ces": "cs",
    "cze": "cs",
    "jpn": "ja",
    "rus": "ru",
    "ukr": "uk",
    "spa": "es",
    "ita": "it",
    "por": "pt",
    "nld": "nl",
    "dut": "nl",
    "kor": "ko",
    "ara": "ar",
    "vie": "vi",
    "tha": "th",
}
_LANGPAIR = re.compile(r"(?:^|[._-])([a-z]{2})[-_]([a-z]{2})(?=[._-]|$)", re.IGNORECASE)


def base_code(tag: str) -> str:
    """The language of a tag without its region or script: ``en`` of ``en-US``, ``EN_us``, ``eng_Latn`` and ``eng``."""
    primary = re.split("[-_]", tag.strip().casefold(), maxsplit=1)[0]
    return _THREE_LETTERS.get(primary, primary)


def languages_in_name(path: Path) -> tuple[Language, Language] | None:
    """The languages that a file name tells, such as ``news.en-zh.tsv``; None where it does not."""
    for match in _LANGPAIR.finditer(path.name):
        try:
            return find_language(match[1]), find_language(match[2])
        except UsageError:
            continue
    return None
