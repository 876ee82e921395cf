"""A llama context: one KV cache that many sequences share, and batches of tokens from any of them."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from bayling_lite.engine.base import SamplingParams
from bayling_lite.engine.decoder import Chunk, Logits, Outcome
from bayling_lite.engine.llama.model import KV_TYPES, log
from bayling_lite.engine.llama.sampler import LlamaSampler
from bayling_lite.engine.plan import ContextPlan, check_memory
from bayling_lite.errors import EngineError, ModelError
from bayling_lite.localization import _

_OUTCOMES = {0: Outcome.DONE, 1: Outcome.FULL, 2: Outcome.INTERRUPTED}


class LlamaContext:
    """A :class:`~bayling_lite.engine.decoder.Decoder` on llama.cpp. One thread uses it; any thread may interrupt."""

    def __init__(self, model: Any, plan: ContextPlan) -> None:
        check_memory(plan)
        self._plan = plan
        self._n_vocab: int = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
        self.can_rewind: bool = not (lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))
        # llama.cpp asks between the nodes of its graph, hundreds of times per token. A Python function would take the
        # interpreter lock each time and wait for whichever thread has it. The C library's strlen does the same without:
        # it is 0 (go on) for the buffer as it is, and 1 (abort) once its first byte is set.
        self._flag = ctypes.create_string_buffer(64)
        self._c_library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        self._batch = _Batch(plan.n_batch)
        params = self._params()
        with log.errors() as errors:
            self._context = lib.llama_init_from_model(model, params)
        if not self._context:
            raise ModelError(
                _(
                    "A context of {count} tokens in {type} cannot be made: {reason}. "
                    "If memory is short, choose a smaller context (n_ctx).",
                    count=plan.n_cells,
                    type=plan.kv_type,
                    reason="; ".join(errors) or _("no reason given"),
                )
            )
        self._memory = lib.llama_get_memory(self._context)
        self._logits = np.empty((0, self._n_vocab), np.float32)

    def _params(self) -> Any:
        plan = self._plan
        params = lib.llama_context_default_params()
        params.n_ctx = plan.n_cells
        params.n_batch = plan.n_batch
        params.n_ubatch = plan.n_ubatch
        params.n_seq_max = plan.n_sequences
        params.n_outputs_max = plan.n_outputs
        # One buffer for all sequences: a copied prefix costs nothing, and one request may have the whole context.
        params.kv_unified = True
        params.flash_attn_type = (
            lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if plan.flash_attention else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        params.n_threads = params.n_threads_batch = plan.n_threads
        params.type_k = params.type_v = KV_TYPES[plan.kv_type]
        params.no_perf = True
        params.abort_callback = ctypes.cast(self._c_library.strlen, lib.ggml_abort_callback)
        params.abort_callback_data = ctypes.addressof(self._flag)
        return params

    @property
    def n_cells(self) -> int:
        """Tokens that fit, of all sequences together."""
        return self._plan.n_cells

    @property
    def n_sequences(self) -> int:
        """Sequences there are, numbered from 0."""
        return self._plan.n_sequences

    @property
    def n_batch(self) -> int:
        """Tokens per call of :meth:`decode`."""
        return self._plan.n_batch

    @property
    def n_outputs(self) -> int:
        """Rows of logits per call of :meth:`decode`."""
        return self._plan.n_outputs

    @property
    def logits(self) -> Logits:
        """Of the last :meth:`decode`: (rows, vocabulary). Valid until the next one."""
        return self._logits

    def decode(self, chunks: Sequence[Chunk]) -> Outcome:
        """Evaluate chunks together.

        Raises:
            EngineError: llama.cpp could not; or they have more tokens, or want more rows, than there may be.
        """
        batch, n_rows = self._batch.fill(chunks), sum(chunk.n_logits for chunk in chunks)
        if n_rows > self.n_outputs:  # llama.cpp would end the process
            raise EngineError(f"{n_rows} rows of logits are wanted at once, {self.n_outputs} there may be.")
        status = lib.llama_decode(self._context, batch)
        if status not in _OUTCOMES:
            raise EngineError(
                _(
                    "llama.cpp could not evaluate {count} tokens (status {status}).",
                    count=batch.n_tokens,
                    status=status,
                )
            )
        if status == 0 and n_rows:
            pointer = lib.llama_get_logits(self._context)
            self._logits = np.ctypeslib.as_array(pointer, (n_rows, self._n_vocab))
        return _OUTCOMES[status]

    def keep(self, sequence: int, n_tokens: int) -> int:
        """Forget all but the first tokens of a sequence; returns how many are left."""
        if lib.llama_memory_seq_rm(self._memory, sequence, n_tokens, -1):
            return n_tokens
        # Recurrent models cannot go back: they start over.
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return 0

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        """Let an empty sequence begin with the first tokens of another; they share the memory."""
        lib.llama_memory_seq_cp(self._memory, source, target, 0, n_tokens)

    def sampler(self, params: SamplingParams) -> LlamaSampler | None:
        """A sampler for one request, which the caller closes; None for the likeliest token of each row."""
        if params.temperature == 0 and params.repeat_penalty == 1:
            return None
        return LlamaSampler(self, params, n_vocab=self._n_vocab, n_last=self._plan.n_cells)

    def sample(self, chain: Any, row: int) -> int:
        """The token that a sampler chain takes from a row of the logits."""
        # Negative rows count from the last: llama.cpp's other numbers are places in the batch.
        return int(lib.llama_sampler_sample(chain, self._context, row - len(self._logits)))

    def interrupt(self, on: bool) -> None:
        """Let the running evaluation, and later ones, end early until it is switched off."""
        self._flag[0] = b"\x01" if on else b"\x00"

    def close(self) -> None:
        """Free the context and its KV cache."""
        self._logits = np.empty((0, self._n_vocab), np.float32)
        lib.llama_free(self._context)


class _Batch:
    """The arrays of a ``llama_batch``, filled by numpy: a token at a time in Python takes as long as a small model."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._wanted = np.zeros(size, np.int8)
        self._n_sequences = np.ones(size, np.int32)
        self._count = np.arange(size, dtype=np.int32)
        # For each token, the address of its list of sequences: a list of one.
        first, step = self._sequences.ctypes.data, self._sequences.itemsize
        self._addresses: npt.NDArray[np.uintp] = np.arange(size, dtype=np.uintp) * np.uintp(step) + np.uintp(first)
        self._batch = lib.llama_batch(
            n_tokens=0,
            token=_pointer(self._tokens, lib.llama_token),
            pos=_pointer(self._positions, lib.llama_pos),
            n_seq_id=_pointer(self._n_sequences, ctypes.c_int32),
            seq_id=ctypes.cast(self._addresses.ctypes.data, ctypes.POINTER(ctypes.POINTER(lib.llama_seq_id))),
            logits=_pointer(self._wanted, ctypes.c_int8),
        )

    def fill(self, chunks: Sequence[Chunk]) -> Any:
        """The batch of these chunks."""
        end = 0
        for chunk in chunks:
            start, end = end, end + len(chunk.tokens)
            if end > self._size:
                raise EngineError(f"A batch holds {self._size} tokens, not {end}.")
            self._tokens[start:end] = chunk.tokens
            self._positions[start:end] = self._count[: end - start]
            self._positions[start:end] += chunk.position
            self._sequences[start:end] = chunk.sequence
            self._wanted[start:end] = 0
            self._wanted[end - chunk.n_logits : end] = 1
        self._batch.n_tokens = end
        return self._batch


def _pointer(array: npt.NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))
