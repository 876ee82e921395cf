"""What a prompt takes away when its window is made narrower."""

from __future__ import annotations

import pytest

from bayling_lite.chat.screens.resizing import more_rows, reflows


@pytest.mark.parametrize(
    ("rows", "cursor", "columns", "more"),
    [
        ([], (0, 20), 40, 0),
        ([], (0, 90), 40, 2),
        ([80], (1, 3), 40, 1),
        ([80, 10, 41], (3, 40), 40, 3),
        ([80, 10, 41], (1, 0), 40, 1),
        ([80], (1, 3), 120, 0),
        ([0], (1, 0), 40, 0),
    ],
)
def test_the_rows_that_a_narrower_window_needs(
    rows: list[int], cursor: tuple[int, int], columns: int, more: int
) -> None:
    assert more_rows(rows, cursor, columns) == more


@pytest.mark.parametrize(
    ("environ", "so"),
    [
        ({"TMUX": "/tmp/tmux-0/default,1,0"}, True),
        ({"VTE_VERSION": "7006"}, True),
        ({"WT_SESSION": "a-b"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "mystery", "TERM": "xterm-256color"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_are_known_for_it_break_lines_anew(environ: dict[str, str], so: bool) -> None:
    assert reflows(environ) is so
