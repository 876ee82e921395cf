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
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RecipeError(
                    f"Another process is training in {self.path}. Wait for it, or name another folder with --run."
                ) from None
            yield

    def steps(self) -> list[int]:
        """Numbers of the resumable checkpoints, in order."""
        found = self.path.glob("step-*/state.json")
        return sorted(int(state.parent.name.removeprefix("step-")) for state in found)

    def step_folder(self, step: int) -> Path:
        """Where the checkpoint of a step is."""
        return self.path / f"step-{step:08d}"

    @contextlib.contextmanager
    def writing_step(self, step: int, *, keep: int) -> Iterator[Path]:
        """A folder to write a checkpoint into; it gets its name when it is complete, then older ones are removed."""
        partial = self.path / f"part-{step:08d}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            for file in partial.iterdir():
                _sync(file)
            target = self.step_folder(step)
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
            _sync(self.path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        for old in self.steps()[:-keep]:
            shutil.rmtree(self.step_folder(old))

    def append_log(self, entry: dict[str, Any]) -> None:
        """One JSON line, on disk when this returns."""
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
