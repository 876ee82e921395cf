"""Outputs that were made elsewhere: what is known of how they came to be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bayling_lite.errors import InputError
from bayling_lite.evaluate.values import Run
from bayling_lite.reasons import reason


def run_elsewhere(path: Path, *, prompt: str = "") -> Run:
    """All that is known of a file of outputs: its name, when it was last written, and what its name says of the prompt.

    Raises:
        InputError: the file is not there any more.
    """
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    return Run(date=written.isoformat(timespec="seconds"), origin=path.name, prompt=prompt)
