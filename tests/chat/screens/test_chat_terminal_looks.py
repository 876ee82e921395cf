"""What a chat looks like in a real terminal: widths, windows that change, colours, and what must not reach it raw."""

from __future__ import annotations

from prompt_toolkit.utils import get_cwidth

from tests.chat.tmux import DRIVES_A_TERMINAL, MAKE_TERMINAL, conversation, start

pytestmark = DRIVES_A_TERMINAL


def test_a_window_made_narrower_and_wider_at_the_prompt(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["word\n" * 20, "Seen."])
    terminal.line("Hi")
    terminal.wait_for("word\n>")
    typed = "a line that is typed at the prompt and is too long for the window that it is in when it is sent"
    terminal.type(typed)
    terminal.wait_for(typed)
    terminal.resize(40, 30)
    terminal.wait_for(lambda screen: screen.endswith("\n chat · 31/4096 tokens · /help"))
    assert conversation(terminal).endswith("> " + "\n".join([typed[:38], typed[38:78], typed[78:]]))
    assert terminal.screen().count("> a line that is typed") == 1
    terminal.type("!")
    terminal.resize(100, 30)
    terminal.wait_for(f"> {typed}!\n", "tokens/s · /help")
    terminal.press("Enter")
    terminal.wait_for(f"> {typed}!\nSeen.\n>")


def test_a_window_that_changes_during_an_answer(make_terminal: MAKE_TERMINAL) -> None:
    answer = " ".join(map(str, range(60)))
    terminal = start(make_terminal(), responses=[answer, "Seen."], delay=0.01)
    terminal.line("count")
    terminal.wait_for("0 1 2 3")
    terminal.resize(33, 20)
    terminal.wait_for("8 59\n>")
    terminal.resize(100, 20)
    assert "59" in terminal.wait_for("\n>")
    terminal.line("Hi")
    terminal.wait_for("> Hi\nSeen.\n>")


def test_an_answer_is_not_wrapped_and_what_the_chat_says_is(make_terminal: MAKE_TERMINAL) -> None:
    answer = "Ein langer Satz, der nicht in eine Zeile dieses Fensters passt und den jemand kopieren will."
    terminal = start(make_terminal(), to="de", prompt="de>", responses=[answer])
    terminal.resize(50, 30)
    terminal.line("A long sentence.")
    terminal.wait_for(lambda screen: answer in screen.replace("\n", ""))
    terminal.line("/udno")
    terminal.wait_for("Error: There is no command /udno. Did you mean\n/undo? ")
    terminal.resize(100, 30)
    terminal.wait_for(f"\n{answer}\n")


def test_wide_and_combining_characters(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), to="zh", prompt="zh>", responses=["早上好，我的朋友👋。"])
    terminal.resize(30, 20)
    terminal.type("e\u0301té 早上好👋x")
    terminal.press("BSpace", "BSpace", "BSpace")
    terminal.wait_for("zh> e\u0301té 早上\n")
    terminal.press("C-c")
    terminal.line("Good morning, my dear old friend.")
    screen = terminal.wait_for("早上好，我的朋友👋。\nzh>")
    assert max(map(get_cwidth, screen.splitlines())) <= 30


def test_right_to_left_text_goes_to_the_terminal_as_it_is(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["صباح الخير, שלום\u200f!"])
    terminal.line("مرحبا")
    terminal.wait_for("> مرحبا\nصباح الخير, שלום")


def test_pasted_control_sequences_do_nothing(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["Seen."])
    terminal.paste("one\x1b[2J\x1b]0;owned\x07\x9b31m\ntwo\x00\x08\u202e three")
    terminal.wait_for("> one\n. two three\n")
    terminal.press("Enter")
    terminal.wait_for("Seen.\n>")
    terminal.press("Up")
    terminal.wait_for("Seen.\n> one\n. two three\n")
    assert "owned" not in terminal.title()


def test_nothing_that_a_model_writes_steers_the_terminal(make_terminal: MAKE_TERMINAL) -> None:
    terminal = make_terminal()
    title = terminal.title()
    start(terminal, responses=["a\x1b[2J\x1b[31mb\x1b]0;owned\x07c\x1b]52;c;b3duZWQ=\x07\r\x08d"])
    terminal.line("Hi")
    terminal.wait_for("> Hi\nabcd\n>")
    assert terminal.title() == title


def test_markdown_is_rendered_in_chat_and_left_alone_in_translations(make_terminal: MAKE_TERMINAL) -> None:
    text = "# A title\n\n- an **important** word"
    terminal = start(make_terminal(), responses=[text, text])
    terminal.line("Write a list.")
    terminal.wait_for("> Write a list.\nA title\n\n- an important word\n>")
    assert "\x1b[1mimportant" in terminal.screen(colours=True)
    terminal.line("/to de")
    terminal.wait_for("\nde>")
    terminal.line("Hello.")
    terminal.wait_for("- an **important** word\nde>")


def test_what_is_pasted_during_an_answer_stays_together(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["one two three four five six seven.", "Seen."], delay=0.1)
    terminal.line("count")
    terminal.wait_for("one two")
    terminal.paste("first\nsecond")
    terminal.wait_for("seven.\n> first\n. second\n")
    terminal.press("C-l")
    terminal.wait_for(lambda screen: screen.startswith("> first\n. second\n"))
    terminal.press("Enter")
    terminal.wait_for("> first\n. second\nSeen.\n>")


def test_the_bottom_line_gives_way_in_a_narrow_window(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), to="de", prompt="de>", responses=["Guten Morgen."])
    terminal.line("Good morning.")
    terminal.wait_for("tokens/s · /help")
    terminal.resize(20, 10)
    terminal.wait_for(lambda screen: screen.endswith("\n auto → de · /help"))
    assert conversation(terminal) == "de> Good morning.\n→ de\nGuten Morgen.\nde>"
