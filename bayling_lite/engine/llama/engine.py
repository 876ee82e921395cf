"""GGUF models on llama.cpp. The only module that imports llama_cpp; its failures become those of ``errors``.

It works on the low-level API (models, contexts, batches, sampler chains), which llama-cpp-python binds one to one:
https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import secrets
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import llama_cpp.llama_cpp as lib

from bayling_lite.engine.base import GenerationRequest, ModelInfo, SamplingParams
from bayling_lite.engine.cores import default_threads
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.gguf_file import read_header
from bayling_lite.engine.native_log import NativeLog
from bayling_lite.engine.scheduler import Scheduler
from bayling_lite.engine.templates import choose_template, context_size, describe
from bayling_lite.errors import EngineClosed, EngineError, ModelError, ModelUnreadable, UsageError
from bayling_lite.messages import Conversation

KVType = Literal["f16", "f32", "q8_0"]

# The type and its bytes per number (Q8_0: 32 numbers and a scale in 34 bytes).
_KV_TYPES = {"f16": (lib.GGML_TYPE_F16, 2.0), "f32": (lib.GGML_TYPE_F32, 4.0), "q8_0": (lib.GGML_TYPE_Q8_0, 34 / 32)}
_N_BATCH = 512
_SMALLEST_UBATCH = 32
_SCORES_BYTES = 128 * 2**20

_log = NativeLog()
_log_callback = lib.llama_log_callback(_log.write)  # kept here: llama.cpp holds only its address


@functools.cache
def _start_backend() -> None:
    """Once per process: start llama.cpp's backends."""
    lib.llama_backend_init()
    # llama.cpp's own clean-up may log after Python has gone, and then no Python function may be called. Any C function
    # that ignores its arguments can stand in.
    atexit.register(lib.llama_log_set, ctypes.cast(lib.llama_supports_mmap, lib.llama_log_callback), None)


class LlamaVocabulary:
    """The vocabulary of a loaded model. Safe to use from any thread."""

    def __init__(self, model: Any, *, space_prefix: bool | None) -> None:
        self._handle = lib.llama_model_get_vocab(model)
        self._lock = threading.Lock()
        self._closed = False
        bos, eos = lib.llama_vocab_bos(self._handle), lib.llama_vocab_eos(self._handle)
        self.bos: int | None = bos if bos >= 0 and lib.llama_vocab_get_add_bos(self._handle) else None
        self.eos: int | None = eos if eos >= 0 else None
        # As llama.cpp: only SentencePiece vocabularies have the prefix, and have it unless the file says otherwise.
        sentencepiece = lib.llama_vocab_type(self._handle) == lib.LLAMA_VOCAB_TYPE_SPM
        self.space_prefix: bool = sentencepiece and space_prefix is not False
        self.size: int = lib.llama_vocab_n_tokens(self._handle)
        self._pieces: dict[int, bytes] = {}

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of a text, without BOS; ``special`` recognises control tokens by their names.

        Raises:
            EngineClosed: the model was freed.
        """
        data = text.encode(errors="replace")  # a lone surrogate has no UTF-8
        room = len(data) + 8
        with self._lock:
            if self._closed:
                raise EngineClosed("The engine was closed.")
            for _ in range(2):
                ids = (lib.llama_token * room)()
                count: int = lib.llama_tokenize(self._handle, data, len(data), ids, room, False, special)
                if count >= 0:
                    return list(ids[:count])
                room = -count  # more ids than bytes: it says how many
        raise EngineError(f"A text of {len(data)} bytes could not be tokenized.")

    def is_control(self, token: int) -> bool:
        """Whether the token steers the model and stands for no text."""
        return bool(lib.llama_vocab_is_control(self._handle, token))

    def is_end(self, token: int) -> bool:
        """Whether the vocabulary says that this token ends an answer (EOS, end of turn, ...)."""
        return bool(lib.llama_vocab_is_eog(self._handle, token))

    def name(self, token: int) -> str:
        """The token as the vocabulary writes it."""
        text: bytes = lib.llama_vocab_get_text(self._handle, token)
        return text.decode(errors="replace")

    def piece(self, token: int) -> bytes:
        """The bytes that the token stands for in a text; empty for control tokens."""
        known = self._pieces.get(token)
        if known is None:
            room = 64
            buffer = ctypes.create_string_buffer(room)
            length = lib.llama_token_to_piece(self._handle, token, buffer, room, 0, False)
            if length < 0:
                room = -length
                buffer = ctypes.create_string_buffer(room)
                length = lib.llama_token_to_piece(self._handle, token, buffer, room, 0, False)
            known = self._pieces[token] = buffer.raw[:length]
        return known

    def close(self) -> None:
        """The model is about to be freed; wait for tokenizing in other threads."""
        with self._lock:
            self._closed = True


class LlamaContext:
    """A llama context with one sequence, the KV cache and a batch. One thread uses it; any thread may interrupt."""

    def __init__(self, model: Any, *, n_ctx: int, n_threads: int, kv_type: KVType) -> None:
        _check_memory(model, n_ctx, kv_type)
        params = lib.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = min(n_ctx, _N_BATCH)
        if not lib.llama_supports_gpu_offload() and kv_type != "q8_0":  # which needs flash attention
            # On the CPU, flash attention takes other roundings for a few tokens than for many: logits then differ in
            # the second decimal between a prompt found in the cache and one evaluated, and so do greedy answers.
            # Without it they agree to 1e-5; a long prompt takes up to a fifth longer, decoding not.
            params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
            # Its price is a buffer of attention scores (float32), which smaller steps keep small.
            score_bytes = 4 * n_ctx * max(1, lib.llama_model_n_head(model))
            params.n_ubatch = min(params.n_batch, max(_SMALLEST_UBATCH, _SCORES_BYTES // score_bytes))
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = n_threads
        params.type_k = params.type_v = _KV_TYPES[kv_type][0]
        params.no_perf = True
        # llama.cpp asks between the nodes of its graph, hundreds of times per token. A Python function would take the
        # interpreter lock each time and wait for whichever thread has it. The C library's strlen does the same without:
        # it is 0 (go on) for the buffer as it is, and 1 (abort) once its first byte is set.
        self._flag = ctypes.create_string_buffer(64)
        self._c_library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        params.abort_callback = ctypes.cast(self._c_library.strlen, lib.ggml_abort_callback)
        params.abort_callback_data = ctypes.addressof(self._flag)
        with _log.errors() as errors:
            self._context = lib.llama_init_from_model(model, params)
        if not self._context:
            raise ModelError(
                f"A context of {n_ctx} tokens in {kv_type} cannot be made: {'; '.join(errors) or 'no reason given'}. "
                "If memory is short, choose a smaller context (n_ctx)."
            )
        self._memory = lib.llama_get_memory(self._context)
        self._n_vocab: int = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
        self._n_ctx = n_ctx
        self._n_batch: int = params.n_batch
        self._batch = lib.llama_batch_init(self._n_batch, 0, 1)
        for index in range(self._n_batch):
            self._batch.n_seq_id[index] = 1
            self._batch.seq_id[index][0] = 0

    @property
    def n_ctx(self) -> int:
        """Tokens that fit."""
        return self._n_ctx

    @property
    def n_batch(self) -> int:
        """Tokens per call of :meth:`evaluate`."""
        return self._n_batch

    def evaluate(self, tokens: Sequence[int], position: int, *, logits: bool) -> bool:
        """Evaluate 1..n_batch tokens at a position; ``logits`` of the last one only. False when interrupted."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = position + index
            batch.logits[index] = 0
        batch.logits[len(tokens) - 1] = logits
        status = lib.llama_decode(self._context, batch)
        if status not in (0, 2):
            raise EngineError(f"llama.cpp could not evaluate {len(tokens)} tokens at position {position} ({status}).")
        return bool(status == 0)

    def keep(self, n_tokens: int) -> int:
        """Forget all but the first tokens; returns how many are left."""
        if n_tokens and lib.llama_memory_seq_rm(self._memory, 0, n_tokens, -1):
            return n_tokens
        # Recurrent models cannot go back: they start over.
        lib.llama_memory_clear(self._memory, False)
        return 0

    def sampler(self, params: SamplingParams) -> LlamaSampler:
        """A sampler for one request; the caller closes it."""
        return LlamaSampler(self._context, params, n_vocab=self._n_vocab, n_ctx=self._n_ctx)

    def interrupt(self, on: bool) -> None:
        """Let the running evaluation, and later ones, end early until it is switched off."""
        self._flag[0] = b"\x01" if on else b"\x00"

    def close(self) -> None:
        """Free the context, its KV cache and the batch."""
        lib.llama_batch_free(self._batch)
        lib.llama_free(self._context)


class LlamaSampler:
    """A sampler chain for one request.

    The repetition penalty looks at the answer alone: names and numbers of the text to translate shall be repeated.
    """

    def __init__(self, context: Any, params: SamplingParams, *, n_vocab: int, n_ctx: int) -> None:
        self._context = context
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        stages = []
        if params.repeat_penalty != 1:
            stages.append(lib.llama_sampler_init_penalties(n_vocab, n_ctx, params.repeat_penalty, 0.0, 0.0))
        if params.temperature == 0:
            stages.append(lib.llama_sampler_init_greedy())
        else:
            if params.top_k:
                stages.append(lib.llama_sampler_init_top_k(params.top_k))
            if params.top_p < 1:
                stages.append(lib.llama_sampler_init_top_p(params.top_p, 1))
            if params.min_p:
                stages.append(lib.llama_sampler_init_min_p(params.min_p, 1))
            stages.append(lib.llama_sampler_init_temp(params.temperature))
            # 0xFFFFFFFF would mean "any seed" to llama.cpp, so seeds go up to the one before it.
            seed = secrets.randbits(64) if params.seed is None else params.seed
            stages.append(lib.llama_sampler_init_dist(seed % lib.LLAMA_DEFAULT_SEED))
        for stage in stages:
            lib.llama_sampler_chain_add(self._chain, stage)

    def sample(self) -> int:
        """The next token, from the logits of the last evaluation; it counts as said."""
        return int(lib.llama_sampler_sample(self._chain, self._context, -1))

    def close(self) -> None:
        """Free the chain."""
        lib.llama_sampler_free(self._chain)


class LlamaEngine:
    """An :class:`~bayling_lite.engine.base.Engine` that runs a GGUF file here. Close it, or use it in a ``with``."""

    def __init__(self, info: ModelInfo, scheduler: Scheduler) -> None:
        self._info = info
        self._scheduler = scheduler
        # For engines that are forgotten: at collection, and at the latest when the program ends.
        self._finalizer = weakref.finalize(self, scheduler.close)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        template: str | None = None,
        n_ctx: int | None = None,
        n_threads: int | None = None,
        n_gpu_layers: int | None = None,
        kv_type: KVType = "f16",
    ) -> Self:
        """Load a GGUF file.

        Args:
            path: the file.
            template: the name of a prompt template; None takes what the file asks for.
            n_ctx: tokens of context; None is what the model was trained with, at most 8192.
            n_threads: None is one per physical core that this process may use, or one in all for a small model.
            n_gpu_layers: layers on the GPU; None is all of them where llama.cpp was built for a GPU, else none.
            kv_type: number format of the KV cache: f16, f32 or q8_0.

        Raises:
            ModelNotFound: no such file.
            ModelUnreadable: not a complete GGUF, not one that llama.cpp can run, or without a known template.
            ModelError: not enough memory for the context.
            UsageError: an option out of its range.
        """
        if kv_type not in _KV_TYPES:
            raise UsageError(f"There is no KV cache of type {kv_type!r}. Known: {', '.join(_KV_TYPES)}.")
        if n_threads is not None and n_threads < 1:
            raise UsageError(f"The number of threads must be 1 or more, not {n_threads}.")
        header = read_header(Path(path))
        chosen = choose_template(header, template)
        # Each time, for the log is the process's: whoever else uses llama.cpp in it may have turned it elsewhere.
        lib.llama_log_set(_log_callback, None)
        _start_backend()
        model = _load(header.path, header.text("general.architecture"), n_gpu_layers)
        try:
            size = context_size(lib.llama_model_n_ctx_train(model), n_ctx)
            vocabulary = LlamaVocabulary(model, space_prefix=header.flag("tokenizer.ggml.add_space_prefix"))
            context = LlamaContext(
                model, n_ctx=size, n_threads=n_threads or default_threads(lib.llama_model_size(model)), kv_type=kv_type
            )
        except BaseException:
            lib.llama_model_free(model)
            raise

        def free() -> None:
            vocabulary.close()
            lib.llama_model_free(model)

        try:
            scheduler = Scheduler(context, vocabulary, chosen, free)
        except BaseException:
            context.close()
            free()
            raise
        return cls(describe(header, chosen, size), scheduler)

    @property
    def info(self) -> ModelInfo:
        """What the file says of its model, and the size of the context."""
        return self._info

    def submit(self, request: GenerationRequest) -> StreamedGeneration:
        """Queue a request and return at once. Raises EngineClosed after :meth:`close`."""
        # The bound method keeps the engine alive for as long as someone holds the generation.
        generation = StreamedGeneration(request, self._interrupt)
        self._scheduler.submit(generation)
        return generation

    def _interrupt(self, generation: StreamedGeneration) -> None:
        self._scheduler.cancel(generation)

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the rendered conversation, BOS included. Raises EngineClosed after :meth:`close`."""
        return self._scheduler.count_tokens(conversation)

    def close(self) -> None:
        """Cancel what runs, fail what waits with EngineClosed, free the model. Idempotent."""
        self._finalizer()
        self._scheduler.close()  # also when another thread is closing: returns when it is done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_memory(model: Any, n_ctx: int, kv_type: KVType) -> None:
    """Refuse a KV cache larger than the machine's memory: the system would rather kill the process than say no.

    Raises:
        ModelError: it is larger.
    """
    if lib.llama_supports_gpu_offload() or not hasattr(os, "sysconf"):
        return  # the cache may stand in another memory, or the size of this one is not known
    n_head = max(1, lib.llama_model_n_head(model))
    width = lib.llama_model_n_embd(model) // n_head * lib.llama_model_n_head_kv(model)
    needed = 2 * n_ctx * lib.llama_model_n_layer(model) * width * _KV_TYPES[kv_type][1]  # keys and values, in bytes
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise ModelError(
            f"A context of {n_ctx:,} tokens needs {needed / 2**30:,.1f} GB for its KV cache, this machine has "
            f"{memory / 2**30:,.1f} GB of memory. Choose a smaller one (n_ctx)."
        )


def _load(path: Path, architecture: str | None, n_gpu_layers: int | None) -> Any:
    """Load the weights; the caller frees them.

    Raises:
        ModelUnreadable: llama.cpp refuses the file; the message gives its reason.
    """
    params = lib.llama_model_default_params()
    if n_gpu_layers is None:
        n_gpu_layers = -1 if lib.llama_supports_gpu_offload() else 0  # -1: all layers
    params.n_gpu_layers = n_gpu_layers
    with _log.errors() as errors:
        model = lib.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        reason = next((line for line in errors if "error loading model" in line), errors[0] if errors else "")
        reason = reason.rpartition("error loading model: ")[2]
        if "unknown model architecture" in reason:
            raise ModelUnreadable(
                f"{path} is a model of the architecture {architecture!r}, which this version of llama.cpp cannot run."
            )
        raise ModelUnreadable(f"{path} cannot be loaded by llama.cpp: {reason or 'no reason given'}.")
    if not lib.llama_model_has_decoder(model) or lib.llama_model_has_encoder(model):
        lib.llama_model_free(model)
        raise ModelUnreadable(
            f"{path} is a model of the architecture {architecture!r}, which does not continue a text: it cannot chat."
        )
    return model
