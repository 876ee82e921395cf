"""The pull itself: fetched and converted in a hidden folder, checked, and only then moved to its place.

What is interrupted stays in that folder, and the same request goes on from there. The record is written before the file
takes its name, so that a model without one was never pulled.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bayling_lite.catalogue import find_entry, resolve
from bayling_lite.checkpoints import CheckpointPlace
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.hub import Hub, Notice
from bayling_lite.pulling.job import Job
from bayling_lite.pulling.measure import sentence
from bayling_lite.pulling.plan import Plan, make_plan
from bayling_lite.pulling.request import PullRequest, find_here, needs_base, read_request
from bayling_lite.quantizations import split_type
from bayling_lite.registry import (
    LocalModel,
    Progress,
    Record,
    Registry,
    bytes_left,
    disk_usage,
    read_record,
    remember,
    working_in,
    write_record,
)
from bayling_lite.settings import Settings
from bayling_lite.units import bytes_text


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that is here now; not ``fresh`` when it was before. ``warnings`` are sentences a user should read."""

    model: LocalModel
    fresh: bool = True
    warnings: tuple[str, ...] = ()


def pull(
    request: PullRequest,
    settings: Settings,
    *,
    announce: Callable[[Plan], None] | None = None,
    progress: Progress | None = None,
) -> Pulled:
    """Bring a model into the models folder. One that is there is not fetched again.

    Args:
        request: what is wanted.
        settings: the models folder, and whether anything may be fetched.
        announce: told what will be fetched, and under which licence, before it is.
        progress: told of every few megabytes, in the calling thread.

    Raises:
        UsageError: the request makes no sense, or there is no such type; the message lists those that there are.
        ModelNotFound: an unknown name, or offline and not in the hub's shared cache.
        HubError: the hub does not give it; what has come is kept, and the same request goes on.
        ChecksumMismatch: what came is not what the hub has on record.
        CheckpointError: the checkpoint cannot be converted.
        OutputError: no room, or the models folder cannot be written.
    """
    entry = find_entry(split_type(request.name)[0])
    if entry is not None and entry.hub is None:
        return Pulled(LocalModel(entry.name, resolve(request.name, settings)), fresh=False)
    target = read_request(request, settings)
    here = None if request.force else find_here(target, settings, request.base)
    if here is not None:
        return Pulled(here, fresh=False)
    if target.entry is not None and target.entry.kind == "delta" and request.base is None:
        raise needs_base(target.entry)
    if target.entry is not None and target.entry.kind == "checkpoint" and request.base is not None:
        raise UsageError(f"{target.name} is a whole checkpoint, to which nothing is added: leave --base away.")
    hub, said = Hub(offline=settings.offline, notice=_in_words(progress)), request.base
    repository = hub.repository(target.repository, target.revision)
    find_base = (lambda: CheckpointPlace.find(said, lambda: hub)) if said is not None else None
    plan = make_plan(target, repository, settings.models_dir, find_base)
    if not request.force and plan.path.exists():
        return Pulled(_same(plan, settings), fresh=False)
    with _work_folder(plan, settings) as folder:
        remember(folder, request.command)
        job = Job(plan, folder, request.keep, progress)
        if progress is not None:
            progress(0, 0, "")  # what was said while the hub was asked
        if announce is not None:
            announce(replace(plan, done=job.done))
        _check_space(plan, folder)
        made = job.run()
        _put_in_place(made.path, plan.path, made.record)
    return Pulled(_named(plan.path, settings), warnings=made.warnings)


def _in_words(progress: Progress | None) -> Notice | None:
    """What is waited for before there is anything to count."""
    return None if progress is None else lambda words: progress(0, 0, sentence(words))


def _same(plan: Plan, settings: Settings) -> LocalModel:
    """The file that has the name already, unless another revision was asked for."""
    model = _named(plan.path, settings)
    asked, commit, record = plan.target.revision, plan.repository.commit, model.record
    if asked is not None and (record is None or record.revision != commit):
        which = commit[:12] if commit.startswith(asked) else f"{asked} ({commit[:12]})"
        raise UsageError(f"{model.name} is here, but not at revision {which}. --force fetches that one in its place.")
    if plan.base is not None and (record is None or record.base != plan.base.source):
        made = record.base if record is not None and record.base is not None else "an unknown one"
        raise UsageError(
            f"{model.name} is here, but made with another base, {made}. --force makes it with {plan.base.source}."
        )
    return model


def _named(path: Path, settings: Settings) -> LocalModel:
    """The model of a file, under the name that finds it."""
    models = Registry(settings.models_dir).models()
    return next((model for model in models if model.path == path), LocalModel(str(path), path, read_record(path)))


@contextlib.contextmanager
def _work_folder(plan: Plan, settings: Settings) -> Iterator[Path]:
    """A folder that only this process works in; removed when the block ends well."""
    folder = Registry(settings.models_dir).work_folder(plan.repository.id, plan.target.file_type)
    try:
        with contextlib.ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(working_in(folder))
            except OSError as error:
                raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from error
            # Removed while it is locked: the folder of another process must not be.
            stack.callback(_tidy, folder)
            yield folder
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        for parent in (folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):  # not empty: another pull goes on
                parent.rmdir()


def _tidy(folder: Path) -> None:
    """Leave no folder behind in which there is nothing to go on from."""
    if not bytes_left(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _check_space(plan: Plan, folder: Path) -> None:
    """See that what will be on the disk at one time fits, what is there already counted."""
    needed = plan.result + plan.scratch
    there = sum(disk_usage(path) for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if needed - there > free:
        raise OutputError(
            f"{plan.target.name} as {plan.target.file_type} will have about {bytes_text(plan.result)}; making it takes "
            f"{bytes_text(needed - there)} in {folder}, where only {bytes_text(free)} are free. "
            "Free some space, or set BAYLING_MODELS to a folder on another disk."
        )


def _put_in_place(made: Path, path: Path, record: Record) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # At no instant may a file stand under another's record. What is made is kept until it has its name.
        path.unlink(missing_ok=True)
        write_record(path, record)
        made.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _flush(folder: Path) -> None:
    if os.name != "nt":  # a folder cannot be opened there
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
