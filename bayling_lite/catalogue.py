"""From a model's name to its file.

A name means, in this order: a path, the embedded model, a GGUF file in the models folder, an entry of the catalogue
(``models/catalogue.toml``). ``:TYPE`` behind a name asks for one of several types: ``bayling-2-7b:Q8_0``.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.localization import _, listed, sentences
from bayling_lite.quantizations import BITS_PER_WEIGHT, DEFAULT_TYPE, about_bytes, split_type, type_in_name
from bayling_lite.registry import LocalModel, Registry
from bayling_lite.settings import Settings
from bayling_lite.units import bytes_text

DEFAULT_MODEL = "bayling-tiny"
FIRST_REAL_MODEL = "bayling-2-7b"
HUB_PREFIX = "hf://"

Kind = Literal["embedded", "checkpoint", "delta"]

_PACKAGE = Path(__file__).resolve().parent
_LISTED = 8
_NOTICE_MARKER = "demonstrator-notice-shown"
_REPOSITORY = re.compile(r"[\w.\-]+/[\w.\-]+")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model known by name. ``hub`` is its Hugging Face repository; None for the embedded one.

    ``parameters`` is a count and ``download`` bytes, both about right; None, like ``licence`` and ``base``, where they
    are not known or do not apply. ``placeholders``: it writes ``[NAME]`` and the like for its own name and origin.
    """

    name: str
    kind: Kind
    template: str
    languages: tuple[str, ...]
    hub: str | None = None
    base: str | None = None
    licence: str | None = None
    aliases: tuple[str, ...] = ()
    parameters: int | None = None
    download: int | None = None
    placeholders: bool = False


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
        _(
            "This installation is incomplete: there is no models/catalogue.toml in {folder} or beside it. "
            "Install bayling-lite again.",
            folder=_PACKAGE,
        )
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
    path = expanded(wanted)
    if _is_path_only(wanted):
        return _checked(path)
    name, wanted_type = split_type(wanted.removeprefix(HUB_PREFIX))
    entry = find_entry(name)
    is_path = wanted.casefold().endswith(".gguf") or (entry is None and _has_separator(wanted))
    if is_path and _is_file(path):
        return path
    if entry is not None and entry.kind == "embedded":
        return _embedded(entry, wanted_type)
    found = find_local(wanted, settings)
    if found:
        return found[0].path
    if entry is not None:
        raise ModelNotFound(how_to_get(entry, settings, wanted_type))
    if _exists(path):
        return _checked(path)
    raise ModelNotFound(_no_file(wanted, settings) if is_path else unknown_model(wanted, settings))


def expanded(path: str) -> Path:
    """A path as a shell reads it: ``~`` is the home. A user that there is not stays as it is written."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's own raises a RuntimeError for one


def find_local(name: str, settings: Settings) -> list[LocalModel]:
    """The models in the models folder that a name means, the likeliest first; none where there is none.

    Every name of the catalogue counts, with or without ``:TYPE``, and ``OWNER/NAME`` with or without ``hf://``.
    """
    plain = name.removeprefix(HUB_PREFIX)
    entry = find_entry(split_type(plain)[0])
    aliases = () if entry is None else (entry.name, *entry.aliases, *([entry.hub] if entry.hub else []))
    return Registry(settings.models_dir).matching(plain, aliases)


def embedded_model(name: str = DEFAULT_MODEL) -> Path:
    """The GGUF file that ships with the package.

    Raises:
        ModelNotFound: the installation is incomplete.
    """
    folder = models_folder() / name
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise ModelNotFound(
            _(
                "The embedded model {name} is missing from this installation: there is no GGUF file in {folder}. "
                "Install bayling-lite again, or give a GGUF file of your own with --model.",
                name=name,
                folder=folder,
            )
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
    size = bytes_text(catalogue()[FIRST_REAL_MODEL].download or 0)
    return _(
        "{name} is a small demonstrator. For real translations: bayling models pull {real} "
        "(about {size} to download), then --model {real}",
        name=info.name,
        real=FIRST_REAL_MODEL,
        size=size,
    )


def how_to_get(entry: CatalogueEntry, settings: Settings, wanted_type: str | None = None) -> str:
    """What to say of a model of the catalogue that is not on this machine: the command that fetches it."""
    if wanted_type is not None and wanted_type not in BITS_PER_WEIGHT:
        return _(
            "There is no {name} as {wanted}, only as {types}.",
            name=entry.name,
            wanted=wanted_type,
            types=listed(BITS_PER_WEIGHT),
        )
    name = f"{entry.name}:{wanted_type}" if wanted_type else entry.name
    command = f"bayling models pull {name}"
    if entry.kind == "delta":
        command += " --base FOLDER_OR_REPOSITORY"
    sizes = [_("about {size} to download", size=bytes_text(entry.download))] if entry.download else []
    if here := about_bytes(entry.parameters or 0, wanted_type or DEFAULT_TYPE):
        sizes.append(_("{size} here", size=bytes_text(here)))
    told = _("{command} ({sizes})", command=command, sizes=listed(sizes)) if sizes else command
    lines = [_("{name} is not on this machine. Get it: {command}.", name=name, command=told)]
    if entry.kind == "delta":
        lines.append(
            _("It is published as a difference to {base}, which is to be had from its owner, Meta.", base=entry.base)
        )
    if settings.offline:
        lines.append(_("Downloading is switched off now (BAYLING_OFFLINE, HF_HUB_OFFLINE or config.toml)."))
    return sentences(*lines)


def _embedded(entry: CatalogueEntry, wanted_type: str | None) -> Path:
    path = embedded_model(entry.name)
    here = type_in_name(path.stem)
    if wanted_type not in (None, here):
        raise ModelNotFound(
            _("{name} ships with the package as {type} only: --model {name}", name=entry.name, type=here)
        )
    return path


def _is_path_only(wanted: str) -> bool:
    return wanted.startswith(("~", ".")) or Path(wanted).is_absolute()


def _has_separator(wanted: str) -> bool:
    return any(separator in wanted for separator in (os.sep, os.altsep) if separator)


def _is_file(path: Path) -> bool:
    return _exists(path) and not path.is_dir()


def _checked(path: Path) -> Path:
    if not _exists(path):
        raise ModelNotFound(_("There is no file {path}.", path=path))
    if path.is_dir():
        raise ModelUnreadable(
            _(
                "{path} is {what}, not a GGUF file. A checkpoint is converted with: bayling convert {path} "
                "-o {name}.gguf",
                path=path,
                what=_("a checkpoint") if (path / "config.json").exists() else _("a folder"),
                name=path.name,
            )
        )
    return path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _no_file(wanted: str, settings: Settings) -> str:
    name = split_type(wanted.removeprefix(HUB_PREFIX))[0]
    if _REPOSITORY.fullmatch(name) and not name.casefold().endswith(".gguf"):
        return _(
            "There is no file {path}, and nothing of that name in {folder}. From the hub: bayling models pull {path}.",
            path=wanted,
            folder=settings.models_dir,
        )
    return _("There is no file {path}.", path=wanted)


def unknown_model(wanted: str, settings: Settings) -> str:
    """What to say of a name that nothing has: the nearest one, and those that are here."""
    here = [DEFAULT_MODEL, *(model.name for model in Registry(settings.models_dir).models())]
    known = [name for entry in catalogue().values() for name in (entry.name, *entry.aliases)]
    names = list(dict.fromkeys([*here, *known]))
    nearest = difflib.get_close_matches(split_type(wanted)[0], names, n=1)
    return sentences(
        _("There is no model {wanted!r}.", wanted=wanted),
        _("Did you mean {name}?", name=nearest[0]) if nearest else "",
        _(
            "Here: {here}; what can be fetched is shown by: bayling models list (A .gguf file is named by its path.)",
            here=listed([*here[:_LISTED], *(["..."] if here[_LISTED:] else [])]),
        ),
    )
