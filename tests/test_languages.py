"""Finding a language by name, and telling it from text."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from py3langid import langid

from bayling_lite import languages
from bayling_lite.errors import UsageError
from bayling_lite.languages import LANGUAGES, detect_language, find_language

ENGLISH, CHINESE, GERMAN, FRENCH = (find_language(code) for code in ("en", "zh", "de", "fr"))


@pytest.mark.parametrize(
    "name", ["zh", "ZH", "zh-CN", "zh_Hans", "zh-Hans", "Chinese", "中文", " chinese ", "简体中文"]
)
def test_chinese_by_many_names(name: str) -> None:
    assert find_language(name) is CHINESE


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
def test_every_language_by_each_of_its_names(language: object) -> None:
    for name in (language.code, language.english, language.chinese, language.own):  # type: ignore[attr-defined]
        assert find_language(name) is language


@pytest.mark.parametrize("name", ["", "xx", "klingon", "-", "e n"])
def test_an_unknown_language_names_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match=r"Unknown language .* de \(German\)"):
        find_language(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good morning. How are you?", ENGLISH),
        ("早上好。你好吗？", CHINESE),
        ("我用Python写程序。", CHINESE),
        ("Guten Morgen. Wie geht es dir heute?", GERMAN),
        ("Bonjour, comment allez-vous aujourd'hui ?", FRENCH),
        ("123 -- !?", None),
        ("", None),
    ],
)
def test_detection(text: str, expected: object) -> None:
    assert detect_language(text, (ENGLISH, CHINESE, GERMAN, FRENCH)) is expected


def test_detection_keeps_to_the_candidates() -> None:
    assert detect_language("Guten Morgen. Wie geht es dir?", (ENGLISH, FRENCH)) in (ENGLISH, FRENCH)
    assert detect_language("おはようございます。元気ですか？", LANGUAGES) is find_language("ja")


def test_the_model_of_languages_is_loaded_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []

    class Slow:
        @classmethod
        def from_model_file(cls, _: object) -> Slow:
            loaded.append(cls)
            time.sleep(0.02)
            return cls()

        def rank(self, _: str) -> list[tuple[str, float]]:
            return [("de", 0.0)]

    languages._loaded_identifier.cache_clear()
    monkeypatch.setattr(langid, "LanguageIdentifier", Slow)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(detect_language, ["Hallo"] * 8)) == {GERMAN}
    finally:
        languages._loaded_identifier.cache_clear()
    assert len(loaded) == 1
