"""What the models on this machine are, told by their files, their records and the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bayling_lite.catalogue import CatalogueEntry, catalogue, embedded_model, find_entry, find_local, resolve
from bayling_lite.errors import ModelError, ModelNotFound
from bayling_lite.gguf_file import GGUFHeader, read_header
from bayling_lite.quantizations import split_type
from bayling_lite.registry import LocalModel, Record, Registry, read_record
from bayling_lite.settings import Settings

Origin = Literal["embedded", "pulled", "own"]


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model on this machine. ``size`` in bytes, ``context`` in tokens, ``parameters`` as people say it: ``7.2M``.

    ``problem`` says why the file cannot be used; then what only its header knows is missing.
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
    parameters: str | None = None
    context: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class InterruptedPull:
    """A pull that goes on when ``name:type`` is pulled again, or is going on; ``size`` in bytes on the disk."""

    name: str
    type: str
    size: int


def local_models(settings: Settings) -> Iterator[ModelDescription]:
    """The embedded model, then those of the models folder.

    Raises:
        ModelNotFound: the installation is incomplete.
    """
    for entry in catalogue().values():
        if entry.kind == "embedded":
            yield describe(LocalModel(entry.name, embedded_model(entry.name)), entry)
    for model in Registry(settings.models_dir).models():
        yield describe(model)


def fetchable(settings: Settings) -> list[CatalogueEntry]:
    """What the catalogue knows and is in no type on this machine."""
    return [entry for entry in catalogue().values() if entry.hub and not find_local(entry.name, settings)]


def interrupted(settings: Settings) -> list[InterruptedPull]:
    """The pulls that have left something to go on from."""
    found = []
    for repository, file_type, folder in Registry(settings.models_dir).interrupted():
        entry = find_entry(repository)
        size = sum(disk_usage(path) for path in folder.rglob("*") if path.is_file())
        if size:
            found.append(InterruptedPull(entry.name if entry is not None else repository, file_type, size))
    return found


def disk_usage(path: Path) -> int:
    """Bytes that a file takes on the disk, less than its size where it has holes; 0 for one that is gone."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return getattr(status, "st_blocks", -(-status.st_size // 512)) * 512


def find_model(name: str, settings: Settings) -> ModelDescription:
    """The model a name or a path means.

    Raises:
        ModelNotFound: it is not on this machine.
        ModelUnreadable: it is a folder.
    """
    path = resolve(name, settings)
    model = next((model for model in Registry(settings.models_dir).models() if model.path == path), None)
    if model is not None:
        return describe(model)
    entry = next((entry for entry in catalogue().values() if entry.kind == "embedded"), None)
    if entry is not None and path == embedded_model(entry.name):
        return describe(LocalModel(entry.name, path), entry)
    return describe(LocalModel(str(path), path, read_record(path)))


def describe(model: LocalModel, entry: CatalogueEntry | None = None) -> ModelDescription:
    """Describe a model; ``entry`` is the catalogue's where its name does not find it.

    Raises:
        ModelNotFound: the file is gone.
    """
    record = model.record
    entry = entry or _entry(model)
    origin: Origin = "embedded" if entry and entry.kind == "embedded" else "pulled" if record else "own"
    languages = entry.languages if entry else ()
    licence = (record.licence if record else None) or (entry.licence if entry else None)
    try:
        size = model.size
        header = read_header(model.path)
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no file {model.path}.") from error
    except ModelError as error:
        return ModelDescription(
            model.name, origin, model.path, size, model.type, languages, record, licence=licence, problem=str(error)
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
        parameters=header.text("general.size_label"),
        context=header.number(f"{header.text('general.architecture')}.context_length"),
    )


def _entry(model: LocalModel) -> CatalogueEntry | None:
    return find_entry(split_type(model.name)[0])


def header_type(header: GGUFHeader) -> str | None:
    """``general.file_type`` by its name; None where it is missing, or a mixture without one."""
    from gguf.constants import LlamaFileType

    number = header.number("general.file_type")
    known = {int(kind): kind.name for kind in LlamaFileType if kind is not LlamaFileType.GUESSED}
    name = known.get(-1 if number is None else number)
    return name.removeprefix("MOSTLY_").removeprefix("ALL_") if name else None
