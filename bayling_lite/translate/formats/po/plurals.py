"""Plural forms of gettext: how many a language has, and which of them the singular is."""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from dataclasses import dataclass

from bayling_lite.languages import Language

_HEADER = re.compile(r"^Plural-Forms:\s*nplurals\s*=\s*(\d{1,2})\s*;\s*plural\s*=\s*([^\n;]+);?", re.MULTILINE)
_MOST = 10
_ENOUGH = 200  # numbers to try a rule on: no language has one with a longer period

_ONE_FORM = "nplurals=1; plural=0;"
_NOT_ONE = "nplurals=2; plural=(n != 1);"
_EAST_SLAVIC = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
# The rules of the gettext manual, chapter 11.2.6, and for Arabic of the Unicode CLDR.
_USUAL = {
    "zh": _ONE_FORM,
    "ja": _ONE_FORM,
    "ko": _ONE_FORM,
    "vi": _ONE_FORM,
    "th": _ONE_FORM,
    "fr": "nplurals=2; plural=(n > 1);",
    "cs": "nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;",
    "ru": _EAST_SLAVIC,
    "uk": _EAST_SLAVIC,
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
}


def usual_plural_forms(language: Language) -> str:
    """What a header says of the plural forms of a language."""
    return _USUAL.get(language.code, _NOT_ONE)


@dataclass(frozen=True, slots=True)
class PluralForms:
    """``number`` forms; ``rule`` gives the form for a number of things."""

    number: int
    rule: Callable[[int], int]

    @classmethod
    def of(cls, header: str) -> PluralForms | None:
        """Those that a catalogue's header declares; None where it does not, or has a placeholder."""
        found = _HEADER.search(header)
        if not found or not 1 <= int(found[1]) <= _MOST:
            return None
        try:
            rule = gettext.c2py(found[2].strip())
            rule(1)
        except (ValueError, ZeroDivisionError, RecursionError):
            return None
        return cls(int(found[1]), rule)

    @classmethod
    def usual(cls, language: Language) -> PluralForms:
        """Those of a language."""
        forms = cls.of(f"Plural-Forms: {usual_plural_forms(language)}")
        if forms is None:
            raise ValueError(f"no plural forms for {language}")
        return forms

    @property
    def singular(self) -> int:
        """The form for one thing."""
        return self.rule(1)

    @property
    def singular_serves_more(self) -> bool:
        """Whether that form also stands for other numbers, as 21 in Russian and every number in Chinese."""
        return any(self.rule(number) == self.singular for number in range(2, _ENOUGH))
