"""The folder of a training run: prepared data, checkpoints written whole, the log, the result.

::

    runs/NAME/
        lock                 held while a process trains here
        prepared.json        digests of recipe data and files the prepared data were made from
        tokenizer.model, train.npz, development.npz
        log.jsonl            a line for every logged step
        loss.png
        step-00000500/       weights, optimizers, position: enough to go on bit for bit
        checkpoint/          the result as a Hugging Face checkpoint folder
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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

    @contextlib.contextmanager
    def writing_step(self, step: int, *, keep: int) -> Iterator[Path]:
        """A folder to write a checkpoint into; it gets its name when it is complete, then older ones are removed."""
        with whole_folder(self.step_folder(step)) as folder:
            yield folder
        for old in self.steps()[:-keep]:
            shutil.rmtree(self.step_folder(old))

    def append_log(self, entry: dict[str, Any]) -> None:
        """Add one JSON line. A line that a power failure cut off before it is ended first."""
        with (self.path / "log.jsonl").open("a+b") as log:
            if log.tell():
                log.seek(-1, os.SEEK_END)
                if log.read(1) != b"\n":
                    log.write(b"\n")
            log.write(json.dumps(entry).encode() + b"\n")

    def read_log(self, *, up_to: int | None = None) -> list[dict[str, Any]]:
        """The log's entries; of steps that were run twice (after a resume) the last counts."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return []
        entries: dict[tuple[int, str], dict[str, Any]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # a line cut off by a power failure
                entry = json.loads(line)
                if up_to is None or entry["step"] <= up_to:
                    entries[entry["step"], entry["kind"]] = entry
        return sorted(entries.values(), key=lambda entry: entry["step"])


def _lock(file: IO[str]) -> bool:
    """Lock a file for this process; false when another has it. Only POSIX: elsewhere nobody is kept out."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    _sync(temporary)
    temporary.replace(path)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it takes the place of ``path`` when it is complete."""
    partial, old = path.with_name(path.name + ".part"), path.with_name(path.name + ".old")
    for left in (partial, old):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        for file in partial.iterdir():
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
