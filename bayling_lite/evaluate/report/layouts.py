"""How the tables of each family are laid out: as in the paper, where the paper has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bayling_lite.evaluate.families import FAMILIES

_COUNTS = frozenset(
    {"win", "tie", "lose", "unjudged", "answered", "empty", "cut off", "turns said", "turns not judged"}
)
_LESS_IS_BETTER = frozenset({"lose"})
_NEITHER = _COUNTS - {"win", "lose"} | {"score of the other", "mean length"}

AVERAGE = "average"
"""What a column is called, in the place of its set, that averages all sets of its part."""

ALL_SETS = "all sets"
"""The set that all sets of a family are together."""


@dataclass(frozen=True, slots=True)
class Part:
    """The sets of a family that make a table. ``prefixes``: with what their names begin.

    ``averaged``: how many sets an average is made of, 0 for none; ``remark`` is what its caption says about it.
    ``cut``: what the table leaves out of the sets' names, at their beginning.
    """

    id: str
    title: str
    prefixes: tuple[str, ...] = ("",)
    averaged: int = 0
    cut: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """``by_metric``: a table for each metric, with a column for each set; else one table, its columns grouped by set.

    ``aside``: by title, metrics that have a table of their own, behind the one of the others.
    """

    title: str
    by_metric: bool
    parts: tuple[Part, ...] = (Part("", ""),)
    aside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def titled(self, metric: str) -> str:
        """The title of the table aside that a metric is in; empty for the first table."""
        return next((title for title, metrics in self.aside.items() if metric in metrics), "")


_ENGLISH = ("sat-", "aqua-rat", "lsat-", "logiqa-")
_ENGLISH_AVERAGE = (
    " (the published table prints other averages: it leaves logiqa-zh out of that of all systems but GPT-3.5-turbo)"
)
_LAYOUTS = {
    "wmt22": Layout("Translation, WMT22", by_metric=True),
    "translation": Layout("Translation, other test sets", by_metric=True),
    "constrained": Layout("Lexically constrained translation", by_metric=False),
    "refinement": Layout(
        "Interactive refinement",
        by_metric=False,
        aside={
            "whole dialogues": ("all turns followed", "earlier wishes kept", "wishes fulfilled"),
            "turns": ("turns said", "turns not judged"),
            "drafts": ("BLEU of first drafts", "BLEU of last drafts"),
        },
    ),
    "bayling80": Layout(
        "General tasks, BayLing-80",
        by_metric=False,
        aside={
            "mean scores and the judge": ("score", "score of the other", "unjudged", "position consistency"),
            "answers": ("answered", "empty", "cut off", "mean length"),
        },
    ),
    "exams": Layout(
        "Exams",
        by_metric=True,
        parts=(
            Part("gaokao", "GaoKao", ("gaokao-",), averaged=9, cut="gaokao-"),
            Part("english", "SAT, GRE/GMAT, LSAT and civil service", _ENGLISH, averaged=9, remark=_ENGLISH_AVERAGE),
            Part("others", "other tasks"),
        ),
    ),
}


def layout_of(family: str) -> Layout:
    """The layout of a family; of one that is not known, a plain one."""
    return _LAYOUTS.get(family, Layout(family, by_metric=False))


def in_order(families: Sequence[str]) -> list[str]:
    """Families in the order of the paper, others behind them by name."""
    known = list(dict.fromkeys((*FAMILIES, *_LAYOUTS)))
    # Other test sets belong beside those of the paper.
    known.remove("translation")
    known.insert(known.index("wmt22") + 1, "translation")
    return sorted(set(families), key=lambda name: (known.index(name) if name in known else len(known), name))


def sets_of(part: Part, layout: Layout, sets: Sequence[str]) -> list[str]:
    """The sets of a part, each set being in the first part that takes it."""
    for one in layout.parts:
        taken = [name for name in sets if name.startswith(one.prefixes)]
        if one == part:
            return taken
        sets = [name for name in sets if name not in taken]
    return []


def decimals(metric: str) -> int:
    """How many decimals the field prints of a metric."""
    return 0 if metric in _COUNTS else 2


def direction(metric: str) -> int:
    """1 where more is better, -1 where less is, 0 where neither."""
    return 0 if metric in _NEITHER else -1 if metric in _LESS_IS_BETTER else 1
