"""Documents of many XML parts: texts found in parts, translations written into those that have any.

A part is parsed when the document is read, to find its texts, and again when it is written, to change them there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import Cut, Layout, TranslatedUnit, Unit
from bayling_lite.translate.formats.office.package import part_tree, short_name
from bayling_lite.translate.formats.office.runs import has_text
from bayling_lite.translate.formats.xml_characters import legal
from bayling_lite.translate.formats.xml_tree import Element, XmlTree
from bayling_lite.translate.markup import Marked, plain_text


class Found(Protocol):
    """A text in a part. Those with the same ``twin``, and the same text, are one text written down several times."""

    @property
    def element(self) -> Element:
        """What is other when the text is."""
        ...

    @property
    def unit(self) -> Unit:
        """The text."""
        ...

    @property
    def twin(self) -> Hashable:
        """What all copies of a text have in common; None where there are none."""
        ...

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Change the element; gives what stands in its place."""
        ...


@dataclass(frozen=True, slots=True)
class FoundAttribute:
    """A text that is the value of an attribute: an alternative text."""

    element: Element
    name: str
    unit: Unit
    twin: Hashable = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Change the value; in a bilingual document it has both texts."""
        self.element.set(self.name, _value(self.element.get(self.name, ""), target, layout))
        return (self.element,)


@dataclass(frozen=True, slots=True)
class FoundText:
    """A text that is all there is in an element: a title."""

    element: Element
    unit: Unit
    twin: Hashable = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Change the text; in a bilingual document it has both."""
        self.element.text = _value(self.element.text or "", target, layout)
        return (self.element,)


def attribute_found(element: Element, name: str, place: str, twin: Hashable = None) -> Iterator[FoundAttribute]:
    """An attribute's text, if there is any."""
    marked = _marked(element.get(name, ""))
    if has_text(marked):
        yield FoundAttribute(element, name, Unit(marked, Cut.SENTENCES, place), twin)


def text_found(element: Element, place: str, twin: Hashable = None) -> Iterator[FoundText]:
    """An element's text, if there is any."""
    marked = _marked(element.text or "")
    if has_text(marked) and not len(element):
        yield FoundText(element, Unit(marked, Cut.WHOLE, place), twin)


def _marked(text: str) -> Marked:
    return plain_text(" ".join(text.split()))


def _value(old: str, target: Marked, layout: Layout) -> str:
    new = legal(target.reads)
    return f"{old} / {new}" if layout.bilingual else new


class Twins:
    """Says of an element of a part which of the elements of some names it is in, the nearest; None for none.

    In ``mc:AlternateContent`` the same content is written down several times, for readers of different age.
    """

    def __init__(self, part: str, *names: str) -> None:
        self._part = part
        self._names = [f"{{*}}{name}" for name in names or ("AlternateContent",)]
        self._numbers: dict[Element, int] = {}

    def __call__(self, element: Element) -> Hashable:
        """What is the same for all elements that are in the same one."""
        for around in element.iterancestors(*self._names):
            return self._part, self._names[0], self._numbers.setdefault(around, len(self._numbers))
        return None


@dataclass(frozen=True, slots=True)
class Part:
    """A part with text in it, and how that is found: always the same texts in the same order.

    ``distinct``: no two of its texts may become the same; those that would get numbers.
    """

    name: str
    find: Callable[[XmlTree], Iterator[Found]]
    distinct: bool = False


@dataclass(slots=True)
class PartsDocument:
    """A document of several XML parts in a zip archive.

    Raises:
        InputError: a part is damaged.
    """

    archive: Archive
    parts: Sequence[Part]
    suffix: str
    finish: Callable[[dict[str, bytes], Layout], None] | None = None  # changes further parts, where any were changed
    form: None = None
    can_be_bilingual: bool = True
    _units: list[Unit] = field(init=False, default_factory=list)
    _found: list[list[int]] = field(init=False, default_factory=list)  # for each part, the units that its texts are

    def __post_init__(self) -> None:
        known: dict[Hashable, int] = {}
        for part in self.parts:
            indices: list[int] = []
            for found in part.find(self._tree(part)):
                unit = found.unit
                key = (found.twin, unit.source.text, tuple(code.kind for code in unit.source.codes))
                index = len(self._units) if found.twin is None else known.setdefault(key, len(self._units))
                if index == len(self._units):
                    self._units.append(unit)
                indices.append(index)
            self._found.append(indices)

    def _tree(self, part: Part) -> XmlTree:
        return part_tree(self.archive, part.name)

    def units(self) -> Iterator[Unit]:
        """The texts, part by part."""
        yield from self._units

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[bytes]:
        """The new archive; nothing of it can be written before the last translation is there."""
        targets: dict[int, Marked] = {}
        for index in range(len(self._units)):
            translated = next(translations)
            if not translated.unchanged:
                targets[index] = translated.target
        for part, indices in zip(self.parts, self._found, strict=True):
            if part.distinct:
                self._number(indices, targets)
        changed: dict[str, bytes] = {}
        for part, indices in zip(self.parts, self._found, strict=True):
            here = {position: targets[index] for position, index in enumerate(indices) if index in targets}
            if here:
                changed[part.name] = self._changed(part, here, layout)
        if changed and self.finish is not None:
            self.finish(changed, layout)
        yield from self.archive.rewritten(changed)

    def _number(self, indices: list[int], targets: dict[int, Marked]) -> None:
        """Put a number behind each new text that would be there twice."""
        seen = {self._units[index].source.reads.casefold() for index in indices if index not in targets}
        last: dict[str, int] = {}
        for index in dict.fromkeys(indices):
            target = targets.get(index)
            if target is not None:
                name = target.reads.casefold()
                last.setdefault(name, 1)
                while targets[index].reads.casefold() in seen:
                    last[name] += 1
                    targets[index] = target.replaced(f"{target.text} {last[name]}")
                seen.add(targets[index].reads.casefold())

    def _changed(self, part: Part, targets: dict[int, Marked], layout: Layout) -> bytes:
        tree = self._tree(part)
        found = list(part.find(tree))
        numbers = tree.numbers([one.element for one in found])
        changed: dict[int, Sequence[Element]] = {}
        for position, target in targets.items():
            one = found[position]
            changed[numbers[one.element]] = one.write(target, layout)
        return tree.patched(changed)


def find_properties(tree: XmlTree) -> Iterator[Found]:
    """The title and the subject of a document."""
    for element in tree.root:
        if short_name(element) in ("dc:title", "dc:subject"):
            yield from text_found(element, "document properties")
