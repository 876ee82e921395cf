"""What a line of progress says, in every width, and how fast something is said to go."""

from __future__ import annotations

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.cli.progress_line import (
    Shown,
    Window,
    amount_of_bytes,
    clock,
    cut,
    percent,
    plain_line,
    progress_line,
    speed_of_bytes,
)

CONVERTING = Shown("Converting", 0.456, "1.2 of 4.1 GB", "tensor 91 of 291", "34 MB/s", 85.2)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (117, f"Converting {'━' * 13}{'─' * 17}   45 %  1.2 of 4.1 GB  tensor 91 of 291  34 MB/s  1:25 left"),
        (88, "Converting ━━━━──────   45 %  1.2 of 4.1 GB  tensor 91 of 291  34 MB/s  1:25 left"),
        (78, "Converting ━━────   45 %  1.2 of 4.1 GB  tensor 91 of 291  34 MB/s  1:25 left"),
        (67, "Converting ━━━━──────   45 %  1.2 of 4.1 GB  34 MB/s  1:25 left"),
        (57, "Converting ━━━━──────   45 %  1.2 of 4.1 GB  1:25 left"),
        (37, "Converting ━━────   45 %  1:25 left"),
        (29, "Converting   45 %  1:25 left"),
        (27, "Conver...   45 %  1:25 left"),
        (17, "45 %  1:25 left"),
    ],
)
def test_the_least_important_goes_first(width: int, line: str) -> None:
    assert progress_line(CONVERTING, width) == line


def test_no_width_is_exceeded_and_percentage_and_time_stay() -> None:
    for label in ("Converting", "译文" * 20, "a\x1b[2Jb\nc" * 9):
        for width in range(19, 130):
            line = progress_line(Shown(label, 0.456, "1.2 of 4.1 GB", "tensor 91 of 291", "34 MB/s", 85.2), width)
            assert get_cwidth(line) <= width
            assert "\x1b" not in line
            assert "45 %" in line
            assert line.endswith("1:25 left")
    assert get_cwidth(progress_line(CONVERTING, 3)) <= 3


def test_a_plain_terminal_and_a_log() -> None:
    assert progress_line(CONVERTING, 57, ascii_only=True) == "Converting ####......   45 %  1.2 of 4.1 GB  1:25 left"
    assert plain_line(CONVERTING) == "Converting: 45 %, 1.2 of 4.1 GB, tensor 91 of 291, 34 MB/s, 1:25 left"
    assert plain_line(Shown("Asking\x1b[2J host")) == "Asking host"
    assert progress_line(Shown("Asking host"), 40) == "Asking host"


def test_numbers() -> None:
    assert [percent(part) for part in (None, 0.0, 0.29, 0.9999, 1.0, 1.2)] == [
        "",
        "  0 %",
        " 29 %",
        " 99 %",
        *["100 %"] * 2,
    ]
    assert [clock(seconds) for seconds in (0.4, 59.6, 3599, 7205)] == ["0:00", "1:00", "59:59", "2:00:05"]
    assert amount_of_bytes(1_234_000_000, 4_100_000_000) == "1.2 of 4.1 GB"
    assert amount_of_bytes(300_000_000, 4_100_000_000) == "300.0 MB of 4.1 GB"
    assert amount_of_bytes(0, 4_100_000_000) == "0 bytes of 4.1 GB"
    assert [speed_of_bytes(rate) for rate in (34_480_000.0, 3_440_000.0, 12.4)] == ["34 MB/s", "3.4 MB/s", "12 bytes/s"]
    assert [cut("译文很好", width) for width in (8, 7, 6, 2)] == ["译文很好", "译文...", "译...", ".."]


def rate(*notes: tuple[float, float] | None) -> float | None:
    """The rate after notes of (how much, at what time); at None something else is at work."""
    window = Window(seconds=8)
    for note in notes:
        if note is None:
            window.pause()
        else:
            window.add(*note)
    return window.rate


def test_the_window_says_how_fast_it_is_now() -> None:
    assert rate() is None
    assert rate((500, 0.0)) is None
    assert rate((500, 0.0), (600, 0.1)) is None  # too short to tell
    # What an earlier run had done says nothing about this one.
    assert rate((500, 0.0), (600, 1.0)) == pytest.approx(100)
    # Ten seconds at 100, then twenty at 10: now it is 10.
    slow = [(1000 + 10.0 * second, 10.0 + second) for second in range(1, 21)]
    assert rate(*((100.0 * second, float(second)) for second in range(11)), *slow) == pytest.approx(10)
    # Nothing comes any more: after the window nothing is left of the old speed.
    assert rate((0, 0), (1000, 10), *((1000, 10 + 0.5 * tick) for tick in range(18))) == pytest.approx(0)


def test_the_window_counts_only_the_time_at_work() -> None:
    # Fetched for two seconds, converted for a minute, fetched on for one.
    assert rate((0, 0), (100, 1), (200, 2), None, (200, 62), (300, 63)) == pytest.approx(100)
    # What is there already when it goes on was not fetched now.
    assert rate((0, 0), (100, 1), None, (5000, 62), (5100, 63)) == pytest.approx(100)


def test_what_was_forgotten_does_not_count() -> None:
    window = Window()
    window.add(0, 0)
    window.add(100, 1)
    window.clear()
    assert window.rate is None
    window.add(100, 60)
    window.add(200, 61)
    assert window.rate == pytest.approx(100)
