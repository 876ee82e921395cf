"""What an EPUB is made of: its package document, and in which order its parts are read.

EPUB 3.3 (https://www.w3.org/TR/epub-33/), EPUB 2.0.1 (https://idpf.org/epub/201).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.xml_tree import Element, XmlTree

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_XHTML = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/html"})
_NCX = "application/x-dtbncx+xml"
# Fonts that were made useless outside of their book; all else that is encrypted cannot be read.
_OBFUSCATION = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})


@dataclass(frozen=True, slots=True)
class Package:
    """The parts of a book, by their names in the archive: ``texts`` in reading order, ``contents`` for EPUB 2."""

    opf: str
    texts: tuple[str, ...]
    contents: tuple[str, ...]
    html: frozenset[str]


def read_package(archive: Archive, name: str) -> Package:
    """Find the parts of a book; ``name`` is for messages.

    Raises:
        InputError: it is not an EPUB, is damaged, or protected against being read.
    """
    if _CONTAINER not in archive:
        raise InputError(f"{name} is not an EPUB: it has no {_CONTAINER}.")
    _refuse_encrypted(archive, name)
    opf = _package_document(archive, name)
    root = XmlTree(archive.read(opf), f"{name}: {opf}").root
    items = {item.get("id", ""): item for item in _named(root, "item")}
    spine = [items[reference] for each in _named(root, "itemref") if (reference := each.get("idref", "")) in items]
    navigation = [item for item in items.values() if "nav" in item.get("properties", "").split()]
    texts = _parts(archive, opf, [item for item in [*spine, *navigation] if item.get("media-type") in _XHTML])
    missing = [href for item in spine if (href := item.get("href", "")) and not _parts(archive, opf, [item])]
    if missing:
        raise InputError(f"{name} is damaged: its chapter {missing[0]} is missing. Get a whole copy of it.")
    if not texts:
        raise InputError(f"{name} has no text: its {opf} names no chapter that is there.")
    contents = _parts(archive, opf, [item for item in items.values() if item.get("media-type") == _NCX])
    html = _parts(archive, opf, [item for item in spine if item.get("media-type") in ("text/html", "application/html")])
    return Package(opf, texts, contents, frozenset(html))


def _package_document(archive: Archive, name: str) -> str:
    container = XmlTree(archive.read(_CONTAINER), f"{name}: {_CONTAINER}").root
    for rootfile in _named(container, "rootfile"):
        path = unquote(rootfile.get("full-path", ""))
        if path in archive:
            return path
    raise InputError(f"{name} is damaged: the package document that its {_CONTAINER} names is missing.")


def _parts(archive: Archive, opf: str, items: list[Element]) -> tuple[str, ...]:
    """The parts that items of the manifest stand for, each once. What is not there is left out."""
    found: dict[str, None] = {}
    for item in items:
        path = unquote(item.get("href", "").partition("#")[0])
        part = posixpath.normpath(posixpath.join(posixpath.dirname(opf), path))
        if part in archive:
            found[part] = None
    return tuple(found)


def _named(root: Element, name: str) -> Iterator[Element]:
    """The elements of a name, whatever their namespace: many books have a wrong one."""
    return root.iter(f"{{*}}{name}")


def _refuse_encrypted(archive: Archive, name: str) -> None:
    if _ENCRYPTION not in archive:
        return
    root = XmlTree(archive.read(_ENCRYPTION), f"{name}: {_ENCRYPTION}").root
    for data in _named(root, "EncryptedData"):
        methods = {method.get("Algorithm") for method in _named(data, "EncryptionMethod")}
        if not methods or methods - _OBFUSCATION:
            raise InputError(
                f"{name} is protected (DRM): its text is encrypted and cannot be read. Use a copy without protection."
            )
