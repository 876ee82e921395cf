"""Where a checkpoint is that is to be converted, and what is known of it beside its files.

It is in a folder here, or in a repository of the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.catalogue import HUB_PREFIX, CatalogueEntry, expanded
from bayling_lite.errors import UsageError

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
        """Understand ``FOLDER`` or ``[hf://]OWNER/NAME[@REVISION]``; a folder that exists goes before a repository.

        Raises:
            UsageError: neither a folder nor a repository's name.
            HubError: there is no such repository, or it cannot be asked for.
            ModelNotFound: offline, and not in the hub's shared cache.
        """
        folder = expanded(said)
        is_folder = folder.exists() or said.startswith(("~", ".")) or folder.is_absolute()
        if is_folder and not said.startswith(HUB_PREFIX):
            return cls(folder=folder)
        from bayling_lite.hub import parse_reference

        reference = parse_reference(said)
        if reference.file_type is not None:
            raise UsageError(f"{said}: a checkpoint has no quantization; leave :{reference.file_type} away.")
        return cls(repository=open_hub().repository(reference.repository, reference.revision))

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
