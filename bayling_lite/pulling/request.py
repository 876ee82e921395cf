"""What a person asks to be pulled: which repository that is, in which type, and where it goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.catalogue import HUB_PREFIX, CatalogueEntry, find_entry, find_local, unknown_model
from bayling_lite.errors import ModelNotFound, UsageError
from bayling_lite.hub.reference import check_revision, parse_reference
from bayling_lite.quantizations import DEFAULT_TYPE, canonical
from bayling_lite.registry import LocalModel
from bayling_lite.settings import Settings

# What git takes for one when it is the beginning of exactly one commit's name.
_ABBREVIATED_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What was asked for, as it was written.

    ``name`` is one of the catalogue, or ``[hf://]OWNER/NAME``, either with ``@REVISION`` and ``:TYPE`` behind it;
    ``base`` a folder or a repository with the checkpoint that a difference is added to. ``keep`` leaves what was
    downloaded in the hub's shared cache; ``force`` fetches again what is here.
    """

    name: str
    file_type: str | None = None
    revision: str | None = None
    base: str | None = None
    keep: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What is meant: ``name`` finds the model afterwards, ``file_type`` is the default where none was asked for."""

    name: str
    repository: str
    revision: str | None
    file_type: str
    asked_type: bool
    entry: CatalogueEntry | None

    def path(self, folder: Path, file_name: str) -> Path:
        """Where a file goes in the models folder: a catalogue's under its name, another as it is called."""
        if self.entry is not None:
            return folder / f"{self.entry.name}.{self.file_type}.gguf"
        return folder.joinpath(*self.repository.split("/"), file_name)


def read_request(request: PullRequest, settings: Settings) -> Target:
    """Understand a request.

    Raises:
        ModelNotFound: neither a name of the catalogue nor a repository's.
        UsageError: a form that cannot be, or two revisions or types that contradict each other.
    """
    if "://" in request.name.removeprefix(HUB_PREFIX):
        parse_reference(request.name)  # says what to write instead of a web address
    plain, colon, said_type = request.name.removeprefix(HUB_PREFIX).partition(":")
    bare, at, said_revision = plain.partition("@")
    entry = find_entry(bare)
    if entry is None and "/" not in bare:
        raise ModelNotFound(unknown_model(bare, settings))
    repository = entry.hub if entry is not None and entry.hub else bare
    # The catalogue's name stands for its repository; the rest is of the same form.
    reference = parse_reference(f"{repository}{at}{said_revision}{colon}{said_type}")
    revision = _agreed("revision", reference.revision, request.revision)
    if revision is not None:
        check_revision(revision)
    types = [canonical(text) if text else None for text in (reference.file_type, request.file_type)]
    file_type = _agreed("type", *types)
    name = entry.name if entry is not None else repository
    return Target(name, repository, revision, file_type or DEFAULT_TYPE, file_type is not None, entry)


def find_here(target: Target, settings: Settings) -> LocalModel | None:
    """The model if it is on this machine already, as far as can be told without asking the hub."""
    for model in find_local(target.name, settings):
        record = model.record
        if model.type != target.file_type:
            continue
        if target.revision is not None and (record is None or not _is_of(target.revision, record.revision)):
            continue
        if record is None or record.size == model.size:
            return model
    return None


def _is_of(revision: str, commit: str) -> bool:
    """Whether a revision certainly is that commit: a branch or a tag may be named like the beginning of one."""
    return _ABBREVIATED_COMMIT.fullmatch(revision) is not None and commit.startswith(revision)


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
