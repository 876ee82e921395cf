"""Packages of Office documents (ECMA-376 part 2): their parts, and how one leads to another."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import Source
from bayling_lite.translate.formats.xml_tree import Element, XmlTree

_PREFIXES = {
    "wordprocessingml": "w",
    "drawingml": "a",
    "wordprocessingDrawing": "wp",
    "picture": "pic",
    "chart": "c",
    "diagram": "dgm",
    "spreadsheetDrawing": "xdr",
    "presentationml": "p",
    "spreadsheetml": "s",
    "math": "m",
    "relationships": "r",
    "markup-compatibility": "mc",
    "urn:schemas-microsoft-com:vml": "v",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://schemas.openxmlformats.org/package/2006/metadata/core-properties": "cp",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingShape": "wps",
}


@lru_cache(maxsize=4096)
def _short(tag: str) -> str:
    namespace, _, name = tag.rpartition("}")
    namespace = namespace[1:]
    # Transitional documents have .../wordprocessingml/2006/main, strict ones .../wordprocessingml/main.
    words = [word for word in namespace.split("/") if word not in ("main", "2006")]
    prefix = _PREFIXES.get(namespace) or _PREFIXES.get(words[-1], "")
    return f"{prefix}:{name}" if prefix else name


def short_name(element: Element) -> str:
    """An element's name with the usual prefix of its namespace, whatever the document has for it: ``w:p``.

    Without a prefix where the namespace is none of the known; empty for what is no element.
    """
    return _short(element.tag) if isinstance(element.tag, str) else ""


def attribute(element: Element, name: str) -> str | None:
    """An attribute's value by its short name: ``w:val``."""
    for key, value in element.attrib.items():
        if _short(str(key)) == name:
            return str(value)
    return None


@dataclass(frozen=True, slots=True)
class Relationship:
    """That one part leads to another: ``kind`` is the last word of the type, ``target`` the other part's name."""

    id: str
    kind: str
    target: str


def open_package(source: Source) -> Archive:
    """Open an Office document.

    Raises:
        InputError: it is none, or is damaged.
    """
    archive = Archive(source)
    if "_rels/.rels" not in archive:
        raise InputError(f"{source.name} is a zip archive but not an Office document: it has no _rels/.rels.")
    return archive


def part_tree(archive: Archive, name: str) -> XmlTree:
    """A part that is XML.

    Raises:
        InputError: there is no such part, or it is damaged.
    """
    return XmlTree(archive.read(name), archive.label(name))


def main_part(archive: Archive, source: Source, root: str) -> str:
    """The part that the document begins with, which has to have a root element of that short name.

    Raises:
        InputError: there is none.
    """
    for relationship in relationships(archive, ""):
        if relationship.kind == "officeDocument":
            tree = part_tree(archive, relationship.target)
            if short_name(tree.root) == root:
                return relationship.target
    raise InputError(f"{source.name} is an Office document of another kind than its name says, or is damaged.")


def relationships(archive: Archive, part: str) -> Iterator[Relationship]:
    """Where a part leads to inside the package, in the order given; ``part`` is empty for the package itself.

    Raises:
        InputError: the list is damaged.
    """
    folder, name = posixpath.split(part)
    listing = posixpath.join(folder, "_rels", f"{name}.rels")
    if listing not in archive:
        return
    for element in part_tree(archive, listing).root.iter("{*}Relationship"):
        if element.get("TargetMode") == "External":
            continue
        path = unquote(element.get("Target", "").partition("#")[0])
        target = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
        if target in archive:
            yield Relationship(element.get("Id", ""), element.get("Type", "").rsplit("/", 1)[-1], target)


def related(archive: Archive, parts: list[str], *kinds: str) -> list[str]:
    """The parts of some kinds that parts lead to, each once, in order."""
    found = (one for part in parts for one in relationships(archive, part))
    targets = [one.target for one in found if one.kind in kinds]
    return list(dict.fromkeys(target for target in targets if target not in parts))
