"""Styles of Word documents (ECMA-376 part 1, 17.7) whose text is not translated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bayling_lite.translate.formats.office.code_styles import is_for_code
from bayling_lite.translate.formats.office.package import attribute, short_name
from bayling_lite.translate.formats.xml_tree import Element

_OFF = {"0", "false", "off"}


@dataclass(frozen=True, slots=True)
class Styles:
    """Styles by their ids: the text of those that are ``hidden`` is not shown, that of others is ``code``."""

    hidden: frozenset[str] = frozenset()
    code: frozenset[str] = frozenset()

    def hides(self, properties: Element) -> bool:
        """Whether a run of these properties is not shown."""
        vanish = child_of(properties, "w:vanish")
        return _is_on(vanish) if vanish is not None else not self.hidden.isdisjoint(_styles(properties))

    def is_code(self, properties: Element) -> bool:
        """Whether a run or a paragraph of these properties is code."""
        return not self.code.isdisjoint(_styles(properties))

    def keeps(self, properties: Element) -> bool:
        """Whether nothing in a paragraph of these properties is translated."""
        return self.is_code(properties) or not self.hidden.isdisjoint(_styles(properties))


def read_styles(parts: Iterable[Element]) -> Styles:
    """The styles in parts of styles."""
    hidden, code = set(), set()
    for style in (style for part in parts for style in part):
        id_ = attribute(style, "w:styleId") or ""
        name, properties = child_of(style, "w:name"), child_of(style, "w:rPr")
        if properties is not None and Styles().hides(properties):
            hidden.add(id_)
        if name is not None and is_for_code(attribute(name, "w:val") or ""):
            code.add(id_)
    return Styles(frozenset(hidden), frozenset(code))


def child_of(parent: Element, name: str) -> Element | None:
    """The first child of a name, by the usual prefix."""
    return next((child for child in parent if short_name(child) == name), None)


def _is_on(toggle: Element) -> bool:
    return (attribute(toggle, "w:val") or "1") not in _OFF


def _styles(properties: Element) -> set[str | None]:
    return {attribute(child, "w:val") for child in properties if short_name(child) in ("w:rStyle", "w:pStyle")}
