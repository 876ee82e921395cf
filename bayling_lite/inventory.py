"""What the models on this machine are, told by their files, their records and the catalogue."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bayling_lite.catalogue import (
    HUB_PREFIX,
    CatalogueEntry,
    catalogue,
    embedded_model,
    find_entry,
    find_local,
    resolve,
)
from bayling_lite.errors import ModelError, ModelNotFound
from bayling_lite.gguf_file import GGUFHeader, check_is_model, read_header
from bayling_lite.quantizations import split_type, without_type
from bayling_lite.registry import LocalModel, Record, Registry, bytes_left, read_record, record_path, remembered
from bayling_lite.settings import Settings

Origin = Literal["embedded", "pulled", "own"]
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model on this machine. ``size`` in bytes, ``context`` in tokens, ``parameters`` about how many there are.

    ``kind`` is what the file says it is: ``model``, ``adapter``, ... ``problem`` says why it cannot be used; where it
    is the file that is missing or damaged, what only its header knows is missing too.
    """

    name: str
    origin: Origin
    path: Path
    size: int
    type: str | None
    languages: tuple[str, ...]
    record: Record | None = None
    template: str | None = None
    chat_template: str | None = None
    licence: str | None = None
    base: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    context: int | None = None
    kind: str = "model"
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class InterruptedPull:
    """A pull that goes on with ``command``, or is going on; ``size`` in bytes on the disk."""

    name: str
    type: str
    size: int
    command: tuple[str, ...]


def local_models(settings: Settings) -> Iterator[ModelDescription]:
    """The embedded model, then those of the models folder.

    Raises:
        ModelNotFound: the installation is incomplete.
    """
    for entry in catalogue().values():
        if entry.kind == "embedded":
            yield describe(LocalModel(entry.name, embedded_model(entry.name)), entry)
    registry = Registry(settings.models_dir)
    for model in registry.models():
        yield describe(model)
    for model in registry.missing():
        yield describe(model)


def fetchable(settings: Settings) -> list[CatalogueEntry]:
    """What the catalogue knows and is in no type on this machine."""
    return [entry for entry in catalogue().values() if entry.hub and not find_local(entry.name, settings)]


def interrupted(settings: Settings) -> list[InterruptedPull]:
    """The pulls that have left something to go on from."""
    found = []
    for repository, file_type, folder in Registry(settings.models_dir).interrupted():
        entry = find_entry(repository)
        name = entry.name if entry is not None else repository
        command = remembered(folder) or ("bayling", "models", "pull", f"{name}:{file_type}")
        if size := bytes_left(folder):
            found.append(InterruptedPull(name, file_type, size, command))
    return found


def ambiguous(settings: Settings) -> list[tuple[str, str]]:
    """Names under which several files are here, and the one that each means when nothing stands behind it."""
    names = [model.name for model in Registry(settings.models_dir).models()]
    bare = [name for name in dict.fromkeys(split_type(name)[0] for name in names) if name not in names]
    found = [(name, find_local(name, settings)) for name in bare]
    return [(name, models[0].name) for name, models in found if len(models) > 1]


def find_model(name: str, settings: Settings) -> ModelDescription:
    """The model a name or a path means.

    Raises:
        ModelNotFound: it is not on this machine.
        ModelUnreadable: it is a folder.
    """
    missing = find_missing(name, settings)
    if missing is not None and not find_local(name, settings):
        return describe(missing)
    path = resolve(name, settings)
    model = next((model for model in Registry(settings.models_dir).models() if model.path == path), None)
    if model is not None:
        return describe(model)
    entry = next((entry for entry in catalogue().values() if entry.kind == "embedded"), None)
    if entry is not None and path == embedded_model(entry.name):
        return describe(LocalModel(entry.name, path), entry)
    return describe(LocalModel(str(path), path, read_record(path)))


def find_missing(name: str, settings: Settings) -> LocalModel | None:
    """A model by the name that :meth:`Registry.missing` gives it, or by one it had."""
    return next((model for model in Registry(settings.models_dir).missing() if _is_called(model, name)), None)


def _is_called(model: LocalModel, name: str) -> bool:
    plain, wanted_type = split_type(name.removeprefix(HUB_PREFIX))
    entry = find_entry(plain)
    asked = {key.casefold() for key in (name.removeprefix(HUB_PREFIX), *((entry.name,) if entry else (plain,)))}
    file = model.name.removesuffix(".gguf")
    folder, _, own = file.rpartition("/")
    names = {model.name, file, folder or without_type(own)}
    return wanted_type in (None, model.type) and bool(asked & {key.casefold() for key in names})


def describe(model: LocalModel, entry: CatalogueEntry | None = None) -> ModelDescription:
    """Describe a model; ``entry`` is the catalogue's where its name does not find it.

    Raises:
        ModelNotFound: the file is gone, and nothing tells that it was here.
    """
    record = model.record
    entry = entry or _entry(model)
    has_record = record is not None or os.path.lexists(record_path(model.path))
    origin: Origin = "embedded" if entry and entry.kind == "embedded" else "pulled" if has_record else "own"
    languages = entry.languages if entry else ()
    licence = (record.licence if record else None) or (entry.licence if entry else None)
    if not os.path.lexists(model.path) and not has_record:
        raise ModelNotFound(f"There is no file {model.path}.")
    size, problem = _size(model), model.trouble
    try:
        header = read_header(model.path)
    except ModelError as error:
        problem = problem or str(error)
        return ModelDescription(
            model.name, origin, model.path, size, model.type, languages, record, licence=licence, problem=problem
        )
    return ModelDescription(
        name=model.name,
        origin=origin,
        path=model.path,
        size=size,
        type=header_type(header) or model.type,
        languages=header.texts("bayling.languages") or header.texts("general.languages") or languages,
        record=record,
        template=header.text("bayling.template"),
        chat_template=header.text("tokenizer.chat_template"),
        licence=licence or header.text("general.license"),
        base=header.text("bayling.base") or header.text("general.base_model.0.name"),
        architecture=header.text("general.architecture"),
        parameters=(record.parameters if record else None) or _count(header.text("general.size_label")),
        context=header.number(f"{header.text('general.architecture')}.context_length"),
        kind=header.text("general.type") or "model",
        problem=problem or _not_a_model(header),
    )


def _size(model: LocalModel) -> int:
    try:
        return model.size
    except OSError:
        return 0


def _not_a_model(header: GGUFHeader) -> str | None:
    try:
        check_is_model(header)
    except ModelError as error:
        return str(error)
    return None


def _count(label: str | None) -> int | None:
    """``7.2M`` as a number; None for what says more, like the experts of a mixture."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([KMBT])", label or "", re.ASCII)
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def _entry(model: LocalModel) -> CatalogueEntry | None:
    return find_entry(split_type(model.name)[0])


def header_type(header: GGUFHeader) -> str | None:
    """``general.file_type`` by its name; None where it is missing, or a mixture without one."""
    from gguf.constants import LlamaFileType

    number = header.number("general.file_type")
    known = {int(kind): kind.name for kind in LlamaFileType if kind is not LlamaFileType.GUESSED}
    name = known.get(-1 if number is None else number)
    return name.removeprefix("MOSTLY_").removeprefix("ALL_") if name else None
