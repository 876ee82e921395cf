"""SQLite files of ours.

A file is in WAL mode (https://www.sqlite.org/wal.html) with ``synchronous=NORMAL``: what a statement has returned from
outlives the process, however it ends; a power cut may take the last seconds, never the file.
"""

from bayling_lite.database.database import Database, as_bytes
from bayling_lite.database.opening import DatabaseKind

__all__ = ["Database", "DatabaseKind", "as_bytes"]
