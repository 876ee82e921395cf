"""Words: where they begin and end, what they are compared by, and which of them mean something."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest

from bayling_finetune.dialogues.function_words import FUNCTION_WORDS, NEGATIONS
from bayling_finetune.dialogues.words import Word, _segmenter, doubtful_borders, form, is_content, is_negation, words
from bayling_lite.errors import RecipeError
from bayling_lite.languages import LANGUAGES, find_language


def cut(text: str, code: str) -> list[str]:
    return [text[word.start : word.end] for word in words(text, find_language(code))]


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("en", "John's dog doesn't bite.", ["John's", "dog", "doesn't", "bite"]),
        ("en", "state-of-the-art (3.5, 1,000 or 12:30)", ["state-of-the-art", "3.5", "1,000", "or", "12:30"]),
        ("en", "call torch.nn.Linear() -- __init__", ["call", "torch.nn.Linear", "__init__"]),
        ("fr", "L’arbre qu'il aime aujourd'hui", ["L’", "arbre", "qu'", "il", "aime", "aujourd'hui"]),
        ("de", "Die Straßenbahn-Haltestelle kostet 3,50 €.", ["Die", "Straßenbahn-Haltestelle", "kostet", "3,50"]),
        ("zh", "我爱北京天安门，Python 3.5的模块。", ["我", "爱", "北京", "天安门", "Python", "3.5", "的", "模块"]),
        ("ja", "東京タワーは高い", ["東京", "タワー", "は", "高", "い"]),
        ("ko", "이것은 책입니다.", ["이것은", "책입니다"]),
        ("ar", "كتابٌ جديد", ["كتابٌ", "جديد"]),
        ("en", "He said 你好 to me", ["He", "said", "你好", "to", "me"]),
    ],
)
def test_words_of_many_languages(code: str, text: str, expected: list[str]) -> None:
    assert cut(text, code) == expected


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "…!?—“”", "😀𠀀字é", "''--..,,", "a'-b", "\ud800x", "l'", "ภาษาไทย", "\u0301a", "１２３", "x" * 5000],
)
def test_spans_lie_in_the_text_in_order_and_none_is_empty(language: object, text: str) -> None:
    found = words(text, language)  # type: ignore[arg-type]
    assert all(0 <= word.start < word.end <= len(text) and word.form for word in found)
    assert all(left.end <= right.start for left, right in pairwise(found))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("John’s", "john"),
        ("1,000", "1000"),
        ("1.000", "1000"),
        ("3,5", "3.5"),
        ("3.5", "3.5"),
        ("ＡＢ", "ab"),
        ("Straße", "strasse"),
        ("'s", "'s"),
    ],
)
def test_forms_leave_out_what_is_only_typography(word: str, expected: str) -> None:
    assert form(word) == expected


def test_content_words() -> None:
    def content(text: str, code: str) -> list[str]:
        language = find_language(code)
        return [text[word.start : word.end] for word in words(text, language) if is_content(word, language)]

    assert content("The cat doesn't like this word of 7 letters", "en") == ["cat", "word", "7", "letters"]
    assert content("他们的猫很喜欢鱼", "zh") == ["猫", "喜欢", "鱼"]
    assert content("Der Hund muß nicht bellen", "de") == ["Hund", "bellen"]
    assert content("L'arbre n'est pas grand", "fr") == ["arbre", "grand"]
    assert content("El perro no es muy grande", "es") == ["perro", "grande"]


def test_every_listed_word_is_the_form_of_one_word() -> None:
    for code, listed in [*FUNCTION_WORDS.items(), *NEGATIONS.items()]:
        assert {form(word) for word in listed} == listed, code


def test_negations() -> None:
    assert is_negation(words("don't", find_language("en"))[0], find_language("en"))
    assert is_negation(words("没有", find_language("zh"))[0], find_language("zh"))
    assert not is_negation(Word(0, 1, "pas"), find_language("de"))


def test_borders_within_a_guessed_word_are_doubtful() -> None:
    text = "我们去青海湖"
    language = find_language("zh")
    assert doubtful_borders("我们吃饭", language) == {1, 3}
    assert not doubtful_borders("we eat", find_language("en"))
    assert all(0 < place < len(text) for place in doubtful_borders(text, language))


def test_without_the_segmenter_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rjieba", None)
    _segmenter.cache_clear()
    with pytest.raises(RecipeError, match=r"pip install 'bayling-lite\[finetune\]'"):
        words("我爱你", find_language("zh"))
    assert cut("no Chinese here", "en") == ["no", "Chinese", "here"]
