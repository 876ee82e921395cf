"""Where a model came from and what it was when it came: a small JSON file beside it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import OutputError
from bayling_lite.whole_file import replace_whole

_LARGEST_RECORD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """Where a model came from and what it was when it came.

    ``source`` is ``hf://OWNER/NAME``, ``revision`` the commit; ``file`` is the repository's file, None where the
    checkpoint was converted here; ``base`` is what a delta was added to. ``size`` in bytes, ``pulled`` is a UTC time in
    ISO 8601, ``bayling`` the version that pulled it.
    """

    source: str
    revision: str
    sha256: str
    size: int
    type: str
    pulled: str
    bayling: str
    file: str | None = None
    licence: str | None = None
    base: str | None = None
    parameters: int | None = None


def record_path(model: Path) -> Path:
    """Where the record of a model's file stands."""
    return model.with_name(f"{model.name}.json")


def read_record(model: Path) -> Record | None:
    """The record beside a model's file; None where there is none, or none that makes sense."""
    path = record_path(model)
    try:
        if not path.is_file():  # a device or a pipe would be read without an end
            return None
        with path.open("rb") as file:
            text = file.read(_LARGEST_RECORD + 1)
        said = json.loads(text.decode()) if len(text) <= _LARGEST_RECORD else None
        return _record(said) if isinstance(said, dict) else None
    except (OSError, ValueError, RecursionError):
        return None


def _record(said: dict[str, object]) -> Record | None:
    known = {field.name: said.get(field.name) for field in dataclasses.fields(Record)}
    numbers = {name: known.pop(name) for name in ("size", "parameters")}
    needed = {field.name for field in dataclasses.fields(Record) if field.default is dataclasses.MISSING}
    if not all(isinstance(value, str) or (value is None and name not in needed) for name, value in known.items()):
        return None
    if type(numbers["size"]) is not int or not isinstance(numbers["parameters"], int | None):
        return None
    return Record(**known, **numbers)  # type: ignore[arg-type]


def write_record(model: Path, record: Record) -> None:
    """Write the record of a model's file: whole, or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    path = record_path(model)
    text = json.dumps(dataclasses.asdict(record), ensure_ascii=False, indent=2) + "\n"
    try:
        replace_whole(path, text.encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
