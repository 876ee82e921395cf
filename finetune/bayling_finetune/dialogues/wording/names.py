"""What languages are called in the four languages that users speak here, ready for the sentences of the grammars."""

from __future__ import annotations

from bayling_lite.languages import LANGUAGES, find_language

# German: the form of "auf Deutsch"; with an e, that of "ins Deutsche".
_GERMAN = {
    "en": "Englisch",
    "zh": "Chinesisch",
    "de": "Deutsch",
    "fr": "Französisch",
    "cs": "Tschechisch",
    "ja": "Japanisch",
    "ru": "Russisch",
    "uk": "Ukrainisch",
    "es": "Spanisch",
    "it": "Italienisch",
    "pt": "Portugiesisch",
    "nl": "Niederländisch",
    "ko": "Koreanisch",
    "ar": "Arabisch",
    "vi": "Vietnamesisch",
    "th": "Thailändisch",
}
# French: the form of "en français", which needs no article.
_FRENCH = {
    "en": "anglais",
    "zh": "chinois",
    "de": "allemand",
    "fr": "français",
    "cs": "tchèque",
    "ja": "japonais",
    "ru": "russe",
    "uk": "ukrainien",
    "es": "espagnol",
    "it": "italien",
    "pt": "portugais",
    "nl": "néerlandais",
    "ko": "coréen",
    "ar": "arabe",
    "vi": "vietnamien",
    "th": "thaï",
}
_NAMES = {
    "en": {language.code: language.english for language in LANGUAGES},
    "zh": {language.code: language.chinese for language in LANGUAGES},
    "de": _GERMAN,
    "fr": _FRENCH,
}


def language_names(target: str, spoken: str) -> tuple[str, ...]:
    """The names of the language ``target`` in the language ``spoken`` (codes); Chinese has two, as 德文 and 德语.

    Raises:
        UsageError: there is no such language.
    """
    code = find_language(target).code
    name = _NAMES[spoken][code]
    if spoken != "zh":
        return (name,)
    return (name, "汉语") if code == "zh" else (name, name.removesuffix("文") + "语")
