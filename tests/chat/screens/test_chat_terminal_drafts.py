"""A draft in a real terminal, changed in every way that takes a key or a command."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from tests.chat.tmux import DRIVES_A_TERMINAL, MAKE_TERMINAL, Terminal, conversation, start

pytestmark = DRIVES_A_TERMINAL


def german(terminal: Terminal, *responses: str, **script: object) -> Terminal:
    """A chat that translates into German."""
    return start(terminal, to="de", prompt="de>", responses=responses, **script)


def test_one_key_flips_the_reading_and_flips_it_back(make_terminal: MAKE_TERMINAL) -> None:
    terminal = german(make_terminal(), "Guten Morgen.", "Hintertür auf!", "Nimm die Hintertür.")
    terminal.line("Good morning.")
    terminal.wait_for("Guten Morgen.\nde>")
    assert "Tab" not in terminal.screen()
    terminal.line("please use the word Hintertür")
    terminal.wait_for("Hintertür auf!\nde>", lambda screen: screen.endswith("· Tab if it was a text to translate"))
    terminal.press("Tab")
    terminal.wait_for(
        "Nimm die Hintertür.\nde>", lambda screen: screen.endswith("· Tab if it was feedback on the draft")
    )
    assert conversation(terminal) == (
        "de> Good morning.\n"
        "→ de\n"
        "Guten Morgen.\n"
        "de> please use the word Hintertür\n"
        '↻ refining de · Use the word "Hintertür". · Tab if it was a text to translate\n'
        "Hintertür auf!\n"
        "→ de\n"
        "Nimm die Hintertür.\n"
        "de>"
    )


def test_a_digit_chooses_another_version_and_esc_keeps_the_draft(make_terminal: MAKE_TERMINAL) -> None:
    versions = ("Morgen.", "Schönen Morgen.")
    terminal = german(make_terminal(), "Guten Morgen.", *versions, *versions, *versions, *versions)
    terminal.line("Good morning.")
    terminal.wait_for("Guten Morgen.\nde>")
    terminal.line("/alt 2")
    terminal.wait_for("1  Morgen.\n2  Schönen Morgen.\nde>", "1–2 chooses · Esc keeps the draft")
    terminal.press("Escape")
    terminal.wait_for(lambda screen: "Esc" not in screen)
    terminal.type("2")
    terminal.wait_for("\nde> 2")
    terminal.press("C-c")
    terminal.line("/alt 2")
    terminal.wait_for("1–2 chooses · Esc keeps the draft")
    terminal.press("2")
    terminal.wait_for("2  Schönen Morgen.\nSchönen Morgen.\nde>", lambda screen: "Esc" not in screen)


def test_what_was_typed_before_the_offer_is_no_choice(make_terminal: MAKE_TERMINAL) -> None:
    terminal = german(make_terminal(), "Guten Morgen.", *["Morgen.", "Guten Tag."] * 4, delay=0.2)
    terminal.line("Good morning.")
    terminal.wait_for("Guten Morgen.\nde>")
    terminal.line("/alt 2")
    terminal.type("1")
    terminal.wait_for("2  Guten Tag.\nde> 1\n")
    terminal.press("BSpace")
    terminal.wait_for("Esc keeps the draft")
    terminal.press("1")
    terminal.wait_for("2  Guten Tag.\nMorgen.\nde>\n")


def test_undo_redo_and_what_changed(make_terminal: MAKE_TERMINAL) -> None:
    terminal = german(make_terminal(), "Guten Morgen, Freund.", "Guten Tag, Freund.")
    terminal.line("Good morning, friend.")
    terminal.wait_for("Guten Morgen, Freund.\nde>")
    terminal.line("/use Tag")
    terminal.wait_for("Guten Tag, Freund.\nde>")
    terminal.line("/diff")
    terminal.wait_for("de> /diff\nGuten Morgen Tag, Freund.\nde>")
    coloured = next(line for line in terminal.screen(colours=True).splitlines() if "Morgen" in line and "Tag" in line)
    assert re.search(r"\x1b\[31m[^\x1b]*Morgen", coloured), coloured
    assert re.search(r"\x1b\[32m[^\x1b]*Tag", coloured), coloured
    terminal.line("/undo")
    terminal.wait_for("The draft is again: Guten Morgen, Freund.\nde>")
    terminal.line("/redo")
    terminal.wait_for("The draft is again: Guten Tag, Freund.\nde>")


def test_without_colours_changes_are_marked(make_terminal: MAKE_TERMINAL) -> None:
    terminal = german(make_terminal(NO_COLOR="1"), "Guten Morgen.", "Guten Tag.")
    terminal.line("Good morning.")
    terminal.wait_for("Guten Morgen.\nde>")
    terminal.line("/use Tag")
    terminal.wait_for("Guten Tag.\nde>")
    terminal.line("/diff")
    terminal.wait_for("de> /diff\nGuten [-Morgen-]{+Tag+}.\nde>")


def editor(folder: Path) -> str:
    """An editor that a test can see: it waits for the line that is the new text, and shows what it was given."""
    program = folder / "editor.py"
    program.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "print('EDITING', repr(file.read_text()), flush=True)\n"
        "file.write_text(sys.stdin.readline())\n"
    )
    return shlex.join([sys.executable, str(program)])


def test_the_draft_is_written_in_the_users_editor(make_terminal: MAKE_TERMINAL, tmp_path: Path) -> None:
    terminal = german(make_terminal(EDITOR=editor(tmp_path)), "Guten Morgen.")
    terminal.line("Good morning.")
    terminal.wait_for("Guten Morgen.\nde>")
    terminal.line("/edit")
    terminal.wait_for("EDITING 'Guten Morgen.\\n'")
    terminal.press("C-c")  # is for the editor, which has to do with it as it likes: this one ends
    terminal.wait_for(lambda screen: screen.count("de>") == 3)
    terminal.line("/edit")
    terminal.wait_for(lambda screen: screen.count("EDITING") == 2)
    terminal.line("Schönen Morgen.")  # echoed: the editor has the keyboard as the shell left it
    terminal.wait_for("Schönen Morgen.\nSchönen Morgen.\nde>")
    terminal.line("/diff")
    terminal.wait_for("Guten Schönen Morgen.\nde>")


def test_a_line_is_written_in_the_users_editor(make_terminal: MAKE_TERMINAL, tmp_path: Path) -> None:
    terminal = start(make_terminal(VISUAL=editor(tmp_path)), responses=["Hello!"])
    terminal.type("dra")
    terminal.press("C-x", "C-e")
    terminal.wait_for("EDITING 'dra\\n'")
    terminal.line("draft")
    terminal.wait_for("\n> draft")
    terminal.type("s")
    terminal.press("C-g")
    terminal.wait_for("EDITING 'drafts\\n'")
    terminal.line("Hi")
    terminal.wait_for("\n> Hi")
    terminal.press("Enter")
    terminal.wait_for("\n> Hi\nHello!\n>")


def test_at_the_edge_of_the_context_a_key_decides(make_terminal: MAKE_TERMINAL) -> None:
    long = "word " * 60
    terminal = start(make_terminal(), responses=[long, long, "In short.", "Answered."], n_ctx=200, delay=0.001)
    for number, line in enumerate(("one", "two"), start=2):
        terminal.line(line)
        terminal.wait_for(lambda screen, number=number: f"\n{screen}".count("\n> ") >= number - 1, "word\n>")  # type: ignore[misc]
    terminal.line("three " * 15)
    terminal.wait_for("d  leave the oldest", "s  sum", "n  send nothing\nPress d, s, n:")
    terminal.press("x", "Enter")
    terminal.wait_for("Press d, s, n: n\nError: That does not fit", "parts.\n>")
    terminal.line("three " * 15)
    terminal.wait_for(lambda screen: screen.count("Press d, s, n:") == 2)
    terminal.press("s")
    terminal.wait_for("Press d, s, n: s\nThe oldest turns in short: In short.\nAnswered.\n>")
