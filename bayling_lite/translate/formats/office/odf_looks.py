"""Styles of OpenDocument for text of another script (ODF 1.3 part 3, ``style:text-properties``).

A style says of Western, of Asian and of complex scripts each what they look like and what language they are in. Whoever
wrote a document in one language may have said so of that alone: its translation would be neither bold nor large where
the source is, and drawn as another language writes the same characters.
"""

from __future__ import annotations

from collections.abc import Sequence

from bayling_lite.languages import RIGHT_TO_LEFT, Language
from bayling_lite.translate.formats.base import Layout
from bayling_lite.translate.formats.xml_tree import Element, XmlTree

_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_PROPERTIES = f"{_STYLE}text-properties"
_LOOKS = ("font-weight", "font-style", "font-size")
_NO_LANGUAGE = "zxx"  # said of what is in none: code, numbers
_COUNTRIES = {"zh": "CN"}


def with_looks(tree: XmlTree, layout: Layout) -> bytes:
    """A part whose styles are for the target's script and language."""
    numbers = tree.numbers(list(tree.root.iter(_PROPERTIES)))
    changed: dict[int, Sequence[Element]] = {}
    for properties, number in numbers.items():
        new = {**_looks(properties, layout), **_language(properties, layout)}
        if new:
            changed[number] = [properties]
        for name, value in new.items():
            properties.set(name, value)
    return tree.patched(changed)


def _looks(properties: Element, layout: Layout) -> dict[str, str]:
    """What a style says of the source's script and not of the target's."""
    source, target = _script(layout.source), _script(layout.target)
    names = {_name(look, target): properties.get(_name(look, source)) for look in _LOOKS}
    return {name: value for name, value in names.items() if value and not properties.get(name)}


def _language(properties: Element, layout: Layout) -> dict[str, str]:
    """The target's name where that of the source stands, or any for a script that the source has not."""
    script = _script(layout.target)
    name = _name("language", script)
    old = properties.get(name, _NO_LANGUAGE)
    if script == _script(layout.source) and (layout.bilingual or layout.source is None or old != layout.source.code):
        return {}
    if old in (_NO_LANGUAGE, layout.target.code):
        return {}
    return {name: layout.target.code, _name("country", script): _COUNTRIES.get(layout.target.code, "none")}


def _script(language: Language | None) -> str:
    """What the attributes of a language's script end with."""
    if language is None or language.code not in RIGHT_TO_LEFT | {"zh", "ja", "ko"}:
        return ""
    return "-complex" if language.code in RIGHT_TO_LEFT else "-asian"


def _name(attribute: str, script: str) -> str:
    return f"{_STYLE}{attribute}{script}" if script else f"{_FO}{attribute}"
