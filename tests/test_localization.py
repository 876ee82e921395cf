"""The language of the interface, chosen as the environment says."""

from __future__ import annotations

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language
from bayling_lite.localization import (
    _,
    environment_language,
    interface_language,
    listed,
    plural,
    sentences,
    use_language,
)
from bayling_lite.reasons import reason


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "zh_Hans_SG"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "de:zh_CN:en"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANG": "en_US.UTF-8", "BAYLING_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "BAYLING_LANG": "en"}, "en"),
    ],
)
def test_the_environment_says_the_language(environ: dict[str, str], expected: str) -> None:
    assert environment_language(environ, "linux") == expected


@pytest.mark.parametrize("platform", ["win32", "darwin"])
@pytest.mark.parametrize(
    ("system", "expected"),
    [("Chinese (Simplified)_China", "zh"), ("zh_CN", "zh"), ("English_United States", "en"), (None, "en")],
)
def test_without_variables_the_system_says_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, system: str | None, expected: str
) -> None:
    monkeypatch.setattr("locale.getlocale", lambda: (system, "UTF-8"))
    assert environment_language({}, platform) == expected
    assert environment_language({"LANG": "en_US.UTF-8"}, platform) == "en"


def test_an_unknown_language_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"English \(en\) and Simplified Chinese \(zh\), not 'fr'"):
        use_language("fr")
    assert interface_language() in ("en", "zh")


def test_what_is_said_is_in_the_language_in_force() -> None:
    use_language("zh")
    assert _(
        "Turns: {count}. Context of the next: {used} of {n_ctx} tokens ({share}).",
        count=2,
        used=1,
        n_ctx=4,
        share="25%",
    ) == ("共 2 轮。下一轮的上下文：1/4 词元（25%）。")
    assert plural("{title}: {count} turn.", "{title}: {count} turns.", 1, title="蜜蜂") == "蜜蜂：1 轮。"
    assert sentences("一。", "", "二。") == "一。二。"
    assert listed(["英文", "中文"]) == "英文、中文"
    use_language("en")
    assert plural("{title}: {count} turn.", "{title}: {count} turns.", 2, title="Bees") == "Bees: 2 turns."
    assert sentences("One.", "", "Two.") == "One. Two."
    assert listed(["English", "Chinese"]) == "English, Chinese"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_empty_or_unknown_stays_as_it_is(language: str) -> None:
    use_language(language)
    assert (_(""), _("{a message of another program}")) == ("", "{a message of another program}")


def test_errors_of_the_library_follow() -> None:
    use_language("zh")
    with pytest.raises(UsageError, match="未知的语言“Klingon”。可用的有：en（英文）、zh（中文）"):
        find_language("Klingon")
    assert reason(FileNotFoundError(2, "No such file or directory")) == "没有这个文件或文件夹"
    assert reason(OSError(5, "A failure of its own kind")) == "A failure of its own kind"
