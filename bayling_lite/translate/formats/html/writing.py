"""HTML written anew with translations in it, and nothing else changed.

Bilingual, the translation of a paragraph follows it as a paragraph of the same kind; elsewhere (headings, list items,
cells, labels) it follows in the same element after a line break; in titles, options and attributes after a slash.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator

from bayling_lite.languages import RIGHT_TO_LEFT
from bayling_lite.translate.formats.base import Layout, TranslatedUnit
from bayling_lite.translate.formats.html.parts import BlockEnd, Part, Parts, RootTag
from bayling_lite.translate.formats.html.runs import AttributeText, Block, LanguageMark, Run, Span
from bayling_lite.translate.formats.html.text import escaped, split_codes
from bayling_lite.translate.formats.html.tokens import Token, tokens
from bayling_lite.translate.markup import FIRST_CODE, Marked

PLAIN = frozenset({"title", "option", "optgroup", "textarea"})
"""Elements with text alone in them."""
_COPIED = frozenset({"p", "blockquote", "address", "center"})
_BARE = re.compile(r"[^\s\"'=<>`&]*[^\s\"'=<>`&/]")
_INDENTATION = re.compile(r"\r?\n[ \t]*\Z")


class HtmlWriter:
    """Writes a document once. ``changed`` says, when it is done, whether anything in it was translated."""

    def __init__(self, text: str, parts: Parts, layout: Layout, *, xml: bool) -> None:
        self.changed = False
        self._text = text
        self._parts = parts
        self._target = layout.target
        self._source = layout.source
        self._bilingual = layout.bilingual
        self._xml = xml
        self._prefix = ""  # of the namespace that elements of HTML have
        self._language_names: tuple[str, ...] = ("xml:lang",) if xml else ("lang",)
        self._copy = ""  # of the last run's block, until its place comes

    def write(self, translations: Iterator[TranslatedUnit]) -> Iterator[str]:
        """The new document, as far as it is certain: what language it declares is known with the first translation."""
        held: list[str | RootTag | LanguageMark] = []
        for piece in self._pieces(translations):
            held.append(piece)
            if self.changed or self._bilingual:
                yield "".join(map(self._resolved, held))
                held.clear()
        if held:
            yield "".join(map(self._resolved, held))

    def _pieces(self, translations: Iterator[TranslatedUnit]) -> Iterator[str | RootTag | LanguageMark]:
        done = 0
        for part in self._parts.parts:
            span = part.span
            # What stands before, here, so that it does not wait for the translation.
            yield self._text[done : span.start]
            yield self._part(part, translations)
            done = span.end
        yield self._text[done:]

    def _part(self, part: Part, translations: Iterator[TranslatedUnit]) -> str | RootTag | LanguageMark:
        if isinstance(part, Run):
            return self._run(part, translations)
        if isinstance(part, AttributeText):
            return self._attribute(part, next(translations))
        if isinstance(part, BlockEnd):
            copy, self._copy = self._copy, ""
            return copy
        if isinstance(part, RootTag):
            self._note_root(part.tag)
        return part

    def _note_root(self, tag: Token) -> None:
        if self._xml:
            self._prefix = self._raw_name(tag).rpartition(":")[0]
            if tag.attribute("lang"):
                self._language_names = ("lang", "xml:lang")

    def _raw_name(self, tag: Token) -> str:
        return re.split(r"[\s/>]", self._text[tag.start + 1 : tag.end], maxsplit=1)[0]

    # Units

    def _attribute(self, part: AttributeText, translation: TranslatedUnit) -> str:
        raw = self._text[part.span.start : part.span.end]
        if translation.unchanged:
            return raw
        self.changed = True
        codes = translation.source.codes
        pieces = [
            codes[ord(piece) - FIRST_CODE].raw
            if index % 2
            else escaped(piece, part.manner, xml=self._xml, quote=part.quote or '"')
            for index, piece in enumerate(split_codes(translation.target.text))
        ]
        new = "".join(pieces)
        if self._bilingual:
            new = f"{raw} / {new}"
        return new if part.quote or _BARE.fullmatch(new) else f'"{new}"'

    def _run(self, run: Run, translations: Iterator[TranslatedUnit]) -> str:
        edits = []
        for attribute in run.attributes:
            new = self._attribute(attribute, next(translations))
            edits.append((attribute.span.start, attribute.span.end, new))
        translation = next(translations)
        if translation.unchanged:
            return self._patched(run.span, edits)
        self.changed = True
        source = self._patched(run.span, edits)
        edits += [(mark.span.start, mark.span.end, self._renamed(mark)) for mark in run.languages]
        edits.sort()
        target = self._written(run, translation.target, edits, copy=self._bilingual)
        if not self._bilingual:
            return target
        if run.container in PLAIN:
            return source + ("\n" if run.container == "textarea" else " / ") + target
        if run.block and run.block.tag.name in _COPIED:
            self._copy = self._copied(run, run.block, target)
            return source
        prefix = f"{self._prefix}:" if self._prefix else ""
        span = f"<{prefix}span{self._language_attributes()}>{target}</{prefix}span>"
        return f"{source}<{prefix}br{' /' if self._xml else ''}>{span}"

    def _patched(self, span: Span, edits: list[tuple[int, int, str]]) -> str:
        """A stretch of the document with the attributes that were changed in it."""
        first = bisect.bisect_left(edits, (span.start,)) if edits else 0
        pieces = []
        done = span.start
        for start, end, new in edits[first:]:
            if start >= span.end:
                break
            pieces += [self._text[done:start], new]
            done = end
        return "".join([*pieces, self._text[done : span.end]])

    def _written(self, run: Run, target: Marked, edits: list[tuple[int, int, str]], *, copy: bool = False) -> str:
        """A translation as HTML; in a ``copy`` without what stands once in a document."""
        written = []
        text = nested(target) if self._xml else target.text
        for position, piece in enumerate(split_codes(text)):
            if position % 2 == 0:
                written.append(escaped(piece, run.manner, xml=self._xml))
                continue
            index = ord(piece) - FIRST_CODE
            if index not in run.codes:
                written.append(run.source.codes[index].raw)
            elif not copy:
                written.append(self._patched(run.codes[index], edits))
            elif index not in run.once:
                written.append(without_ids(self._patched(run.codes[index], edits), xml=self._xml))
        return "".join(written)

    # Bilingual

    def _copied(self, run: Run, block: Block, target: str) -> str:
        tag = block.tag
        start_tag = without_ids(self._text[tag.start : tag.end], xml=self._xml)
        start_tag = self._in_target_language(start_tag)
        before = "".join(without_ids(self._text[each.start : each.end], xml=self._xml) for each, _ in run.wrapping)
        after = "".join(self._text[each.start : each.end] for _, each in reversed(run.wrapping))
        indentation = _INDENTATION.search(self._text, max(0, tag.start - 200), tag.start)
        space = indentation[0] if indentation else ""
        return f"{space}{start_tag}{before}{target}{after}</{self._raw_name(tag)}>"

    def _in_target_language(self, start_tag: str) -> str:
        token = next(tokens(start_tag, xml=self._xml))
        for attribute in sorted(token.attributes, key=lambda each: -each.start):
            if attribute.name in ("lang", "xml:lang", "dir") and attribute.quote != "none":
                start_tag = _without(start_tag, attribute.start, attribute.end, attribute.quote)
        name = re.match(r"<[^\s/>]*", start_tag)
        end = name.end() if name else 1
        return start_tag[:end] + self._language_attributes() + start_tag[end:]

    def _language_attributes(self) -> str:
        names = "".join(f' {name}="{self._target.code}"' for name in self._language_names)
        source = self._source.code if self._source else _primary(self._parts.language)
        if _direction(self._target.code) != _direction(source):
            names += f' dir="{_direction(self._target.code)}"'
        return names

    # What the document says of its language

    def _resolved(self, piece: str | RootTag | LanguageMark) -> str:
        if isinstance(piece, str):
            return piece
        raw = self._text[piece.span.start : piece.span.end]
        if not self.changed or self._bilingual:
            return raw
        if isinstance(piece, RootTag):
            return self._root_tag(piece.tag)
        return self._renamed(piece)

    def _renamed(self, mark: LanguageMark) -> str:
        """The target's name where the source's stands."""
        language = _primary(mark.value)
        sources = {_primary(self._parts.language), self._source.code if self._source else ""}
        return self._target.code if language in sources and language != self._target.code else mark.value

    def _root_tag(self, tag: Token) -> str:
        edits: list[tuple[int, int, str]] = []
        direction = _direction(self._target.code)
        before = _direction(_primary(self._parts.language) or (self._source.code if self._source else ""))
        has_direction = False
        for attribute in tag.attributes:
            value = self._text[attribute.start : attribute.end]
            if attribute.name in ("lang", "xml:lang") and value and _primary(value) != self._target.code:
                edits.append((attribute.start, attribute.end, self._target.code))
            elif attribute.name == "dir" and attribute.quote != "none":
                has_direction = True
                if value.strip().lower() in ("ltr", "rtl"):
                    edits.append((attribute.start, attribute.end, direction))
        new = self._patched(Span(tag.start, tag.end), sorted(edits))
        if direction != before and not has_direction:
            new = f'{new[:-1]} dir="{direction}">'
        return new


def nested(target: Marked) -> str:
    """A text whose pairs of codes do not cross: one that ends inside another is opened again after it."""
    written: list[str] = []
    open_: list[str] = []
    closing = {target.code(char).pair: char for char in target.used if target.code(char).kind == "close"}
    for index, piece in enumerate(split_codes(target.text)):
        code = target.code(piece) if index % 2 else None
        if code is None or code.kind == "alone":
            written.append(piece)
        elif code.kind == "open":
            written.append(piece)
            open_.append(piece)
        elif any(target.code(each).pair == code.pair for each in open_):
            inside = []
            while target.code(open_[-1]).pair != code.pair:
                inside.append(open_.pop())
            open_.pop()
            written += [closing[target.code(each).pair] for each in inside if target.code(each).pair in closing]
            written.append(piece)
            written += reversed(inside)
            open_ += reversed(inside)
    written += [closing[target.code(each).pair] for each in reversed(open_) if target.code(each).pair in closing]
    return "".join(written)


def without_ids(raw: str, *, xml: bool) -> str:
    """Tags without their ids, which may stand only once in a document."""
    if "id" not in raw.lower():
        return raw
    found = [
        attribute
        for token in tokens(raw, xml=xml)
        for attribute in token.attributes
        if attribute.name in ("id", "xml:id") and attribute.quote != "none"
    ]
    for attribute in reversed(found):
        raw = _without(raw, attribute.start, attribute.end, attribute.quote)
    return raw


def _without(tag: str, start: int, end: int, quote: str) -> str:
    """A tag without the attribute whose value stands from ``start`` to ``end``."""
    name = re.search(r"\s*[^\s=]+\s*=\s*[\"']?\Z", tag[:start])
    return tag[: name.start() if name else start] + tag[end + len(quote) :]


def _primary(code: str) -> str:
    return re.split("[-_]", code.strip().lower(), maxsplit=1)[0]


def _direction(code: str) -> str:
    return "rtl" if code in RIGHT_TO_LEFT else "ltr"
