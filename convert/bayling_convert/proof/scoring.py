"""llama.cpp as a measuring instrument: token ids of a text, logits of a sequence, the likeliest answer.

Exact rather than fast. The key/value cache is float32 and flash attention off, and every sequence is evaluated from its
beginning in batches of one size, so that what differs between two files is their weights.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bayling_convert.weights.ggml import available_cores
from bayling_lite.errors import ContextOverflow, EngineError, ModelUnreadable
from bayling_lite.gguf_file import read_header

_BATCH = 128
"""Tokens evaluated together. With Llama 3's vocabulary their logits are 66 MB; twice as many are hardly faster."""
_F32 = 0  # ggml_type
_FLASH_ATTENTION_OFF = 0  # llama_flash_attn_type


class Scorer:
    """An opened GGUF on the CPU. Not safe for use from several threads; close it, or use it in a ``with`` block.

    Raises:
        ModelNotFound: no such file.
        ModelUnreadable: not a whole GGUF, or llama.cpp cannot open it.
    """

    def __init__(self, path: Path, *, n_ctx: int = 2048, n_threads: int | None = None) -> None:
        self._model: Any = None
        self._context: Any = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llama")
        read_header(path)  # llama.cpp answers some damaged files with the end of the process
        self._llama = llama = llama_library()
        model_params = llama.llama_model_default_params()
        model_params.n_gpu_layers = 0
        self._model = llama.llama_model_load_from_file(str(path).encode(), model_params)
        if not self._model:
            raise ModelUnreadable(f"llama.cpp cannot open {path}: it is damaged, or not a language model.")
        self._vocab = llama.llama_model_get_vocab(self._model)
        self.path = path
        self.n_vocab = int(llama.llama_vocab_n_tokens(self._vocab))
        self.bos = int(llama.llama_vocab_bos(self._vocab))
        self.eos = int(llama.llama_vocab_eos(self._vocab))
        self.adds_bos = bool(llama.llama_vocab_get_add_bos(self._vocab))
        self._n_threads = n_threads or available_cores()
        # llama.cpp asks between the steps of its work whether to stop. The C library's strlen answers without Python's
        # lock: 0 (go on) for the buffer as it is, 1 once its first byte is set.
        self._stop = ctypes.create_string_buffer(2)
        self._c_library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        self.resize(n_ctx)

    def resize(self, n_ctx: int) -> None:
        """Make room for sequences of ``n_ctx`` tokens.

        Raises:
            EngineError: llama.cpp cannot, probably for want of memory.
        """
        llama = self._llama
        if self._context:
            llama.llama_free(self._context)
        params = llama.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = n_ctx, _BATCH, _BATCH
        params.n_threads = params.n_threads_batch = self._n_threads
        params.type_k = params.type_v = _F32
        params.flash_attn_type = _FLASH_ATTENTION_OFF
        params.offload_kqv = params.op_offload = False
        params.abort_callback = ctypes.cast(self._c_library.strlen, llama.ggml_abort_callback)
        params.abort_callback_data = ctypes.addressof(self._stop)
        self._context = llama.llama_init_from_model(self._model, params)
        if not self._context:
            self.close()
            raise EngineError(f"llama.cpp could not make a context of {n_ctx} tokens; is there enough memory?")
        self.n_ctx = n_ctx

    def metadata(self, key: str) -> str | None:
        """A scalar of the file's metadata as text."""
        buffer = ctypes.create_string_buffer(4096)
        length = self._llama.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode(errors="replace") if length >= 0 else None

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of a text, without BOS. ``special`` lets special tokens come out of their names."""
        data = text.encode()
        ids = (ctypes.c_int32 * (len(data) + 8))()
        count = self._llama.llama_tokenize(self._vocab, data, len(data), ids, len(ids), False, special)
        if count < 0:
            raise EngineError(f"llama.cpp needs {-count} tokens for {len(data)} bytes of text.")
        return list(ids[:count])

    def tokenize_on(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of a text that continues another, without the space that some tokenizers put before a first one."""
        if self.metadata("tokenizer.ggml.add_space_prefix") != "true":
            return self.tokenize(text, special=special)
        # The space goes before a line break, which no vocabulary joins to what follows it; both are dropped.
        before = self.tokenize("\n")
        ids = self.tokenize("\n" + text, special=special)
        return ids[len(before) :] if ids[: len(before)] == before else self.tokenize(text, special=special)

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of token ids; special tokens have none."""
        given = (ctypes.c_int32 * len(ids))(*ids)
        size = 64 * len(ids) + 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._llama.llama_detokenize(self._vocab, given, len(ids), buffer, size, True, False)
            if length >= 0:
                return buffer.raw[:length].decode(errors="replace")
            size = -length

    def logits(self, tokens: Sequence[int], *, last: int | None = None) -> npt.NDArray[np.float32]:
        """Logits after each of the ``last`` tokens (all, if None), shape (last, n_vocab).

        Raises:
            ContextOverflow: more tokens than the context holds.
        """
        wanted = np.arange(len(tokens)) >= (0 if last is None else len(tokens) - last)
        rows = [block.copy() for _, block in self.blocks(tokens, wanted)]
        return np.concatenate(rows) if rows else np.empty((0, self.n_vocab), np.float32)

    def blocks(
        self, tokens: Sequence[int], wanted: npt.NDArray[np.bool_]
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]:
        """Evaluate a sequence and give the logits after the tokens where ``wanted``, a batch at a time.

        Yields:
            Positions, shape (n,), and logits, shape (n, n_vocab), which are valid until the next block.

        Raises:
            ContextOverflow: more tokens than the context holds.
            ModelUnreadable: a logit is not a finite number.
        """
        self._forget(tokens)
        for begin in range(0, len(tokens), _BATCH):
            positions = begin + np.flatnonzero(wanted[begin : begin + _BATCH])
            logits = self._evaluate(tokens[begin : begin + _BATCH], begin, (positions - begin).tolist())
            if positions.size:
                yield positions, logits

    def greedy(self, prompt: Sequence[int], *, max_tokens: int, stop: Collection[int] = ()) -> list[int]:
        """The likeliest next token again and again: until one ends the answer, or there are ``max_tokens``.

        Only the new token is evaluated in each step. The token that ends the answer is not in the result.

        Raises:
            ContextOverflow: the prompt leaves no room in the context.
        """
        self._forget([*prompt, 0])
        answer: list[int] = []
        for begin in range(0, len(prompt), _BATCH):
            piece = prompt[begin : begin + _BATCH]
            logits = self._evaluate(piece, begin, [len(piece) - 1])
        for place in range(len(prompt), min(self.n_ctx, len(prompt) + max_tokens)):
            token = int(logits[-1].argmax())
            if token in stop or token == self.eos or self._llama.llama_vocab_is_eog(self._vocab, token):
                break
            answer.append(token)
            if len(answer) < max_tokens:
                logits = self._evaluate([token], place, [0])
        return answer

    def _forget(self, tokens: Sequence[int]) -> None:
        """Make the memory ready for a new sequence."""
        if len(tokens) > self.n_ctx:
            raise ContextOverflow(len(tokens), self.n_ctx)
        self._llama.llama_memory_clear(self._llama.llama_get_memory(self._context), True)

    def _evaluate(self, piece: Sequence[int], begin: int, wanted: Collection[int]) -> npt.NDArray[np.float32]:
        """Evaluate tokens from position ``begin`` on; the logits after those wanted, valid until the next call."""
        llama = self._llama
        batch = llama.llama_batch_init(len(piece), 0, 1)
        try:
            batch.n_tokens = len(piece)
            for at, token in enumerate(piece):
                batch.token[at], batch.pos[at] = token, begin + at
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
                batch.logits[at] = at in wanted
            if status := self._decode(batch):
                raise EngineError(f"llama.cpp could not evaluate the tokens (status {status}).")
        finally:
            llama.llama_batch_free(batch)
        if not wanted:
            return np.empty((0, self.n_vocab), np.float32)
        logits = np.ctypeslib.as_array(llama.llama_get_logits(self._context), shape=(len(wanted), self.n_vocab))
        if not np.isfinite(logits).all():
            raise ModelUnreadable(f"{self.path} computes values that are no numbers: it is damaged.")
        return logits

    def _decode(self, batch: Any) -> int:
        """``llama_decode`` in a thread of its own, so that Ctrl-C is noticed here and stops it there."""
        work = self._worker.submit(self._llama.llama_decode, self._context, batch)
        try:
            return int(work.result())
        except BaseException:
            self._stop[0] = b"\x01"
            work.exception()
            self._stop[0] = b"\x00"
            raise

    def close(self) -> None:
        """Free the model. Idempotent."""
        self._worker.shutdown()
        if self._context:
            self._llama.llama_free(self._context)
        if self._model:
            self._llama.llama_model_free(self._model)
        self._context = self._model = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def languages_of(path: Path) -> tuple[str, ...]:
    """The languages that a GGUF says its model speaks: ``bayling.languages``, else ``general.languages``.

    Raises:
        ModelNotFound: no such file.
        ModelUnreadable: it is no GGUF, or damaged.
    """
    header = read_header(path)
    return header.texts("bayling.languages") or header.texts("general.languages")


@functools.cache
def llama_library() -> Any:
    """The bindings, with llama.cpp's chatter on stderr off."""
    import llama_cpp

    llama_cpp.llama_log_set(_silence(llama_cpp), ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


@functools.cache
def _silence(llama_cpp: Any) -> Any:
    """A callback that does nothing; cached, because C keeps calling it as long as the process lives."""
    return llama_cpp.llama_log_callback(lambda _level, _text, _data: None)
