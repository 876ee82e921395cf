"""The values of a report: what the page, the Markdown and the JSON are all written from.

Nothing here is markup. Texts of models and of test sets stand in them as they are; each writer makes them harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bayling_lite.evaluate.ranking.summary import Standing


class Origin(StrEnum):
    """Where the numbers of a row come from."""

    PUBLISHED = "published"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table. ``value`` None: there is none.

    ``text`` is the value as it is printed, with the decimals of its column. ``best``: the highest of its column (lowest
    where less is better) of those that cover the whole set. ``significant``: better than every other measured system
    with p < 0.05 and an interval without 0. ``incomplete``: only the first items of the set.
    ``apart``: computed in another way than the others of its column. ``notes`` are the marks of
    the table's notes. ``low`` and ``high`` bound the 95 % interval.
    """

    value: float | None = None
    text: str = ""
    best: bool = False
    significant: bool = False
    incomplete: bool = False
    apart: bool = False
    notes: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers. ``group`` stands above the columns that share it; ``set_name`` and ``metric`` in full.

    ``n_items`` is the size of the whole set.
    """

    label: str
    group: str
    set_name: str
    metric: str
    decimals: int = 2
    n_items: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A system and its numbers, one cell for each column. ``against``: whom it is compared with."""

    system: str
    origin: Origin
    cells: tuple[Cell, ...]
    against: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What a mark at a number, or a table as a whole (mark ``""``), has to say."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Systems by sets and metrics, published ones first. The caption says metric, how computed, decoding and size."""

    id: str
    family: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...] = ()


class Kind(StrEnum):
    """What a figure is."""

    LINES = "lines"
    BARS = "bars"
    RADAR = "radar"


@dataclass(frozen=True, slots=True)
class Series:
    """A system in a figure: one value for each category, None where there is none."""

    system: str
    origin: Origin
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn: a value of each system in each category. ``unit`` names the axis."""

    id: str
    family: str
    kind: Kind
    caption: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one system said to an example. ``quality`` in 0–1."""

    system: str
    said: tuple[str, ...]
    quality: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One item of a set, and what each system made of it. ``spread`` is the distance of the best from the worst."""

    family: str
    set_name: str
    id: str
    asked: tuple[str, ...]
    reference: str
    said: tuple[Said, ...]
    spread: float


@dataclass(frozen=True, slots=True)
class RunLine:
    """How a system was run on the sets of a family, which all were run alike. Seconds and tokens are their sums.

    Of outputs made elsewhere only ``origins``, the names of their files, are known. ``dates`` are days in ISO 8601, of
    those files the ones on which they were last written. ``prompts`` are of one wording, but for the languages that
    they name.
    """

    system: str
    family: str
    sets: tuple[str, ...]
    model: str
    fingerprint: str
    template: str
    device: str
    decoding: str
    prompts: tuple[str, ...]
    origins: tuple[str, ...]
    dates: tuple[str, ...]
    n_outputs: int
    n_asked: int
    n_reused: int
    n_prompt: int
    n_generated: int
    seconds: float

    @property
    def tokens_per_second(self) -> float | None:
        """Generated tokens per second on the clock; None where nothing was generated, or not timed."""
        return self.n_generated / self.seconds if self.seconds > 0 and self.n_generated else None


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """How a metric was computed on some sets of a family."""

    family: str
    metric: str
    sets: tuple[str, ...]
    signature: str


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """How many outputs of a system on a set have which problem. Not one of them is left out of the scores."""

    system: str
    family: str
    set_name: str
    n_outputs: int
    n_items: int
    problems: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two measured systems on one set: how much better the first is, with the 95 % interval and p of a paired test.

    ``significant``: p is below 0.05, and the interval is without 0.
    """

    family: str
    set_name: str
    metric: str
    system: str
    other: str
    difference: float
    p: float
    significant: bool
    low: float | None = None
    high: float | None = None
    test: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """A study in which people ranked systems blindly, by one aspect; the best system first.

    Of ``n_items`` items, ``n_ranked`` were ranked, ``n_shared`` of them by several people; ``n_rankings`` are one for
    each person and item. ``alpha`` (Krippendorff) and ``w`` (Kendall) measure agreement; None: not defined.
    """

    study: str
    family: str
    set_name: str
    aspect: str
    systems: tuple[Standing, ...]
    n_items: int
    n_ranked: int
    n_rankings: int
    n_skipped: int
    n_shared: int
    n_persons: int
    alpha: float | None
    w: float | None
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report says. Made of the same results, it is the same: it holds no time of its making."""

    title: str
    program: str
    systems: tuple[str, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    rankings: tuple[Ranking, ...]
    comparisons: tuple[Comparison, ...]
    examples: tuple[Example, ...]
    runs: tuple[RunLine, ...]
    signatures: tuple[SignatureLine, ...]
    problems: tuple[ProblemLine, ...]
    sources: tuple[str, ...]
