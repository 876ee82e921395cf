"""llama.cpp as a measuring instrument: token ids of a text, logits of a sequence. Exact rather than fast.

The key/value cache is float32 and flash attention off, so that what differs between two files is their weights.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bayling_convert.ggml import available_cores
from bayling_lite.errors import ContextOverflow, EngineError, ModelNotFound, ModelUnreadable

_BATCH = 512
_F32 = 0  # ggml_type
_FLASH_ATTENTION_OFF = 0  # llama_flash_attn_type


class Scorer:
    """An opened GGUF on the CPU. Not safe for use from several threads; close it, or use it in a ``with`` block.

    Raises:
        ModelNotFound: no such file.
        ModelUnreadable: llama.cpp cannot open it.
    """

    def __init__(self, path: Path, *, n_ctx: int = 2048, n_threads: int | None = None) -> None:
        self._model: Any = None
        self._context: Any = None
        if not path.is_file():
            raise ModelNotFound(f"{path} is not there, or is not a file.")
        self._llama = llama = _llama_cpp()
        model_params = llama.llama_model_default_params()
        model_params.n_gpu_layers = 0
        self._model = llama.llama_model_load_from_file(str(path).encode(), model_params)
        if not self._model:
            raise ModelUnreadable(f"llama.cpp cannot open {path}: it is damaged, or not a language model.")
        params = llama.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = n_ctx, _BATCH, _BATCH
        params.n_threads = params.n_threads_batch = n_threads or available_cores()
        params.type_k = params.type_v = _F32
        params.flash_attn_type = _FLASH_ATTENTION_OFF
        params.offload_kqv = params.op_offload = False
        self._context = llama.llama_init_from_model(self._model, params)
        if not self._context:
            self.close()
            raise EngineError(f"llama.cpp could not make a context of {n_ctx} tokens; is there enough memory?")
        self._vocab = llama.llama_model_get_vocab(self._model)
        self.n_ctx = n_ctx
        self.n_vocab = int(llama.llama_vocab_n_tokens(self._vocab))
        self.bos = int(llama.llama_vocab_bos(self._vocab))
        self.eos = int(llama.llama_vocab_eos(self._vocab))

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

    def tokenize_on(self, text: str) -> list[int]:
        """Token ids of a text that continues another, without the space that some tokenizers put before a first one."""
        if self.metadata("tokenizer.ggml.add_space_prefix") != "true":
            return self.tokenize(text)
        # The space goes before a line break, which no vocabulary joins to what follows it; both are dropped.
        before = self.tokenize("\n")
        ids = self.tokenize("\n" + text)
        return ids[len(before) :] if ids[: len(before)] == before else self.tokenize(text)

    def logits(self, tokens: Sequence[int], *, last: int | None = None) -> npt.NDArray[np.float32]:
        """Logits after each of the ``last`` tokens (all, if None), shape (last, n_vocab).

        Raises:
            ContextOverflow: more tokens than the context holds.
        """
        if len(tokens) > self.n_ctx:
            raise ContextOverflow(len(tokens), self.n_ctx)
        llama = self._llama
        llama.llama_memory_clear(llama.llama_get_memory(self._context), True)
        first = 0 if last is None else len(tokens) - last
        rows: list[npt.NDArray[np.float32]] = []
        batch = llama.llama_batch_init(_BATCH, 0, 1)
        try:
            for begin in range(0, len(tokens), _BATCH):
                piece = tokens[begin : begin + _BATCH]
                batch.n_tokens = len(piece)
                for at, token in enumerate(piece):
                    batch.token[at], batch.pos[at] = token, begin + at
                    batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
                    batch.logits[at] = begin + at >= first
                if status := llama.llama_decode(self._context, batch):
                    raise EngineError(f"llama.cpp could not evaluate the tokens (status {status}).")
                for at in range(max(0, first - begin), len(piece)):
                    pointer = llama.llama_get_logits_ith(self._context, at)
                    rows.append(np.ctypeslib.as_array(pointer, shape=(self.n_vocab,)).copy())
        finally:
            llama.llama_batch_free(batch)
        return np.stack(rows) if rows else np.empty((0, self.n_vocab), np.float32)

    def close(self) -> None:
        """Free the model. Idempotent."""
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


@functools.cache
def _llama_cpp() -> Any:
    """The bindings, with llama.cpp's chatter on stderr off."""
    import llama_cpp

    llama_cpp.llama_log_set(_silence(llama_cpp), ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


@functools.cache
def _silence(llama_cpp: Any) -> Any:
    """A callback that does nothing; cached, because C keeps calling it as long as the process lives."""
    return llama_cpp.llama_log_callback(lambda _level, _text, _data: None)
