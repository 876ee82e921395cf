"""Stopping what runs, and being stopped: Ctrl-C at every moment, the end of the window, kill -9 and going on."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from tests.chat.tmux import CHAT, DRIVES_A_TERMINAL, MAKE_TERMINAL, start

pytestmark = DRIVES_A_TERMINAL


def test_ctrl_c_before_the_first_word_keeps_nothing(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), to="de", prompt="de>", responses=["never", "Hallo."], delay=30)
    terminal.line("Good morning.")
    terminal.wait_for("→ de\n…")
    terminal.wait_for("s · Ctrl-C stops")
    terminal.press("C-c")
    terminal.wait_for("→ de\nstopped before the first word; nothing was kept\nde>")
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")


def test_ctrl_c_while_a_real_model_reads_a_long_prompt(make_terminal: MAKE_TERMINAL, endless_model: Path) -> None:
    terminal = make_terminal(PYTHONWARNINGS="")
    terminal.run([*CHAT, "--model", str(endless_model), "--ctx", "65536", "--no-store"])
    terminal.wait_for("\n>", "0/65536 tokens")
    terminal.paste("a b c d e f g h " * 2500)
    terminal.wait_for("a b c d e f g h a b c d e f g h")
    terminal.press("Enter")
    terminal.wait_for("\n…")
    terminal.press("C-c")
    terminal.wait_for("\nstopped before the first word; nothing was kept\n>", "0/65536 tokens")
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")


def test_after_a_suspension_the_keyboard_is_quiet_again(make_terminal: MAKE_TERMINAL) -> None:
    numbers = " ".join(map(str, range(30)))
    terminal = start(make_terminal(), responses=[numbers], delay=0.03)
    terminal.line("count")
    terminal.wait_for("\n0 1 2")
    terminal.press("C-z")
    terminal.wait_for("Stopped", "ready$")
    terminal.line("clear; fg")
    terminal.wait_for(lambda screen: re.fullmatch(r"[ \d]{4,}", screen.splitlines()[-1]) is not None)
    terminal.type("early")
    terminal.wait_for("28 29\n> early\n")
    assert terminal.screen().count("early") == 1


def test_a_program_that_is_ended_leaves_the_terminal_as_it_was(make_terminal: MAKE_TERMINAL) -> None:
    terminal = start(make_terminal(), responses=["word " * 1000], delay=0.02)
    terminal.kill("scripted_chat", signal.SIGTERM)
    terminal.wait_for("Terminated", "status=143 settings=kept")
    start(terminal, responses=["word " * 1000], delay=0.02)
    terminal.line("Hi")
    terminal.wait_for("word word")
    terminal.kill("scripted_chat", signal.SIGTERM)
    terminal.wait_for("Terminated", "status=143 settings=kept")


def test_kill_9_during_an_answer_loses_nothing_of_it(
    make_terminal: MAKE_TERMINAL, endless_model: Path, tmp_path: Path
) -> None:
    terminal = make_terminal(PYTHONWARNINGS="")
    command = [*CHAT, "--model", str(endless_model), "--ctx", "65536"]
    terminal.run(command)
    terminal.wait_for("\n>", "0/65536 tokens")
    terminal.line("Say something endless")
    terminal.wait_for("Say something endless\nabab", lambda screen: screen.count("\nabab") >= 20)
    terminal.kill("chat_main")
    terminal.wait_for("ready$")
    terminal.line("stty sane")
    terminal.run([*command, "--continue"])
    terminal.wait_for("“Say something endless”: 1 turn.\n> Say something endless\n…", "/65536 tokens")
    terminal.line("/export talk.md")
    terminal.wait_for("talk.md", "Markdown")
    kept = (tmp_path / "talk.md").read_text(encoding="utf-8")
    assert "Say something endless" in kept
    assert "ab" * 500 in kept
