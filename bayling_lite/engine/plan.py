"""How an engine is set up: what the caller asks for, and what follows from the model and the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from bayling_lite.engine.cores import default_threads, is_small
from bayling_lite.errors import ModelError, UsageError
from bayling_lite.localization import _, listed, noted

KVType = Literal["f16", "f32", "q8_0"]
USUAL_KV_TYPE: KVType = "f16"

# Bytes per number (Q8_0: 32 numbers and a scale in 34 bytes).
_KV_BYTES: dict[KVType, float] = {"f16": 2.0, "f32": 4.0, "q8_0": 34 / 32}
_DEFAULT_N_CTX = 8192
_SMALLEST_N_CTX = 8
_N_BATCH = 512
# Tokens in a step while answers are flowing: with more of the prompts in it, their readers would wait. Besides, from 64
# on llama.cpp's flash attention for CPUs computes every token with every cell of the memory, other sequences' too.
_N_MIXED, _N_MIXED_ON_GPU = 48, 512
_SMALLEST_UBATCH = 32
_SCORES_BYTES = 128 * 2**20
# Sequences at once. On a CPU a wider batch than 16 is hardly faster and makes everybody wait; a small model gains
# nothing from more than 8, for its time goes into attention, which looks at the others' tokens too. A GPU has room for
# more. The states of a recurrent model are large, and there is one for each sequence.
_PARALLEL, _PARALLEL_SMALL, _PARALLEL_ON_GPU, _PARALLEL_RECURRENT = 16, 8, 32, 4
_MOST_PARALLEL = 128
_MOST_SEQUENCES = 256  # LLAMA_MAX_SEQ
# Sequences besides those at work: hypotheses of a search, and conversations to come back to.
_SPARE_SEQUENCES = 48
# Cells that a short request needs. Room for so many each is made where it takes a small part of the memory.
_CELLS_EACH = 512
_SMALL_PART = 1 / 32


class EngineOptions(TypedDict, total=False):
    """What can be set of an engine; what is left out, or None, is chosen from the machine and the model.

    ======================  ==========================================================================================
    ``n_ctx``               tokens that one request may have; by default what the model was trained with, at most 8192
    ``n_parallel``          sequences evaluated together; by default 16, 8 of a small model, 32 on a GPU
    ``n_batch``             tokens evaluated in one step; by default 512, and never fewer than the sequences need
    ``n_threads``           by default one per physical core that this process may use, or one for a small model
    ``n_gpu_layers``        layers on the GPU; by default all of them where llama.cpp was built for one, else none
    ``kv_type``             number format of the KV cache: f16 (the default), f32 (the most accurate) or q8_0
    ``use_mmap``            map the file instead of reading it; by default where its weights are used as they stand
    ``use_mlock``           keep the weights from being swapped out; by default false
    ``drafting``            guess ahead where a text repeats itself (it stays the same text); by default true
    ``exact``               one request at a time, with nothing in memory of those before: the same request gives the
                            same text on the same machine, bit for bit, whatever was asked before; by default false
    ======================  ==========================================================================================
    """

    n_ctx: int | None
    n_parallel: int | None
    n_batch: int | None
    n_threads: int | None
    n_gpu_layers: int | None
    kv_type: KVType | None
    use_mmap: bool | None
    use_mlock: bool
    drafting: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What a plan needs to know of a model; sizes in bytes, ``kv_numbers`` in numbers per token."""

    n_ctx_train: int
    n_head: int
    kv_numbers: int
    model_bytes: int
    recurrent: bool


@dataclass(frozen=True, slots=True)
class ContextPlan:
    """A context as it will be made. ``n_ctx`` is the limit of one request, ``n_cells`` what all of them share."""

    n_ctx: int
    n_cells: int
    n_parallel: int
    n_sequences: int
    n_batch: int
    n_ubatch: int
    n_mixed: int
    n_outputs: int
    n_threads: int
    kv_type: KVType
    kv_bytes: float
    flash_attention: bool


def check_options(options: EngineOptions) -> None:
    """Refuse values that cannot be, before anything is loaded.

    Raises:
        UsageError: an option out of its range.
    """
    kv_type = options.get("kv_type")
    if kv_type is not None and kv_type not in _KV_BYTES:
        raise UsageError(
            _("There is no KV cache of type {type!r}. Known: {known}.", type=kv_type, known=listed(get_args(KVType)))
        )
    if options.get("exact") and (options.get("n_parallel") or 1) > 1:
        raise UsageError(_("To be exact, requests are computed one at a time: leave the number of sequences out."))
    for name, least, most in (
        ("n_ctx", _SMALLEST_N_CTX, None),
        ("n_parallel", 1, _MOST_PARALLEL),
        ("n_batch", 1, None),
        ("n_threads", 1, None),
    ):
        value = options.get(name)
        if isinstance(value, int) and (value < least or (most is not None and value > most)):
            limits = _("at least {least}", least=least)
            if most is not None:
                limits = _("from {least} to {most}", least=least, most=most)
            raise UsageError(
                _("{what} must be {limits}, not {value}.", what=_(_MEANING[name]), limits=limits, value=value)
            )


_MEANING = {
    "n_ctx": noted("The context (n_ctx)"),
    "n_parallel": noted("The number of sequences (n_parallel)"),
    "n_batch": noted("The batch (n_batch)"),
    "n_threads": noted("The number of threads"),
}


def plan_context(shape: ModelShape, options: EngineOptions, *, on_gpu: bool) -> ContextPlan:
    """Choose what the options leave open."""
    trained = shape.n_ctx_train if shape.n_ctx_train > 0 else _DEFAULT_N_CTX
    n_ctx = options.get("n_ctx") or min(trained, _DEFAULT_N_CTX)
    n_parallel = 1 if options.get("exact") else options.get("n_parallel") or _usual_parallel(shape, on_gpu=on_gpu)
    kv_type = options.get("kv_type") or USUAL_KV_TYPE
    flash_attention = _flash_attention(kv_type, on_gpu=on_gpu)
    cell_bytes = shape.kv_numbers * _KV_BYTES[kv_type]
    n_cells = max(n_ctx, _affordable_cells(n_parallel * _CELLS_EACH, cell_bytes))
    n_outputs = min(n_parallel + _SPARE_SEQUENCES, n_cells)
    n_batch = min(max(options.get("n_batch") or _N_BATCH, n_outputs), n_cells)
    n_ubatch = n_batch
    if not flash_attention:
        # Its price is a buffer of attention scores (float32), which smaller steps keep small.
        score_bytes = 4 * n_cells * max(1, shape.n_head)
        n_ubatch = min(n_batch, max(_SMALLEST_UBATCH, _SCORES_BYTES // score_bytes))
    n_sequences = n_parallel if shape.recurrent else min(n_parallel + _SPARE_SEQUENCES, _MOST_SEQUENCES)
    return ContextPlan(
        n_ctx=n_ctx,
        n_cells=n_cells,
        n_parallel=n_parallel,
        n_sequences=n_sequences,
        n_batch=n_batch,
        n_ubatch=n_ubatch,
        n_mixed=_N_MIXED_ON_GPU if on_gpu else _N_MIXED,
        n_outputs=n_outputs,
        n_threads=options.get("n_threads") or default_threads(shape.model_bytes),
        kv_type=kv_type,
        kv_bytes=n_cells * cell_bytes,
        flash_attention=flash_attention,
    )


def _usual_parallel(shape: ModelShape, *, on_gpu: bool) -> int:
    if shape.recurrent:
        return _PARALLEL_RECURRENT
    if on_gpu:
        return _PARALLEL_ON_GPU
    return _PARALLEL_SMALL if is_small(shape.model_bytes) else _PARALLEL


def _flash_attention(kv_type: KVType, *, on_gpu: bool) -> bool:
    """Whether attention is computed the flash way.

    On the CPU it passes over the cells of other sequences, into which ordinary attention looks in vain: sixteen
    sequences are a third faster. It rounds differently for one token, for a few and for many, in the second decimal of
    the logits. The kernels of 4-bit weights do that anyway (a difference in the seventh decimal can flip a rounding
    to int8, and comes out as 0.1 in the logits), so the price is nothing there. Whoever wants the sums as accurate as
    can be takes f32, which llama.cpp's flash attention would round; Q8_0, to save memory, it has in no other way.
    """
    return on_gpu or kv_type != "f32"


def check_memory(plan: ContextPlan) -> None:
    """Refuse a KV cache larger than the machine's memory: the system would rather kill the process than say no.

    Raises:
        ModelError: it is larger.
    """
    memory = _memory_bytes()
    if memory is not None and plan.kv_bytes > memory:
        raise ModelError(
            _(
                "A context of {count} tokens needs {needed} GB for its KV cache, this machine has {memory} GB of "
                "memory. Choose a smaller one (n_ctx).",
                count=f"{plan.n_cells:,}",
                needed=f"{plan.kv_bytes / 2**30:,.1f}",
                memory=f"{memory / 2**30:,.1f}",
            )
        )


def _affordable_cells(wanted: int, cell_bytes: float) -> int:
    memory = _memory_bytes()
    if memory is None or not cell_bytes:
        return wanted
    return min(wanted, int(memory * _SMALL_PART / cell_bytes))


def _memory_bytes() -> int | None:
    """Memory of this machine; None where it cannot be asked for."""
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
