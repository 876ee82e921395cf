"""Commands that change the draft, compare it and go back: what is asked, what is shown, what is the draft then."""

from __future__ import annotations

import itertools

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import Script
from bayling_lite.messages import Conversation
from tests.chat.commands.recorded_chat import RecordedChat, RecordedScreen


def test_shorter_and_longer() -> None:
    def answer(conversation: Conversation) -> str:
        asked = conversation.messages[-1].content
        return {"Make it shorter.": "Guten Morgen!", "Make it longer.": "Guten Morgen!"}.get(
            asked, "Guten Morgen, ihr."
        )

    with RecordedChat(answer, to="de") as chat:
        chat.say("Good morning, you.", "/shorter")
        assert chat.shown("answer") == ["Guten Morgen!"]
        assert chat.shown("notice") == []
        chat.say("/undo", "/longer")
        assert chat.shown("answer") == ["Guten Morgen, ihr."]
        assert chat.shown("notice") == ["Nothing longer was found: the draft is as it was. /alt shows other versions."]


def test_a_refinement_that_changes_nothing_says_so() -> None:
    with RecordedChat(["Eins.", "Eins.", "Eins."], to="de") as chat:
        chat.say("One.", "more formal")
        assert chat.shown("notice") == ["The draft is as it was. /alt shows other versions, /edit lets you write it."]
        chat.say("make it shorter")
        assert chat.shown("notice") == ["The draft is as it was. /shorter searches for one that is."]


def test_undo_and_redo_show_the_draft_that_is_current() -> None:
    with RecordedChat(["Eins.", "Zwei."], to="de") as chat:
        chat.say("One.", "shorter")
        assert chat.say("/undo") == [("notice", "Dropped: shorter"), ("notice", "The draft is again: Eins.")]
        assert chat.say("/redo") == [("notice", "Back again: shorter"), ("notice", "The draft is again: Zwei.")]
        chat.say("/undo", "/undo")
        assert chat.shown("notice") == ["Dropped: One."]
        assert chat.session.draft is None


def test_an_edited_draft_is_what_goes_on() -> None:
    with RecordedChat(["Eins.", "Drei!"], to="de") as chat:
        chat.say("One.", "/edit Zwei.")
        assert chat.shown("answer") == ["Zwei."]
        assert chat.say("/diff") == [("changes", "-Eins|+Zwei|.")]
        chat.say("/refine an exclamation mark, please")
        assert [message.content for message in chat.engine.requests[-1].conversation][-2:] == [
            "Zwei.",
            "an exclamation mark, please",
        ]


def test_the_editor_gets_the_draft_and_gives_the_new_one() -> None:
    texts: list[str] = []

    def edited(text: str) -> str | None:
        texts.append(text)
        return {1: None, 2: text, 3: "Zwei.\n"}[len(texts)]

    with RecordedChat(["Eins."], to="de", screen=RecordedScreen(edited=edited)) as chat:
        chat.say("One.", "/edit")
        assert chat.shown("notice") == ["The draft is unchanged."]
        assert chat.say("/edit") == [("notice", "The draft is unchanged.")]
        chat.say("/edit")
        assert chat.session.draft is not None
        assert chat.session.draft.text == "Zwei."
        assert texts == ["Eins."] * 3


def numbered() -> Script:
    """Another answer each time."""
    numbers = itertools.count(1)
    return lambda _conversation: f"Text {next(numbers)}."


def test_versions_to_choose_from() -> None:
    with RecordedChat(numbered(), to="de") as chat:
        chat.say("One.", "/alt 2")
        first, second = chat.shown("alternatives")[0].split(" / ")
        assert len({first, second, "Text 1."}) == 3
        chat.say("/stats")  # what only tells something keeps them
        assert len(chat.driver.choosing) == 2
        assert chat.say("/pick 2") == [("answer", second)]
        assert chat.session.draft is not None
        assert chat.session.draft.text == second
        assert not chat.driver.choosing
        chat.say("/alt 2", "/pick 3")
        assert chat.shown("error") == ["Choose a number from 1 to 2."]
        chosen = chat.driver.choosing[0].text
        chat.driver.choose(1)
        assert chat.session.draft.text == chosen
        chat.say("/undo")
        assert chat.session.draft.text == second


def test_any_other_line_keeps_the_draft() -> None:
    with RecordedChat(numbered(), to="de") as chat:
        chat.say("One.", "/alt 1")
        assert chat.driver.choosing
        chat.say("shorter")
        assert chat.driver.choosing == ()
        chat.say("/pick 1")
        assert "nothing to choose from" in chat.shown("error")[0]


def test_no_other_version() -> None:
    with RecordedChat(lambda _: "Eins.", to="de") as chat:
        chat.say("One.", "/alt 2")
        assert chat.shown("notice") == ["There is no other version."]


def test_what_changed() -> None:
    with RecordedChat(["Guten Tag.", "Guten Morgen.", "Guten Morgen."], to="de") as chat:
        chat.say("Good morning.", "/diff")
        assert "This is the first draft of its text" in chat.shown("error")[0]
        assert chat.say("Tag should be Morgen", "/diff") == [("changes", "Guten |-Tag|+Morgen|.")]
        assert chat.say("shorter", "/diff") == [("notice", "The draft is the same as the one before.")]


def test_asides_leave_the_draft_as_it_is() -> None:
    with RecordedChat(["Guten Morgen.", "Good morning!", "Because."], to="de") as chat:
        chat.say("Good morning.", "/back")
        assert chat.shown("answer") == ["Good morning!"]
        chat.say("/explain Why Morgen?")
        assert chat.shown("answer") == ["Because."]
        assert "Why Morgen?" in chat.asked[-1]
        assert chat.session.draft is not None
        assert chat.session.draft.text == "Guten Morgen."
        assert len(chat.session.turns) == 1


def test_a_demonstrator_does_not_explain() -> None:
    with RecordedChat(["Eins."], to="de", info=ModelInfo("tiny", "bayling", 512, demonstrator=True)) as chat:
        chat.say("One.", "/explain")
        assert chat.shown("error") == ["tiny was trained to translate, it cannot explain: another model (/model) can."]
        assert len(chat.asked) == 1


def test_another_answer() -> None:
    with RecordedChat(["Eins.", "Zwei."], to="de") as chat:
        chat.say("One.", "/regen")
        assert chat.shown("answer") == ["Zwei."]
        assert len(chat.session.turns) == 1
