"""What is published about the systems of the BayLing paper: the figures of ``published.toml``, each with its source."""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from bayling_lite.errors import InputError


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """One published number, in the unit of :class:`~bayling_lite.evaluate.values.Score`.

    ``source`` says where it is printed, or what it was computed from; ``remark`` what has to be known about it.
    ``n_items`` is how many items the set had, 0 where that is not known.
    """

    system: str
    family: str
    set_name: str
    metric: str
    value: float
    source: str
    against: str = ""
    remark: str = ""
    n_items: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """Published numbers. Their order is that of the paper's tables, which the report keeps to.

    ``decodings``: by family, how the paper's own system decoded.
    """

    scores: tuple[PublishedScore, ...] = ()
    decodings: Mapping[str, str] = field(default_factory=dict)

    def of(self, family: str) -> tuple[PublishedScore, ...]:
        """The numbers of a family of tasks."""
        return tuple(score for score in self.scores if score.family == family)

    def sets(self, family: str) -> tuple[str, ...]:
        """The sets of a family in the paper's order."""
        return tuple(dict.fromkeys(score.set_name for score in self.of(family)))


@functools.cache
def published_scores() -> Published:
    """The figures that come with the program."""
    text = resources.files("bayling_lite.evaluate").joinpath("published.toml").read_text(encoding="utf-8")
    return parse_published(text)


def parse_published(text: str) -> Published:
    """Read figures; the form is described at the top of ``published.toml``.

    Raises:
        InputError: a table has another number of figures or sizes than of sets, names a source that is not there, or is
            broken.
    """
    try:
        value = tomllib.loads(text)
        remarks = {
            (one["family"], one["metric"], one["set"], one["system"]): str(one["text"])
            for one in value.get("remark", ())
        }
        scores = tuple(score for table in value["table"] for score in _scores(table, value["sources"], remarks))
        decodings = {family: str(decoding) for family, decoding in value.get("decoding", {}).items()}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"The published figures cannot be read ({error}).") from error
    unused = set(remarks) - {(one.family, one.metric, one.set_name, one.system) for one in scores}
    if unused:
        raise InputError(f"The published figures have a remark about none of them: {min(unused)}.")
    return Published(scores, decodings)


def _scores(
    table: Mapping[str, Any], sources: Mapping[str, str], remarks: Mapping[tuple[str, str, str, str], str]
) -> Iterable[PublishedScore]:
    family, metric, sets = table["family"], table["metric"], table["sets"]
    sizes = table.get("items", [0] * len(sets))
    if len(sizes) != len(sets):
        raise InputError(f"The published {metric} ({family}) has {len(sizes)} sizes for {len(sets)} sets.")
    for system, values in table["systems"].items():
        if len(values) != len(sets):
            raise InputError(
                f"The published {metric} of {system} ({family}) has {len(values)} figures for {len(sets)} sets."
            )
        for set_name, value, size in zip(sets, values, sizes, strict=True):
            if not math.isnan(value):
                yield PublishedScore(
                    system=system,
                    family=family,
                    set_name=set_name,
                    metric=metric,
                    value=float(value),
                    source=sources[table["source"]],
                    against=table.get("against", {}).get(system, ""),
                    remark=remarks.get((family, metric, set_name, system), ""),
                    n_items=size,
                )
