"""From a checkpoint folder to a GGUF file in one pass.

Tensors are read from the memory map a few megabytes of rows at a time, quantized in a small pool of threads (ggml runs
outside Python's lock) and written in order, so memory stays bounded whatever the model's size.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, GGUFWriter

from bayling_convert.checkpoint import open_checkpoint
from bayling_convert.ggml import available_cores, quantize_rows, row_bytes
from bayling_convert.metadata import add_metadata, find_template
from bayling_convert.output import whole_file
from bayling_convert.quantize import FileType, choose_kinds
from bayling_convert.tensor_map import MappedTensor, map_tensors
from bayling_convert.vocab import read_vocab
from bayling_lite.errors import CheckpointError

Progress = Callable[[int, int, str], None]
"""Called after every piece with the bytes of tensor data written, the bytes in all, and the tensor's name."""

_PIECE = 4 * 1024 * 1024
"""Elements in one piece of work: 16 MB as float32, large enough to keep the overhead of a piece out of sight."""
_MAX_THREADS = 8
"""More would wait for the one that writes."""
_ALIGNMENT = 32
"""GGUF's default alignment of tensor data, in bytes."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written. ``warnings`` are sentences a user should read."""

    path: Path
    file_type: FileType
    n_bytes: int
    n_tensors: int
    n_parameters: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Planned:
    """A tensor and how it will be stored."""

    tensor: MappedTensor
    kind: GGMLQuantizationType

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Rows and columns; one dimension counts as one row."""
        shape = self.tensor.shape
        return (shape[0], shape[1]) if len(shape) == 2 else (1, shape[0])

    @property
    def n_bytes(self) -> int:
        n_rows, n_columns = self.matrix_shape
        return n_rows * row_bytes(self.kind, n_columns)


def convert(
    checkpoint_dir: str | os.PathLike[str],
    output: str | os.PathLike[str],
    file_type: FileType | str = FileType.Q4_K_M,
    *,
    template: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Write a Hugging Face LLaMA checkpoint as one GGUF file.

    The tensors are bit for bit those of llama.cpp's two steps (conversion to F32, then ``llama_model_quantize``).

    Args:
        checkpoint_dir: folder with ``config.json``, ``tokenizer.model``, safetensors and perhaps ``bayling.json``.
        output: the file to write; it appears whole or not at all.
        file_type: F32, F16, BF16, Q8_0 or Q4_K_M.
        template: name of a prompt template; None takes ``bayling.json``'s, else keeps the checkpoint's chat template.
        overwrite: replace the output if it exists.
        progress: told after every piece of work, in the calling thread.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        OutputError: the file exists, or cannot be written.
        UsageError: an unknown type or template.
        ModelError: ggml's library is missing.
    """
    path = Path(output)
    chosen = file_type if isinstance(file_type, FileType) else FileType.of(file_type)
    checkpoint = open_checkpoint(Path(checkpoint_dir))
    prompt_template = find_template(checkpoint, template)
    tensors = map_tensors(checkpoint)
    vocab = read_vocab(checkpoint.folder, checkpoint.hyper.vocab_size, checkpoint.tokenizer_config)
    kinds = choose_kinds(chosen, tensors, checkpoint.hyper)
    plan = [_Planned(tensor, kinds[tensor.name]) for tensor in tensors]

    writer = GGUFWriter(path=None, arch="llama")
    add_metadata(writer, checkpoint, vocab, prompt_template, chosen, tensors)
    for planned in plan:
        tensor = planned.tensor
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), planned.n_bytes, raw_dtype=planned.kind)
    total = sum(planned.n_bytes for planned in plan)
    with whole_file(path, n_bytes=total, overwrite=overwrite) as temporary:
        _write_header(writer, temporary)
        with temporary.open("ab") as file:
            _pad(file)
            _write_tensors(file, plan, total, progress or _silent)
    warnings = (
        [] if vocab.eos is not None else ["The tokenizer names no end token: generation will not stop by itself."]
    )
    if spellable := vocab.spellable_specials():
        warnings.append(
            f"Programs on llama.cpp may take the plain text {', '.join(spellable[:3])} for special tokens (bayling "
            "does not): the vocabulary has pieces such a name is made of. Train the tokenizer without them."
        )
    n_parameters = sum(math.prod(tensor.shape) for tensor in tensors)
    return Converted(path, chosen, path.stat().st_size, len(tensors), n_parameters, tuple(warnings))


def _silent(_done: int, _total: int, _name: str) -> None:
    """No progress wanted."""


def _write_header(writer: GGUFWriter, path: Path) -> None:
    """Everything before the tensor data."""
    try:
        writer.write_header_to_file(path)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()


def _write_tensors(file: BinaryIO, plan: list[_Planned], total: int, progress: Progress) -> None:
    """Quantize in parallel, write in order; at most two pieces for each thread are in memory."""
    n_threads = min(_MAX_THREADS, available_cores())
    pending: deque[tuple[_Planned, bool, Future[npt.NDArray[np.uint8]]]] = deque()
    done = 0

    def write_next() -> None:
        nonlocal done
        planned, last, future = pending.popleft()
        done += file.write(future.result().data)
        if last:
            _pad(file)
            planned.tensor.source.forget()
        progress(done, total, planned.tensor.name)

    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="quantize")
    try:
        for planned, begin, end, last in _pieces(plan):
            if len(pending) >= 2 * n_threads:
                write_next()
            pending.append((planned, last, pool.submit(_quantized, planned, begin, end)))
        while pending:
            write_next()
    finally:
        # After an error or Ctrl-C only the pieces at work are waited for: a second or so.
        pool.shutdown(wait=True, cancel_futures=True)


def _pieces(plan: list[_Planned]) -> Iterator[tuple[_Planned, int, int, bool]]:
    """(tensor, first row, row behind the last, whether it ends the tensor), in the order of the file."""
    for planned in plan:
        n_rows, n_columns = planned.matrix_shape
        step = max(1, _PIECE // n_columns)
        for begin in range(0, n_rows, step):
            end = min(begin + step, n_rows)
            yield planned, begin, end, end == n_rows


def _quantized(planned: _Planned, begin: int, end: int) -> npt.NDArray[np.uint8]:
    tensor, kind = planned.tensor, planned.kind
    if len(tensor.shape) == 1:
        begin, end = 0, tensor.shape[0]
    rows = tensor.rows(begin, end).reshape(-1, planned.matrix_shape[1])
    if not np.isfinite(rows).all():
        raise CheckpointError(f"Tensor {tensor.source.name} holds infinite values or NaN: the checkpoint is damaged.")
    if kind is GGMLQuantizationType.F16 and np.abs(rows).max() >= 65520:
        raise CheckpointError(f"Tensor {tensor.source.name} holds values too large for F16; choose BF16 or F32.")
    quantized = quantize_rows(rows, kind)
    if quantized is None:
        raise CheckpointError(
            f"Tensor {tensor.source.name} holds values too large for {kind.name}; choose BF16 or F32."
        )
    return quantized


def _pad(file: BinaryIO) -> None:
    file.write(bytes(-file.tell() % _ALIGNMENT))
