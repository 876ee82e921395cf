"""Gettext catalogues, .po and .pot: entries without a translation, and fuzzy ones, are translated.

Only the lines of such an entry change: its ``msgstr``, the flag ``fuzzy``, the comments on what it was before. An entry
whose translation comes back equal to its source stays untranslated, as gettext then shows the source. Of the header,
the language is set when anything was translated, and what a template leaves open.

The form for one thing is translated from ``msgid`` and the others from ``msgid_plural``, with one exception: where the
form for one also serves other numbers and ``msgid`` does not have the number in it ("One file"), it would be wrong for
those.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bayling_lite.errors import InputError
from bayling_lite.languages import Language
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.formats.edits import Edit, patched
from bayling_lite.translate.formats.po.plurals import PluralForms
from bayling_lite.translate.formats.po.scanner import PoEntry, entries
from bayling_lite.translate.formats.po.writing import PoStyle, comment_edits, header_edits
from bayling_lite.translate.formats.values import Paragraph, paragraphs, rebuilt
from bayling_lite.translate.formats.variables import Mnemonic, Syntax, mark, take_mnemonic, with_mnemonic

_CHARSET = re.compile(rb"Content-Type:[^\n]{0,60}charset=([\w.:-]+)", re.IGNORECASE)
_LONGEST_NOTE = 500
_PERCENT_FORMATS = frozenset(
    f"{language}-format" for language in ("c", "objc", "python", "php", "perl", "ruby", "awk", "gcc-internal", "tcl")
)


@dataclass(frozen=True, slots=True)
class PoDocument:
    """A catalogue. ``forms`` are the plural forms its header declares; ``plurals`` says that there
    are entries with some.
    """

    name: str
    text: str
    form: TextForm
    style: PoStyle
    forms: PluralForms | None
    plurals: bool
    suffix: str = ".po"
    can_be_bilingual: bool = True  # it always is

    def units(self) -> Iterator[Unit]:
        """What is not translated yet: of plurals both sources, whatever the number of forms."""
        for entry in self._open_entries():
            notes = _notes(entry)
            for text in _sources(entry):
                for paragraph in text.paragraphs:
                    yield Unit(paragraph.source, Cut.SENTENCES, f"line {entry.line}", notes)

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str | bytes]:
        """The catalogue with the translations.

        One in an encoding that has not every character becomes UTF-8, and says so, when anything is translated.
        """
        pieces = patched(self.text, self._edits(translations, layout.target))
        if self.form.encoding == "utf-8" or _has_every_character(self.form.encoding):
            yield from pieces
            return
        # Nothing comes before the first translation is known, so all is in one encoding.
        first, second = next(pieces, ""), next(pieces, None)
        if second is None:
            yield first
            return
        for piece in itertools.chain((first, second), pieces):
            yield piece.encode()

    def _edits(self, translations: Iterator[TranslatedUnit], target: Language) -> Iterator[Edit]:
        forms = self.forms or PluralForms.usual(target)
        header: PoEntry | None = None
        for entry in entries(self.text, self.name):
            if entry.is_header:
                header = header or entry
            elif _is_open(entry, self.forms):
                values = [text.translated(translations, target) for text in _sources(entry)]
                if any(value is not None for value in values):
                    if header:
                        yield from self._header_edits(header, target)
                        header = None
                    yield from self._entry_edits(entry, values, forms)

    def _header_edits(self, header: PoEntry, target: Language) -> Iterator[Edit]:
        charset = None if _has_every_character(self.form.encoding) else "UTF-8"
        return header_edits(self.text, header, target, self.style, plurals=self.plurals, charset=charset)

    def _entry_edits(self, entry: PoEntry, values: list[str | None], forms: PluralForms) -> Iterator[Edit]:
        old = {keyword: string.value for keyword, string in entry.translations}
        fuzzy = "fuzzy" in entry.flags
        if entry.msgid_plural is None:
            new = {"msgstr": values[0] or ""}
        else:
            new = {}
            for index in range(forms.number):
                keyword = f"msgstr[{index}]"
                value = values[0 if _is_singular(entry, index, forms) else 1] or ""
                new[keyword] = value if fuzzy else old.get(keyword) or value
        if all(new.values()):
            yield from comment_edits(entry)
        strings = [string for _, string in entry.translations]
        text = self.style.new_line.join(self.style.string(keyword, value) for keyword, value in new.items())
        yield Edit(strings[0].start, strings[-1].end, text)

    def _open_entries(self) -> Iterator[PoEntry]:
        return (entry for entry in entries(self.text, self.name) if not entry.is_header and _is_open(entry, self.forms))


@dataclass(frozen=True, slots=True)
class _Text:
    """A ``msgid`` without the sign of its key."""

    text: str
    mnemonic: Mnemonic | None
    syntax: Syntax
    doubled: bool  # whether a percent sign that begins no variable is written twice

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        return paragraphs(self.text, self.syntax)

    def translated(self, translations: Iterator[TranslatedUnit], target: Language) -> str | None:
        found = self.paragraphs
        value = rebuilt(self.text, found, map(self._as_written, itertools.islice(translations, len(found))))
        if value is None or self.mnemonic is None:
            return value
        return with_mnemonic(value, self.mnemonic, target)

    def _as_written(self, unit: TranslatedUnit) -> TranslatedUnit:
        if unit.unchanged or not self.doubled or "%" in unit.source.bare:
            return unit
        return replace(unit, target=unit.target.replaced(unit.target.text.replace("%", "%%")))


def _has_every_character(encoding: str) -> bool:
    try:
        "中ก😀".encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _sources(entry: PoEntry) -> list[_Text]:
    syntax = Syntax.ALL
    if "no-c-format" in entry.flags:
        syntax &= ~Syntax.PRINTF
    sources = [entry.msgid] if entry.msgid_plural is None else [entry.msgid, entry.msgid_plural]
    doubled = not _PERCENT_FORMATS.isdisjoint(entry.flags)
    return [_Text(*take_mnemonic(source), syntax, doubled) for source in sources]


def _is_open(entry: PoEntry, forms: PluralForms | None) -> bool:
    """Whether there is something to translate: it is fuzzy, or a form of it is empty or not there."""
    written = [string.value for _, string in entry.translations]
    missing = entry.msgid_plural is not None and forms is not None and len(written) < forms.number
    return "fuzzy" in entry.flags or missing or not all(written)


def _is_singular(entry: PoEntry, index: int, forms: PluralForms) -> bool:
    """Whether a form is translated from ``msgid``."""
    if index != forms.singular:
        return False
    return not forms.singular_serves_more or _variables(entry.msgid) == _variables(entry.msgid_plural or "")


def _variables(text: str) -> list[str]:
    return sorted(code.raw for code in mark(text, Syntax.PRINTF | Syntax.BRACES).codes)


def _notes(entry: PoEntry) -> str:
    """What the programmers tell the translators: the context, and comments taken from the program."""
    context = entry.strings.get("msgctxt")
    notes = [context.value.strip()] if context and context.value.strip() else []
    notes += [comment.text[2:].strip() for comment in entry.comments if comment.text.startswith("#.")]
    return " ".join(" ".join(notes).split())[:_LONGEST_NOTE]


def read(source: Source, options: FormatOptions) -> PoDocument:  # noqa: ARG001 - the registry's signature
    """Read a catalogue.

    Raises:
        InputError: it is not text in the encoding it declares, or a line cannot be read.
    """
    declared = _CHARSET.search(source.data[:20_000])
    charset = declared[1].decode("ascii") if declared else None
    if source.encoding is None and charset not in (None, "CHARSET"):
        decoded = decode(Source(source.name, source.data, charset))
    else:
        decoded = decode(source)
    text = decoded.text
    header = ""
    empty, plurals = True, False
    for entry in entries(text, source.name):
        empty = False
        plurals = plurals or entry.msgid_plural is not None
        if entry.is_header and not header:
            header = entry.translations[0][1].value
    if empty and text.strip("\ufeff \t\r\n"):
        raise InputError(f"{source.name} has no entry of a gettext catalogue.")
    return PoDocument(source.name, text, decoded.form, PoStyle.of(text), PluralForms.of(header), plurals)
