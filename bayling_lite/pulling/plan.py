"""What will be fetched: one of a repository's ready-made GGUF files, or its checkpoint, to be converted."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bayling_lite.checkpoints import LARGEST_TEXT, CheckpointPlace
from bayling_lite.errors import HubError, ModelNotFound, UsageError
from bayling_lite.hub import Repository
from bayling_lite.pulling.request import Target, type_of_file
from bayling_lite.quantizations import BITS_PER_WEIGHT, part_of, preference, type_in_name, without_type
from bayling_lite.terminal import printable
from bayling_lite.units import bytes_text

_WEIGHTS = re.compile(r"(?:model|pytorch_model|adapter_model)(?:-\d+-of-\d+)?\.(?:safetensors|bin)")
_NOT_A_MODEL = re.compile(r"mmproj|imatrix", re.IGNORECASE)
_REPOSITORY = re.compile(r"[A-Za-z0-9_][\w.\-]*/[\w.\-]+", re.ASCII)
_BITS = {"float32": 32, "float16": 16, "bfloat16": 16}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be fetched and what becomes of it. Sizes in bytes.

    ``file`` is the ready-made GGUF file, None where a checkpoint is converted; ``kind`` says for people what it is.
    ``download`` has to be fetched, ``scratch`` is the most of it that is on the disk at one time, and ``result`` about
    what will be here in the end. The three count the base in, whose licence is ``base_licence``; of the download,
    about ``done`` bytes an earlier run has dealt with.
    """

    target: Target
    repository: Repository
    path: Path
    file: str | None
    licence: str | None
    download: int
    scratch: int
    result: int
    kind: str = "a checkpoint"
    base: CheckpointPlace | None = None
    base_licence: str | None = None
    done: int = 0


def make_plan(
    target: Target, repository: Repository, folder: Path, find_base: Callable[[], CheckpointPlace] | None = None
) -> Plan:
    """Decide from what a repository has; ``find_base`` finds what a difference, or an adapter, is for.

    Raises:
        UsageError: not in this type; the message lists those that there are. Or a base is missing, or too much.
        HubError: neither a checkpoint nor a GGUF file, or it cannot be asked.
        ModelNotFound: offline, and the shared cache has neither.
    """
    files = repository.files
    names = weights(files)
    is_checkpoint = bool(names) and ("config.json" in files or "adapter_config.json" in files)
    file = _choose(target, repository, or_none=is_checkpoint)
    licence = target.entry.licence if target.entry is not None else read_licence(repository)
    if file is not None:
        if find_base is not None:
            raise UsageError(f"{repository.id} has a ready-made {file}, to which nothing is added: leave --base away.")
        size = files[file].size
        download = size if repository.cached(file) is None else 0
        target = replace(target, file_type=type_of_file(file) or target.file_type)
        path = target.path(folder, _local_name(file))
        return Plan(target, repository, path, file, licence, download, 0, size, kind=printable(file, keep=""))
    if not is_checkpoint:
        raise _nothing(repository)
    if target.file_type not in BITS_PER_WEIGHT:
        raise UsageError(f"Unknown type {target.file_type!r}. Known: {', '.join(BITS_PER_WEIGHT)}.")
    is_adapter = "adapter_config.json" in files and "config.json" not in files
    if is_adapter and find_base is None:
        raise _needs_base_model(repository)
    path = target.path(folder, f"{repository.id.rpartition('/')[2]}.{target.file_type}.gguf")
    bits = BITS_PER_WEIGHT[target.file_type]
    whole = sum(files[name].size for name in names) / _bits_stored(repository)
    download, scratch = fetched_weights(repository)
    is_delta = target.entry is not None and target.entry.kind == "delta"
    kind = "a LoRA adapter" if is_adapter else "a difference to a base" if is_delta else "a checkpoint"
    plan = Plan(target, repository, path, None, licence, download, scratch, round(whole * bits), kind)
    return plan if find_base is None else _with_base(plan, find_base(), bits if is_adapter else None)


def _with_base(plan: Plan, base: CheckpointPlace, bits: float | None) -> Plan:
    """The plan with the base counted in; ``bits`` a weight where the result has the base's size."""
    repository, result = base.repository, plan.result
    if repository is None:
        return replace(plan, base=base, result=result if bits is None else round(_weights_here(base.folder) * bits))
    download, scratch = fetched_weights(repository)
    if bits is not None:
        stored = sum(repository.files[name].size for name in weights(repository.files))
        result = round(stored / _bits_stored(repository) * bits)
    return replace(
        plan,
        base=base,
        base_licence=read_licence(repository),
        download=plan.download + download,
        scratch=plan.scratch + scratch,
        result=result,
    )


def _needs_base_model(repository: Repository) -> UsageError:
    """What to say of an adapter that is asked for without what it was trained on."""
    named = _value(repository.read("adapter_config.json", LARGEST_TEXT), "base_model_name_or_path")
    known = isinstance(named, str) and _REPOSITORY.fullmatch(named) is not None
    of = f" ({printable(str(named), keep='')}, it says)" if named else ""
    command = f"bayling models pull {repository.id} --base {named if known else 'FOLDER_OR_REPOSITORY'}"
    return UsageError(
        f"{repository.id} is a LoRA adapter, a small addition to another model, and of no use alone. Name the "
        f"checkpoint it was trained on{of}: {command}"
    )


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


def weights(files: Mapping[str, object]) -> list[str]:
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
    name = "config.json"
    return _bits(repository.read(name, LARGEST_TEXT) if name in repository.files else b"")


def _weights_here(folder: Path | None) -> float:
    """About how many weights the checkpoint in a folder has; 0 where there is none, as converting will say."""
    try:
        sizes = {path.name: path.stat().st_size for path in (folder or Path()).iterdir()}
        config = (folder or Path()) / "config.json"
        text = config.read_bytes() if sizes.get(config.name, LARGEST_TEXT) < LARGEST_TEXT else b""
    except OSError:
        return 0
    return sum(sizes[name] for name in weights(sizes)) / _bits(text)


def _bits(config: bytes) -> int:
    said = _value(config, "dtype") or _value(config, "torch_dtype")
    return _BITS.get(said, 16) if isinstance(said, str) else 16


def _value(text: bytes, key: str) -> object:
    """A value of a configuration; None where there is none. Converting says what is wrong with the file."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return config.get(key) if isinstance(config, dict) else None


def _choose(target: Target, repository: Repository, *, or_none: bool) -> str | None:
    """The GGUF file of the wanted type; None where there is none and that is no error.

    Raises:
        UsageError: there are GGUF files, but none of this type that can be taken, or several.
        ModelNotFound, HubError: offline, and none of this type in the shared cache.
    """
    models = [name for name in repository.files if name.casefold().endswith(".gguf") and not _NOT_A_MODEL.search(name)]
    whole = [name for name in models if part_of(PurePosixPath(name).stem) is None]
    if target.file is not None:
        return _named(target.file, repository, whole)
    if not target.asked_type and len(models) == len(whole) == 1 and not or_none:
        return whole[0]
    wanted = [name for name in models if type_of_file(name) == target.file_type]
    found = [name for name in wanted if name in whole]
    if _are_several(found):
        raise UsageError(
            f"{repository.id} has several models as {target.file_type}: {_listed(found)}. Name the one you mean: "
            f"{_pull(repository, found[0])}"
        )
    if found:
        return found[0]
    if or_none or not models:
        return None
    if repository.offline:  # what else there is cannot be told
        raise repository.unreachable or ModelNotFound(
            f"{repository.id} as {target.file_type} is not in the shared cache, and nothing may be fetched offline. "
            "Where there is a connection, run the same command without BAYLING_OFFLINE and HF_HUB_OFFLINE."
        )
    raise UsageError(_not_in_this_type(target, repository, whole, split=bool(wanted)))


def _named(said: str, repository: Repository, whole: list[str]) -> str:
    """The file of that name, whose folder may be left away.

    Raises:
        UsageError: there is none, or it is no whole model.
        ModelNotFound, HubError: offline, and it is not in the shared cache.
    """
    found = [name for name in whole if said.casefold() in (name.casefold(), PurePosixPath(name).name.casefold())]
    if len(found) == 1:
        return found[0]
    if repository.offline:
        raise repository.missing(said)
    if not found:
        raise UsageError(f"{repository.id} has no model {said}. It has: {_listed(whole) or 'none in one GGUF file'}.")
    raise UsageError(f"{repository.id} has several files of that name: {_listed(found)}. Name it with its folder.")


def _are_several(names: list[str]) -> bool:
    """Whether files of one type are different models, and not the same one twice."""
    return len({without_type(PurePosixPath(name).stem) for name in names}) > 1


def _listed(names: list[str]) -> str:
    return ", ".join(printable(name, keep="") for name in names)


def _pull(repository: Repository, what: str) -> str:
    return shlex.join(["bayling", "models", "pull", f"{repository.id}:{what}"])


def _local_name(name: str) -> str:
    """What a repository's file is called here: without its folder, but with the type that only the folder tells."""
    path, file_type = PurePosixPath(name), type_of_file(name)
    return path.name if type_in_name(path.stem) == file_type else f"{path.stem}.{file_type}.gguf"


def _not_in_this_type(target: Target, repository: Repository, whole: list[str], *, split: bool) -> str:
    if split:
        text = (
            f"{repository.id} has {target.file_type} only cut into several files, which bayling does not put together."
        )
    else:
        text = f"{repository.id} has no GGUF file of the type {target.file_type}."
    types = {type_of_file(name): repository.files[name].size for name in whole}
    known = sorted((name for name in types if name), key=lambda name: (preference(name), name))
    if not known:
        return f"{text} What it has is at {repository.url}."
    listed = ", ".join(f"{name} ({bytes_text(types[name])})" for name in known)
    first = [name for name in whole if type_of_file(name) == known[0]]
    return f"{text} It has: {listed}. For example: {_pull(repository, first[0] if _are_several(first) else known[0])}"
