"""Whether a sentence can be in the language it is said to be in.

Its script decides first: that is quick, and right for a single word. Text in Latin letters is then judged by py3langid
(n-gram naive Bayes, https://pypi.org/project/py3langid/), limited to the languages of that script known here. A
sentence is only refused where another language is much more probable, and a short one not at all by its n-grams: names,
loan words and program code look like anything.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from bayling_lite.languages import LANGUAGES, Language

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]")
_SCRIPTS = {
    "zh": _HAN,
    "ja": re.compile(f"{_HAN.pattern}|{_KANA.pattern}"),
    "ko": re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "ru": re.compile(r"[\u0400-\u052f]"),
    "uk": re.compile(r"[\u0400-\u052f]"),
    "ar": re.compile(r"[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
}
_NOT_LATIN = re.compile("|".join(script.pattern for script in dict.fromkeys(_SCRIPTS.values())))
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]{2,}")

# Letters that a text needs before a missing script, or its n-grams, say anything.
_ENOUGH_FOR_SCRIPT = 12
_ENOUGH_FOR_NGRAMS = 36
# The other language must be this many times as probable.
_MARGIN = 100.0
_LONGEST = 500  # characters that are looked at


def in_language(text: str, language: Language) -> bool:
    """False where the text is almost certainly in another language."""
    text = text[:_LONGEST]
    script = _SCRIPTS.get(language.code)
    if script is None:
        foreign = 0 if text.isascii() else len(_NOT_LATIN.findall(text))
        if foreign and foreign * 2 > len(_LETTER.findall(text)):
            return False
        return _likely(text, language)
    letters, own = len(_LETTER.findall(text)), len(script.findall(text))
    if letters >= _ENOUGH_FOR_SCRIPT and own * 20 < letters:
        return False
    if language.code in ("zh", "ja"):
        kana = len(_KANA.findall(text))
        return kana * 5 <= own if language.code == "zh" else bool(kana) or own < _ENOUGH_FOR_SCRIPT
    return _likely(text, language)


def _likely(text: str, language: Language) -> bool:
    """Whether no other language of the same script is much more probable."""
    words = _WORD.findall(text)
    if sum(map(len, words)) < _ENOUGH_FOR_NGRAMS:
        return True
    codes = _same_script(language.code)
    if len(codes) < 2:
        return True
    # Words alone: numbers, punctuation and code are the same in every language.
    probable = dict(_identifier(codes).rank(" ".join(words)))
    return bool(max(probable.values()) <= _MARGIN * probable[language.code])


@cache
def _same_script(code: str) -> tuple[str, ...]:
    script = _SCRIPTS.get(code)
    return tuple(known.code for known in LANGUAGES if _SCRIPTS.get(known.code) == script)


@cache
def _identifier(codes: Sequence[str]) -> Any:
    # Imported when it is needed: loading the model takes half a second.
    langid = importlib.import_module("py3langid.langid")
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages(codes)
    return identifier
