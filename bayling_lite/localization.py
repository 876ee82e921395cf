"""The language of the interface: English, or Simplified Chinese from a gettext catalogue.

``_("There are {count} turns.", count=3)`` is the message in the interface's language with its values in place. Messages
are looked up when they are shown, so :func:`use_language` takes effect at once. Tables made at import time hold
messages marked by :func:`noted`, and translate them where they show them.

What the library raises speaks this language, too: a program that embeds it gets English wherever the environment does
not ask for Chinese, and can say ``use_language("en")``.

Catalogues lie in ``locale/LANGUAGE/LC_MESSAGES/bayling.po``; the ``.mo`` beside it is made from that by
``python -m tools.catalogue`` and compared with it by a test.
"""

from __future__ import annotations

import gettext
import locale
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from bayling_lite.errors import UsageError

InterfaceLanguage = Literal["en", "zh"]

LOCALES = Path(__file__).with_name("locale")
_DOMAIN = "bayling"
_FOLDERS: dict[InterfaceLanguage, str] = {"zh": "zh_CN"}


class _Catalogue:
    """The catalogue in force, loaded when the first message is shown."""

    def __init__(self) -> None:
        self.language: InterfaceLanguage | None = None
        self._loaded: tuple[InterfaceLanguage, gettext.NullTranslations] | None = None

    def find(self) -> gettext.NullTranslations:
        language = interface_language()
        if self._loaded is None or self._loaded[0] != language:
            folder = _FOLDERS.get(language)
            found = (
                gettext.translation(_DOMAIN, LOCALES, [folder], fallback=True)
                if folder is not None
                else gettext.NullTranslations()
            )
            self._loaded = language, found
        return self._loaded[1]


_catalogue = _Catalogue()


def _(message: str, /, **values: object) -> str:
    """The message in the interface's language, with ``{name}`` replaced by the value of that name."""
    # The empty message is the catalogue's own header.
    shown = _catalogue.find().gettext(message) if message else ""
    return shown.format(**values) if values else shown


def plural(one: str, many: str, count: int, /, **values: object) -> str:
    """The message for ``count`` things, which it can hold as ``{count}``."""
    return _catalogue.find().ngettext(one, many, count).format(count=count, **values)


def listed(items: Iterable[str]) -> str:
    """Words of a list in a sentence, with what stands between them."""
    return _(_BETWEEN).join(items)


def noted(message: str) -> str:
    """The message itself, marked as one to be translated where it is shown."""
    return message


_BETWEEN = noted(", ")


def sentences(*texts: str) -> str:
    """Sentences one after the other, those that are empty left out; Chinese has no space between them."""
    return ("" if interface_language() == "zh" else " ").join(filter(None, texts))


def use_language(name: str | None) -> None:
    """Set the language of the interface; None goes back to that of the environment.

    Raises:
        UsageError: there is no interface in this language.
    """
    _catalogue.language = None if name is None else _language(name)


def interface_language() -> InterfaceLanguage:
    """The language in force: the one set, else the environment's (English for any that we have not)."""
    if _catalogue.language is None:
        _catalogue.language = environment_language(os.environ, sys.platform)
    return _catalogue.language


def environment_language(environ: Mapping[str, str], platform: str) -> InterfaceLanguage:
    """The language that the environment asks for.

    ``BAYLING_LANG``, then gettext's own variables: ``LANGUAGE`` (a list), ``LC_ALL``, ``LC_MESSAGES``, ``LANG``. Where
    none of them is set, which is usual on Windows and in programs started from the macOS desktop, the system's setting.
    """
    if (own := environ.get("BAYLING_LANG", "")) and (known := _known(own)):
        return known
    decisive = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    # As in gettext: a list of languages counts only where a locale is in force at all.
    if decisive and decisive.split(".")[0] not in ("C", "POSIX") and environ.get("LANGUAGE"):
        wanted = environ["LANGUAGE"].split(":")
        return next((known for name in wanted if (known := _known(name))), "en")
    if not decisive:
        decisive = _system_locale(platform)
    return _known(decisive) or "en"


def _system_locale(platform: str) -> str:
    """What the system itself says; empty where it does not."""
    if platform in ("win32", "darwin"):
        try:
            return locale.getlocale()[0] or ""
        except ValueError:  # a locale that Python does not know
            return ""
    return ""


def _known(name: str) -> InterfaceLanguage | None:
    """The interface's language for a locale's name; traditional characters are not ours, and get English."""
    key = name.strip().replace("_", "-").casefold().split(".")[0].split("@")[0]
    if key in ("zh", "zh-cn", "zh-sg", "zh-my", "chinese", "中文", "简体中文") or key.startswith(
        ("zh-hans", "chinese-china", "chinese (simplified)", "chinese-simplified")
    ):
        return "zh"
    return "en" if key == "c" or key.split("-")[0] in ("en", "english", "posix") else None


def _language(name: str) -> InterfaceLanguage:
    known = _known(name)
    if known is None:
        raise UsageError(_("The interface speaks English (en) and Simplified Chinese (zh), not {name!r}.", name=name))
    return known
