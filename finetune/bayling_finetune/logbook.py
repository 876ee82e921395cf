"""The log of a run: JSON lines, and TensorBoard's event files on request."""

from __future__ import annotations

import contextlib
import json
import os
from types import TracebackType
from typing import Any

from bayling_finetune.rundir import RunFolder
from bayling_lite.errors import RecipeError


class Logbook:
    """Takes entries: a ``step``, a ``kind`` (train, development, translation) and numbers.

    ``log.jsonl`` keeps them all; with ``tensorboard`` the numbers go into ``tensorboard/`` as well. ``resumed``: the
    step that the run goes on from, whose later entries TensorBoard then forgets.

    Raises:
        RecipeError: TensorBoard is wanted and not installed.
    """

    def __init__(self, run: RunFolder, *, tensorboard: bool = False, resumed: int = 0) -> None:
        self._path = run.path / "log.jsonl"
        self._writer: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise RecipeError(
                    "--tensorboard needs a package that is not installed: pip install tensorboard"
                ) from error
            self._writer = SummaryWriter(str(run.path / "tensorboard"), purge_step=resumed + 1)

    def __enter__(self) -> Logbook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def append(self, entry: dict[str, Any]) -> None:
        """Add one entry. A line that a power failure cut off before it is ended first."""
        with self._path.open("a+b") as log:
            if log.tell():
                log.seek(-1, os.SEEK_END)
                if log.read(1) != b"\n":
                    log.write(b"\n")
            log.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        if self._writer is not None:
            for name, value in entry.items():
                if isinstance(value, float):
                    self._writer.add_scalar(f"{entry['kind']}/{name}", value, entry["step"])

    def entries(self, *, up_to: int | None = None) -> list[dict[str, Any]]:
        """The entries by step; of steps that were run twice (after a resume) the last counts."""
        if not self._path.exists():
            return []
        entries: dict[tuple[int, str], dict[str, Any]] = {}
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # a line cut off by a power failure
                entry = json.loads(line)
                if up_to is None or entry["step"] <= up_to:
                    entries[entry["step"], entry["kind"]] = entry
        return sorted(entries.values(), key=lambda entry: entry["step"])
