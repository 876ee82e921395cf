"""Take the tensors from the checkpoint's files into the output: read, quantize, write.

The files are taken one after the other; of each, the tensors are read a few megabytes of rows at a time, quantized in a
small pool of threads (ggml runs outside Python's lock) and written at their final place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType

from bayling_convert.layout import Layout, Planned
from bayling_convert.output import Part
from bayling_convert.reading.shards import Shards
from bayling_convert.weights.ggml import available_cores, quantize_rows
from bayling_lite.errors import CheckpointError

if TYPE_CHECKING:
    from bayling_convert.importance.imatrix import Imatrix


@dataclass(frozen=True, slots=True)
class Step:
    """How far the work is: ``done`` of ``total`` bytes of tensor data written, ``n_done`` of ``n_tensors`` tensors.

    ``tensor`` is the one at work, by its name in the file that is written. ``files`` are those of the checkpoints that
    the work needs, or needed, since it was begun or gone on with: ``hf://OWNER/NAME/FILE`` or a path.
    """

    done: int
    total: int
    tensor: str
    n_done: int
    n_tensors: int
    files: frozenset[str]


Progress = Callable[[Step], None]
"""Called before anything is read, and after every piece of work."""
_PIECE = 4 * 1024 * 1024
"""Elements in one piece of work: 16 MB as float32, large enough to keep the overhead of a piece out of sight."""
_MAX_THREADS = 8
"""More would wait for the one that writes."""


def silent(_step: Step) -> None:
    """No progress wanted."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows ``begin`` to ``end`` of a planned tensor (all of it, for one dimension)."""

    planned: Planned
    begin: int
    end: int
    last: bool

    @property
    def offset(self) -> int:
        """Where its data go in the file."""
        return self.planned.offset + self.planned.n_bytes // self.planned.matrix_shape[0] * self.begin


def write_tensors(part: Part, layout: Layout, imatrix: Imatrix | None, progress: Progress) -> None:
    """Quantize in parallel, write as it comes; at most two pieces for each thread are in memory."""
    n_threads = min(_MAX_THREADS, available_cores())
    remaining = [planned for planned in layout.tensors if planned.tensor.name not in part.done]
    # Along the files, so that each is needed once.
    remaining.sort(key=_place_of)
    total = sum(planned.n_bytes for planned in layout.tensors)
    done = total - sum(planned.n_bytes for planned in remaining)
    n_done = len(layout.tensors) - len(remaining)
    uses = [used for planned in remaining for used in planned.tensor.source.parts]
    files = frozenset(used.files.path(used.tensor.file) for used in uses)
    pending: deque[tuple[_Piece, Future[npt.NDArray[np.uint8]]]] = deque()

    def tell(tensor: str) -> None:
        progress(Step(done, total, tensor, n_done, len(layout.tensors), files))

    def write_next() -> None:
        nonlocal done, n_done
        piece, future = pending.popleft()
        data = future.result().data
        part.write(piece.offset, data)
        done += data.nbytes
        if piece.last:
            n_done += 1
            part.mark(piece.planned.tensor.name)
            for used in piece.planned.tensor.source.parts:
                shards.release(used)
        tell(piece.planned.tensor.name)

    if remaining:
        tell(remaining[0].tensor.name)
    with Shards(uses) as shards:
        pool = ThreadPoolExecutor(n_threads, thread_name_prefix="quantize")
        try:
            for piece in _pieces(remaining):
                used = piece.planned.tensor.source.parts
                # Before another file is fetched, those before it are finished with and gone.
                ready = all(map(shards.is_open, used))
                while len(pending) >= 2 * n_threads or (pending and not ready):
                    write_next()
                for one in used:
                    shards.open(one)
                pending.append((piece, pool.submit(_quantized, piece, shards, imatrix)))
            while pending:
                write_next()
        finally:
            # After an error or Ctrl-C only the pieces at work are waited for: a second or so.
            pool.shutdown(wait=True, cancel_futures=True)


def _place_of(planned: Planned) -> tuple[str, int]:
    parts = planned.tensor.source.parts
    return (parts[0].tensor.file, parts[0].tensor.offset) if parts else ("", 0)


def _pieces(tensors: list[Planned]) -> Iterator[_Piece]:
    for planned in tensors:
        n_rows, n_columns = planned.matrix_shape
        step = max(1, _PIECE // n_columns)
        for begin in range(0, n_rows, step):
            end = min(begin + step, n_rows)
            yield _Piece(planned, begin, end, end == n_rows)


def _quantized(piece: _Piece, shards: Shards, imatrix: Imatrix | None) -> npt.NDArray[np.uint8]:
    tensor, kind, name = piece.planned.tensor, piece.planned.kind, piece.planned.tensor.source.name
    n_columns = piece.planned.matrix_shape[1]
    begin, end = (piece.begin, piece.end) if len(tensor.shape) == 2 else (0, n_columns)
    with np.errstate(over="ignore", invalid="ignore"):  # such numbers are refused below
        rows = tensor.rows(shards, begin, end).reshape(-1, n_columns)
    if not np.isfinite(rows).all():
        raise CheckpointError(f"Tensor {name} holds infinite values or NaN: the checkpoint is damaged.")
    if kind is GGMLQuantizationType.F16 and np.abs(rows).max() >= 65520:
        raise CheckpointError(f"Tensor {name} holds values too large for F16; choose BF16 or F32.")
    importance = imatrix.importance(tensor.name, n_columns) if imatrix is not None else None
    quantized = quantize_rows(rows, kind, importance)
    if quantized is None:
        raise CheckpointError(f"Tensor {name} holds values too large for {kind.name}; choose BF16 or F32.")
    return quantized
