"""The chat in a real terminal: typing, pasting, Ctrl-C, leaving. The scripted engine answers, but for the last test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chat.tmux import CHAT, DRIVES_A_TERMINAL, MAKE_TERMINAL, conversation, start

pytestmark = DRIVES_A_TERMINAL


def test_a_refinement_in_three_turns(make_terminal: MAKE_TERMINAL) -> None:
    answers = ["Guten Morgen, mein Freund.", "Guten Tag, mein Freund.", "Guten Tag, Freund."]
    terminal = start(make_terminal(), to="de", prompt="de>", responses=answers, delay=0.02)
    terminal.line("Good morning, my friend.")
    terminal.wait_for(answers[0], "\nde>")
    terminal.line('use "Guten Tag"')
    terminal.wait_for(answers[1])
    terminal.line("shorter, please")
    terminal.wait_for(answers[2], lambda screen: screen.count("\nde>") == 3)
    assert conversation(terminal) == (
        "de> Good morning, my friend.\n"
        "→ de\n"
        "Guten Morgen, mein Freund.\n"
        'de> use "Guten Tag"\n'
        '↻ refining de · Use the word "Guten Tag". · Tab if it was a text to translate\n'
        "Guten Tag, mein Freund.\n"
        "de> shorter, please\n"
        "↻ refining de · Tab if it was a text to translate\n"
        "Guten Tag, Freund.\n"
        "de>"
    )
    assert terminal.screen().splitlines()[-1].startswith(" scripted · auto → de · ")


def test_the_prompt_is_there_while_the_model_loads(make_terminal: MAKE_TERMINAL, gate: Path) -> None:
    terminal = start(make_terminal(), gate=str(gate), responses=["Hello!"], notice="A word from the loader.")
    terminal.type("Hi")
    terminal.wait_for("> Hi", "loading the model…")
    gate.touch()
    terminal.wait_for("A word from the loader.\n> Hi", "scripted · chat · 0/4096 tokens")
    terminal.press("Enter")
    terminal.wait_for("> Hi\nHello!\n>")


def test_a_line_typed_early_waits_for_the_model_and_ctrl_c_ends_the_wait(
    make_terminal: MAKE_TERMINAL, gate: Path
) -> None:
    terminal = start(make_terminal(), gate=str(gate), responses=["Hello!"], notice="A word from the loader.")
    terminal.line("Hi")
    terminal.wait_for("The model is still loading…\n…")
    terminal.press("C-c")
    terminal.wait_for("stopped before the first word; nothing was kept\n>")
    terminal.line("Hi again")
    terminal.wait_for("> Hi again\nThe model is still loading…")
    terminal.wait_for("The model is still loading…\n…")
    gate.touch()
    terminal.wait_for("> Hi again\nThe model is still loading…\nA word from the loader.\nHello!\n>")


def test_leaving_while_the_model_loads(make_terminal: MAKE_TERMINAL, gate: Path) -> None:
    terminal = start(make_terminal(), gate=str(gate))
    terminal.line("/stats")
    terminal.wait_for("The model is still loading…")
    terminal.press("C-c")
    terminal.wait_for("Ctrl-D or /bye leaves.\n>")
    terminal.press("C-d")
    terminal.wait_for("Leaving as soon as the model has loaded…")
    gate.touch()
    terminal.wait_for("Leaving as soon as the model has loaded…\nstatus=0 settings=kept")


def test_a_model_that_cannot_be_opened(make_terminal: MAKE_TERMINAL, gate: Path) -> None:
    terminal = start(make_terminal(), missing=True, gate=str(gate))
    gate.touch()
    terminal.wait_for("Error: There is no such model: nowhere.gguf.\nstatus=4 settings=kept")


def test_ctrl_c_stops_an_answer_and_keeps_what_there_is(make_terminal: MAKE_TERMINAL) -> None:
    answers = ["eins zwei drei " + "und weiter " * 200, "Nur eins."]
    terminal = start(make_terminal(), to="de", prompt="de>", responses=answers, delay=0.03)
    terminal.line("One two three and on.")
    terminal.wait_for("eins zwei drei und weiter und")
    terminal.press("C-c")
    screen = terminal.wait_for("stopped; what there is was kept as the draft", "\nde>")
    assert screen.count("weiter") < 50
    terminal.line("shorter")
    terminal.wait_for("↻ refining de", "Nur eins.")


def test_ctrl_c_at_the_prompt_clears_a_line_and_hints_on_an_empty_one(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal())
    terminal.type("not this")
    terminal.wait_for("> not this")
    terminal.press("C-c")
    terminal.wait_for(lambda screen: "not this" not in screen)
    terminal.press("C-c")
    terminal.wait_for("Ctrl-D or /bye leaves.\n>")


def test_ctrl_d_leaves_and_the_terminal_is_as_before(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["Hello!"])
    terminal.line("Hi")
    terminal.wait_for("Hello!\n>")
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept", "ready$")


def test_a_block_of_lines(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["Seen."])
    terminal.line('"""one')
    terminal.line("two")
    terminal.wait_for('> """one\n. two\n.')
    assert "Seen" not in terminal.screen()
    terminal.line('"""')
    terminal.wait_for("Seen.")


def test_completion_and_history_search(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["Hello!"])
    terminal.type("/to ch")
    terminal.wait_for("Chinese, 中文")
    terminal.press("Tab", "Enter")
    terminal.wait_for("into Chinese (zh)", "\nzh>")
    terminal.press("C-d")
    terminal.wait_for("status=0")
    start(terminal)
    terminal.press("C-r")
    terminal.type("to")
    terminal.wait_for("/to zh")
    terminal.press("C-c")
    terminal.wait_for(lambda screen: "/to zh" not in screen)


def test_keys_pressed_during_an_answer_wait_for_the_prompt(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["one two three four five six seven eight.", "Seen."], delay=0.1)
    terminal.line("count")
    terminal.wait_for("one two")
    terminal.line("typed early")
    terminal.type("and more")
    terminal.wait_for("one two three four five six seven eight.\n> typed early\nSeen.\n> and more")


def test_a_line_that_is_too_long_goes_on_without_a_mark(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal())
    typed = "a" * 150 + "end"
    terminal.type(typed)
    terminal.wait_for(lambda screen: screen.replace("\n", "").startswith(f"> {typed}"))


@pytest.mark.parametrize("no_colour", [False, True])
def test_no_color_is_honoured(make_terminal: MAKE_TERMINAL, no_colour: bool) -> None:
    terminal = start(make_terminal(**({"NO_COLOR": "1"} if no_colour else {})))
    terminal.line("/udno")
    terminal.wait_for("Did you mean /undo?")
    coloured = re.search(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;)", terminal.screen(colours=True))
    assert (coloured is None) == no_colour


def test_the_command_in_a_terminal(make_terminal: MAKE_TERMINAL, chain_model: Path) -> None:
    terminal = make_terminal(PYTHONWARNINGS="")
    terminal.run([*CHAT, "--model", str(chain_model)])
    terminal.wait_for(f"\n {chain_model.stem} · chat · 0/512 tokens")
    terminal.line("Hi")
    terminal.wait_for("> Hi\n早 good day</\n>")
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")


def test_a_terminal_that_can_do_nothing(make_terminal: MAKE_TERMINAL, chain_model: Path) -> None:
    terminal = make_terminal(PYTHONWARNINGS="")
    terminal.run(["env", "TERM=dumb", *CHAT, "--model", str(chain_model)])
    terminal.wait_for(">")
    terminal.press("C-c")
    terminal.wait_for("Ctrl-D or /bye leaves.\n>")
    terminal.line("Hi")
    terminal.wait_for("> Hi\n", "\nAnswer:\n早 good day</\n>")
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")


def test_a_refinement_with_the_embedded_model(make_terminal: MAKE_TERMINAL, tiny_model: Path) -> None:
    terminal = make_terminal(PYTHONWARNINGS="")
    terminal.run([*CHAT, "--model", str(tiny_model), "--to", "de"])
    terminal.wait_for("de>", "tokens")
    lines = ("Can you see me?", 'use "Können Sie"', 'use "Kannst du"')
    for prompts, line in enumerate(lines, start=2):
        terminal.line(line)
        terminal.wait_for(lambda screen, prompts=prompts: f"\n{screen}".count("\nde>") == prompts)  # type: ignore[misc]
    assert conversation(terminal) == EXPECTED_WITH_THE_EMBEDDED_MODEL
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")


def test_a_language_that_the_model_does_not_know(make_terminal: MAKE_TERMINAL, tiny_model: Path) -> None:
    terminal = make_terminal(PYTHONWARNINGS="")
    terminal.run([*CHAT, "--model", str(tiny_model), "--to", "ja"])
    terminal.wait_for("does not know Japanese, only en (English)", "/to zh changes the language.", "tokens")


EXPECTED_WITH_THE_EMBEDDED_MODEL = """\
bayling-tiny is a small demonstrator. For real translations: bayling models pull bayling-2-7b (about
13.5 GB to download), then --model bayling-2-7b
de> Can you see me?
→ de
Kannst du mich sehen?
de> use "Können Sie"
↻ refining de · Use the word "Können Sie". · Tab if it was a text to translate
Können Sie mich sehen?
de> use "Kannst du"
↻ refining de · Use the word "Kannst du". · Tab if it was a text to translate
Kannst du mich sehen?
de>"""
