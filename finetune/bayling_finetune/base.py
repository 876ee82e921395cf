"""The checkpoint that training begins from: a folder, or a repository of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_finetune.checkpoint_files import read_json
from bayling_finetune.config import Recipe
from bayling_lite.errors import HubError, RecipeError

_HUB = "hf://"
_FETCHED = ("*.json", "*.safetensors", "tokenizer.model", "*.jinja")
_ARCHITECTURE = "LlamaForCausalLM"
_LOOKED_AT = 1 << 20  # bytes, from both ends of each file


@dataclass(frozen=True, slots=True)
class Base:
    """A Hugging Face checkpoint folder of a LLaMA model. ``place`` is what the recipe or the user calls it.

    ``weights``: its safetensors files, in order.
    """

    folder: Path
    place: str
    config: dict[str, Any]
    weights: tuple[Path, ...]

    @property
    def name(self) -> str:
        """Name and version, as its ``bayling.json`` says; else the repository's or the folder's name."""
        said = read_json(self.folder / "bayling.json")
        if said.get("name"):
            return f"{said['name']} {said.get('version', '')}".strip()
        return self.place.removeprefix(_HUB) if self.place.startswith(_HUB) else self.folder.resolve().name

    @property
    def said(self) -> dict[str, Any]:
        """What its ``bayling.json`` says, if it has one."""
        return read_json(self.folder / "bayling.json")

    def fingerprint(self) -> str:
        """SHA-256 of configuration and tokenizer, and of the beginning, the end and the size of its weights."""
        digest = hashlib.sha256()
        for name in ("config.json", "tokenizer.model", "tokenizer.json", "tokenizer_config.json"):
            path = self.folder / name
            digest.update(hashlib.sha256(path.read_bytes() if path.is_file() else b"").digest())
        for path in self.weights:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                digest.update(size.to_bytes(8, "big"))
                for start in (0, max(0, size - _LOOKED_AT)):
                    file.seek(start)
                    digest.update(file.read(_LOOKED_AT))
        return digest.hexdigest()


def find_base(recipe: Recipe, given: str | os.PathLike[str] | None = None) -> Base | None:
    """The checkpoint to begin from: ``given``, else what the recipe names; None where training is from scratch.

    A folder that the recipe names is relative to the recipe; a repository is fetched, as far as it is not here yet.

    Raises:
        RecipeError: it is no checkpoint folder, or not of a LLaMA model; or one is given to train from scratch.
        HubError: the repository cannot be had.
    """
    if given is not None and not recipe.base:
        raise RecipeError("--base conflicts with [model] in the recipe, which trains from scratch.")
    place = os.fspath(given) if given is not None else recipe.base
    if not place:
        return None
    if place.startswith(_HUB):
        return open_base(_fetch(place), place)
    return open_base(Path(place) if given is not None else recipe.folder / place, place)


def open_base(folder: Path, place: str) -> Base:
    """Look at a checkpoint folder.

    Raises:
        RecipeError: it is none, not of a LLaMA model, or without safetensors.
    """
    if not (folder / "config.json").is_file():
        raise RecipeError(
            f"The base {folder} is no checkpoint folder: it has no config.json. Name the one to begin from with --base."
        )
    config = read_json(folder / "config.json")
    architectures = config.get("architectures")
    found = architectures[0] if isinstance(architectures, list) and architectures else None
    if found is None and config.get("model_type") == "llama":
        found = _ARCHITECTURE
    if found != _ARCHITECTURE:
        what = found or config.get("model_type") or "of an unknown kind"
        raise RecipeError(f"The base {place} is {what}; only {_ARCHITECTURE} can be trained on.")
    if "quantization_config" in config:
        raise RecipeError(f"The base {place} is quantized already: name the checkpoint it was made from.")
    weights = _weights(folder)
    if not weights:
        raise RecipeError(
            f"The base {place} has no model.safetensors. Load it with transformers and save it with save_pretrained, "
            "which writes them."
        )
    return Base(folder, place, config, weights)


def _weights(folder: Path) -> tuple[Path, ...]:
    """The files that the index names, else the one there is.

    Raises:
        RecipeError: a file that the index names is missing.
    """
    index = read_json(folder / "model.safetensors.index.json")
    if not index:
        single = folder / "model.safetensors"
        return (single,) if single.is_file() else ()
    names = index.get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise RecipeError(f"{folder / 'model.safetensors.index.json'} is damaged. Fetch the base again.")
    paths = tuple(folder / name for name in sorted(set(names.values())))
    for path in paths:
        if not path.is_file():
            raise RecipeError(f"The base {folder} lacks {path.name}, which its index names. Fetch it again.")
    return paths


def _fetch(place: str) -> Path:
    """The folder of a repository in the hub's cache; ``HF_HUB_OFFLINE`` is honoured.

    Raises:
        HubError: it cannot be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name, _, revision = place.removeprefix(_HUB).partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(_FETCHED)))
    except GatedRepoError as error:
        raise HubError(
            f"The base {place} is gated: ask for access on its page, then log in with `hf auth login`."
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise HubError(f"The hub has no {place}, or you have no access to it.") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise HubError(
            f"The base {place} is not on this machine, and the hub cannot be reached (or HF_HUB_OFFLINE is set). "
            "Fetch it when there is a connection, or name a folder with --base."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise HubError(f"The base {place} cannot be fetched: {str(error).splitlines()[0]}") from error
