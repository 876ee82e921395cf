"""What is known of a model beside its numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.reading.json_files import read_json
from bayling_lite.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of a model beside its numbers: from ``bayling.json`` in its folder, from a catalogue, from the hub.

    ``placeholders``: its answers hold those of :data:`~bayling_lite.prompts.V1_PLACEHOLDERS`. ``url`` is where the
    checkpoint can be had, ``revision`` which state of it.
    """

    name: str | None = None
    template: str | None = None
    languages: tuple[str, ...] = ()
    license: str | None = None
    demonstrator: bool = False
    placeholders: bool = False
    base: str | None = None
    base_url: str | None = None
    recipe_sha256: str | None = None
    data_sha256: str | None = None
    version: str | None = None
    datasets: tuple[str, ...] = ()
    description: str | None = None
    url: str | None = None
    revision: str | None = None

    def over(self, other: Provenance) -> Provenance:
        """Both together; where both say something, this one counts."""
        return Provenance(**{key.name: getattr(self, key.name) or getattr(other, key.name) for key in fields(self)})


def read_provenance(files: CheckpointFiles) -> Provenance:
    """What ``bayling.json`` says, and where the files come from.

    Raises:
        CheckpointError: it holds a value of the wrong type.
    """
    path = files.path("bayling.json")
    said = read_json(files, "bayling.json") or {}
    texts = {key.name: said[key.name] for key in fields(Provenance) if key.type == "str | None" and said.get(key.name)}
    lists = {key: tuple(said[key]) for key in ("languages", "datasets") if isinstance(said.get(key), list)}
    flags = {key: said.get(key, False) for key in ("demonstrator", "placeholders")}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    wrong += [key for key, value in lists.items() if not all(isinstance(item, str) for item in value)]
    wrong += [key for key, value in flags.items() if not isinstance(value, bool)]
    if wrong:
        raise CheckpointError(f"{path}: {wrong[0]!r} holds a value of the wrong type.")
    values: dict[str, Any] = {**texts, **lists, **flags}
    return Provenance(**values).over(Provenance(url=files.source))
