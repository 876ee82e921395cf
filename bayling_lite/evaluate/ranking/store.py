"""A study in one SQLite file: what it is made of, written once, and every ballot, written at once.

Ballots are only ever added; a person's last one of an item counts. So nothing that was said is lost, and a change of
mind can be seen.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bayling_lite.closing import Closing
from bayling_lite.database import Database, DatabaseKind
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.ranking.values import Aspect, Ballot, Dialogue, Input, Item, Ranks, Study
from bayling_lite.evaluate.results import file_name
from bayling_lite.localization import noted

FOLDER = "_rankings"
"""Where studies are, in the results folder."""
_LONGEST_NAME = 80

KIND = DatabaseKind(
    noun=noted("ranking study"),
    remedy=noted("what was ranked before is kept"),
    elsewhere=noted("name another study"),
    kept_on=noted("and go on ranking"),
    application_id=0x42594C52,  # "BYLR"
    migrations=(
        (
            "CREATE TABLE study (only INTEGER PRIMARY KEY CHECK (only = 1), record TEXT NOT NULL)",
            "CREATE TABLE items (position INTEGER PRIMARY KEY, record TEXT NOT NULL)",
            "CREATE TABLE persons (key TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID",
            """CREATE TABLE ballots (number INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL,
            position INTEGER NOT NULL, record TEXT NOT NULL)""",
            "CREATE INDEX ballots_of_persons ON ballots (person, position, number)",
        ),
    ),
)


class Conflict(UsageError):
    """A ballot was changed elsewhere since it was shown."""


class StudyStore(Closing):
    """A study's file. Safe to use from any thread and by several processes; :meth:`close` it.

    Raises:
        InputError: the file is damaged, or no study.
        OutputError: it cannot be made or written.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self._database = Database(path, KIND, readonly=readonly)

    @classmethod
    def place(cls, out: Path, name: str) -> Path:
        """The file of a study in a results folder."""
        return out / FOLDER / f"{file_name(name)}.sqlite"

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._database.close()

    def freeze(self, study: Study, items: Sequence[Item]) -> Study:
        """Write what a study is made of, all or nothing. Of two processes that do so at once, the first counts.

        Raises:
            OutputError: it cannot be written.
        """
        with self._database.transaction():
            if self.study() is None:
                records = [(position, _dumped(asdict(item))) for position, item in enumerate(items)]
                for record in records:
                    self._database.run("INSERT INTO items VALUES (?, ?)", record)
                self._database.run("INSERT INTO study VALUES (1, ?)", [_dumped(asdict(study))])
        return self.needed()

    def study(self) -> Study | None:
        """What the study is made of; None where it was not begun."""
        rows = self._database.run("SELECT record FROM study")
        return _study(json.loads(rows[0][0])) if rows else None

    def needed(self) -> Study:
        """The same, which has to be there.

        Raises:
            InputError: the study was not begun.
        """
        study = self.study()
        if study is None:
            raise InputError(f"{self.path} holds no study yet. Name the systems to rank, and it is begun.")
        return study

    def item(self, position: int) -> Item:
        """An item by its position, from 0.

        Raises:
            UsageError: there is none.
        """
        rows = self._database.run("SELECT record FROM items WHERE position = ?", [position])
        if not rows:
            raise UsageError(f"There is no item {position + 1} in this study.")
        return _item(json.loads(rows[0][0]))

    def items(self) -> Iterator[Item]:
        """All items, in their order."""
        for (record,) in self._database.run("SELECT record FROM items ORDER BY position"):
            yield _item(json.loads(record))

    def enter(self, name: str) -> str:
        """Take a person in, or back. Gives the name as it was first typed: capitals make no other person.

        Raises:
            UsageError: it is empty or too long.
        """
        name = person_name(name)
        self._database.run("INSERT OR IGNORE INTO persons VALUES (?, ?)", [name.casefold(), name])
        return self.spelled(name)

    def spelled(self, name: str) -> str:
        """A person's name as it was first typed; of somebody who has not been here, the name itself.

        Raises:
            UsageError: it is empty or too long.
        """
        name = person_name(name)
        rows = self._database.run("SELECT name FROM persons WHERE key = ?", [name.casefold()])
        return rows[0][0] if rows else name

    def persons(self) -> tuple[str, ...]:
        """Who has come so far."""
        return tuple(name for (name,) in self._database.run("SELECT name FROM persons ORDER BY key"))

    def keep(
        self,
        person: str,
        position: int,
        groups: Sequence[Sequence[int]],
        *,
        ranks: Ranks,
        skipped: str = "",
        seconds: float = 0.0,
        after: int | None = None,
        page: str = "",
    ) -> Ballot:
        """Keep what a person says of an item.

        With ``after``, only if that was the number of the last ballot (0: none), or if that came from the same
        ``page``: a page that never heard that its ballot was kept sends the next one all the same.

        Raises:
            Conflict: the ballot was changed elsewhere.
            OutputError: it cannot be written.
        """
        record = {
            "groups": groups,
            "ranks": ranks,
            "skipped": skipped,
            "seconds": seconds,
            "at": time.time(),
            "page": page,
        }
        with self._database.transaction():
            last = self.ballot(person, position)
            known = after in (None, last.number if last else 0) or (
                last is not None and page != "" and page == last.page
            )
            if not known:
                raise Conflict("This item was changed in another window. Reload the page.")
            rows = self._database.run(
                "INSERT INTO ballots (person, position, record) VALUES (?, ?, ?) RETURNING number",
                [person, position, _dumped(record)],
            )
        return _ballot(rows[0][0], person, position, record)

    def ballot(self, person: str, position: int) -> Ballot | None:
        """What a person said last of an item."""
        rows = self._database.run(
            "SELECT number, record FROM ballots WHERE person = ? AND position = ? ORDER BY number DESC LIMIT 1",
            [person, position],
        )
        return _ballot(rows[0][0], person, position, json.loads(rows[0][1])) if rows else None

    def ballots(self, person: str | None = None) -> list[Ballot]:
        """The last ballots, of one person or of all, by person and position."""
        rows = self._database.run(
            "SELECT MAX(number), person, position, record FROM ballots WHERE ? IS NULL OR person = ? "
            "GROUP BY person, position ORDER BY person, position",
            [person, person],
        )
        return [_ballot(number, name, position, json.loads(record)) for number, name, position, record in rows]


def person_name(name: str) -> str:
    """A name as it is kept: composed (NFC), with single spaces.

    Raises:
        UsageError: it is empty or too long.
    """
    name = " ".join(unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode()).split())
    if not name or not name.isprintable():
        raise UsageError("A name is needed, so that your rankings are found again.")
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"This name is too long: {_LONGEST_NAME} characters are the most.")
    return name


def _dumped(value: object) -> str:
    # ASCII alone, so that the lone surrogates of broken outputs have a place in UTF-8.
    return json.dumps(value)


def _study(record: Mapping[str, Any]) -> Study:
    return Study(
        **{
            **record,
            "systems": tuple(record["systems"]),
            "aspects": tuple(map(Aspect, record["aspects"])),
            "inputs": tuple(Input(**source) for source in record["inputs"]),
        }
    )


def _item(record: Mapping[str, Any]) -> Item:
    outputs = (Dialogue(tuple(output["asked"]), tuple(output["said"])) for output in record["outputs"])
    return Item(record["id"], tuple(outputs), tuple(record["phrases"]), record["reference"])


def _ballot(number: int, person: str, position: int, record: Mapping[str, Any]) -> Ballot:
    ranks = {
        Aspect(aspect): {int(system): int(place) for system, place in places.items()}
        for aspect, places in record["ranks"].items()
    }
    groups = tuple(tuple(group) for group in record["groups"])
    return Ballot(
        number=number,
        person=person,
        position=position,
        groups=groups,
        ranks=ranks,
        skipped=record["skipped"],
        seconds=record["seconds"],
        at=record["at"],
        page=record["page"],
    )
