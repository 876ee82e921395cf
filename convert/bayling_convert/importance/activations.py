"""Look at what enters each weight while llama.cpp evaluates a model, and sum its squares.

llama.cpp's scheduler asks a callback before each step whether to stop after it; for products with the weights of a
layer we do, and fetch their input.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bayling_convert.importance.ggml_tensors import F32, Tensor, TensorReader
from bayling_convert.importance.imatrix import Imatrix
from bayling_convert.proof.scoring import llama_library
from bayling_convert.weights.ggml import available_cores
from bayling_lite.errors import EngineError, ModelError, ModelUnreadable
from bayling_lite.gguf_file import read_header

FEWEST_ROWS = 16
"""Products with fewer rows are passed over, as llama-imatrix does."""
BATCH = 512
"""Tokens evaluated together."""


class Collector:
    """The callback and what it has summed. It never lets an exception into C: that is kept, and ends the work."""

    def __init__(self, reader: TensorReader) -> None:
        self._reader = reader
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._counts: dict[str, int] = {}
        self._operations: dict[int, str] = {}
        self.failure: BaseException | None = None
        self.stopped = False

    def __call__(self, address: int, ask: bool, _data: object) -> bool:
        """Asked whether a tensor is wanted (``ask``); then told that it is computed, to say whether to go on."""
        if self.stopped or self.failure is not None:
            return ask  # "yes, stop after the next step", and then "do not go on"
        try:
            tensor = Tensor.from_address(address)
            if ask:
                return self._wanted(tensor)
            self._add(tensor)
        except BaseException as failure:  # noqa: BLE001 - raised again by who called into C
            self.failure = failure
            return ask
        return True

    def _wanted(self, tensor: Tensor) -> bool:
        if tensor.op != self._reader.mul_mat:
            if tensor.op not in self._operations:
                self._operations[tensor.op] = self._reader.operation(tensor)
            if self._operations[tensor.op] == "MUL_MAT_ID":
                raise ModelError(
                    "The model is a mixture of experts, whose importance matrix bayling does not compute. "
                    "Use llama.cpp's own llama-imatrix; bayling convert reads what it writes."
                )
            return False
        inputs = tensor.src[1].contents
        return bool(inputs.ne[1] >= FEWEST_ROWS and inputs.type == F32 and _name(tensor).startswith("blk."))

    def _add(self, tensor: Tensor) -> None:
        name, weight = _name(tensor), tensor.src[0].contents
        if weight.ne[2] * weight.ne[3] != 1:
            raise ModelError(f"The model's weight {name} has more than two dimensions, which bayling does not measure.")
        rows = self._reader.rows(tensor.src[1].contents)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = np.square(rows).sum(axis=0, dtype=np.float64)
        self._sums[name] = self._sums[name] + sums if name in self._sums else sums
        self._counts[name] = self._counts.get(name, 0) + len(rows)
        # Also false for what is no number.
        if not (self._sums[name] <= np.finfo(np.float32).max).all():
            raise EngineError(f"What enters {name} is too large, or no number: the model is damaged.")

    def result(self, dataset: str, chunk_size: int) -> Imatrix:
        """The importance matrix of what was seen."""
        if not self._sums:
            raise ModelError("llama.cpp multiplied with none of the model's weights in a way that can be measured.")
        return Imatrix(
            {name: sums.astype(np.float32)[np.newaxis] for name, sums in self._sums.items()},
            {name: np.asarray([count], np.int64) for name, count in self._counts.items()},
            (dataset,),
            max(self._counts.values()) // chunk_size,
            chunk_size,
        )


def _name(product: Tensor) -> str:
    """The weight's name, without what a copy on a device is called: ``CUDA0#blk.0.attn_k.weight#0``."""
    name: str = product.src[0].contents.name.decode(errors="replace")
    return name.split("#")[1] if "#" in name else name


class Run:
    """An opened model and a context whose every step the collector is asked about."""

    def __init__(self, gguf: Path, n_ctx: int, collector: Collector) -> None:
        self._model: Any = None
        self._context: Any = None
        self._llama = llama = llama_library()
        self._collector = collector
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llama")
        read_header(gguf)  # llama.cpp answers some damaged files with the end of the process
        # Kept here as well: C holds no reference.
        self._callback = llama.ggml_backend_sched_eval_callback(collector)
        self._open(gguf, n_ctx)
        if not self._context and llama.llama_supports_gpu_offload():
            self._free()
            self._open(gguf, n_ctx, n_gpu_layers=0)  # what a GPU has no room for, the processor may have
        if not self._context:
            opened = bool(self._model)
            self.close()
            if opened:
                raise EngineError(f"llama.cpp could not make a context of {n_ctx} tokens; is there enough memory?")
            raise ModelUnreadable(f"llama.cpp cannot open {gguf}: it is damaged, or not a language model.")

    def _open(self, gguf: Path, n_ctx: int, *, n_gpu_layers: int | None = None) -> None:
        llama = self._llama
        model_params, params = llama.llama_model_default_params(), llama.llama_context_default_params()
        if n_gpu_layers is not None:
            model_params.n_gpu_layers = n_gpu_layers
        params.n_ctx, params.n_batch, params.n_ubatch = n_ctx, min(n_ctx, BATCH), min(n_ctx, BATCH)
        params.n_threads = params.n_threads_batch = available_cores()
        params.cb_eval = self._callback
        self._model = llama.llama_model_load_from_file(str(gguf).encode(), model_params)
        if self._model:
            self._context = llama.llama_init_from_model(self._model, params)

    def forget(self) -> None:
        """Begin a new sequence."""
        self._llama.llama_memory_clear(self._llama.llama_get_memory(self._context), True)

    def evaluate(self, ids: Sequence[int], begin: int) -> None:
        """Evaluate tokens at position ``begin`` and after, in a thread of its own, so that Ctrl-C is noticed here."""
        with self._batch(ids, begin) as batch:
            work = self._worker.submit(self._llama.llama_decode, self._context, batch)
            try:
                status = work.result()
            except BaseException:
                self._collector.stopped = True
                work.exception()
                raise
        if self._collector.failure is not None:
            raise self._collector.failure
        if status:
            raise EngineError(f"llama.cpp could not evaluate the tokens (status {status}).")

    @contextlib.contextmanager
    def _batch(self, ids: Sequence[int], begin: int) -> Iterator[Any]:
        """Logits are asked for everywhere: else the last layer would be computed for the last token alone."""
        batch = self._llama.llama_batch_init(len(ids), 0, 1)
        try:
            batch.n_tokens = len(ids)
            for at, token in enumerate(ids):
                batch.token[at], batch.pos[at], batch.logits[at] = token, begin + at, True
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
            yield batch
        finally:
            self._llama.llama_batch_free(batch)

    def close(self) -> None:
        """Free the model. Idempotent."""
        self._worker.shutdown()
        self._free()

    def _free(self) -> None:
        if self._context:
            self._llama.llama_free(self._context)
        if self._model:
            self._llama.llama_model_free(self._model)
        self._context = self._model = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
