"""A chat in Chinese: what is said, what may be typed, and the columns of its help."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat.commands import table as commands
from bayling_lite.engine.base import ModelInfo
from bayling_lite.languages import LANGUAGES, find_language
from bayling_lite.localization import use_language
from tests.chat.commands.recorded_chat import RecordedChat, RecordedScreen

EN, ZH, DE = map(find_language, ("en", "zh", "de"))


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    use_language("zh")
    yield
    use_language(None)


def test_what_commands_take_can_be_said_in_chinese() -> None:
    with RecordedChat() as chat:
        assert chat.say("/to 德语") == [("notice", "此后输入的每一行译成德文（de）。/chat 结束翻译。")]
        chat.say("/from 英文")
        assert (chat.session.preferences.target, chat.session.preferences.source) == (DE, EN)
        chat.say("/from 自动")
        assert chat.session.preferences.source is None
        assert chat.say("/formality 不正式") == [("notice", "正式程度：不正式")]
        assert chat.session.preferences.formality == "informal"
        chat.say("/formality 关闭", "/system Be brief.", "/system 默认")
        ended = chat.session.preferences
        assert (ended.formality, ended.system) == (None, None)


def test_a_slash_of_an_input_method_begins_a_command_that_there_is() -> None:
    with RecordedChat(["He says / she says."], to="en") as chat:
        chat.say("／to 中文")
        assert chat.session.preferences.target == ZH
        chat.say("／不是命令")
        assert [turn.plan.typed for turn in chat.session.turns] == ["／不是命令"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/udno", "没有命令 /udno。是不是要用 /undo？/help 列出所有命令；以斜杠开头的文字请写成 //。"),
        ("/alt 20", "这里需要整数（1 到 9），不能是“20”。"),
        ("/glossary nowhere.tsv", "无法读取术语表 nowhere.tsv：没有这个文件或文件夹。"),
        ("/diff", "还没有可比较的草稿：请先翻译一段文字。"),
    ],
)
def test_slips_are_told_in_chinese(line: str, message: str) -> None:
    with RecordedChat() as chat:
        assert chat.say(line) == [("error", message)]


def test_a_term_is_asked_for_in_words_that_are_read_as_one() -> None:
    """What the catalogue says for 'use "X" for "Y"' must be one of the forms that guarantee a word."""
    with RecordedChat(["标记丢了。", "词元丢了。", "令牌丢了。"], to="zh") as chat:
        chat.say("The token is lost.", "/use 词元=token")
        assert chat.session.turns[-1].plan.required == ("词元",)
        assert chat.session.turns[-1].plan.sent == "请改正“token”，应为“词元”。"
        chat.say("/use 令牌")
        assert chat.session.turns[-1].plan.required == ("令牌",)


def test_languages_have_their_chinese_names() -> None:
    with RecordedChat(info=ModelInfo("little", "bayling", 512, (EN, ZH))) as chat:
        assert "语言：英文（en）、中文（zh）" in [text for _kind, text in chat.say("/model")]
    assert ("de", "德", "德文、Deutsch") in commands.completions("/to 德")


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
def test_a_language_is_found_however_chinese_names_it(language: object) -> None:
    assert isinstance(language, type(ZH))
    spoken = "汉语" if language == ZH else language.chinese.replace("文", "语")
    assert find_language(language.chinese) == find_language(spoken) == language


def test_the_help_is_chinese_in_columns_that_fit() -> None:
    with RecordedChat() as chat:
        lines = [text for _kind, text in chat.say("/help")]
    assert max(map(get_cwidth, lines)) <= 80
    rows = [re.match(r"  /.*?\S {2,}(?=\S)", line) for line in lines]
    assert len({get_cwidth(row[0]) for row in rows if row}) == 2  # the commands, and how to begin
    english = [line for line in lines if re.search(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{2,}", line)]
    assert [line for line in english if "The token is lost." not in line and "should be" not in line] == []


def test_the_bare_name_of_a_command_is_answered_with_the_command() -> None:
    with RecordedChat(["Exit"], to="en", screen=RecordedScreen(keys="n")) as chat:
        chat.say("退出")
        assert chat.shown("notice") == ["这一行被当作普通输入；若要用命令，请输入 /bye。"]
