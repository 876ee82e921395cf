"""The chat in a pipe: whole transcripts, what goes to which stream, and the exit status."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from bayling_lite.chat.driver import ChatOptions
from bayling_lite.chat.screens import plain
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import BaylingError, InputError, ModelNotFound
from bayling_lite.languages import find_language


@dataclass(frozen=True)
class Ran:
    status: int
    answers: str
    notices: str
    asked: list[str]


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def chat(
    lines: str | bytes,
    responses: Iterable[str | BaseException],
    *,
    to: str | None = None,
    n_ctx: int = 4096,
    delay: float = 0.0,
    terminal: bool = False,
) -> Ran:
    engine = ScriptedEngine(responses, info=ModelInfo("scripted", "bayling", n_ctx), delay=delay)
    options = ChatOptions(target=find_language(to) if to else None)
    answers, notices = FakeTerminal() if terminal else io.StringIO(), io.StringIO()
    source = io.BytesIO(lines.encode() if isinstance(lines, str) else lines)
    status = plain.run(lambda: engine, options, source, plain.PlainScreen(answers, notices))
    asked = [request.conversation.messages[-1].content for request in engine.requests]
    return Ran(status, answers.getvalue(), notices.getvalue(), asked)


def test_a_whole_transcript() -> None:
    ran = chat(
        "\n/to zh\nGood morning.\nuse 早安\n/udno\n/undo\n"
        '"""\nOne line.\nAnother.\n"""\n/chat\n//help is a word\n/bye\nnever read\n',
        ["早上好。", "早安。", "一行。", "另一行。", "Yes."],
    )
    assert ran == Ran(
        status=2,
        answers="早上好。\n早安。\n一行。\n另一行。\nYes.\n",
        notices=(
            "Lines are translated from any language into Chinese (zh). /chat ends that.\n"
            "→ zh\n"
            '↻ refining zh · Use the word "早安". · /new if it was a text to translate\n'
            "Error: There is no command /udno. Did you mean /undo? /help lists them; // begins a line with a slash.\n"
            "Dropped: use 早安\n"
            "The draft is again: 早上好。\n"
            "→ zh\n"
            "Lines are answered. /to LANG translates again.\n"
        ),
        asked=[
            "Provide the Chinese translation for this sentence: Good morning.",
            'Use the word "早安".',
            "Provide the Chinese translation for this sentence: One line.",
            "Provide the Chinese translation for this sentence: Another.",
            "/help is a word",
        ],
    )


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
    assert "/undo" in ran.notices


def test_an_answer_that_is_cut_off_says_so_and_a_full_context_is_announced_once() -> None:
    ran = chat("Hi\n/undo\nHello\n", ["word " * 100, "word " * 42], n_ctx=60)
    assert ran.notices.splitlines() == [
        "The answer is cut off: it reached the limit of tokens. A shorter text, or /clear, makes room.",
        "The context is 107% full. /undo drops the last turn, /clear forgets all; nothing is cut by itself.",
        "Dropped: Hi",
    ]


def test_a_text_in_the_target_language_already() -> None:
    ran = chat("你好。\n", [], to="zh")
    assert ran.answers == "你好。\n"
    assert "Nothing to translate: this is Chinese already" in ran.notices


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


def test_input_that_is_not_utf8_is_named_by_its_line() -> None:
    with pytest.raises(InputError, match=r"Line 2 of the input is not UTF-8"):
        chat(b"Hi\n\xff\xfe\n", ["Hello!"])


def test_a_model_that_cannot_be_opened_ends_the_chat() -> None:
    def fail() -> ScriptedEngine:
        raise ModelNotFound("There is no such model.")

    with pytest.raises(ModelNotFound) as error:
        plain.run(fail, ChatOptions(), io.BytesIO(b"Hi\n"), plain.PlainScreen(io.StringIO(), io.StringIO()))
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


def test_one_shot() -> None:
    engine = ScriptedEngine(["Guten Morgen."])
    answers, notices = io.StringIO(), io.StringIO()
    options = ChatOptions(target=find_language("de"))
    assert plain.run_once(lambda: engine, options, "Good morning.", plain.PlainScreen(answers, notices)) == 0
    assert (answers.getvalue(), notices.getvalue()) == ("Guten Morgen.\n", "→ de\n")


def test_the_demonstrator_says_once_that_it_cannot_chat() -> None:
    info = ModelInfo("bayling-tiny", "bayling", 512, demonstrator=True)
    notices = io.StringIO()
    screen = plain.PlainScreen(io.StringIO(), notices)
    engine = ScriptedEngine(["word", "salad", "Hallo."], info=info)
    plain.run(lambda: engine, ChatOptions(), io.BytesIO(b"Hi\nHo\n/to de\nHello.\n"), screen)
    assert notices.getvalue().count("trained to translate, not to chat: try /to zh") == 1
