"""JSON and JSON Lines: the strings that are text are translated, everything else stays as it stands.

Where the user names no paths, what is translated are the values that people wrote for people to read (see
:mod:`~bayling_lite.translate.formats.wording`); in a catalogue of messages, where hardly anything else is, also single
words in small letters. Not translated there: keys that begin with ``@`` or ``$`` and all below them (metadata of ARB,
JSON-LD and schemas), and values of keys that name data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.formats.edits import Edit, patched
from bayling_lite.translate.formats.json.paths import PathChoice, written_path
from bayling_lite.translate.formats.json.scanner import JsonString, scan
from bayling_lite.translate.formats.json.style import JsonStyle
from bayling_lite.translate.formats.values import Paragraph, paragraphs, rebuilt
from bayling_lite.translate.formats.wording import looks_like_text

_DATA_KEYS = frozenset(
    """id _id uuid guid key type kind class classname style styles icon url uri href link src path file filename
    directory dir lang locale language languagecode encoding charset format mime mimetype version license licence hash
    sha sha1 sha256 md5 integrity checksum signature token date time timestamp created updated modified regex pattern
    color colour email tag_name html_url required enum scripts repository bin main module exports""".split()  # noqa: SIM905
)
_DATA_ABOVE = frozenset("scripts dependencies devdependencies engines repository exports".split())  # noqa: SIM905
_LEAST_TEXT = 0.5  # the part of the strings of a catalogue that look like text without doubt


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A JSON text. ``catalogue`` says that its values are messages of a program, and hardly anything else."""

    name: str
    text: str
    form: TextForm
    suffix: str
    style: JsonStyle
    chosen: PathChoice | None
    catalogue: bool
    can_be_bilingual: bool = False

    def units(self) -> Iterator[Unit]:
        """The paragraphs of the strings that are text."""
        for string, found in self._texts():
            place = written_path(string.path) or "the value"
            yield from (Unit(paragraph.source, Cut.SENTENCES, place) for paragraph in found)

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The text with the translated strings in the place of the old ones."""
        return patched(self.text, self._edits(translations, layout))

    def _edits(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[Edit]:
        locale: Edit | None = None
        for string in self._strings():
            if string.path == ("@@locale",):
                locale = Edit(string.start, string.end, self.style.written(layout.target.code))
            value = rebuilt(string.value, self._paragraphs(string), translations)
            if value is not None:
                if locale is not None:
                    yield locale
                    locale = None
                old = self.text[string.start : string.end]
                yield Edit(string.start, string.end, self.style.written(value, old))

    def _texts(self) -> Iterator[tuple[JsonString, tuple[Paragraph, ...]]]:
        return ((string, self._paragraphs(string)) for string in self._strings())

    def _strings(self) -> Iterator[JsonString]:
        return (item for item in scan(self.text, self.name) if isinstance(item, JsonString))

    def _paragraphs(self, string: JsonString) -> tuple[Paragraph, ...]:
        return paragraphs(string.value) if self._is_chosen(string) else ()

    def _is_chosen(self, string: JsonString) -> bool:
        if self.chosen is not None:
            return self.chosen.has(string.path)
        keys = [step for step in string.path if isinstance(step, str)]
        if any(key.startswith(("@", "$")) for key in keys):
            return False
        if self.catalogue:
            return _may_be_message(string.value)
        if keys and (keys[-1].casefold() in _DATA_KEYS or not _DATA_ABOVE.isdisjoint(map(str.casefold, keys))):
            return False
        return looks_like_text(string.value)


def _may_be_message(value: str) -> bool:
    """Whether a value of a catalogue is text: there single words in small letters are, too."""
    return looks_like_text(value.capitalize() if value.isalpha() else value)


def read(source: Source, options: FormatOptions) -> JsonDocument:
    """Read JSON or JSON Lines.

    Raises:
        InputError: it is not text, or not JSON.
        UsageError: one of ``options.keys`` is not a path.
    """
    decoded = decode(source)
    if not decoded.text.strip("\ufeff \t\r\n"):
        raise InputError(f"{source.name} is empty, and no JSON.")
    suffix = next((end for end in (".jsonl", ".ndjson") if source.name.casefold().endswith(end)), ".json")
    return JsonDocument(
        name=source.name,
        text=decoded.text,
        form=decoded.form,
        suffix=suffix,
        style=JsonStyle.of(decoded.text, decoded.form.encoding),
        chosen=PathChoice(options.keys) if options.keys else None,
        catalogue=_is_catalogue(decoded.text, source.name),
    )


def _is_catalogue(text: str, name: str) -> bool:
    """Whether a document is a catalogue of messages; reads all of it, so that damage is found."""
    strings = texts = others = 0
    for item in scan(text, name):
        if isinstance(item, JsonString):
            strings += 1
            texts += looks_like_text(item.value)
            others += any(isinstance(step, int) for step in item.path)
        else:
            others += 1
    return strings > 0 and others * 10 <= strings and texts >= _LEAST_TEXT * strings
