"""Reading and writing the rows of sessions and turns."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bayling_lite.chat.records import codec, fields
from bayling_lite.chat.records.values import (
    SessionSummary,
    StoredSession,
    StoredTurn,
    TurnState,
    path_to,
    placed,
    standing_at,
)
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Kind
from bayling_lite.database import Database, as_bytes
from bayling_lite.errors import InputError
from bayling_lite.localization import _

_SESSION = "id, title, model, created, changed, preferences, position"
_TITLE_LENGTH = 80


@dataclasses.dataclass(frozen=True, slots=True)
class SketchedTurn:
    """As much of a turn as a list of sessions needs."""

    id: str
    parent: str | None
    kind: Kind
    state: TurnState
    has_answer: bool
    source: str | None
    target: str | None


class Tables:
    """The tables of a database. Statements that belong together, also of one method, are to be run in a transaction of
    the database.
    """

    def __init__(self, database: Database) -> None:
        self._run = database.run

    # Sessions.

    def add_session(self, stored: StoredSession) -> None:
        """A session, without its turns."""
        self._run(
            f"INSERT INTO sessions ({_SESSION}) VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?)",  # noqa: S608
            [
                *(stored.id, as_bytes(title_of(stored.title)), as_bytes(stored.model), stored.created, stored.changed),
                *(fields.dumped(fields.fields_json(value)) for value in (stored.preferences, stored.position)),
            ],
        )

    def set_position(self, session: str, position: Position) -> None:
        """Where a session stands."""
        self._set(session, "position = ?", fields.dumped(fields.fields_json(position)))

    def set_preferences(self, session: str, preferences: Preferences) -> None:
        """What is in force in a session."""
        self._set(session, "preferences = ?", fields.dumped(fields.fields_json(preferences)))

    def set_title(self, session: str, title: str) -> None:
        """What a session is called."""
        self._run("UPDATE sessions SET title = CAST(? AS TEXT) WHERE id = ?", [as_bytes(title_of(title)), session])

    def _set(self, session: str, what: str, value: str) -> None:
        self._run(f"UPDATE sessions SET {what}, changed = ? WHERE id = ?", [value, time.time(), session])  # noqa: S608

    def touch(self, session: str, model: str) -> None:
        """Something is done in a session, by a model, which is the session's from now on."""
        self._run(
            "UPDATE sessions SET changed = ?, model = CAST(? AS TEXT) WHERE id = ?",
            [time.time(), as_bytes(model), session],
        )

    def names(self) -> list[tuple[str, str, float]]:
        """Id, title and last change of all sessions, the last changed first."""
        return self._run("SELECT id, title, changed FROM sessions ORDER BY changed DESC, rowid DESC")

    def session(self, session: str) -> StoredSession | None:
        """A whole session; None where there is none of this id."""
        rows = self._run(f"SELECT {_SESSION} FROM sessions WHERE id = ?", [session])  # noqa: S608
        if not rows:
            return None
        found, title, model, created, changed, preferences, where = rows[0]
        position, turns = fields.from_fields(Position, fields.loaded(where)), self.turns(found)
        return StoredSession(
            id=found,
            title=title,
            model=model,
            created=created,
            changed=changed,
            preferences=fields.from_fields(Preferences, fields.loaded(preferences)),
            position=position,
            turns=placed(turns, standing_at(turns, position.head)),
        )

    def summaries(self, limit: int | None, before: float | None) -> list[SessionSummary]:
        """At most so many sessions, of those not changed since a moment, the last changed first."""
        return self._summaries(
            "changed < ? ORDER BY changed DESC, rowid DESC LIMIT ?",
            [float("inf") if before is None else before, -1 if limit is None else limit],
        )

    def summary(self, session: str) -> SessionSummary | None:
        """One session's; None where there is none of this id."""
        return next(iter(self._summaries("id = ?", [session])), None)

    def _summaries(self, which: str, values: Sequence[Any]) -> list[SessionSummary]:
        columns = "id, title, model, created, changed, position"
        found = []
        rows = self._run(f"SELECT {columns} FROM sessions WHERE {which}", values)  # noqa: S608
        for session, title, model, created, changed, position in rows:
            turns = self._sketched(session)
            path = path_to(turns, standing_at(turns, fields.from_fields(Position, fields.loaded(position)).head))
            languages = dict.fromkeys((turn.source, turn.target) for turn in path if turn.target is not None)
            found.append(SessionSummary(session, title, model, created, changed, tuple(languages), len(path)))
        return found

    def remove(self, session: str) -> int:
        """Remove a session; how many there were."""
        self._run("DELETE FROM turns WHERE session = ?", [session])
        self._run("DELETE FROM sessions WHERE id = ?", [session])
        return int(self._run("SELECT changes()")[0][0])

    # Turns.

    def add_turn(self, session: str, turn: StoredTurn) -> None:
        """A turn."""
        plan = {name: value for name, value in fields.fields_json(turn.plan).items() if name not in ("kind", "typed")}
        self._run(
            "INSERT INTO turns (id, session, parent, kind, state, source, target, typed, answer, model, plan, outcome, "
            "created) VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?)",
            [
                *(turn.id, session, turn.parent, turn.kind, turn.state, turn.source, turn.target),
                *map(as_bytes, (turn.typed, turn.answer, turn.model)),
                *(fields.dumped(plan), fields.dumped(codec.outcome_json(turn)), turn.created),
            ],
        )

    def grow_turn(self, turn: str, answer: str) -> None:
        """The answer so far."""
        self._run("UPDATE turns SET answer = CAST(? AS TEXT) WHERE id = ?", [as_bytes(answer), turn])

    def end_turn(self, turn: StoredTurn) -> None:
        """What has become of a turn."""
        self._run(
            "UPDATE turns SET state = ?, source = ?, target = ?, answer = CAST(? AS TEXT), outcome = ? WHERE id = ?",
            [
                *(turn.state, turn.source, turn.target, as_bytes(turn.answer)),
                *(fields.dumped(codec.outcome_json(turn)), turn.id),
            ],
        )

    def stop_turn(self, turn: str, state: TurnState, reason: str = "") -> None:
        """It came to no more than there is."""
        self._run(
            "UPDATE turns SET state = ?, outcome = ? WHERE id = ?",
            [state, fields.dumped({"reason": reason} if reason else {}), turn],
        )

    def turns(self, session: str) -> list[StoredTurn]:
        """The turns of a session, in the order in which they were begun."""
        rows = self._run(
            "SELECT id, parent, kind, state, typed, answer, model, plan, outcome, created FROM turns WHERE session = ? "
            "ORDER BY number",
            [session],
        )
        return [_turn(row) for row in rows]

    def texts(self) -> Iterator[tuple[str, str, str, str]]:
        """Session, turn, what was typed and what was answered, of all turns, the newest first, read in pages."""
        last: float = float("inf")
        while rows := self._run(
            "SELECT session, id, typed, answer, number FROM turns WHERE number < ? ORDER BY number DESC LIMIT 500",
            [last],
        ):
            for *found, number in rows:
                yield found[0], found[1], found[2], found[3]
                last = number

    def position_in_session(self, turn: str) -> int:
        """Which turn of its session it is, counted from 1."""
        rows = self._run(
            "SELECT COUNT(*) FROM turns AS earlier JOIN turns AS found ON earlier.session = found.session "
            "AND earlier.number <= found.number WHERE found.id = ?",
            [turn],
        )
        return int(rows[0][0])

    def _sketched(self, session: str) -> list[SketchedTurn]:
        rows = self._run(
            "SELECT id, parent, kind, state, answer != '', source, target FROM turns WHERE session = ? ORDER BY number",
            [session],
        )
        try:
            return [
                SketchedTurn(turn, parent, Kind(kind), TurnState(state), bool(has_answer), source, target)
                for turn, parent, kind, state, has_answer, source, target in rows
            ]
        except ValueError as error:
            raise InputError(_("A kept session is damaged: {error}.", error=error)) from error


def title_of(line: str) -> str:
    """A line as a title: on one line, and not too long."""
    title = " ".join(line[: 10 * _TITLE_LENGTH].split())
    return title if len(title) <= _TITLE_LENGTH else f"{title[: _TITLE_LENGTH - 1].rstrip()}…"


def _turn(row: Sequence[Any]) -> StoredTurn:
    turn, parent, kind, state, typed, answer, model, plan, outcome, created = row
    return codec.turn_from_json(
        {
            **fields.loaded(outcome),
            "id": turn,
            "parent": parent,
            "state": state,
            "answer": answer,
            "model": model,
            "created": created,
            "plan": {**fields.loaded(plan), "kind": kind, "typed": typed},
        }
    )
