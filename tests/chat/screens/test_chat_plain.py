"""The chat as linear text: whole transcripts, what goes to which stream, and the exit status."""

from __future__ import annotations

import io
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from bayling_lite.chat.beginning import ChatOptions
from bayling_lite.chat.differences import Change
from bayling_lite.chat.driver import Driver
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.making_room import OnOverflow
from bayling_lite.chat.screens import lines as by_lines
from bayling_lite.chat.screens.plain import PlainScreen, change_lines
from bayling_lite.chat.screens.screen import Question
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import BaylingError, InputError, ModelNotFound, UsageError
from bayling_lite.languages import find_language

GERMAN = find_language("de")


@dataclass(frozen=True)
class Ran:
    status: int
    answers: str
    notices: str
    asked: list[str]


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Writes(io.StringIO):
    """Remembers each write: a screen reader reads them one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


def chat(
    lines: str | bytes,
    responses: Iterable[str | BaseException],
    *,
    to: str | None = None,
    n_ctx: int = 4096,
    delay: float = 0.0,
    terminal: bool = False,
    person: bool = False,
    on_overflow: OnOverflow = "ask",
) -> Ran:
    engine = ScriptedEngine(responses, info=ModelInfo("scripted", "bayling", n_ctx), delay=delay)
    options = ChatOptions(Preferences(target=find_language(to) if to else None), on_overflow=on_overflow)
    answers, notices = FakeTerminal() if terminal else io.StringIO(), io.StringIO()
    reader = by_lines.LineReader(io.BytesIO(lines.encode() if isinstance(lines, str) else lines))
    screen = PlainScreen(answers, notices, announced=person, read=reader.read if person else None)

    def begin(loading: BackgroundEngine) -> Driver:
        while loading.loading:
            time.sleep(0.001)
        return options.driver(loading, screen)

    status = by_lines.run(lambda: engine, begin, reader, person=screen if person else None)
    asked = [request.conversation.messages[-1].content for request in engine.requests]
    return Ran(status, answers.getvalue(), notices.getvalue(), asked)


def test_a_whole_transcript() -> None:
    ran = chat(
        "\n/to zh\nGood morning.\nuse 早安\n/udno\n/undo\n"
        '"""\nOne line.\nAnother.\n"""\n/chat\n//help is a word\n/bye\nnever read\n',
        ["早上好。", "早安。", "一行。", "另一行。", "Yes."],
    )
    assert (ran.status, ran.answers) == (2, "早上好。\n早安。\n一行。\n另一行。\nYes.\n")
    assert ran.notices == (
        "Lines are translated into Chinese (zh). /chat ends that.\n"
        "Translating into Chinese.\n"
        'Changing the Chinese draft: Use the word "早安".\nIf it was a text to translate: /new\n'
        "Error: There is no command /udno. Did you mean /undo? /help lists them; // begins a line with a slash.\n"
        "Dropped: use 早安\n"
        "The draft is again: 早上好。\n"
        "Translating into Chinese.\n"
        "Lines are answered. /to LANG translates again.\n"
    )
    assert ran.asked == [
        "Provide the Chinese translation for this sentence: Good morning.",
        'Use the word "早安".',
        "Provide the Chinese translation for this sentence: One line.",
        "Provide the Chinese translation for this sentence: Another.",
        "/help is a word",
    ]


def test_a_person_who_listens_is_told_what_comes() -> None:
    ran = chat(
        "Good morning.\nmore formal\n/chat\nHi\n", ["Guten Tag.", "Guten Morgen.", "Hello!"], to="de", person=True
    )
    assert (ran.status, ran.answers) == (0, "Guten Tag.\nGuten Morgen.\nHello!\n")
    assert ran.notices == (
        "de> Translating into German.\nDraft:\n"
        "de> Changing the German draft: more formal\nIf it was a text to translate: /new\nNew draft:\n"
        "de> Lines are answered. /to LANG translates again.\n"
        "> Answer:\n"
        "> \n"
    )


def test_a_person_is_told_that_the_model_is_still_loading() -> None:
    asked, notices = threading.Event(), io.StringIO()
    screen = PlainScreen(io.StringIO(), notices, announced=True)

    def open_slowly() -> ScriptedEngine:
        asked.wait(10)
        return ScriptedEngine(["Hello!"])

    def begin(loading: BackgroundEngine) -> Driver:
        threading.Timer(0.05, asked.set).start()
        return ChatOptions().driver(loading, screen)

    assert by_lines.run(open_slowly, begin, by_lines.LineReader(io.BytesIO(b"Hi\n")), person=screen) == 0
    assert notices.getvalue() == "> The model is still loading…\nAnswer:\n> \n"


def test_that_a_text_can_be_feedback_is_said_once() -> None:
    notices = chat("One.\nTwo.\nThree.\n", ["Eins.", "Zwei.", "Drei."], to="de").notices
    assert notices.count("If it was feedback on the draft: /refine\n") == 1


def test_a_person_chooses_a_version_by_its_number_alone() -> None:
    ran = chat("One.\n/alt 2\n2\n1\n", ["Eins.", *["Ein.", "Einer."] * 9], to="de", person=True)
    assert ran.answers == "Eins.\n1: Ein.\n2: Einer.\nEiner.\n1\n"  # the last is a text, and needs no translation
    assert "Type a number to take one; any other line keeps the draft.\n" in ran.notices


def test_a_number_is_a_text_where_nothing_can_be_chosen() -> None:
    assert chat("1984\n", ["A novel."], person=True).answers == "A novel.\n"
    ran = chat("One.\n/alt 2\n2\n", ["Eins.", *["Ein.", "Einer."] * 9], to="de")
    assert ran.answers == "Eins.\n1: Ein.\n2: Einer.\n2\n"  # a script says /pick


def test_answers_are_read_in_sentences() -> None:
    answers = Writes()
    screen = PlainScreen(answers, io.StringIO(), announced=True)
    screen.begin_answer(Plan(Kind.CHAT, "Hi", "Hi"))
    for piece in ("Good ", "mor", "ning", ". How", " are you? Fi", "ne 3.", "5 times。早", "安", "！\nYes"):
        screen.piece(piece)
    screen.end_answer(None)
    assert answers.writes == ["Good morning. ", "How are you? ", "Fine 3.5 times。", "早安！\n", "Yes\n"]


def test_changes_are_said_in_words() -> None:
    changes = [
        *(Change("kept", "Ich "), Change("removed", "habe"), Change("added", "besitze"), Change("kept", " ein ")),
        *(Change("removed", "altes "), Change("kept", "Haus"), Change("added", " hier"), Change("kept", ".")),
    ]
    assert change_lines(changes) == ("Changed: “habe” to “besitze”", "Removed: “altes”", "Added: “hier”")
    assert change_lines([Change("removed", "x")]) == ("Removed: “x”",)
    assert change_lines([Change("added", "y"), Change("removed", "x")]) == ("Added: “y”", "Removed: “x”")
    assert change_lines([Change("kept", "same")]) == ()
    assert change_lines([Change("removed", " "), Change("added", "  ")]) == ("Changed: “·” to “··”",)


def test_alternatives_are_answers_with_numbers() -> None:
    answers = io.StringIO()
    PlainScreen(answers, io.StringIO()).alternatives(["早安。", "早。"])
    assert answers.getvalue() == "1: 早安。\n2: 早。\n"


QUESTION = Question("It does not fit.", (("n", "send nothing"), ("d", "leave turns out")))


def test_a_question_is_answered_by_a_line() -> None:
    notices = io.StringIO()
    typed = iter(["what?", " D "])
    screen = PlainScreen(io.StringIO(), notices, read=lambda: next(typed, None))
    assert screen.ask(QUESTION) == "d"
    assert notices.getvalue() == (
        "It does not fit.\nType n to choose: send nothing\nType d to choose: leave turns out\n"
        "That is none of the choices.\nType n to choose: send nothing\nType d to choose: leave turns out\n"
    )
    assert screen.ask(QUESTION) == "n"  # the input has ended


def test_where_nobody_can_be_asked_nothing_is_lost() -> None:
    notices = io.StringIO()
    assert PlainScreen(io.StringIO(), notices).ask(QUESTION) == "n"
    assert notices.getvalue() == ""
    with pytest.raises(UsageError, match="/edit TEXT"):
        PlainScreen(io.StringIO(), notices).edit("draft")


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    assert chat(b"\xef\xbb\xbfHi\r\nYou\r\n", ["a", "b"]).asked == ["Hi", "You"]


def test_the_end_of_the_input_ends_a_block() -> None:
    assert chat('"""one\ntwo', ["a"]).asked == ["one\ntwo"]


def test_an_empty_input_asks_nothing_and_is_no_error() -> None:
    assert chat("", []) == Ran(0, "", "", [])


def test_one_bad_turn_does_not_end_the_others() -> None:
    ran = chat("word " * 100 + "\nHi\n", ["never", "Hello!"], n_ctx=60)
    assert (ran.status, ran.answers) == (1, "Hello!\n")
    assert "That does not fit: it makes 105 tokens, the context holds 60" in ran.notices


def test_an_answer_that_is_cut_off_says_so_and_a_full_context_is_announced_once() -> None:
    ran = chat("Hi\n/undo\nHello\n", ["word " * 100, "word " * 42], n_ctx=60)
    cut_off, full, dropped = ran.notices.splitlines()
    assert cut_off.startswith("The answer is cut off: it reached the limit of tokens.")
    assert full.startswith("The context is 107% full.")
    assert dropped == "Dropped: Hi"


THREE_TURNS = "".join(f"{'word ' * 60}{number}\n" for number in "123")


@pytest.mark.parametrize("on_overflow", ["ask", "fail"])
def test_a_script_whose_turns_no_longer_fit_fails_and_loses_nothing(on_overflow: OnOverflow) -> None:
    ran = chat(THREE_TURNS, ["One.", "Two.", "Three."], n_ctx=240, on_overflow=on_overflow)
    assert (ran.status, ran.answers, len(ran.asked)) == (1, "One.\nTwo.\n", 2)
    assert "That does not fit" in ran.notices


def test_a_script_can_say_what_is_to_be_left_out() -> None:
    ran = chat(THREE_TURNS, ["One.", "Two.", "Three."], n_ctx=240, on_overflow="drop")
    assert (ran.status, ran.answers) == (0, "One.\nTwo.\nThree.\n")
    assert "The model no longer sees the oldest" in ran.notices
    ran = chat(THREE_TURNS, ["One.", "Two.", "All about words.", "Three."], n_ctx=240, on_overflow="summarise")
    assert (ran.status, ran.answers) == (0, "One.\nTwo.\nThree.\n")
    assert "All about words." in ran.notices


def test_a_text_in_the_target_language_already() -> None:
    ran = chat("你好。\n", [], to="zh")
    assert ran.answers == "你好。\n"
    assert "Nothing to translate: this is Chinese already. If it is not, say what it is: /from en\n" in ran.notices


def test_a_required_word_that_is_missing_is_named() -> None:
    ran = chat('Good morning.\nuse "Tag"\nuse "Guten"\n', ["Guten Morgen.", "Guten Tagen.", "guten Tag."], to="de")
    assert ran.notices.count("did not follow") == 1
    assert "The model did not follow: “Tag” is not in the new draft." in ran.notices
    assert ran.status == 0


def test_a_translation_that_is_missing_or_cut_off_sets_the_status() -> None:
    ran = chat("Good morning.\nGood day.\n", ["", "Guten Tag."], to="de")
    assert (ran.status, ran.answers) == (3, "Good morning.\nGuten Tag.\n")
    assert "1 of 1 sentences could not be translated" in ran.notices
    assert chat("Good morning.\n", ["Guten " * 300], to="de").status == 3


def test_control_sequences_stay_out_of_a_terminal_and_in_a_file() -> None:
    nasty = "a\x1b[31mb\x1b]0;title\x07c"
    assert chat("Hi\n", [nasty]).answers == nasty + "\n"
    assert chat("Hi\n", [nasty], terminal=True).answers == "abc\n"
    assert chat("Hi\n", [nasty], terminal=True, person=True).answers == "abc\n"


def test_input_that_is_not_utf8_is_named_by_its_line() -> None:
    with pytest.raises(InputError, match=r"Line 2 of the input is not UTF-8"):
        chat(b"Hi\n\xff\xfe\n", ["Hello!"])


def test_a_model_that_cannot_be_opened_ends_the_chat() -> None:
    def fail() -> ScriptedEngine:
        raise ModelNotFound("There is no such model.")

    def begin(loading: BackgroundEngine) -> Driver:
        return ChatOptions().driver(loading, PlainScreen(io.StringIO(), io.StringIO()))

    with pytest.raises(ModelNotFound) as error:
        by_lines.run(fail, begin, by_lines.LineReader(io.BytesIO(b"Hi\n")))
    assert isinstance(error.value, BaylingError)
    assert error.value.exit_status == 4


def test_an_error_of_the_engine_is_shown_and_sets_the_status() -> None:
    ran = chat("Hi\nHo\n", [ModelNotFound("gone"), "Hello!"])
    assert (ran.status, ran.answers, ran.notices) == (4, "Hello!\n", "Error: gone\n")


@pytest.mark.slow
def test_an_interrupt_keeps_what_there_is_and_ends_with_130() -> None:
    threading.Timer(0.4, signal.raise_signal, (signal.SIGINT,)).start()
    ran = chat("Hi\nHo\n", ["word " * 1000], delay=0.01)
    assert ran.status == 130
    assert ran.answers.startswith("word word")
    assert len(ran.asked) == 1
    assert "stopped; what there is was kept" in ran.notices


@pytest.mark.parametrize("text", ["Good morning.", "/help me", '"""\nquoted\n"""', "One.\nTwo."])
def test_one_text_is_answered_as_it_is(text: str) -> None:
    engine = ScriptedEngine(["Ja."])
    answers = io.StringIO()

    def begin(loading: BackgroundEngine) -> Driver:
        return ChatOptions().driver(loading, PlainScreen(answers, io.StringIO()))

    assert by_lines.run_once(lambda: engine, begin, text) == 0
    assert answers.getvalue() == "Ja.\n"
    assert [request.conversation.messages[-1].content for request in engine.requests] == [text]


def test_the_demonstrator_says_once_that_it_cannot_chat() -> None:
    info = ModelInfo("bayling-tiny", "bayling", 512, demonstrator=True)
    notices = io.StringIO()
    engine = ScriptedEngine(["word", "salad", "Hallo."], info=info)

    def begin(loading: BackgroundEngine) -> Driver:
        return ChatOptions().driver(loading, PlainScreen(io.StringIO(), notices))

    by_lines.run(lambda: engine, begin, by_lines.LineReader(io.BytesIO(b"Hi\nHo\n/to de\nHello.\n")))
    assert notices.getvalue().count("trained to translate, not to chat: try /to zh") == 1
