"""What a model takes, and when a text is certainly in a language already."""

from __future__ import annotations

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.languages import LANGUAGES, find_language
from bayling_lite.translate.job.fitting import is_certainly, model_language, sentence_limit, whole_limit, written_in

GERMAN = "Die Bundesregierung hat am Mittwoch beschlossen, dass der neue Bahnhof erst im nächsten Jahr eröffnet wird."
ENGLISH = "The government decided on Wednesday that the new station will not be opened before the end of next year."
UKRAINIAN = (
    "Уряд у середу вирішив, що новий вокзал буде відкрито лише наступного року, оскільки роботи ще не завершено."
)
CHINESE = "政府星期三决定，新车站要到明年才能启用，因为工程还没有完成，而且所需的资金也还没有全部到位。"
JAPANESE = "政府は水曜日、工事がまだ完了していないため、新しい駅は来年になってから開業すると決定しました。"


@pytest.mark.parametrize(
    ("text", "language", "certain"),
    [
        (GERMAN, "de", True),
        (GERMAN, "en", False),
        (ENGLISH, "de", False),
        (ENGLISH, "en", True),
        ("Guten Morgen, wie geht es dir?", "de", False),  # short, and so not certain
        (UKRAINIAN, "uk", True),
        (UKRAINIAN, "ru", False),
        (CHINESE, "zh", True),
        (CHINESE, "ja", False),
        (JAPANESE, "zh", False),
        (JAPANESE, "ja", True),
        ("你好，再见。", "zh", False),
        (ENGLISH + CHINESE, "zh", False),
        ("12 " * 100, "de", False),
    ],
)
def test_a_text_is_in_a_language_only_when_that_is_certain(text: str, language: str, *, certain: bool) -> None:
    assert is_certainly(text, find_language(language)) is certain


def test_segments_leave_room_for_the_answer() -> None:
    assert (sentence_limit(info(8192)), whole_limit(info(8192))) == (400, 2730)
    assert (sentence_limit(info(600)), whole_limit(info(600))) == (200, 200)
    assert sentence_limit(info(60)) == 40


def test_any_language_will_do_where_the_model_does_not_say() -> None:
    assert model_language("Thai", info(100)).code == "th"


def info(n_ctx: int) -> ModelInfo:
    return ModelInfo("m", "bayling", n_ctx)


def test_a_script_that_no_language_has_is_none_of_them() -> None:
    greek = (
        "Η γρήγορη αλεπού πηδάει πάνω από το σκυλί και πηγαίνει στο σπίτι της για να κοιμηθεί όλη τη νύχτα ως το πρωί."
    )
    assert written_in(greek) is None
    assert not any(is_certainly(greek, language) for language in LANGUAGES)
    assert written_in(GERMAN) == written_in(GERMAN, ()) == find_language("de")
    assert written_in("请安装 Python 和 pip，再运行 bayling translate 命令。") == find_language("zh")
    assert written_in(UKRAINIAN, [find_language("de"), find_language("en")]) is None
    assert written_in("12:30") is None
