"""Where a checkpoint is that is to be converted, and what is known of it beside its files.

It is in a folder here, or in a repository of the hub.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.catalogue import HUB_PREFIX, CatalogueEntry, catalogue, expanded, find_entry
from bayling_lite.errors import CheckpointError, HubError, ModelNotFound, UsageError

if TYPE_CHECKING:
    from bayling_convert import CheckpointFiles, Provenance
    from bayling_lite.hub import Hub, Progress, Repository

LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes of the largest configuration, card or tokenizer; real ones stay below 35 MB."""
_SMALL = (".json", ".jinja", ".md", ".model", ".txt")


@dataclass(frozen=True, slots=True)
class CheckpointPlace:
    """A folder, or a repository at a commit."""

    folder: Path | None = None
    repository: Repository | None = None

    @classmethod
    def find(cls, said: str, open_hub: Callable[[], Hub]) -> CheckpointPlace:
        """Understand a folder, ``[hf://]OWNER/NAME[@REVISION]`` or a name of the catalogue; what exists goes first.

        Raises:
            UsageError: none of these.
            CheckpointError: a path where nothing is, or where, here or on the hub, a GGUF file is instead.
            HubError: there is no such repository, or it cannot be asked for.
            ModelNotFound: offline, and not in the hub's shared cache.
        """
        folder = expanded(said)
        if not said.startswith(HUB_PREFIX):
            if said.casefold().endswith(".gguf") and folder.is_file():
                raise CheckpointError(f"{said} is a GGUF file already, not a checkpoint. Use it: --model {said}")
            if folder.exists():
                return cls(folder=folder)
            if said.startswith(("~", ".")) or folder.is_absolute():
                raise CheckpointError(f"{said} does not exist: a checkpoint is wanted there, a folder.")
        return cls(repository=_repository(said, open_hub))

    @property
    def source(self) -> str:
        """For records: the folder, or ``hf://OWNER/NAME@COMMIT``."""
        if self.repository is not None:
            return f"{HUB_PREFIX}{self.repository.id}@{self.repository.commit}"
        return str(self.folder and self.folder.absolute())

    def files(
        self, work_folder: Path, *, keep: bool = False, hold: bool = False, progress: Progress | None = None
    ) -> CheckpointFiles:
        """The files, to be converted; those of a repository come into ``work_folder``, one at a time.

        They go on to the shared cache with ``keep``, and stay in the work folder with ``hold``.

        Raises:
            CheckpointError: the folder is none, or cannot be read.
        """
        if self.repository is not None:
            from bayling_lite.hub import HubCheckpoint

            return HubCheckpoint(self.repository, work_folder, keep=keep, hold=hold, progress=progress)
        from bayling_convert import Folder

        return Folder(self.folder or Path())

    def keep_small_files(self, work_folder: Path) -> None:
        """Weights are kept as they come; with the rest the checkpoint in the shared cache is a whole one.

        Raises:
            HubError, OutputError: as :meth:`bayling_lite.hub.Repository.download` and ``keep`` say.
        """
        repository = self.repository
        if repository is None:
            return
        for name, file in repository.files.items():
            is_small = name.endswith(_SMALL) and "/" not in name and file.size <= LARGEST_TEXT
            if is_small and repository.cached(name) is None:
                repository.keep(name, repository.download(name, work_folder))


def short_name(said: str) -> str:
    """What to call a file that is made of a checkpoint: the folder's name, the repository's, or the catalogue's."""
    if said.startswith(HUB_PREFIX) or not expanded(said).exists():
        return said.removeprefix(HUB_PREFIX).partition("@")[0].rstrip("/").rpartition("/")[2]
    return expanded(said).resolve().name


def _repository(said: str, open_hub: Callable[[], Hub]) -> Repository:
    """The repository of ``[hf://]OWNER/NAME[@REVISION]`` or of a name of the catalogue, where no path is meant."""
    from bayling_lite.hub import parse_reference

    name, at, revision = said.removeprefix(HUB_PREFIX).partition("@")
    entry = find_entry(name)
    if entry is not None and entry.hub is None:
        raise UsageError(f"{entry.name} ships with the package as a GGUF file; its checkpoint is not published.")
    if entry is None and "/" not in name and not said.startswith(HUB_PREFIX):
        raise UsageError(_unknown(said))
    reference = parse_reference(said if entry is None else f"{entry.hub}{at}{revision}")
    if reference.file_type is not None:
        raise UsageError(f"{said}: a checkpoint has no quantization; leave :{reference.file_type} away.")
    try:
        repository = open_hub().repository(reference.repository, reference.revision)
    except (HubError, ModelNotFound) as error:
        if entry is not None or said.startswith(HUB_PREFIX):
            raise
        raise type(error)(f"There is no folder {said} here. {error}") from error
    names = repository.files
    if not {"config.json", "adapter_config.json"} & names.keys() and any(map(_is_gguf, names)):
        raise CheckpointError(
            f"{repository.id} has no checkpoint, but GGUF files, which are ready to be used: "
            f"bayling models pull {repository.id}"
        )
    return repository


def _is_gguf(name: str) -> bool:
    return name.casefold().endswith(".gguf")


def _unknown(said: str) -> str:
    """What to say of a name that is neither a folder's nor one of the catalogue."""
    here: list[str] = []
    with contextlib.suppress(OSError):
        here = [path.name for path in Path().iterdir() if path.is_dir()]
    known = [name for entry in catalogue().values() if entry.hub for name in (entry.name, *entry.aliases)]
    nearest = difflib.get_close_matches(said, [*here, *known], n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return (
        f"There is no folder {said} here, and no model of that name in the catalogue.{hint} "
        "A repository of the hub is written OWNER/NAME."
    )


def known_of(entry: CatalogueEntry | None, *, licence: str | None, revision: str | None) -> Provenance:
    """What the catalogue, if it has the model, and the repository say of a checkpoint."""
    from bayling_convert import Provenance

    if entry is None:
        return Provenance(license=licence, revision=revision)
    return Provenance(
        name=entry.name,
        template=entry.template,
        languages=entry.languages,
        license=entry.licence,
        base=entry.base,
        placeholders=entry.placeholders,
        revision=revision,
    )
