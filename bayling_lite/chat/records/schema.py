"""The tables of kept sessions.

A session is a row with what is in force and where it stands; its turns are rows that name the turn before them, so they
are a tree. What is only read back as a whole is JSON, ASCII alone, with a version of its own
(:mod:`~bayling_lite.chat.records.fields`); what is searched or shown stands in columns, as it was typed.
"""

from __future__ import annotations

from bayling_lite.database import DatabaseKind
from bayling_lite.localization import noted

FILE_NAME = "sessions.sqlite"
"""Of the user's sessions, in the folder of the user's data."""

# Step n brings a file of version n to n + 1. Steps are only ever added: somebody has a file of every version.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            model TEXT NOT NULL,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            preferences TEXT NOT NULL,
            position TEXT NOT NULL
        )""",
        """CREATE TABLE turns (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            session TEXT NOT NULL REFERENCES sessions (id),
            parent TEXT,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            source TEXT,
            target TEXT,
            typed TEXT NOT NULL,
            answer TEXT NOT NULL,
            model TEXT NOT NULL,
            plan TEXT NOT NULL,
            outcome TEXT NOT NULL,
            created REAL NOT NULL
        )""",
        "CREATE INDEX turns_of_session ON turns (session, number)",
        "CREATE INDEX sessions_by_change ON sessions (changed)",
    ),
)

SESSIONS = DatabaseKind(
    noun=noted("record of sessions"),
    remedy=noted("`bayling-chat --no-store` chats without it"),
    elsewhere=noted("set BAYLING_HOME to another folder"),
    kept_on=noted("to keep what comes from here on; what was kept before stays"),
    application_id=0x42_61_79_53,  # "BayS"
    migrations=MIGRATIONS,
    # A chat should rather go on without keeping than stand still.
    busy_seconds=10.0,
    secure_delete=True,
)
