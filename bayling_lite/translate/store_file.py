"""The store's file: its tables, and what is said when it cannot be used."""

from __future__ import annotations

from bayling_lite.database import DatabaseKind
from bayling_lite.localization import noted

APPLICATION_ID = 0x42_61_79_4C  # "BayL": tells a store from another program's SQLite file
BUSY_SECONDS = 30.0

# Step n brings a file of version n to n + 1. Steps are only ever added: somebody has a file of every version.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE segments (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            source TEXT NOT NULL,
            target TEXT NOT NULL,
            source_language TEXT NOT NULL,
            target_language TEXT NOT NULL,
            model TEXT NOT NULL,
            alternatives TEXT NOT NULL,
            problems TEXT NOT NULL,
            created REAL NOT NULL
        )""",
    ),
)


def store_kind() -> DatabaseKind:
    """What a store is among our databases."""
    return DatabaseKind(
        noun=noted("store"),
        remedy=noted("--no-resume translates without it"),
        elsewhere=noted("name another"),
        kept_on=noted("and run the command again: what is finished is kept, and it goes on from there"),
        application_id=APPLICATION_ID,
        migrations=MIGRATIONS,
        busy_seconds=BUSY_SECONDS,
    )
