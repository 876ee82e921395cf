"""Making a study blind: which items are drawn, and in which order each person sees the systems' outputs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.ranking.reading import Outputs
from bayling_lite.evaluate.ranking.values import Aspect, Item, Study

_TOKEN_BYTES = 16


def new_study(
    name: str,
    outputs: Outputs,
    *,
    aspects: Sequence[Aspect] = (),
    n_items: int | None = None,
    seed: int | None = None,
    references: bool = False,
) -> tuple[Study, tuple[Item, ...]]:
    """Draw a study from outputs: ``n_items`` of them (None: all), by ``aspects`` (none: those that suit them).

    Everybody gets the items in the same order, which is drawn as well: whoever stops early has ranked a sample, and
    has ranked what the others have. Without ``references`` nobody sees any.

    Raises:
        UsageError: fewer items than wanted, or no item that can be ranked by any of the aspects.
    """
    if n_items is not None and n_items > len(outputs.items):
        raise UsageError(f"There are {len(outputs.items)} items, {n_items} cannot be drawn. Give a smaller --items.")
    seed = secrets.randbelow(2**31) if seed is None else seed
    # A good shuffle is all that is needed: nobody gains by guessing it.
    drawn = Random(f"{seed}/items").sample(outputs.items, n_items or len(outputs.items))  # noqa: S311
    study = Study(
        name=name,
        systems=outputs.systems,
        aspects=tuple(aspect for aspect in Aspect if aspect in (aspects or outputs.aspects)),
        inputs=outputs.inputs,
        n_items=len(drawn),
        n_set=len(outputs.items),
        seed=seed,
        token=secrets.token_urlsafe(_TOKEN_BYTES),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        family=outputs.family,
        set_name=outputs.set_name,
    )
    usable = tuple(aspect for aspect in study.aspects if any(aspect in study.aspects_of(item) for item in drawn))
    if any(not study.aspects_of(item) for item in drawn) or not usable:
        raise UsageError(
            "Some items have one turn only, and nothing but interaction to rank them by. Name an aspect more."
        )
    study = replace(study, aspects=usable)
    return study, tuple(item if references else replace(item, reference="") for item in drawn)


def deal(study: Study, item: Item, position: int, person: str) -> tuple[tuple[int, ...], ...]:
    """The systems by their numbers, in the order in which a person sees their outputs.

    Those with the same output are together: it is shown once, and they share its place. The order is drawn for each
    item and person from the study's seed, so that it is the same whenever the page is opened.
    """
    alike: dict[object, list[int]] = {}
    for system, output in enumerate(item.outputs):
        alike.setdefault(output.seen, []).append(system)
    groups = [tuple(systems) for systems in alike.values()]
    Random(f"{study.seed}/{position}/{person.casefold()}").shuffle(groups)  # noqa: S311 - as above
    return tuple(groups)


def naming(study: Study, items: Sequence[Item]) -> int:
    """How many outputs name one of the systems, which takes the blindness away; a model may say who it is.

    Names of one or two characters stand in many a text and say nothing.
    """
    names = [re.escape(system) for system in study.systems if len(system) > 2]
    if not names:
        return 0
    named = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", re.IGNORECASE)
    return sum(bool(named.search(" ".join(output.said))) for item in items for output in item.outputs)
