"""Another model in the middle of a chat, in a real terminal: it loads behind the prompt."""

from __future__ import annotations

from pathlib import Path

from tests.chat.tmux import CHAT, DRIVES_A_TERMINAL, MAKE_TERMINAL, conversation, start

pytestmark = DRIVES_A_TERMINAL


def test_another_model_loads_behind_the_prompt(make_terminal: MAKE_TERMINAL, tmp_path: Path) -> None:
    others = {"second": ["Hello from the second."], "broken": []}
    terminal = start(make_terminal(), responses=["Hello from the first.", "Still here."], others=others)
    terminal.line("Hi")
    terminal.wait_for("Hello from the first.\n>")
    terminal.type("/model b")
    terminal.wait_for("/model b\n", "broken", "scripted")
    terminal.type("roken")
    terminal.press("Enter")
    terminal.wait_for("loading the model…")
    terminal.type("Hm")
    terminal.wait_for("\n> Hm")
    (tmp_path / "broken").touch()
    terminal.wait_for("Error: broken is broken.\n> Hm", "scripted · chat")
    terminal.press("Enter")
    terminal.wait_for("> Hm\nStill here.\n>")
    terminal.line("/model second")
    terminal.wait_for("loading the model…")
    terminal.line("Hi again")
    terminal.wait_for("The model is still loading…\n…")
    terminal.press("C-c")
    terminal.wait_for("stopped before the first word; nothing was kept\n>")
    terminal.line("Hi again")
    (tmp_path / "second").touch()
    terminal.wait_for("Model: second\nHello from the second.\n>", "second · chat")
    assert "Hello from the second." in conversation(terminal)
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")


def test_another_file_goes_on_with_the_session(
    make_terminal: MAKE_TERMINAL, tiny_model: Path, morning_model: Path
) -> None:
    terminal = make_terminal()
    terminal.run([*CHAT, "--model", str(tiny_model), "--to", "de"])
    terminal.wait_for("de>", "tokens")
    terminal.line("Can you see me?")
    terminal.wait_for("Kannst du mich sehen?\nde>")
    terminal.line(f"/model {morning_model}")
    terminal.wait_for(f"Model: {morning_model.stem}\nde>", f"\n {morning_model.stem} · auto → de")
    terminal.line("more formal")
    terminal.wait_for("\n早\nde>")
    terminal.press("C-d")
    terminal.wait_for("status=0 settings=kept")
