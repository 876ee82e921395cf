"""XLIFF 1.2, 2.0 and 2.1, and what tools make of 1.2 (SDLXLIFF, MXLIFF): segments without a translation get one.

A segment is translated where its target is missing or empty, or its state is ``new``, ``needs-translation`` or
``initial``. What is locked, approved, signed off, final, or not to be translated stays as it is, and so does every
character of the document outside the targets, but for their states and the declared target language.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bayling_lite.errors import InputError
from bayling_lite.languages import Language
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.edits import Edit, patched
from bayling_lite.translate.formats.message_patterns import is_message_pattern
from bayling_lite.translate.formats.variables import has_words
from bayling_lite.translate.formats.xliff.inline import marked, written
from bayling_lite.translate.formats.xliff.scanner import Found, Node, units
from bayling_lite.translate.formats.xml_tree import XmlTree
from bayling_lite.translate.markup import Marked

_OPEN_STATES = frozenset({"new", "needs-translation", "initial"})
_CLOSED_STATES = frozenset({"final", "signed-off"})
_CDATA = re.compile(r"\s*<!\[CDATA\[((?:(?!\]\]>).)*)\]\]>\s*", re.DOTALL)
_LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class _Segment:
    """A source to translate, and what its target is: an element there is, or where one should come.

    ``text`` is its text, from ``start`` to ``end``. ``holder`` is the element with the attribute ``state`` (of 2.x the
    segment, else the target, or None). ``within`` is the whole source of a unit that is cut into segments by marks.
    """

    source: Node
    target: Node | None
    holder: Node | None
    text: Marked
    start: int
    end: int
    cdata: bool


@dataclass(frozen=True, slots=True)
class XliffDocument:
    """An XLIFF document."""

    text: str
    form: TextForm
    suffix: str
    can_be_bilingual: bool = True  # it always is

    def units(self) -> Iterator[Unit]:
        """The segments that are to be translated."""
        for found in units(self.text):
            segments = self._segments(found)
            if segments:
                place, notes = _place(found.unit), _notes(self.text, found.unit)
                yield from (Unit(segment.text, Cut.SENTENCES, place, notes) for segment in segments)

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The document with the translations in its targets."""
        return patched(self.text, self._edits(translations, layout.target))

    def _edits(self, translations: Iterator[TranslatedUnit], target: Language) -> Iterator[Edit]:
        declared = -1  # where the last element begins that was made to declare the language
        for found in units(self.text):
            segments = self._segments(found)
            new = [next(translations) for _ in segments]
            changed = [
                (segment, translation.target)
                for segment, translation in zip(segments, new, strict=True)
                if not translation.unchanged
            ]
            if not changed:
                continue
            is_second = found.unit.name == "unit"
            declares, attribute = (found.root, "trgLang") if is_second else (found.file, "target-language")
            if declares.start != declared:
                declared = declares.start
                yield from self._declared(declares, attribute, target)
            yield from self._unit_edits(found.unit, changed)

    def _declared(self, node: Node, attribute: str, target: Language) -> Iterator[Edit]:
        there = node.attributes.get(attribute)
        if there is None or there.replace("_", "-").split("-")[0].casefold() != target.code:
            yield self._attribute(node, attribute, target.code)

    def _attribute(self, node: Node, name: str, value: str) -> Edit:
        """Set an attribute in a start tag."""
        tag = self.text[node.start : node.inner_start]
        found = re.search(rf"""(?<=\s){re.escape(name)}\s*=\s*(?:"[^"]*"|'[^']*')""", tag)
        if found:
            return Edit(node.start + found.start(), node.start + found.end(), f'{name}="{value}"')
        at = node.start + len(tag.removesuffix(">").removesuffix("/").rstrip())
        return Edit(at, at, f' {name}="{value}"')

    def _unit_edits(self, unit: Node, changed: list[tuple[_Segment, Marked]]) -> Iterator[Edit]:
        seg_source = unit.first("seg-source")
        target = unit.first("target")
        if seg_source is not None and target is None:
            yield self._whole_target(seg_source, changed)
            return
        # Marks may stand in another order in the target.
        edits = (edit for segment, text in changed for edit in self._segment_edits(segment, text))
        yield from sorted(edits, key=lambda edit: edit.start)

    def _whole_target(self, seg_source: Node, changed: list[tuple[_Segment, Marked]]) -> Edit:
        """A target with the marks of the source, and in them the translations."""
        start = seg_source.inner_start
        edits = (
            Edit(segment.start - start, segment.end - start, written(text, cdata=segment.cdata))
            for segment, text in changed
        )
        inner = "".join(patched(self.text[start : seg_source.inner_end], edits))
        name = seg_source.qualified.removesuffix("seg-source") + "target"
        space = self._space_before(seg_source)
        return Edit(seg_source.end, seg_source.end, f'{space}<{name} state="translated">{inner}</{name}>')

    def _segment_edits(self, segment: _Segment, text: Marked) -> Iterator[Edit]:
        source, target, holder = segment.source, segment.target, segment.holder
        before = self.text[source.inner_start : segment.start]
        after = self.text[segment.end : source.inner_end]
        inner = before + written(text, cdata=segment.cdata) + after
        if holder is not None and (holder is not target or "state" in holder.attributes):
            yield self._attribute(holder, "state", "translated")
        if target is None:
            name = source.qualified.removesuffix("source") + "target"
            state = "" if holder is not None else ' state="translated"'
            yield Edit(source.end, source.end, f"{self._space_before(source)}<{name}{state}>{inner}</{name}>")
        elif target.is_empty_tag:
            slash = self.text.rindex("/", target.start, target.end)
            yield Edit(slash, target.end, f">{inner}</{target.qualified}>")
        else:
            yield Edit(target.inner_start, target.inner_end, inner)

    def _space_before(self, node: Node) -> str:
        """The line break and indentation before an element."""
        before = self.text[max(0, node.start - 200) : node.start]
        return before[len(before.rstrip()) :]

    def _segments(self, found: Found) -> list[_Segment]:
        unit = found.unit
        if not found.translatable or _is_closed(unit):
            return []
        if unit.name == "unit":
            parts = [part for part in unit.children if part.name == "segment" and not _is_closed(part)]
            segments = (self._segment(part.first("source"), part.first("target"), part) for part in parts)
        elif unit.first("seg-source") is not None:
            segments = (self._segment(source, target, None) for source, target in _marked_segments(unit))
        else:
            target = unit.first("target")
            if target is not None and _is_closed(target):
                return []
            segments = (self._segment(part, target, target) for part in [unit.first("source")])
        return [segment for segment in segments if segment is not None]

    def _segment(self, source: Node | None, target: Node | None, holder: Node | None) -> _Segment | None:
        """What is to be translated of a source; None where its target is there, or it has no words."""
        is_open = holder is not None and holder.attributes.get("state") in _OPEN_STATES
        is_missing = target is None or not self.text[target.inner_start : target.inner_end].strip()
        if source is None or not (is_open or is_missing):
            return None
        cdata = _CDATA.fullmatch(self.text, source.inner_start, source.inner_end)
        start, end = cdata.span(1) if cdata else (source.inner_start, source.inner_end)
        inner = self.text[start:end]
        start, end = start + len(inner) - len(inner.lstrip()), start + len(inner.rstrip())
        try:
            text = marked(self.text, start, end, cdata=bool(cdata))
        except ValueError:
            return None
        if not has_words(text) or is_message_pattern(html.unescape(inner)):
            return None
        return _Segment(source, target, holder, text, start, end, bool(cdata))


def _is_closed(node: Node) -> bool:
    """Whether a unit, a segment or a target is done with."""
    attributes = node.attributes
    return (
        attributes.get("approved") == "yes"
        or attributes.get("locked", "").casefold() in {"true", "yes", "1"}
        or attributes.get("confirmed") == "1"
        or attributes.get("state") in _CLOSED_STATES
    )


def _marked_segments(unit: Node) -> list[tuple[Node, Node | None]]:
    """The marks of segments in the source that was cut into them, and those in the target; none that are locked."""
    seg_source, target = unit.first("seg-source"), unit.first("target")
    if seg_source is None:
        return []
    if target is not None and _is_closed(target):
        return []
    definitions = {node.attributes.get("id"): node for part in unit.all("seg-defs") for node in part.all("seg")}
    there = {node.attributes.get("mid"): node for node in _marks(target)} if target is not None else {}
    found: list[tuple[Node, Node | None]] = []
    for node in _marks(seg_source):
        number = node.attributes.get("mid")
        definition = definitions.get(number)
        if definition is not None and _is_closed(definition):
            continue
        if target is None or number in there:
            found.append((node, there.get(number)))
    return found


def _marks(node: Node) -> list[Node]:
    """The marks of segments in an element, in order, however deep they stand."""
    found: list[Node] = []
    waiting = list(reversed(node.children))
    while waiting:
        child = waiting.pop()
        if child.name == "mrk" and child.attributes.get("mtype") == "seg":
            found.append(child)
        else:
            waiting += reversed(child.children)
    return found


def _place(unit: Node) -> str:
    attributes = unit.attributes
    return f"unit {attributes.get('resname') or attributes.get('name') or attributes.get('id', '')}".strip()


def _notes(text: str, unit: Node) -> str:
    nodes = unit.all("note") + [note for part in unit.all("notes") for note in part.all("note")]
    notes = (html.unescape(re.sub(r"<[^<>]*>", "", text[note.inner_start : note.inner_end])) for note in nodes)
    return " ".join(" ".join(notes).split())[:_LONGEST_NOTE]


def read(source: Source, options: FormatOptions) -> XliffDocument:  # noqa: ARG001 - the registry's signature
    """Read an XLIFF document.

    Raises:
        InputError: it is not well-formed XML, or not XLIFF.
    """
    tree = XmlTree(source.data, source.name)
    root = str(tree.root.tag).rpartition("}")[2]
    if root != "xliff":
        raise InputError(f"{source.name} is not XLIFF: its root element is <{root}>.")
    suffix = next((end for end in (".sdlxliff", ".mxliff", ".xliff") if source.name.casefold().endswith(end)), ".xlf")
    return XliffDocument(tree.text, TextForm(tree.encoding, "xmlcharrefreplace"), suffix)
