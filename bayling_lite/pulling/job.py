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
from bayling_lite.pulling.measure import Measure, silent, weights_to_fetch
from bayling_lite.pulling.plan import Plan
from bayling_lite.quantizations import type_in_name
from bayling_lite.registry import Progress, Record, bytes_left, disk_usage, file_sha256

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
    folder: Path
    keep: bool
    progress: Progress | None

    def run(self) -> Made:
        """Fetch, convert if need be, check.

        Raises:
            HubError, CheckpointError, OutputError: as :func:`bayling_lite.pulling.pull` says.
        """
        return self._ready_made() if self.plan.file is not None else self._converted()

    @property
    def base(self) -> CheckpointPlace | None:
        """What a difference, or an adapter, is for."""
        return self.plan.base

    @property
    def done(self) -> int:
        """About how many bytes of the download an earlier run has dealt with."""
        plan = self.plan
        if plan.file is not None:
            fetched = self.folder.joinpath(*plan.file.split("/"))
            parts = (fetched, fetched.with_name(f"{fetched.name}.part"))
            return min(plan.download, sum(map(disk_usage, parts)))
        path = self._made_path
        if path.exists():
            return plan.download
        # What is converted is told by how much of the result is on the disk.
        made = disk_usage(path.with_name(f".{path.name}.part")) / max(plan.result, 1)
        fetched_now = sum(bytes_left(self.folder / name) for name in ("files", "base"))
        return min(plan.download, round(made * plan.download) + fetched_now)

    @property
    def _made_path(self) -> Path:
        """The result. Its name says what it is made of: what an earlier run made of something else is not taken."""
        base = self.plan.base.source if self.plan.base is not None else None
        made_of = f"{self.plan.repository.commit} {base} {__version__}"
        return self.folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.gguf"

    def _ready_made(self) -> Made:
        """A GGUF file from the hub, or from the shared cache."""
        plan, name = self.plan, self.plan.file or ""
        remote, cached = plan.repository.files[name], plan.repository.cached(name)
        measure = Measure({f"hf://{plan.repository.id}/{name}": remote.size}, 0, self.progress or silent)
        if cached is not None:
            path = self._from_cache(cached)
            tell = measure.fetching(plan.repository)
            if remote.digest is not None and not remote.agrees(
                path, lambda read: tell(read, remote.size, f"checking {name}")
            ):
                path.unlink()
                raise ChecksumMismatch(
                    f"{cached} is damaged: it is not what the hub has on record. Remove it, and retry."
                )
        else:
            path = plan.repository.download(name, self.folder, measure.fetching(plan.repository))
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
        path = self._made_path
        measure = self._measure()
        done: Converted | None = None
        if not path.exists():
            done = self._convert(path, measure)
        record = self._record(
            path,
            file_sha256(path, measure.checking_result),
            file_type=plan.target.file_type,
            licence=plan.licence,
            base=self.base.source if self.base is not None else None,
            parameters=done.n_parameters if done is not None else None,
        )
        return Made(path, record, done.warnings if done is not None else ())

    def _measure(self) -> Measure:
        repositories = [self.plan.repository, *([self.base.repository] if self.base and self.base.repository else [])]
        missing = {path: size for one in repositories for path, size in weights_to_fetch(one).items()}
        return Measure(missing, self.plan.result, self.progress or silent, result_is_checked=True)

    def _convert(self, path: Path, measure: Measure) -> Converted:
        from bayling_convert import convert

        plan = self.plan
        place = CheckpointPlace(repository=plan.repository)
        files = place.files(self.folder / "files", keep=self.keep, progress=measure.fetching(plan.repository))
        base = None
        if self.base is not None:
            told = measure.fetching(self.base.repository) if self.base.repository is not None else None
            base = self.base.files(self.folder / "base", keep=self.keep, progress=told)
        done = convert(
            files,
            path,
            plan.target.file_type,
            base=base,
            provenance=known_of(plan.target.entry, licence=plan.licence, revision=plan.repository.commit),
            progress=measure.converting,
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
