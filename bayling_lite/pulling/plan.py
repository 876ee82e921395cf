"""What will be fetched: one of a repository's ready-made GGUF files, or its checkpoint, to be converted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bayling_lite.checkpoints import LARGEST_TEXT
from bayling_lite.errors import HubError, ModelNotFound, UsageError
from bayling_lite.hub import RemoteFile, Repository
from bayling_lite.pulling.request import Target
from bayling_lite.quantizations import BITS_PER_WEIGHT, part_of, preference, type_in_name, without_type
from bayling_lite.units import bytes_text

_WEIGHTS = re.compile(r"(?:model|pytorch_model|adapter_model)(?:-\d+-of-\d+)?\.(?:safetensors|bin)")
_NOT_A_MODEL = re.compile(r"mmproj|imatrix", re.IGNORECASE)
_BITS = {"float32": 32, "float16": 16, "bfloat16": 16}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be fetched and what becomes of it. Sizes in bytes.

    ``file`` is the ready-made GGUF file, None where a checkpoint is converted. ``download`` has to be fetched,
    ``scratch`` is the most of it that is on the disk at one time, and ``result`` about what will be here in the end.
    """

    target: Target
    repository: Repository
    path: Path
    file: str | None
    licence: str | None
    download: int
    scratch: int
    result: int


def make_plan(target: Target, repository: Repository, folder: Path) -> Plan:
    """Decide from what a repository has.

    Raises:
        UsageError: not in this type; the message lists those that there are.
        HubError: neither a checkpoint nor a GGUF file, or it cannot be asked.
        ModelNotFound: offline, and the shared cache has neither.
    """
    files = repository.files
    names = weights(files)
    is_checkpoint = bool(names) and ("config.json" in files or "adapter_config.json" in files)
    file = _choose(target, repository, or_none=is_checkpoint)
    licence = target.entry.licence if target.entry is not None else read_licence(repository)
    if file is not None:
        size = files[file].size
        download = size if repository.cached(file) is None else 0
        target = replace(target, file_type=_type(file) or target.file_type)
        return Plan(target, repository, target.path(folder, _local_name(file)), file, licence, download, 0, size)
    if not is_checkpoint:
        raise _nothing(repository)
    if target.file_type not in BITS_PER_WEIGHT:
        raise UsageError(f"Unknown type {target.file_type!r}. Known: {', '.join(BITS_PER_WEIGHT)}.")
    result = round(
        sum(files[name].size for name in names) / _bits_stored(repository) * BITS_PER_WEIGHT[target.file_type]
    )
    path = target.path(folder, f"{repository.id.rpartition('/')[2]}.{target.file_type}.gguf")
    return Plan(target, repository, path, None, licence, *fetched_weights(repository), result=result)


def fetched_weights(repository: Repository) -> tuple[int, int]:
    """Bytes of all weights that are not in the shared cache, and of the largest file of them."""
    sizes = [repository.files[name].size for name in weights(repository.files) if repository.cached(name) is None]
    return sum(sizes), max(sizes, default=0)


def read_licence(repository: Repository) -> str | None:
    """The licence that a repository's card names; None where it names none.

    The card's format: https://huggingface.co/docs/hub/model-cards#model-card-metadata
    """
    if "README.md" not in repository.files or repository.files["README.md"].size > LARGEST_TEXT:
        return None
    text = repository.read("README.md", LARGEST_TEXT).decode(errors="replace")
    head = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*\n", text, flags=re.DOTALL)
    said = dict(re.findall(r"^(license|license_name|license_link):[ \t]*(\S[^\n]*)$", head[1] if head else "", re.M))
    values = {key: value.strip().strip("\"'") for key, value in said.items()}
    name = values.get("license_name") if values.get("license") in (None, "other") else values["license"]
    link = values.get("license_link", "")
    return (
        " ".join(filter(None, (name or values.get("license"), f"({link})" if link.startswith("http") else ""))) or None
    )


def weights(files: Mapping[str, RemoteFile]) -> list[str]:
    """The files with the checkpoint's weights; of two copies, the safetensors."""
    names = [name for name in files if _WEIGHTS.fullmatch(name)]
    safe = [name for name in names if name.endswith(".safetensors")]
    return safe or names


def _nothing(repository: Repository) -> HubError | ModelNotFound:
    if repository.unreachable is not None:
        return repository.unreachable
    if repository.offline:
        return ModelNotFound(
            f"Of {repository.id} there is neither a GGUF file nor a whole checkpoint in the hub's shared cache, and "
            "nothing may be fetched. Run the same command where there is a connection."
        )
    return HubError(
        f"{repository.id} has neither a GGUF file nor a checkpoint (config.json, model.safetensors). "
        f"What it has is at {repository.url}."
    )


def _bits_stored(repository: Repository) -> int:
    """Bits a parameter as the configuration says; 16 where it does not."""
    if "config.json" not in repository.files:
        return 16
    try:
        config = json.loads(repository.read("config.json", LARGEST_TEXT))
    except (ValueError, RecursionError):
        return 16  # converting says what is wrong with it
    said = config.get("dtype", config.get("torch_dtype")) if isinstance(config, dict) else None
    return _BITS.get(said, 16) if isinstance(said, str) else 16


def _choose(target: Target, repository: Repository, *, or_none: bool) -> str | None:
    """The GGUF file of the wanted type; None where there is none and that is no error.

    Raises:
        UsageError: there are GGUF files, but none of this type that can be taken, or several.
        ModelNotFound, HubError: offline, and none of this type in the shared cache.
    """
    models = [name for name in repository.files if name.casefold().endswith(".gguf") and not _NOT_A_MODEL.search(name)]
    whole = [name for name in models if part_of(PurePosixPath(name).stem) is None]
    if not target.asked_type and len(models) == len(whole) == 1 and not or_none:
        return whole[0]
    wanted = [name for name in models if _type(name) == target.file_type]
    found = [name for name in wanted if name in whole]
    if len({without_type(PurePosixPath(name).stem) for name in found}) > 1:
        raise UsageError(
            f"{repository.id} has several models as {target.file_type}: {', '.join(found)}. Fetch the one you mean: "
            f"hf download {repository.id} FILE --local-dir . (then run it with --model FILE)."
        )
    if found:
        return found[0]
    if or_none or not models:
        return None
    if repository.offline:  # what else there is cannot be told
        raise repository.missing()
    raise UsageError(_not_in_this_type(target, repository, whole, split=bool(wanted)))


def _type(name: str) -> str | None:
    """The type that a file's name tells, or, where it tells none, its folder's."""
    path = PurePosixPath(name)
    return type_in_name(path.stem) or type_in_name(path.parent.name)


def _local_name(name: str) -> str:
    """What a repository's file is called here: without its folder, but with the type that only the folder tells."""
    path, file_type = PurePosixPath(name), _type(name)
    return path.name if type_in_name(path.stem) == file_type else f"{path.stem}.{file_type}.gguf"


def _not_in_this_type(target: Target, repository: Repository, whole: list[str], *, split: bool) -> str:
    if split:
        text = (
            f"{repository.id} has {target.file_type} only cut into several files, which bayling does not put together."
        )
    else:
        text = f"{repository.id} has no GGUF file of the type {target.file_type}."
    types = {_type(name): repository.files[name].size for name in whole}
    known = sorted((name for name in types if name), key=lambda name: (preference(name), name))
    if not known:
        return f"{text} What it has is at {repository.url}."
    listed = ", ".join(f"{name} ({bytes_text(types[name])})" for name in known)
    return f"{text} It has: {listed}. For example: bayling models pull {repository.id}:{known[0]}"
