"""A checkpoint's small JSON files."""

from __future__ import annotations

import json
from typing import Any

from bayling_convert.reading.files import CheckpointFiles
from bayling_lite.errors import CheckpointError

LARGEST_JSON = 8 * 1024 * 1024
"""Bytes of the largest configuration; an index of 100,000 tensors stays below it."""


def read_json(files: CheckpointFiles, name: str, limit: int = LARGEST_JSON) -> dict[str, Any] | None:
    """A JSON object from a file; None when there is no such file.

    Raises:
        CheckpointError: larger than ``limit`` bytes, not readable, or not a JSON object.
    """
    data = files.read(name, limit)
    if data is None:
        return None
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{files.path(name)} cannot be read as JSON ({error}). Fetch or save it again."
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{files.path(name)} should hold a JSON object, but holds a {type(value).__name__}.")
    return value
