"""What a line of progress says: how fast something goes lately, and which parts of it fit into a terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bayling_lite.terminal import printable
from bayling_lite.units import bytes_text

_BARS = (30, 20, 10, 6)
"""Columns that a bar may take. Few sizes, so that it keeps its own while the numbers beside it grow and shrink."""
_GAP = "  "


class Window:
    """How fast something went during the last seconds that it was at work.

    Args:
        seconds: how long it looks back.
        shortest: how long something has to be watched before anything can be said.
    """

    def __init__(self, seconds: float = 8.0, shortest: float = 0.5) -> None:
        self._seconds = seconds
        self._shortest = shortest
        self._samples: deque[tuple[float, float]] = deque()  # seconds at work, how much was done in them
        self._last: tuple[float, float] | None = None

    def add(self, done: float, now: float) -> None:
        """Take note of how much is done at a time; what was done before the first note counts for nothing."""
        clock, fresh = self._samples[-1] if self._samples else (0.0, 0.0)
        if self._last is not None:
            clock, fresh = clock + now - self._last[1], fresh + max(0.0, done - self._last[0])
        self._last = (done, now)
        self._samples.append((clock, fresh))
        # One sample from before the window stays, so that it is full.
        while len(self._samples) > 2 and self._samples[1][0] <= clock - self._seconds:
            self._samples.popleft()

    def pause(self) -> None:
        """Something else is at work: neither the time until the next note counts, nor what will have come by then."""
        self._last = None

    def clear(self) -> None:
        """Forget how fast it was."""
        self._samples.clear()
        self._last = None

    @property
    def rate(self) -> float | None:
        """How much in a second; None while it cannot be told."""
        if not self._samples:
            return None
        (began, first), (now, last) = self._samples[0], self._samples[-1]
        return (last - first) / (now - began) if now - began >= self._shortest else None


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of a line. ``fraction`` is from 0 to 1, or None where no end is to be seen; ``left`` is in seconds."""

    label: str
    fraction: float | None = None
    amount: str = ""
    detail: str = ""
    speed: str = ""
    left: float | None = None


def progress_line(shown: Shown, width: int, *, ascii_only: bool = False) -> str:
    """The line that fits into so many columns.

    ``Converting ━━━━──────   45 %  1.2 of 4.1 GB  tensor 91 of 291  34 MB/s  1:25 left``. What is missed least goes
    first when there is no room: the detail, the speed, the amount, the bar, then the end of the label. The percentage
    and the time left stay.
    """
    shown = replace(shown, label=printable(shown.label, keep=""))
    for parts in _ever_fewer(shown):
        for bar in _BARS if parts.fraction is not None else ():
            line = _line(parts, _bar(parts.fraction or 0.0, bar, ascii_only=ascii_only))
            if cells(line) <= width:
                return line
    line = _line(replace(shown, amount="", detail="", speed=""), "")
    if cells(line) > width:
        room = width - cells(line) + cells(shown.label)
        line = _line(replace(shown, amount="", detail="", speed="", label=cut(shown.label, max(0, room))), "")
    return cut(line.strip(), width)


def plain_line(shown: Shown) -> str:
    """A line for a log: ``Converting: 45 %, 1.2 of 4.1 GB, tensor 91 of 291, 34 MB/s, 1:25 left``."""
    parts = (percent(shown.fraction).strip(), shown.amount, shown.detail, shown.speed, _left(shown.left))
    said = ", ".join(filter(None, parts))
    return printable(f"{shown.label}: {said}" if said else shown.label, keep="")


def percent(fraction: float | None) -> str:
    """`` 45 %``, rounded down: only what is done is 100 %."""
    return "" if fraction is None else f"{int(100 * min(max(fraction, 0.0), 1.0) + 1e-9):3d} %"


def clock(seconds: float) -> str:
    """``1:25``, ``2:00:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def amount_of_bytes(done: int, total: int) -> str:
    """``1.2 of 4.1 GB``, ``300.0 MB of 4.1 GB``."""
    one, whole = bytes_text(done), bytes_text(total)
    number, _, unit = one.partition(" ")
    return f"{number if whole.endswith(f' {unit}') else one} of {whole}"


def speed_of_bytes(rate: float) -> str:
    """``34 MB/s``, ``3.4 MB/s``."""
    number, _, unit = bytes_text(round(rate)).partition(" ")
    return f"{number if float(number) < 10 else round(float(number))} {unit}/s"


def cells(text: str) -> int:
    """How many columns a text takes."""
    from prompt_toolkit.utils import get_cwidth  # not for --help

    return get_cwidth(text)


def cut(text: str, width: int) -> str:
    """The text in so many columns; one that is cut ends with dots."""
    if cells(text) <= width:
        return text
    dots = "..."[: max(0, width)]
    while text and cells(text) + len(dots) > width:
        text = text[:-1]
    return text + dots


def _ever_fewer(shown: Shown) -> Iterator[Shown]:
    yield shown
    yield replace(shown, detail="")
    yield replace(shown, detail="", speed="")
    yield replace(shown, detail="", speed="", amount="")


def _line(shown: Shown, bar: str) -> str:
    head = f"{shown.label} {bar}" if bar else shown.label
    parts = (head, percent(shown.fraction), shown.amount, shown.detail, shown.speed, _left(shown.left))
    return _GAP.join(filter(None, parts))


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"{clock(seconds)} left"


def _bar(fraction: float, width: int, *, ascii_only: bool) -> str:
    full = int(width * min(max(fraction, 0.0), 1.0) + 1e-9)
    return "#" * full + "." * (width - full) if ascii_only else "━" * full + "─" * (width - full)
