"""What is in force from now on: terms however they are typed, glossaries, formality, style, context."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.chat.session.turns import Kind
from bayling_lite.engine.base import ModelInfo
from tests.chat.commands.recorded_chat import RecordedChat

SEARCHING = ModelInfo("searching", "bayling", 4096, can_search=True)


@pytest.mark.parametrize(
    ("to", "text", "draft", "typed", "term"),
    [
        ("zh", "The token is lost.", "令牌丢了。", "词元=token", ("token", "词元")),
        ("zh", "The token is lost.", "令牌丢了。", "token=词元", ("token", "词元")),
        ("zh", "The token is lost.", "令牌丢了。", "token ＝ “词元”", ("token", "词元")),
        ("zh", "The token is lost.", "令牌丢了。", "词元 for token", ("token", "词元")),
        ("zh", "The token is lost.", "令牌丢了。", "token → 词元", ("token", "词元")),
        ("zh", "The token is lost.", "令牌丢了。", "token => 词元", ("token", "词元")),
        # "for" and "as" are no words of Chinese: there they stand between two words, whatever the last text was.
        ("zh", "Good morning.", "早上好。", "词元 for token", ("token", "词元")),
        ("zh", "Good morning.", "早上好。", "token as 词元", ("token", "词元")),
        ("de", "Good morning.", "Guten Morgen.", "Wagen for car", ("car", "Wagen")),
        ("de", "The house is big.", "Das Haus ist groß.", "Gebäude=house", ("house", "Gebäude")),
        ("de", "The house is big.", "Das Haus ist groß.", "house=Gebäude", ("house", "Gebäude")),
        # Neither word stands in the text, and both scripts are the same: as it is typed.
        ("de", "The house is big.", "Das Haus ist groß.", "Wagen=car", ("car", "Wagen")),
        # The scripts decide where the text does not.
        ("zh", "Good morning.", "早上好。", "token=词元", ("token", "词元")),
        ("en", "早上好。", "Good morning.", "词元=token", ("词元", "token")),
    ],
)
def test_a_term_is_understood_in_either_order(
    to: str, text: str, draft: str, typed: str, term: tuple[str, str]
) -> None:
    with RecordedChat([draft, f"{term[1]}。"], to=to, info=SEARCHING) as chat:
        chat.say(text, f"/use {typed}")
        assert chat.session.preferences.terms == (term,)
        assert chat.shown("notice")[0] == f"{term[0]} → {term[1]}, from now on. /unuse {term[0]} ends it."


def test_before_any_text_the_scripts_of_the_languages_tell() -> None:
    with RecordedChat(to="zh", info=SEARCHING) as chat:
        chat.say("/use token=词元", "/use 蜂=bee")
        assert chat.session.preferences.terms == (("token", "词元"), ("bee", "蜂"))
        assert chat.asked == []


def test_a_term_refines_the_draft_whose_text_has_the_word() -> None:
    with RecordedChat(["令牌丢了。", "令牌", "词元丢了。"], to="zh", info=SEARCHING) as chat:
        chat.say("The token is lost.", "/use 词元=token")
        assert chat.shown("answer") == ["词元丢了。"]
        turn = chat.session.turns[-1]
        assert (turn.plan.kind, turn.plan.required, turn.plan.typed) == (Kind.REFINEMENT, ("词元",), "/use 词元=token")
        # A draft that has it already, and one whose text has not the word, stay as they are.
        chat.say("/use 词元=token", "/use 蜂=bee")
        assert len(chat.asked) == 3  # the text, the word alone, the refinement


def test_a_term_holds_for_the_texts_that_follow() -> None:
    with RecordedChat(["词元丢了。"], to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "The token is lost.")
        assert chat.engine.requests[-1].search is not None
        assert chat.engine.requests[-1].search.required == ("词元",)


def test_a_later_term_for_the_same_word_takes_its_place_and_says_so() -> None:
    with RecordedChat(to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "/use 令牌=Token")
        assert chat.session.preferences.terms == (("Token", "令牌"),)
        assert chat.shown("notice")[1] == "It takes the place of token → 词元."


def test_who_may_have_named_a_term_the_wrong_way_round_is_told_the_other_way() -> None:
    with RecordedChat(["Das Gleis ist leer."], to="de", info=SEARCHING) as chat:
        chat.say("/use platform=Gleis")
        assert chat.shown("notice")[-1] == "If it is the other way round: /use Gleis=platform"
        chat.say("/use Gleis=platform")
        assert chat.session.preferences.terms == (("platform", "Gleis"),)
        assert chat.shown("notice") == ["platform → Gleis, from now on. /unuse platform ends it."]
        chat.say("The platform is empty.", "/use platform=Gleis")
        assert chat.session.preferences.terms == (("platform", "Gleis"),)
        assert chat.shown("notice") == ["platform → Gleis, from now on. /unuse platform ends it."]


def test_undoing_a_refinement_leaves_its_term_in_force_and_says_so() -> None:
    with RecordedChat(["令牌丢了。", "令牌", "词元丢了。"], to="zh", info=SEARCHING) as chat:
        chat.say("The token is lost.", "/use 词元=token", "/undo")
        assert chat.shown("notice") == [
            "Dropped: /use 词元=token",
            "The draft is again: 令牌丢了。",
            "token → 词元 is still in force; /unuse token ends it.",
        ]


def test_feedback_against_a_term_says_that_it_is_still_in_force() -> None:
    with RecordedChat(["词元丢了。", "令牌丢了。"], to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "The token is lost.", "词元 should be 令牌")
        assert chat.shown("answer") == ["令牌丢了。"]
        assert chat.shown("notice") == ["token → 词元 is still in force; /use 令牌=token changes it."]


def test_a_word_alone_is_for_this_draft() -> None:
    with RecordedChat(["早上好。", "早安。"], to="zh", info=SEARCHING) as chat:
        chat.say("Good morning.", "/use 早安")
        assert chat.shown("answer") == ["早安。"]
        assert chat.session.turns[-1].plan.required == ("早安",)
        assert chat.session.preferences.terms == ()
        assert chat.session.other_reading() is None  # a command is no text


def test_terms_are_listed_and_ended() -> None:
    with RecordedChat(to="zh", info=SEARCHING) as chat:
        assert "No terms are in force." in chat.say("/use")[0][1]
        chat.say("/use 词元=token", "/use 蜂=bee", "/use")
        assert chat.shown("notice") == ["token → 词元", "bee → 蜂"]
        assert chat.say("/unuse 蜂") == [("notice", "No longer in force: bee → 蜂")]
        chat.say("/unuse wasp")
        assert chat.shown("error") == ["There is no term for “wasp”. In force: token → 词元"]
        chat.say("/unuse all")
        assert chat.session.preferences.terms == ()


def test_terms_wait_while_another_language_is_translated_into() -> None:
    with RecordedChat(to="zh", info=SEARCHING) as chat:
        chat.say("/use 词元=token", "/to de")
        assert chat.shown("notice")[1] == "The terms for Chinese wait until /to zh."
        assert not chat.session.preferences.terms_in_force
        chat.say("/use Zeichen=token", "/to zh")
        assert chat.shown("notice")[2] == "In force again: token → 词元"
        assert chat.session.preferences.terms == (("token", "词元"),)
        chat.say("/chat", "/to zh")
        assert chat.session.preferences.terms == (("token", "词元"),)


def test_what_an_engine_that_cannot_search_leaves_out_is_said() -> None:
    with RecordedChat(["令牌丢了。", "令牌遗失了。"], to="zh") as chat:
        chat.say("The token is lost.", "/use 词元=token")
        asked, missing = chat.shown("warning")
        assert "is asked for the terms, but cannot be made to use them" in asked
        assert missing == "The model did not follow: “词元” is not in the new draft."
        chat.say("/use 蜂=bee")
        assert chat.shown("warning") == []


def test_a_glossary_is_in_force_until_it_is_put_off(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text("token\t词元\nbee\t蜂\n", encoding="utf-8")
    with RecordedChat(["词元。"], to="zh", info=SEARCHING) as chat:
        chat.say(f'/glossary "{path}"')
        assert chat.shown("notice") == [f"2 terms of {path} are guaranteed from now on."]
        chat.say("/glossary")
        assert chat.shown("notice") == [f"2 terms of {path}", "token → 词元", "bee → 蜂"]
        chat.say("/use 令牌=token")
        assert "It takes the place of token → 词元." in chat.shown("notice")
        assert dict(chat.session.preferences.terms_in_force) == {"token": "令牌", "bee": "蜂"}
        chat.say("/glossary off")
        assert chat.session.preferences.terms_in_force == (("token", "令牌"),)


def test_formality_and_style_are_in_force_and_change_the_draft_at_once() -> None:
    with RecordedChat(["Kannst du kommen?", "Können Sie kommen?", "Kommen Sie?"], to="de") as chat:
        chat.say("Can you come?", "/formality formal")
        assert chat.shown("notice") == ["Formality: formal"]
        assert chat.shown("answer") == ["Können Sie kommen?"]
        chat.say("/style short")
        assert chat.asked[1:] == ["Make it more formal.", "Rewrite it in this style: short"]
        assert [turn.plan.typed for turn in chat.session.turns[1:]] == ["/formality formal", "/style short"]
        chat.say("/formality off", "/style off")
        assert (chat.session.preferences.formality, chat.session.preferences.style) == (None, "")


def test_a_context_is_told_with_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "about.txt"
    path.write_bytes("\ufeffA film about bees.\r\n".encode())
    with RecordedChat(["Die Königin."], to="de") as chat:
        chat.say(f"/context @{path}")
        assert chat.session.preferences.context == "A film about bees."
        chat.say("The queen.")
        assert "A film about bees." in chat.asked[0]
        assert chat.say("/context off") == [("notice", "Context: none")]


def test_a_demonstrator_is_not_steered_and_that_is_said_once() -> None:
    tiny = ModelInfo("tiny", "bayling", 512, demonstrator=True, can_search=True)
    with RecordedChat(["Kannst du kommen?"], to="de", info=tiny) as chat:
        chat.say("Can you come?", "/formality formal")
        assert "tiny is too small to follow formality, style or context" in chat.shown("warning")[0]
        chat.say("/style short")
        assert chat.shown("warning") == []
        assert len(chat.asked) == 1


def test_feedback_that_names_a_pair_requires_the_word_and_says_how_to_keep_it() -> None:
    with RecordedChat(["令牌丢了。", "词元丢了。", "词元掉了。", "代币掉了。"], to="zh", info=SEARCHING) as chat:
        chat.say("The token is lost.", "translate token as 词元")
        assert chat.session.turns[-1].plan.required == ("词元",)
        assert chat.shown("notice") == ["/use 词元=token keeps that for all that follows."]
        chat.say("use 代币 for token")
        assert chat.shown("notice") == []  # once
        assert chat.session.preferences.terms == ()


def test_an_expression_with_a_preposition_of_its_own_is_one_word() -> None:
    with RecordedChat(["Ready to start.", "Start", "ready for take-off"], to="en", info=SEARCHING) as chat:
        chat.say("/from de", "Alles bereit.", "/use ready for take-off = startklar", "/use ready for take-off")
        assert chat.session.preferences.terms == (("startklar", "ready for take-off"),)
        assert chat.session.turns[-1].plan.required == ("ready for take-off",)
