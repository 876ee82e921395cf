"""A window made narrower while something stands in the prompt.

Most terminals then break long lines anew, so that the prompt takes more lines than it was drawn in. prompt-toolkit does
not know of those and leaves them standing; here they are counted, and go as well. Where a terminal may rather cut lines
off, nothing is done: to erase too little is ugly, to erase too much takes the conversation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from prompt_toolkit.application import Application

# Variables of terminals that break lines anew, in all versions still in use: tmux; GNOME's, Xfce's and others by VTE;
# Konsole; kitty; WezTerm; Alacritty; Windows Terminal.
_REFLOWING = (
    "TMUX",
    "VTE_VERSION",
    "KONSOLE_VERSION",
    "KITTY_WINDOW_ID",
    "WEZTERM_PANE",
    "ALACRITTY_WINDOW_ID",
    "WT_SESSION",
)
_REFLOWING_PROGRAMS = ("iTerm.app", "Apple_Terminal", "ghostty", "vscode", "WezTerm")


def reflows(environ: Mapping[str, str]) -> bool:
    """Whether the terminal breaks lines anew when its width changes."""
    return any(environ.get(name) for name in _REFLOWING) or environ.get("TERM_PROGRAM", "") in _REFLOWING_PROGRAMS


def more_rows(row_widths: Sequence[int], cursor: tuple[int, int], columns: int) -> int:
    """How many rows further down the cursor is in a window of so many columns.

    Args:
        row_widths: how many cells each row takes, as it was drawn.
        cursor: the row and the column it was in.
        columns: the new width.
    """
    row, column = cursor
    return sum(max(width - 1, 0) // columns for width in row_widths[:row]) + column // columns


def erase_reflowed(app: Application[Any], environ: Mapping[str, str] = os.environ) -> None:
    """Let a prompt take away what it would leave behind in a window that was made narrower."""
    if not reflows(environ):
        return
    resize = app._on_resize

    def on_resize() -> None:
        screen = app.renderer.last_rendered_screen
        if screen is not None and app.layout.current_window in screen.visible_windows:
            cursor = screen.get_cursor_position(app.layout.current_window)
            rows = [max(screen.data_buffer[row], default=-1) + 1 for row in range(cursor.y)]
            app.output.cursor_up(more_rows(rows, (cursor.y, cursor.x), app.output.get_size().columns))
        resize()

    app._on_resize = on_resize  # type: ignore[method-assign]
