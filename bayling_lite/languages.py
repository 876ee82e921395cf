"""Languages: BCP-47 codes, names, scripts, and telling which language a text is in."""

from __future__ import annotations

import functools
import importlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bayling_lite.errors import UsageError
from bayling_lite.localization import _, interface_language, listed


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its BCP-47 code and its name in English, in Chinese and in itself.

    ``spaced`` says whether words are separated by spaces.
    """

    code: str
    english: str
    chinese: str
    own: str
    spaced: bool = True

    def __str__(self) -> str:
        return self.code

    @property
    def localized(self) -> str:
        """Its name in the language of the interface."""
        return self.chinese if interface_language() == "zh" else self.english


RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
"""The codes of languages that are written from right to left, those that have no name here included."""

LANGUAGES: tuple[Language, ...] = (
    Language("en", "English", "英文", "English"),
    Language("zh", "Chinese", "中文", "中文", spaced=False),
    Language("de", "German", "德文", "Deutsch"),
    Language("fr", "French", "法文", "Français"),
    Language("cs", "Czech", "捷克文", "Čeština"),
    Language("ja", "Japanese", "日文", "日本語", spaced=False),
    Language("ru", "Russian", "俄文", "Русский"),
    Language("uk", "Ukrainian", "乌克兰文", "Українська"),
    Language("es", "Spanish", "西班牙文", "Español"),
    Language("it", "Italian", "意大利文", "Italiano"),
    Language("pt", "Portuguese", "葡萄牙文", "Português"),
    Language("nl", "Dutch", "荷兰文", "Nederlands"),
    Language("ko", "Korean", "韩文", "한국어"),
    Language("ar", "Arabic", "阿拉伯文", "العربية"),
    Language("vi", "Vietnamese", "越南文", "Tiếng Việt"),
    Language("th", "Thai", "泰文", "ไทย", spaced=False),
)

_BY_NAME = {
    name.casefold(): language
    for language in LANGUAGES
    for name in (language.code, language.english, language.chinese, language.own)
}
# 德文 is written, 德语 is spoken, and who asks for one means the other as well.
_BY_NAME |= {f"{language.chinese[:-1]}语": language for language in LANGUAGES if language.code != "zh"}
_BY_NAME |= dict.fromkeys(("汉语", "汉文", "简体中文", "zh-hans"), _BY_NAME["zh"])

AUTOMATIC = frozenset({"auto", "自动", "自动检测"})
"""What says, in the place of a language, that it is to be detected."""


def find_language(name: str) -> Language:
    """The language of a BCP-47 code (``zh``, ``zh-CN``) or of a name in English, Chinese or itself.

    Raises:
        UsageError: no such language; the message lists the known ones.
    """
    key = name.strip().casefold().replace("_", "-")
    language = _BY_NAME.get(key) or _BY_NAME.get(key.split("-")[0])
    if language is None:
        known = listed(
            _("{code} ({language})", code=language.code, language=language.localized) for language in LANGUAGES
        )
        raise UsageError(_("Unknown language {name!r}. Known: {known}.", name=name, known=known))
    return language


_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")


def detect_language(text: str, candidates: Iterable[Language] | None = None) -> Language | None:
    """The most probable language of a text among the candidates; None when it holds no letter.

    Han without kana or hangul is Chinese by its script alone; the rest is decided by py3langid (n-gram naive Bayes),
    limited to the candidates, because on short text a free choice among a hundred languages is often wrong.
    """
    if not _LETTER.search(text):
        return None
    choice = tuple(candidates) if candidates is not None else LANGUAGES
    by_code = {language.code: language for language in choice}
    letters = len(_LETTER.findall(text))
    if "zh" in by_code and not _KANA_OR_HANGUL.search(text) and len(_HAN.findall(text)) * 3 >= letters:
        return by_code["zh"]
    ranked = (code for code, _ in _identifier().rank(text))
    return next((by_code[code] for code in ranked if code in by_code), None)


def rank_languages(text: str) -> list[tuple[Language, float]]:
    """Our languages by how well a text fits them, best first, with py3langid's score (log-probabilities in nats, up to
    a constant); empty when it holds no letter. It grows with the text: the longer, the surer.
    """
    if not _LETTER.search(text):
        return []
    by_code = {language.code: language for language in LANGUAGES}
    return [(by_code[code], float(score)) for code, score in _identifier().rank(text) if code in by_code]


def load_detector() -> None:
    """Load what :func:`detect_language` needs, so that its first call takes no longer than others. From any thread."""
    _identifier()


def _identifier() -> Any:
    # Many threads may want it at once, and loading it many times at once takes many times as long.
    with _loading:
        return _loaded_identifier()


@functools.cache
def _loaded_identifier() -> Any:
    # Imported when it is needed: loading the model takes half a second.
    langid = importlib.import_module("py3langid.langid")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)


_loading = threading.Lock()
