"""The command line in Chinese: help, slips, errors."""

from __future__ import annotations

import re

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.cli import chat_main, main

HELPS = (
    ["--help"],
    ["chat", "--help"],
    ["sessions", "--help"],
    *(["sessions", name, "--help"] for name in ("list", "show", "search", "export", "rm")),
)


@pytest.fixture(autouse=True)
def _eighty_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code, *capsys.readouterr()


@pytest.mark.parametrize("arguments", HELPS, ids=" ".join)
def test_help_is_chinese_and_fits(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAYLING_LANG", "zh")
    status, shown, _ = run(arguments, capsys)
    assert status == 0
    assert shown.startswith("用法：bayling")
    assert [line for line in shown.splitlines() if get_cwidth(line) > 80] == []
    assert re.findall(r"Usage|Options|OPTIONS|COMMAND|Show|default|LANG\b|TEXT|FILE|Other", shown) == []


def test_the_texts_of_a_section_begin_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown, _ = run(["chat", "--lang", "zh", "--help"], capsys)
    section = shown.partition("会话：\n")[2].partition("\n\n")[0].splitlines()
    assert len(section) == 3
    begins = {get_cwidth(re.match(r"  .*?\S {2,}", line)[0]) for line in section if line}  # type: ignore[index]
    assert len(begins) == 1


def test_the_language_may_stand_behind_help_and_does_not_stay(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chat_main(["--help", "--lang=zh"])
    assert "界面语言" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chat", "--lang", "zh", "--temprature", "1"], "没有选项 --temprature。是不是要用 --temperature"),
        (["chat", "--lang", "zh", "--kv-type", "f8"], "--kv-type 的值应为以下之一：f16、f32、q8_0。（详见 --help）"),
        (["sessions", "search", "--lang", "zh"], "缺少 词...。"),
        (["sessions", "lits", "--lang", "zh"], "没有命令“lits”。是不是要用 list？"),
        (["chat", "--lang", "zh", "--to", "xx"], "未知的语言“xx”。可用的有：en（英文）、zh（中文）"),
        (["sessions", "show", "3f2a", "--lang", "zh"], "没有会话 3f2a：还没有保存过会话。"),
    ],
)
def test_slips_are_told_in_chinese(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = run(arguments, capsys)
    assert status == 2
    assert f"错误：{message}" in said


def test_a_language_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = run(["chat", "--lang", "fr"], capsys)
    assert (status, said) == (2, "Error: The interface speaks English (en) and Simplified Chinese (zh), not 'fr'.\n")
