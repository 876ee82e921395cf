"""The attributes of HTML: which people read, which name a language, which say what is not to be translated."""

from __future__ import annotations

import re

from bayling_lite.translate.formats.html.elements import names
from bayling_lite.translate.formats.html.runs import AttributeText, LanguageMark, Span, attribute_text
from bayling_lite.translate.formats.html.tokens import Token

_READ_ATTRIBUTES = names(
    "alt title placeholder aria-label aria-description aria-placeholder aria-roledescription aria-valuetext"
)
_LABELLED = frozenset({"track", "optgroup", "option"})
_BUTTONS = frozenset({"submit", "button", "reset"})
_META = names("""
    description keywords abstract subject og:title og:description og:site_name og:image:alt twitter:title
    twitter:description twitter:image:alt dc.title dc.description dc.subject dcterms.title dcterms.description
    application-name apple-mobile-web-app-title
    """)
_NO_TITLE = frozenset({"link", "style"})  # there it names a set of styles
_NOT_TRANSLATED = frozenset({"notranslate", "math", "mathjax", "mathjax_preview", "katex", "skiptranslate"})
_FILE_OR_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|/)\S+|\S+\.(?:jpe?g|png|gif|webp|svg|ico|bmp)", re.I)


def wish_of(text: str, token: Token) -> bool | None:
    """Whether an element asks to be translated, or not to be; None if it does not say."""
    found = token.attribute("translate")
    if found:
        value = text[found.start : found.end].strip().lower()
        if value in ("no", "yes", ""):
            return value != "no"
    classes = token.attribute("class")
    if classes and not _NOT_TRANSLATED.isdisjoint(text[classes.start : classes.end].lower().split()):
        return False
    return None


def readable_or_language(text: str, tag: Token, *, xml: bool) -> list[AttributeText | LanguageMark]:
    """What of a tag's attributes is to be translated, or names a language, in order."""
    found: list[AttributeText | LanguageMark] = []
    seen = set()
    for attribute in tag.attributes:
        name = attribute.name.lower()
        if attribute.end == attribute.start or name in seen:
            continue
        seen.add(name)
        value = text[attribute.start : attribute.end]
        if name in ("lang", "xml:lang"):
            found.append(LanguageMark(Span(attribute.start, attribute.end), value))
        elif _is_read(text, tag, name) and not _FILE_OR_ADDRESS.fullmatch(value.strip()):
            unit = attribute_text(text, attribute, f"{tag.name} {name}", xml=xml)
            found += [unit] if unit else []
    return found


def _is_read(text: str, tag: Token, name: str) -> bool:
    """Whether people read the value of an attribute."""
    if name in _READ_ATTRIBUTES:
        return name != "title" or tag.name not in _NO_TITLE
    if name == "label":
        return tag.name in _LABELLED
    if name == "abbr":
        return tag.name == "th"
    if name == "summary":
        return tag.name == "table"
    if name == "value":
        return tag.name == "input" and _value(text, tag, "type") in _BUTTONS
    return name == "content" and tag.name == "meta" and _value(text, tag, "name", "property", "itemprop") in _META


def _value(text: str, tag: Token, *attributes: str) -> str:
    found = tag.attribute(*attributes)
    return text[found.start : found.end].strip().lower() if found else ""
