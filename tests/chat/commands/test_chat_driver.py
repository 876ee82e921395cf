"""From lines to what is shown: readings flipped, the context's edge, Ctrl-C, files, what is said once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bayling_lite.chat.driver import Driver
from bayling_lite.chat.keeping import SessionEntry, Written
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.records.running import RunningSession
from bayling_lite.chat.remarks import going_on
from bayling_lite.chat.screens.offers import offers_of
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession, NotKept, Recorder
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.engine.base import Engine, ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineError, OutputError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import summary_instruction
from tests.chat.commands.recorded_chat import RecordedChat, RecordedScreen

SMALL = ModelInfo("small", "bayling", 60)


def test_how_a_line_is_read_is_shown_and_one_key_reads_it_the_other_way() -> None:
    with RecordedChat(["Es ist groß.", "Kürzer.", "Mach es kürzer.", "Groß."], to="de") as chat:
        assert chat.say("It is big.")[0] == ("choice", "translation: It is big.")
        assert chat.say("Make it shorter.")[0] == ("choice", "refinement: Make it shorter. | a text to translate")
        chat.screen.events = []
        chat.driver.flip()
        assert chat.screen.events == [("choice", "translation: Make it shorter."), ("answer", "Mach es kürzer.")]
        chat.driver.flip()
        assert chat.session.turns[-1].plan.kind is Kind.REFINEMENT
        assert [turn.answer for turn in chat.session.turns] == ["Es ist groß.", "Groß."]


def test_a_text_that_could_have_been_feedback_says_so() -> None:
    with RecordedChat(["Es ist groß.", "Gut."], to="de") as chat:
        assert chat.say("It is big.", "Fine.")[0] == ("choice", "translation: Fine. | feedback on the draft")


def test_that_a_text_can_be_feedback_is_said_once_and_offered_as_long_as_it_was_just_answered() -> None:
    with RecordedChat(["Eins.", "Zwei.", "Drei."], to="de") as chat:
        chat.say("One.")
        assert chat.driver.doubt == ""
        chat.say("Two.")
        assert chat.shown("choice") == ["translation: Two. | feedback on the draft"]
        chat.say("Three.")
        assert chat.shown("choice") == ["translation: Three."]
        assert offers_of(chat.driver).hint() == "Tab if it was feedback on the draft"
        chat.say("/stats")  # what only tells something leaves the line the last one
        assert offers_of(chat.driver).flip == "feedback on the draft"
        chat.say("/use")
        assert offers_of(chat.driver).flip == ""
        chat.say('"""\nOne text\nof two lines\n"""')
        assert offers_of(chat.driver).hint() == ""


def test_going_on_with_a_conversation_shows_its_last_turn() -> None:
    with RecordedChat(["Hello!", " I am well. "]) as chat:
        chat.say("Hi", '"""\nHow are\nyou?\n"""')
        assert going_on(chat.session, "Hi") == ("“Hi”: 2 turns.", "> How are you?", "I am well.")


def test_a_person_who_types_a_command_without_its_slash_is_told() -> None:
    with RecordedChat(["Ausgang"], to="de", screen=RecordedScreen(keys="n")) as chat:
        told = ("notice", "To the chat this is a line like any other; the command is /exit.")
        assert chat.say("Exit") == [("choice", "translation: Exit"), ("answer", "Ausgang"), told]
        assert told not in chat.say('"""\nExit\n"""')
    with RecordedChat(["Ausgang"], to="de") as script:
        assert script.say("exit")[-1] == ("answer", "Ausgang")


def test_what_has_only_one_reading_is_not_flipped() -> None:
    with RecordedChat(["Hello!"]) as chat:
        chat.say("Hi")
        chat.screen.events = []
        chat.driver.flip()
        assert chat.screen.events == [("notice", "There is only one way to read the last line.")]


def summing_up(conversation: Conversation) -> str:
    asked = conversation.messages[-1].content
    return "Short." if asked == summary_instruction() else "word " * 12


def talk(screen: RecordedScreen, **options: str) -> RecordedChat:
    """A chat whose third line does not fit a context of 60 tokens."""
    chat = RecordedChat(summing_up, info=SMALL, screen=screen, **options)  # type: ignore[arg-type]
    chat.say("One " * 8, "Two " * 8)
    return chat


def test_a_turn_that_does_not_fit_asks_first_and_sends_nothing_unless_told() -> None:
    with talk(RecordedScreen()) as chat:
        before = len(chat.asked)
        chat.say("Three " * 8)
        question = chat.screen.questions[0]
        assert [key for key, _ in question.choices][:2] == ["n", "d"]
        assert "in the 60 of the context" in question.text
        assert "That does not fit" in chat.shown("error")[0]
        assert (len(chat.asked), len(chat.session.turns), chat.driver.status) == (before, 2, 1)


def test_the_oldest_turns_can_be_left_out() -> None:
    with talk(RecordedScreen(keys="d")) as chat:
        chat.say("Three " * 8)
        assert chat.shown("answer") == ["word " * 12]
        assert "The model no longer sees the oldest" in chat.shown("notice")[0]
        assert len(chat.session.turns) == 3  # nothing is lost
        seen = [message.content for message in chat.engine.requests[-1].conversation]
        assert seen[-1] == "Three " * 7 + "Three"
        assert not any(text.startswith("One") for text in seen)


def test_a_script_says_beforehand_what_to_leave_out() -> None:
    with talk(RecordedScreen(), on_overflow="drop") as chat:
        chat.say("Three " * 8)
        assert chat.screen.questions == []
        assert len(chat.session.turns) == 3
        assert chat.driver.status == 0


def test_the_oldest_turns_can_be_summed_up() -> None:
    info = ModelInfo("small", "bayling", 160)
    with RecordedChat(summing_up, info=info, screen=RecordedScreen(keys="sss")) as chat:
        for number in range(6):
            chat.say(f"Line {number} " * 6)
        assert any("s" in [key for key, _ in question.choices] for question in chat.screen.questions)
        assert chat.session.position.summary == "Short."
        assert len(chat.session.turns) == 6


def test_the_versions_of_a_draft_can_be_left_out() -> None:
    with RecordedChat(
        lambda _: "Das Haus am Fluss ist alt.",
        to="de",
        info=ModelInfo("small", "bayling", 80),
        screen=RecordedScreen("d"),
    ) as chat:
        chat.say("The house by the river is old.", "/refine nicer", "/refine much nicer")
        lines = ["/refine still much nicer than that", "/refine one last time, much nicer"]
        while not chat.screen.questions:
            chat.say(lines.pop(0))
        assert [key for key, _ in chat.screen.questions[0].choices] == ["n", "d"]
        assert "The model sees the text and the draft from now on, not the versions between." in chat.shown("notice")
        assert [message.content for message in chat.engine.requests[-1].conversation][1] == "Das Haus am Fluss ist alt."
        assert len(chat.engine.requests[-1].conversation) == 3


def test_versions_are_left_out_for_a_refinement_in_chat_mode_too() -> None:
    info = ModelInfo("small", "bayling", 80)
    with RecordedChat(lambda _: "Das Haus am Fluss ist alt.", to="de", info=info, on_overflow="drop") as chat:
        chat.say("The house by the river is old.", "/refine nicer", "/refine much nicer", "/chat")
        chat.say("/refine still much nicer than that, and one last time, much nicer")
        assert chat.shown("answer") == ["Das Haus am Fluss ist alt."]
        assert chat.session.position.restated is not None
        assert len(chat.engine.requests[-1].conversation) == 3


def test_room_is_made_by_hand() -> None:
    with RecordedChat(lambda _: "Fine.") as chat:
        chat.say("One", "Two", "Three")
        assert chat.say("/drop") == [
            ("notice", "The model no longer sees the oldest 2 turns; they are still in the session.")
        ]
        chat.say("Four")
        assert [message.content for message in chat.engine.requests[-1].conversation] == ["Three", "Fine.", "Four"]
        chat.say("/summarise 1")
        assert chat.session.position.summary == "Fine."
        assert chat.shown("notice") == ["The oldest turns in short: Fine."]


def test_a_nearly_full_context_is_announced_once() -> None:
    with RecordedChat(["word " * 30, "fine"], info=SMALL) as chat:
        chat.say("word " * 12)
        assert "% full. /drop or /summarise makes room" in chat.shown("warning")[0]
        chat.say("/stats")
        assert chat.shown("warning") == []


def test_an_error_is_shown_and_the_chat_goes_on() -> None:
    with RecordedChat([EngineError("It broke."), "Hello!"]) as chat:
        assert chat.say("Hi") == [("error", "It broke.")]
        assert chat.say("Hi") == [("answer", "Hello!")]
        assert chat.driver.status == 1


def test_the_demonstrator_says_once_that_it_cannot_chat() -> None:
    tiny = ModelInfo("tiny", "bayling", 512, demonstrator=True)
    with RecordedChat(["a", "b"], info=tiny) as chat:
        chat.say("Hi")
        assert chat.shown("warning") == [
            "tiny was trained to translate, not to chat: try /to zh, or go on with another model: /model."
        ]
        chat.say("Ho")
        assert chat.shown("warning") == []


def test_an_interrupt_keeps_what_there_is() -> None:
    stop = threading.Event()

    class Interrupting(RecordedScreen):
        def piece(self, text: str) -> None:
            super().piece(text)
            if not stop.is_set():
                stop.set()
                signal.raise_signal(signal.SIGINT)

    with RecordedChat(["word " * 100_000], screen=Interrupting()) as chat:
        chat.say("Hi")
        assert chat.driver.interrupted
        assert chat.shown("notice") == ["stopped; what there is was kept"]
        assert chat.session.turns[0].stopped


class Drawer:
    """A :class:`~bayling_lite.chat.keeping.Keeping` that remembers what it was asked for."""

    id = "3f2a91c0"

    def __init__(self) -> None:
        self.title = ""
        self.written: list[tuple[str, bool]] = []

    def rename(self, title: str) -> None:
        self.title = title

    def model_changed(self, model: str) -> None:
        self.model = model

    def sessions(self, limit: int) -> Sequence[SessionEntry]:
        changed = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
        return [SessionEntry(self.id, "Bees " * 20, changed, 3), SessionEntry("77b0aa12", "Ants", changed, 12)][:limit]

    def save(self, path: Path, *, overwrite: bool = False) -> Written:
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists.")
        self.written.append((path.name, overwrite))
        return Written(path, "JSON, 2 turns", 2)

    export = save

    def load(self, name: str, engine: Engine) -> tuple[KeptSession, Recorder]:
        assert engine.info.name == "scripted"
        return KeptSession(Preferences(target=find_language("fr"))), NotKept()


def test_sessions_are_saved_and_never_overwritten_unasked(tmp_path: Path) -> None:
    drawer, screen = Drawer(), RecordedScreen(keys="no")
    with RecordedChat(keeping=drawer, screen=screen) as chat:
        path = tmp_path / "talk.json"
        assert chat.say(f"/save {path}") == [("notice", f"Written: {path} (JSON, 2 turns)")]
        path.touch()
        assert chat.say(f"/export {path}") == [("notice", f"{path} is as it was.")]
        chat.say(f'/save "{path}"')
        assert [question.text for question in screen.questions] == [f"{path} is there already."] * 2
        assert drawer.written == [("talk.json", False), ("talk.json", True)]


def test_a_name_that_no_file_can_have_does_not_end_the_chat(tmp_path: Path) -> None:
    keeping = RunningSession(tmp_path, "tiny", remembered=False)
    with RecordedChat(["Hello!"], keeping=keeping) as chat:
        chat.driver.session = Session(chat.engine, recorder=keeping.new(Preferences()))
        chat.say("Hi", "/export " + "x" * 300 + ".md")
        assert chat.shown("error") == ["x" * 300 + ".md cannot be written: File name too long."]
        chat.say("/load " + "x" * 300)
        assert chat.shown("error")[0].startswith("There is no session xxx")
        chat.say("/load " + "x" * 300 + ".json")
        assert chat.shown("error")[0].endswith("File name too long.")
    keeping.close()


def test_sessions_are_listed_named_and_gone_on_with() -> None:
    with RecordedChat(keeping=Drawer()) as chat:
        first, second, hint = (text for _, text in chat.say("/sessions"))
        assert first.startswith("* 3f2a91c0  2026-01-0")
        assert first.endswith("…")
        assert second.startswith("  77b0aa12  ")
        assert second.endswith("  12  Ants")
        assert "/load ID" in hint
        assert chat.say("/title  The  bee film") == [("notice", "Title: The bee film")]
        assert chat.say("/load 77b0") == [("notice", "“The bee film”: 0 turns.")]
        assert chat.session.preferences.target == find_language("fr")


@pytest.mark.parametrize("line", ["", "   ", '""""""', '"""\n"""'])
def test_nothing_is_nothing(line: str) -> None:
    with RecordedChat() as chat:
        assert chat.say(line) == []


class _Begun(NotKept):
    """A recorder that only tells of the lines that it was told of."""

    def __init__(self, known: threading.Event) -> None:
        self._known = known

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        assert plan.typed == "Good morning."
        self._known.set()


def test_a_line_is_kept_before_the_model_has_loaded() -> None:
    known = threading.Event()

    def open_engine() -> ScriptedEngine:
        assert known.wait(10)
        return ScriptedEngine(["Guten Morgen."])

    screen = RecordedScreen()
    with BackgroundEngine(open_engine) as engine:
        session = Session(engine, Preferences(target=find_language("de")), recorder=_Begun(known))
        Driver(session, engine, screen).handle("Good morning.")
    assert ("answer", "Guten Morgen.") in screen.events
