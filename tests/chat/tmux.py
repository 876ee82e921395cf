"""A real terminal for tests: a tmux server of its own, keys in, screen out. It waits by looking."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, LINES = 100, 30
PATIENCE = 30.0

DRIVES_A_TERMINAL = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux, the terminal of these tests, is not installed"),
]
CHAT = (sys.executable, "-c", "from bayling_lite.cli import chat_main; chat_main()")


class Terminal:
    """A shell in a fresh tmux server; close it when done."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._socket = f"bayling-{uuid.uuid4().hex[:12]}"
        self._folder = folder
        self._session(environment)
        self.wait_for("ready$")

    def _session(self, environment: dict[str, str]) -> None:
        settings = [f"{name}={value}" for name, value in environment.items()]
        shell = shlex.join(["env", *settings, "PS1=ready$ ", "bash", "--norc", "--noprofile"])
        size = ("-x", str(COLUMNS), "-y", str(LINES))
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(self._folder), shell)

    def _tmux(self, *arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TERM")}
        command = ["tmux", "-u", "-L", self._socket, *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys by their tmux names: Enter, C-c, Up."""
        self._tmux("send-keys", *keys)

    def line(self, text: str) -> None:
        """Type a line and press Enter."""
        self.type(text)
        self.press("Enter")

    def paste(self, text: str) -> None:
        """Paste as a terminal does for a program that asked for bracketed paste."""
        file = self._folder / "pasted.txt"
        file.write_text(text, encoding="utf-8")
        self._tmux("load-buffer", str(file))
        self._tmux("paste-buffer", "-p")

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self, *, colours: bool = False) -> str:
        """What can be seen, without blanks at the ends of lines and empty lines at the end."""
        shown = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip("\n")

    def wait_for(self, *wanted: str | Callable[[str], bool]) -> str:
        """Wait until all of the wanted is on the screen, and give the screen."""
        end = time.monotonic() + PATIENCE
        while True:
            screen = self.screen()
            if all(want in screen if isinstance(want, str) else want(screen) for want in wanted):
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {wanted}; on the screen:\n{screen}")
            time.sleep(0.05)

    def run(self, command: Iterable[str]) -> None:
        """Start a program; when it ends, the shell prints ``status=`` and whether the terminal's settings changed."""
        self.line("clear")
        self.wait_for(lambda screen: screen == "ready$")
        program = shlex.join(command)
        script = self._folder / f"{uuid.uuid4().hex[:8]}.sh"
        script.write_text(
            f"clear\nbefore=$(stty -g)\n{program}\nstatus=$?\n"
            '[ "$(stty -g)" = "$before" ] && settings=kept || settings=changed\n'
            'echo "status=$status settings=$settings"\n',
            encoding="utf-8",
        )
        self.line(f". ./{script.name}")

    def kill(self, part_of_command: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the program of this terminal that has this in its command line: kill -9."""
        shell = self._tmux("list-panes", "-F", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii").split()
        named = [pid for pid in children if part_of_command in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")]
        assert len(named) == 1, named
        os.kill(int(named[0]), number)

    def title(self) -> str:
        """The window's title."""
        return self._tmux("display-message", "-p", "#{pane_title}").strip()

    def close(self) -> None:
        """End the server and all that runs in it, and remove its socket, which tmux leaves behind."""
        socket = Path(self._tmux("display-message", "-p", "#{socket_path}").strip())
        self._tmux("kill-server")
        socket.unlink(missing_ok=True)


MAKE_TERMINAL = Callable[..., Terminal]


def start(terminal: Terminal, *, prompt: str = "> ", **script: Any) -> Terminal:
    """Start the chat with a scripted engine (see scripted_chat.py) and wait for its prompt."""
    terminal.run([sys.executable, str(ROOT / "tests" / "chat" / "scripted_chat.py"), json.dumps(script)])
    terminal.wait_for(lambda screen: screen.startswith(prompt.rstrip()), "/help" if "gate" not in script else "")
    return terminal


def conversation(terminal: Terminal) -> str:
    """What stands above the bottom line."""
    return terminal.screen().rpartition("\n")[0].rstrip("\n")
