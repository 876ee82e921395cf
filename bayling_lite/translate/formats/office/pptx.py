"""PowerPoint presentations (PPTX): slides in their order, their notes, tables, charts and diagrams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath

from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import FormatOptions, Source
from bayling_lite.translate.formats.office.document import Found, Part, PartsDocument, find_properties
from bayling_lite.translate.formats.office.drawing_text import find_drawing_text
from bayling_lite.translate.formats.office.package import (
    attribute,
    main_part,
    open_package,
    part_tree,
    related,
    relationships,
    short_name,
)
from bayling_lite.translate.formats.xml_tree import XmlTree

_OF_A_SLIDE = ("notesSlide", "chart", "chartEx", "diagramData", "diagramDrawing")


def read(source: Source, options: FormatOptions) -> PartsDocument:  # noqa: ARG001
    """Read a presentation.

    Raises:
        InputError: it is none, is damaged or protected by a password.
    """
    archive = open_package(source)
    main = main_part(archive, source, "p:presentation")
    return PartsDocument(archive, _parts(archive, main), PurePath(source.name).suffix or ".pptx")


def _parts(archive: Archive, main: str) -> list[Part]:
    parts: dict[str, Part] = {}
    layouts: list[str] = []
    for number, slide in enumerate(_slides(archive, main), 1):
        place = f"slide {number}"
        parts.setdefault(slide, Part(slide, partial(_find, place=place, twin=None)))
        for name in related(archive, [slide], *_OF_A_SLIDE):
            kind = PurePath(name).parent.name
            twin = f"diagrams of {slide}" if kind == "diagrams" else None
            inside = f"{place}, {'notes' if kind == 'notesSlides' else 'diagram' if twin else 'chart'}"
            parts.setdefault(name, Part(name, partial(_find, place=inside, twin=twin)))
        layouts += related(archive, [slide], "slideLayout")
    for name in dict.fromkeys([*layouts, *related(archive, layouts, "slideMaster")]):
        parts.setdefault(name, Part(name, partial(_find_layout, place=PurePath(name).stem)))
    for name in related(archive, [""], "core-properties"):
        parts.setdefault(name, Part(name, find_properties))
    return list(parts.values())


def _slides(archive: Archive, main: str) -> list[str]:
    """The slides as they are shown, which need not be the order of their names."""
    by_id = {one.id: one.target for one in relationships(archive, main) if one.kind == "slide"}
    root = part_tree(archive, main).root
    shown = (attribute(element, "r:id") for element in root.iter("{*}sldId") if short_name(element) == "p:sldId")
    return [by_id[id_] for id_ in shown if id_ in by_id]


def _find(tree: XmlTree, place: str, twin: str | None) -> Iterator[Found]:
    return find_drawing_text(tree.root, place, twin)


def _find_layout(tree: XmlTree, place: str) -> Iterator[Found]:
    """The text of a layout or a master that shows on slides; that of placeholders only prompts whoever writes one."""
    for found in find_drawing_text(tree.root, place):
        shape = next(found.element.iterancestors("{*}sp"), None)
        if shape is not None and not any(short_name(element) == "p:ph" for element in shape.iter("{*}ph")):
            yield found
