"""One pull's work: a ready-made file fetched, or a checkpoint fetched and converted in one pass, and its record."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite import __version__
from bayling_lite.checkpoints import CheckpointPlace, known_of
from bayling_lite.errors import ChecksumMismatch, HubError, ModelUnreadable
from bayling_lite.gguf_file import read_header
from bayling_lite.inventory import header_type
from bayling_lite.pulling.plan import Plan, fetched_weights
from bayling_lite.quantizations import type_in_name
from bayling_lite.registry import Progress, Record, file_sha256

if TYPE_CHECKING:
    from bayling_convert import Converted


@dataclass(frozen=True, slots=True)
class Made:
    """A finished file, its record, and sentences a user should read."""

    path: Path
    record: Record
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One pull, in its own folder."""

    plan: Plan
    base: CheckpointPlace | None
    folder: Path
    keep: bool
    progress: Progress | None

    def run(self) -> Made:
        """Fetch, convert if need be, check.

        Raises:
            HubError, CheckpointError, OutputError: as :func:`bayling_lite.pulling.pull` says.
        """
        return self._ready_made() if self.plan.file is not None else self._converted()

    def _ready_made(self) -> Made:
        """A GGUF file from the hub, or from the shared cache."""
        plan, name = self.plan, self.plan.file or ""
        remote, cached = plan.repository.files[name], plan.repository.cached(name)
        if cached is not None:
            path = self._from_cache(cached)
            if remote.digest is not None and not remote.agrees(path):
                path.unlink()
                raise ChecksumMismatch(
                    f"{cached} is damaged: it is not what the hub has on record. Remove it, and retry."
                )
        else:
            path = plan.repository.download(name, self.folder, _fetching(self.progress))
        try:
            header = read_header(path)
        except ModelUnreadable as error:
            path.unlink()
            raise HubError(f"{name} of {plan.repository.id} came as it is there, but is no use: {error}") from error
        record = self._record(
            path,
            remote.sha256 or file_sha256(path, self.progress),
            file_type=type_in_name(Path(name).stem) or header_type(header) or plan.target.file_type,
            licence=plan.licence or header.text("general.license"),
        )
        return Made(path, record)

    def _from_cache(self, cached: Path) -> Path:
        path = self.folder / "cached.gguf"
        path.unlink(missing_ok=True)
        try:
            os.link(cached.resolve(), path)  # the same disk: no second copy
        except OSError:
            shutil.copyfile(cached, path)
        return path

    def _converted(self) -> Made:
        """A checkpoint, fetched and converted on the way."""
        plan = self.plan
        # The name says what it is made of: what an earlier run finished of something else is not taken for this.
        base = self.base.source if self.base is not None else None
        made_of = f"{plan.repository.commit} {base} {__version__}"
        path = self.folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.gguf"
        done: Converted | None = None
        if not path.exists():
            done = self._convert(path)
        record = self._record(
            path,
            file_sha256(path, self.progress),
            file_type=plan.target.file_type,
            licence=plan.licence,
            base=base,
            parameters=done.n_parameters if done is not None else None,
        )
        return Made(path, record, done.warnings if done is not None else ())

    def _convert(self, path: Path) -> Converted:
        from bayling_convert import convert

        plan = self.plan
        total = plan.download + (fetched_weights(self.base.repository)[0] if self.base and self.base.repository else 0)
        fetching = _AllFiles(total, self.progress)
        place = CheckpointPlace(repository=plan.repository)
        files = place.files(self.folder / "files", keep=self.keep, progress=fetching)
        base = None
        if self.base is not None:
            base = self.base.files(self.folder / "base", keep=self.keep, progress=fetching)
        done = convert(
            files,
            path,
            plan.target.file_type,
            base=base,
            provenance=known_of(plan.target.entry, licence=plan.licence, revision=plan.repository.commit),
            progress=_converting(self.progress),
        )
        if self.keep:
            for kept in (place, *([self.base] if self.base is not None else [])):
                kept.keep_small_files(self.folder / "small")
        return done

    def _record(
        self,
        path: Path,
        sha256: str,
        *,
        file_type: str,
        licence: str | None,
        base: str | None = None,
        parameters: int | None = None,
    ) -> Record:
        return Record(
            source=f"hf://{self.plan.repository.id}",
            revision=self.plan.repository.commit,
            sha256=sha256,
            size=path.stat().st_size,
            type=file_type,
            pulled=datetime.now(UTC).isoformat(timespec="seconds"),
            bayling=__version__,
            file=self.plan.file,
            licence=licence,
            base=base,
            parameters=parameters,
        )


class _AllFiles:
    """Adds what is told of one file after another up to what is told of the whole download."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._progress = progress
        self._done: dict[str, int] = {}

    def __call__(self, done: int, total: int, name: str) -> None:
        if self._progress is None:
            return
        if name.startswith("checking "):
            self._progress(done, total, name.capitalize())
            return
        self._done[name] = done
        self._progress(min(sum(self._done.values()), self._total), self._total, "Fetching")


def _fetching(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total, name: progress(done, total, "Checking" if name.startswith("checking ") else "Fetching")


def _converting(progress: Progress | None) -> Progress | None:
    return None if progress is None else lambda done, total, _tensor: progress(done, total, "Converting")
