"""From a model's name to its file.

A name means, in this order: a path, the embedded model, a GGUF file in the models folder, an entry of the catalogue
(``models/catalogue.toml``).
"""

from __future__ import annotations

import difflib
import functools
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.prompts import BAYLING_3
from bayling_lite.settings import Settings

DEFAULT_MODEL = "bayling-tiny"

Kind = Literal["embedded", "checkpoint", "delta"]

_PACKAGE = Path(__file__).resolve().parent
_NOTICE_MARKER = "demonstrator-notice-shown"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model known by name. ``hub`` is its Hugging Face repository; None for the embedded one.

    ``licence`` and ``base`` are None where they are not known or do not apply.
    """

    name: str
    kind: Kind
    template: str
    languages: tuple[str, ...]
    hub: str | None = None
    base: str | None = None
    licence: str | None = None
    aliases: tuple[str, ...] = ()


def models_folder() -> Path:
    """The folder that ships with the package: inside it when installed, beside it in a checkout.

    Raises:
        ModelNotFound: the installation is incomplete.
    """
    places = (_PACKAGE / "models", _PACKAGE.parent / "models")
    for place in places:
        if (place / "catalogue.toml").is_file():
            return place
    raise ModelNotFound(
        f"This installation is incomplete: there is no models/catalogue.toml in {_PACKAGE} or beside it. "
        "Install bayling-lite again."
    )


@functools.cache
def catalogue() -> dict[str, CatalogueEntry]:
    """All known models by name, the embedded one first."""
    tables = tomllib.loads((models_folder() / "catalogue.toml").read_text(encoding="utf-8"))
    return {name: _entry(name, table) for name, table in tables.items()}


def _entry(name: str, table: dict[str, Any]) -> CatalogueEntry:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return CatalogueEntry(name=name, **(table | lists))


def find_entry(name: str) -> CatalogueEntry | None:
    """The entry of a name, an alias or a hub id, in upper or lower case."""
    key = name.casefold()
    for entry in catalogue().values():
        if key in (entry.name, *entry.aliases) or (entry.hub and key == entry.hub.casefold()):
            return entry
    return None


def resolve(name_or_path: str | None, settings: Settings) -> Path:
    """The GGUF file of a name or path; None is the model of the settings, else the embedded one.

    Raises:
        ModelNotFound: it is not on this machine; the message says how to get it, or which names there are.
        ModelUnreadable: the path is a folder.
    """
    wanted = name_or_path or settings.model or DEFAULT_MODEL
    path = Path(wanted).expanduser()
    entry = find_entry(wanted)
    if wanted.casefold().endswith(".gguf") or (entry is None and _looks_like_path(wanted)):
        return _checked(path)
    if entry is not None and entry.kind == "embedded":
        return embedded_model(entry.name)
    found = _in_models_dir(wanted, entry, settings.models_dir)
    if found is not None:
        return found
    if entry is not None:
        raise ModelNotFound(_how_to_get(entry, settings))
    if _exists(path):
        return _checked(path)
    raise ModelNotFound(_unknown(wanted, settings.models_dir))


def embedded_model(name: str = DEFAULT_MODEL) -> Path:
    """The GGUF file that ships with the package.

    Raises:
        ModelNotFound: the installation is incomplete.
    """
    folder = models_folder() / name
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise ModelNotFound(
            f"The embedded model {name} is missing from this installation: there is no GGUF file in {folder}. "
            "Install bayling-lite again, or give a GGUF file of your own with --model."
        )
    return files[0]


def first_run_notice(info: ModelInfo, settings: Settings | None = None) -> str | None:
    """The line that says, once per user, that the embedded model is a demonstrator; None when there is no need.

    Remembering is best effort: where the state directory cannot be written, the line comes again.
    """
    if not info.demonstrator:
        return None
    marker = (settings or Settings.load()).state_dir / _NOTICE_MARKER
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch(exist_ok=False)
    except FileExistsError:
        return None
    except OSError:
        pass  # a read-only home must not keep anybody from translating
    return f"{info.name} is a small demonstrator. For real translations: {_commands(catalogue()['bayling-2-7b'])}"


def _looks_like_path(wanted: str) -> bool:
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return wanted.startswith(("~", ".")) or any(separator in wanted for separator in separators)


def _checked(path: Path) -> Path:
    if not _exists(path):
        raise ModelNotFound(f"There is no file {path}.")
    if path.is_dir():
        what = "a checkpoint" if (path / "config.json").exists() else "a folder"
        raise ModelUnreadable(
            f"{path} is {what}, not a GGUF file. "
            f"A checkpoint is converted with: bayling convert {path} -o {path.name}.gguf"
        )
    return path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _in_models_dir(wanted: str, entry: CatalogueEntry | None, folder: Path) -> Path | None:
    """A file of the models folder whose name without ``.gguf`` is the wanted one."""
    names = {wanted.casefold()} | ({entry.name, *entry.aliases} if entry else set())
    return next((path for path in _local(folder) if path.stem.casefold() in names), None)


def _local(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.gguf")) if folder.is_dir() else []


def _how_to_get(entry: CatalogueEntry, settings: Settings) -> str:
    if entry.kind == "delta":
        return (
            f"{entry.name} is not on this machine. It is published only as a difference to {entry.base} ({entry.hub}), "
            "which this version cannot add up; bayling-2-7b and bayling-2-13b are full checkpoints."
        )
    if entry.template == BAYLING_3.name:
        return (
            f"{entry.name} is not on this machine. Its tokenizer is of a kind that bayling convert cannot read yet; "
            f"llama.cpp's convert_hf_to_gguf.py makes a GGUF file of {entry.hub}, which runs with --model FILE.gguf."
        )
    return (
        f"{entry.name} is not on this machine. It runs as a GGUF file that you convert from the checkpoint: "
        f"{_commands(entry)}, or put that file into {settings.models_dir}"
    )


def _commands(entry: CatalogueEntry) -> str:
    return (
        f"hf download {entry.hub} --local-dir {entry.name} && bayling convert {entry.name} -o {entry.name}.gguf, "
        f"then --model {entry.name}.gguf"
    )


def _unknown(wanted: str, folder: Path) -> str:
    names = list(dict.fromkeys([*catalogue(), *(path.stem for path in _local(folder))]))
    nearest = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"There is no model {wanted!r}.{hint} Known: {', '.join(names)}; or give the path of a .gguf file."
