"""All rankings as a table, one line for each person, item, aspect and system."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

from bayling_lite.evaluate.ranking.store import StudyStore
from bayling_lite.evaluate.ranking.summary import places
from bayling_lite.evaluate.ranking.values import Ballot, Study

COLUMNS = (
    *("study", "family", "set", "item", "person", "aspect", "system", "shown_as", "place", "rank"),
    *("skipped", "seconds", "time"),
)
"""``shown_as`` is the letter on the page, ``place`` what the person gave, ``rank`` the same with ties as the mean of
their places; ``seconds`` on the item's page, ``time`` in ISO 8601, UTC. A skipped item has one line, with the reason.
"""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def votes_csv(store: StudyStore) -> bytes:
    """The table as CSV (RFC 4180), in UTF-8 with its mark at the beginning, without which spreadsheets garble names.

    Items that somebody has begun and not finished are not in it.

    Raises:
        InputError: the study was not begun, or its file is damaged.
    """
    study, text = store.needed(), io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    items = list(store.items())
    for ballot in store.ballots():
        item = items[ballot.position]
        aspects = study.aspects_of(item)
        if not ballot.done(aspects, len(study.systems)):
            continue
        head = [_plain(value) for value in (study.name, study.family, study.set_name, item.id, ballot.person)]
        end = [_plain(ballot.skipped), f"{ballot.seconds:.1f}", _iso(ballot.at)]
        writer.writerows([*head, *row, *end] for row in _rows(study, ballot))
    return text.getvalue().encode("utf-8-sig", "replace")


def _rows(study: Study, ballot: Ballot) -> Iterator[list[object]]:
    if ballot.skipped:
        yield [""] * 5
        return
    shown = {system: letter(place) for place, group in enumerate(ballot.groups) for system in group}
    for aspect, given in ballot.ranks.items():
        ranks = places(ballot, aspect)
        for system, name in enumerate(study.systems):
            yield [aspect.value, _plain(name), shown[system], given[system], f"{ranks[system]:g}"]


def letter(place: int) -> str:
    """What the output at a place of the page, from 0, is called."""
    return chr(ord("A") + place)


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula: people type their names and reasons themselves."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
