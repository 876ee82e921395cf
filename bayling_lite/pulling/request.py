"""What a person asks to be pulled: which repository that is, in which type, and where it goes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bayling_lite.catalogue import HUB_PREFIX, CatalogueEntry, expanded, find_entry, find_local, unknown_model
from bayling_lite.errors import ModelNotFound, UsageError
from bayling_lite.hub.reference import check_revision, parse_reference
from bayling_lite.quantizations import DEFAULT_TYPE, canonical, type_in_name
from bayling_lite.registry import LocalModel
from bayling_lite.settings import Settings

# What git takes for one when it is the beginning of exactly one commit's name.
_ABBREVIATED_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What was asked for, as it was written.

    ``name`` is one of the catalogue, or ``[hf://]OWNER/NAME``, either with ``@REVISION`` and ``:TYPE`` behind it, or
    ``:FILE``; ``base`` is where the checkpoint is that a difference, or a LoRA adapter, is for. ``keep`` leaves what
    was downloaded in the hub's shared cache; ``force`` fetches again what is here.
    """

    name: str
    file_type: str | None = None
    revision: str | None = None
    base: str | None = None
    keep: bool = False
    force: bool = False

    @property
    def command(self) -> list[str]:
        """The words that ask for the same, wherever they are typed."""
        options = (("--type", self.file_type), ("--revision", self.revision), ("--base", self._base))
        words = ["bayling", "models", "pull", self.name]
        words += [word for option, value in options if value is not None for word in (option, value)]
        return words + [option for option, is_set in (("--keep", self.keep), ("--force", self.force)) if is_set]

    @property
    def _base(self) -> str | None:
        is_folder = self.base is not None and not self.base.startswith(HUB_PREFIX) and expanded(self.base).exists()
        return str(expanded(self.base).absolute()) if self.base is not None and is_folder else self.base


@dataclass(frozen=True, slots=True)
class Target:
    """What is meant: ``name`` finds the model afterwards, ``file_type`` is the default where none was asked for.

    ``file`` is the one of the repository's files that was named.
    """

    name: str
    repository: str
    revision: str | None
    file_type: str
    asked_type: bool
    entry: CatalogueEntry | None
    file: str | None = None

    def path(self, folder: Path, file_name: str) -> Path:
        """Where a file goes in the models folder: a catalogue's under its name, another as it is called."""
        if self.entry is not None:
            return folder / f"{self.entry.name}.{self.file_type}.gguf"
        return folder.joinpath(*self.repository.split("/"), file_name)


def read_request(request: PullRequest, settings: Settings) -> Target:
    """Understand a request.

    Raises:
        ModelNotFound: neither a name of the catalogue nor a repository's.
        UsageError: a form that cannot be, what is on this machine, or two revisions or types that are not the same.
    """
    if "://" in request.name.removeprefix(HUB_PREFIX):
        parse_reference(request.name)  # says what to write instead of a web address
    plain, colon, said_type = request.name.removeprefix(HUB_PREFIX).partition(":")
    bare, at, said_revision = plain.partition("@")
    entry = find_entry(bare)
    if entry is None and not request.name.startswith(HUB_PREFIX):
        _refuse_paths(request.name)
    if entry is None and "/" not in bare:
        raise ModelNotFound(unknown_model(bare, settings))
    repository = entry.hub if entry is not None and entry.hub else bare
    file = said_type if said_type.casefold().endswith(".gguf") else None
    if file is not None:
        colon = said_type = ""
    # The catalogue's name stands for its repository; the rest is of the same form.
    reference = parse_reference(f"{repository}{at}{said_revision}{colon}{said_type}")
    revision = _agreed("revision", reference.revision, request.revision)
    if revision is not None:
        check_revision(revision)
    types = [canonical(text) if text else None for text in (reference.file_type, request.file_type)]
    file_type = _agreed("type", type_of_file(file) if file is not None else None, *types)
    name = entry.name if entry is not None else repository
    return Target(name, repository, revision, file_type or DEFAULT_TYPE, file_type is not None, entry, file)


def type_of_file(name: str) -> str | None:
    """The type that the name of a repository's file tells, or, where it tells none, its folder's."""
    path = PurePosixPath(name)
    return type_in_name(path.stem) or type_in_name(path.parent.name)


def _refuse_paths(name: str) -> None:
    """A pull brings what is elsewhere: say what to do with what is here."""
    path = expanded(name)
    is_path = name.startswith((".", "~")) or path.is_absolute()
    if not is_path and not path.exists():
        return
    quoted = shlex.quote(name)
    if path.is_dir():
        text = f"{name} is a folder on this machine. A checkpoint in it is converted with: bayling convert {quoted}."
    elif path.exists():
        text = f"{name} is a file on this machine: there is nothing to fetch. It is used with --model {quoted}."
    else:
        text = f"{name} is a path where nothing is; a pull takes a name of the catalogue, or OWNER/NAME of the hub."
    parts = name.split("/")
    if not is_path and len(parts) == 2 and all(parts):
        text += f" The hub's repository of that name is {HUB_PREFIX}{name}."
    raise UsageError(text)


def find_here(target: Target, settings: Settings, base: str | None = None) -> LocalModel | None:
    """The model if it is on this machine already, as far as can be told without asking the hub."""
    for model in find_local(target.name, settings):
        record = model.record
        if model.type != target.file_type:
            continue
        if target.file is not None and (record is None or record.file != target.file):
            continue
        if target.revision is not None and (record is None or not _is_of(target.revision, record.revision)):
            continue
        if base is not None and (record is None or record.base is None or not _is_base(base, record.base)):
            continue
        if record is None or record.size == model.size:
            return model
    return None


def _is_of(revision: str, commit: str) -> bool:
    """Whether a revision certainly is that commit: a branch or a tag may be named like the beginning of one."""
    return _ABBREVIATED_COMMIT.fullmatch(revision) is not None and commit.startswith(revision)


def _is_base(said: str, source: str) -> bool:
    """Whether a base's name certainly is that of ``source``: a folder, or ``hf://OWNER/NAME@COMMIT``."""
    repository, _, commit = source.removeprefix(HUB_PREFIX).partition("@")
    if not source.startswith(HUB_PREFIX):
        return not said.startswith(HUB_PREFIX) and str(expanded(said).absolute()) == source
    name, _, revision = said.removeprefix(HUB_PREFIX).partition("@")
    entry = find_entry(name)
    name = entry.hub if entry is not None and entry.hub else name
    return name.casefold() == repository.casefold() and (not revision or _is_of(revision, commit))


def needs_base(entry: CatalogueEntry) -> UsageError:
    """What to say where a difference is asked for without what it is a difference to."""
    return UsageError(
        f"{entry.name} is only the difference between a BayLing model and {entry.base}, and of no use alone. Get "
        f"{entry.base} as a Hugging Face checkpoint from its owner, Meta, then say where it is, a folder or OWNER/NAME "
        f"on the hub: bayling models pull {entry.name} --base FOLDER. (bayling-2-7b and bayling-2-13b need no base.)"
    )


def _agreed(what: str, *said: str | None) -> str | None:
    different = dict.fromkeys(text for text in said if text is not None)
    if len(different) > 1:
        raise UsageError(f"Two different {what}s are asked for: {' and '.join(different)}. Name one.")
    return next(iter(different), None)
