"""The language of the interface, chosen as the environment says."""

from __future__ import annotations

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.localization import environment_language, interface_language, use_language


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
