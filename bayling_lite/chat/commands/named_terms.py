"""Which word a user means by which, however the two are typed: ``词元=token``, ``token=词元``, ``词元 for token``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayling_lite.errors import UsageError
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.session.preferences import Preferences
    from bayling_lite.languages import Language
    from bayling_lite.translate import Translation
    from bayling_lite.translate.glossary import Term

_PAIR = re.compile(r"(?P<left>[^=＝]*)[=＝](?P<right>[^=＝]*)")
_ARROW = re.compile(r"(?P<source>.+?)\s*(?:→|⇒|->)\s*(?P<wanted>.+)")
_FOR = re.compile(r"(?P<wanted>.+?)\s+(?P<between>for|für|pour)\s+(?P<source>.+)", re.IGNORECASE)
_AS = re.compile(r"(?P<source>.+?)\s+(?P<between>as|als|par)\s+(?P<wanted>.+)", re.IGNORECASE)
# The languages whose own words these are.
_OF_LANGUAGE = {"for": "en", "as": "en", "für": "de", "als": "de", "pour": "fr", "par": "fr"}
_MARKS = "\"'“”„«»「」『』‘’ "


def named_term(text: str, draft: Translation | None, preferences: Preferences) -> Term | None:
    """The word of the source and its translation; None where only one word is typed.

    With ``=`` the translation stands first, as in "use 词元 for token", unless the last source text, or the scripts of
    the languages, show that it was typed the other way round. The other forms say it themselves.

    Raises:
        UsageError: one of the two is missing, or there are more than two.
    """
    if _is_equation(text):
        pair = _PAIR.fullmatch(text)
        left, right = (_bare(pair["left"]), _bare(pair["right"])) if pair is not None else ("", "")
        if not left or not right:
            raise UsageError(_("A term is a word, =, and what it stands for in the text: /use 词元=token"))
        return (left, right) if _is_turned(left, right, draft, preferences) else (right, left)
    for pattern in (_ARROW, _FOR, _AS):
        match = pattern.fullmatch(text.replace("=>", "→"))
        if match is not None and (pattern is _ARROW or _means_pair(match, draft, preferences)):
            return _bare(match["source"]), _bare(match["wanted"])
    return None


def could_be_turned(text: str, term: Term, draft: Translation | None, preferences: Preferences) -> bool:
    """Whether nothing but their order says which word of a :func:`named_term` is the translation."""
    return _is_equation(text) and _is_turned(*term, draft, preferences) is None


def _is_equation(text: str) -> bool:
    return "=" in text.replace("=>", "→") or "＝" in text


def _means_pair(match: re.Match[str], draft: Translation | None, preferences: Preferences) -> bool:
    """Whether "X for Y" are two words: an expression of the target language can hold its own "for", as /use ready for
    take-off.
    """
    target = _target(draft, preferences)
    if target is not None and target.code != _OF_LANGUAGE[match["between"].casefold()]:
        return True
    if any(match[name].strip()[-1] in _MARKS for name in ("source", "wanted")):
        return True
    from bayling_lite.translate.glossary import occurs

    return draft is not None and occurs(_bare(match["source"]), draft.source_text)


def _target(draft: Translation | None, preferences: Preferences) -> Language | None:
    return preferences.target or (draft.target if draft is not None else None)


def _is_turned(left: str, right: str, draft: Translation | None, preferences: Preferences) -> bool | None:
    """Whether the left one is the word of the source; None where nothing shows it."""
    from bayling_lite.translate.glossary import occurs

    if draft is not None:
        there = [occurs(word, draft.source_text) for word in (left, right)]
        if there[0] != there[1]:
            return there[0]
    target = _target(draft, preferences)
    source = preferences.source or (draft.source if draft is not None else None)
    if target is None:
        return None
    likely = [_is_likely(word, target, source) for word in (left, right)]
    return likely[1] if likely[0] != likely[1] else None


def _is_likely(word: str, target: Language, source: Language | None) -> bool:
    """Whether a word is written as the target language is, and the source language is not."""
    from bayling_lite.chat.reading.draft import language_scripts, scripts

    own = language_scripts(target) - (language_scripts(source) if source is not None else frozenset())
    return bool(scripts(word) & own)


def _bare(text: str) -> str:
    return " ".join(text.strip().strip(_MARKS).split())
