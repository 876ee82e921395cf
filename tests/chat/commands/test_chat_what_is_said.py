"""What the chat says of an answer that is not what was asked for, and of commands that cannot do anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import PhrasesDoNotFit
from tests.chat.commands.recorded_chat import RecordedChat

SEARCHING = ModelInfo("searching", "bayling", 4096, can_search=True)


def test_who_asks_for_a_word_that_is_there_is_told_so() -> None:
    with RecordedChat(["词元丢了。"] * 3, to="zh") as chat:
        chat.say("The token is lost.", "use 词元")
        assert chat.shown("notice") == ["“词元” is in the draft already."]
        chat.say("more formal")
        assert chat.shown("notice") == ["The draft is as it was. /alt shows other versions, /edit lets you write it."]


def test_a_text_that_is_translated_again_to_the_same_is_said_to_be() -> None:
    with RecordedChat(["令牌丢了。", "令牌丢了。", "令牌不见了。"], to="zh") as chat:
        chat.say("The token is lost.")
        assert chat.shown("notice") == []
        chat.say("/regen")
        assert chat.shown("notice") == ["The draft is as it was. /alt shows other versions, /edit lets you write it."]
        chat.say("/regen")
        assert chat.shown("notice") == []


def test_an_answer_made_again_has_the_terms_in_force() -> None:
    answers = ["词元丢了。", "令牌丢了。", "词元不见了。"]
    with RecordedChat(answers, to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "The token is lost.", "/regen")
        assert (chat.shown("answer"), chat.shown("warning")) == (["词元不见了。"], [])
        assert [request.search is not None for request in chat.engine.requests] == [True, False, True]


def test_a_word_named_against_a_term_in_force_takes_the_place_of_the_terms() -> None:
    with RecordedChat(["词元丢了。", "令牌丢了。"], to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "The token is lost.", "use 令牌 for token")
        assert chat.session.turns[-1].plan.sent == 'Fix "词元": it should be "令牌".'
        assert (chat.shown("answer"), chat.shown("warning")) == (["令牌丢了。"], [])
        assert chat.shown("notice") == ["token → 词元 is still in force; /use 令牌=token changes it."]


def test_it_is_said_of_a_term_that_the_draft_lacks_as_well() -> None:
    answers: list[str | BaseException] = [PhrasesDoNotFit("too long"), "标记丢了。", "标记", "令牌丢了。"]
    with RecordedChat(answers, to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "The token is lost.")
        assert chat.shown("warning")
        chat.say("use 令牌 for token")
        assert chat.session.turns[-1].plan.sent == 'Fix "token": it should be "令牌".'
        assert chat.shown("notice") == ["token → 词元 is still in force; /use 令牌=token changes it."]


def test_versions_are_left_out_only_where_there_are_some() -> None:
    with RecordedChat(["令牌丢了。", "词元丢了。"], to="zh") as chat:
        chat.say("The token is lost.", "/drop")
        assert chat.shown("error") == ["There is no draft whose earlier versions could be left out."]
        chat.say("use 词元", "/drop")
        assert chat.shown("error") == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/drop x", "whole number from 1 on, not “x”"),
        ("/context @", "/context needs something after it: /context @about.txt"),
        ("/unuse all", "No terms are in force"),
    ],
)
def test_a_wrong_argument_is_answered_with_what_is_right(line: str, message: str) -> None:
    with RecordedChat() as chat:
        chat.say(line)
        assert message in chat.shown("error")[0]


@pytest.mark.parametrize("content", ["", "\n\n", "\t\n"])
def test_a_glossary_without_terms_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text(content, encoding="utf-8")
    with RecordedChat(to="zh", info=SEARCHING) as chat:
        chat.say(f"/glossary {path}")
        assert "holds no terms" in chat.shown("error")[0]
        assert chat.session.preferences.glossaries == ()
