"""The folder of a training run: prepared data, checkpoints written whole, the log, the result.

::

    runs/NAME/
        lock                 held while a process trains here
        prepared.json        digests of recipe data and files the prepared data were made from
        train.npz …          the prepared data
        log.jsonl            a line for every logged step
        loss.png …           plots of the log
        step-00000500/       weights, optimizer, position: enough to go on bit for bit
        checkpoint/          the result as a Hugging Face checkpoint folder
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bayling_lite.errors import RecipeError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run, and the few operations that must not leave anything half written."""

    path: Path

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; it is free again when the process ends, however it ends.

        Raises:
            RecipeError: another process trains here.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("w")
        except OSError as error:
            raise RecipeError(f"The run's folder {self.path} cannot be made or written: {error.strerror}.") from error
        with lock:
            if not _lock(lock):
                raise RecipeError(
                    f"Another process is training in {self.path}. Wait for it, or name another folder with --run."
                )
            yield

    def steps(self) -> list[int]:
        """Numbers of the resumable checkpoints, in order."""
        names = (state.parent.name for state in self.path.glob("step-*/state.json"))
        return sorted(int(match[1]) for name in names if (match := re.fullmatch(r"step-(\d{8})", name)))

    def step_folder(self, step: int) -> Path:
        """Where the checkpoint of a step is."""
        return self.path / f"step-{step:08d}"

    @property
    def is_prepared(self) -> bool:
        """Whether all data are prepared: the stamp is written last."""
        return (self.path / "prepared.json").is_file()

    def last_good(self) -> str:
        """A sentence that names the newest checkpoint."""
        steps = self.steps()
        if not steps:
            return "There is no checkpoint yet."
        return f"The last good checkpoint is {self.step_folder(steps[-1])}."

    @contextlib.contextmanager
    def writing_step(self, step: int, *, keep: int) -> Iterator[Path]:
        """A folder to write a checkpoint into; it gets its name when it is complete, then older ones are removed.

        So are later ones, which were damaged: the run has gone on from one before. And what a process that was killed
        while it wrote has left.
        """
        for left in (*self.path.glob("step-*.part"), *self.path.glob("step-*.old")):
            shutil.rmtree(left, ignore_errors=True)
        with whole_folder(self.step_folder(step)) as folder:
            yield folder
        steps = self.steps()
        newest = [number for number in steps if number <= step][-keep:]
        for other in set(steps).difference(newest):
            shutil.rmtree(self.step_folder(other))


def _lock(file: IO[str]) -> bool:
    """Lock a file for this process; false when another has it. Where there are no locks nobody is kept out."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a network's file system without locks
    return True


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it takes the place of ``path`` when it is complete and on the disk."""
    partial, old = path.with_name(path.name + ".part"), path.with_name(path.name + ".old")
    for left in (partial, old):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        readable = partial.stat().st_mode & 0o666
        for file in (partial, *partial.rglob("*")):
            if file.is_file():
                file.chmod(readable)  # safetensors keeps its files from everybody but their owner
            _sync(file)
        if path.exists():
            path.rename(old)
        partial.rename(path)
        _sync(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
