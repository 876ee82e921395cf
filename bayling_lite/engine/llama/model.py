"""Loading a GGUF file into llama.cpp, and what it then says of model and machine."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from bayling_lite.engine.native_log import NativeLog
from bayling_lite.engine.plan import EngineOptions, ModelShape
from bayling_lite.errors import ModelUnreadable
from bayling_lite.gguf_file import GGUFHeader
from bayling_lite.localization import _, plural

KV_TYPES = {"f16": lib.GGML_TYPE_F16, "f32": lib.GGML_TYPE_F32, "q8_0": lib.GGML_TYPE_Q8_0}
_GPU_KINDS = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU

log = NativeLog()
_log_callback = lib.llama_log_callback(log.write)  # kept here: llama.cpp holds only its address


def start_backend() -> None:
    """Start llama.cpp, if that has not been done, and turn its log to ours."""
    # Each time, for the log is the process's: whoever else uses llama.cpp in it may have turned it elsewhere.
    lib.llama_log_set(_log_callback, None)
    _start_once()


@functools.cache
def _start_once() -> None:
    lib.llama_backend_init()
    # llama.cpp's own clean-up may log after Python has gone, and then no Python function may be called. Any C function
    # that ignores its arguments can stand in.
    atexit.register(lib.llama_log_set, ctypes.cast(lib.llama_supports_mmap, lib.llama_log_callback), None)


def load_model(path: Path, architecture: str | None, options: EngineOptions, *, repacked: bool = False) -> Any:
    """Load the weights; the caller frees them with ``llama_model_free``.

    ``repacked`` weights are those that llama.cpp copies into another order, as it does with 4-bit ones on a CPU.

    Raises:
        ModelUnreadable: llama.cpp refuses the file; the message gives its reason.
    """
    params = lib.llama_model_default_params()
    params.n_gpu_layers = n_gpu_layers(options)
    params.load_mode = _load_mode(options, repacked=repacked)
    with log.errors() as errors:
        model = lib.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        reason = next((line for line in errors if "error loading model" in line), errors[0] if errors else "")
        reason = reason.rpartition("error loading model: ")[2]
        if "unknown model architecture" in reason:
            raise ModelUnreadable(
                _(
                    "{path} is a model of the architecture {architecture!r}, which this version of llama.cpp "
                    "cannot run.",
                    path=path,
                    architecture=architecture,
                )
            )
        raise ModelUnreadable(
            _("{path} cannot be loaded by llama.cpp: {reason}.", path=path, reason=reason or _("no reason given"))
        )
    continues = lib.llama_model_has_decoder(model) and not lib.llama_model_is_diffusion(model)
    if not continues or lib.llama_model_has_encoder(model):
        lib.llama_model_free(model)
        raise ModelUnreadable(
            _(
                "{path} is a model of the architecture {architecture!r}, which does not continue a text: it cannot "
                "chat.",
                path=path,
                architecture=architecture,
            )
        )
    return model


def _load_mode(options: EngineOptions, *, repacked: bool) -> int:
    """How to read the file. A mapped one stays in memory beside the copy of its weights that repacking makes."""
    mapped = options.get("use_mmap")
    if mapped is None:
        mapped = bool(n_gpu_layers(options)) or not repacked
    if options.get("use_mlock"):
        return int(lib.LLAMA_LOAD_MODE_MMAP_MLOCK if mapped else lib.LLAMA_LOAD_MODE_MLOCK)
    return int(lib.LLAMA_LOAD_MODE_MMAP if mapped else lib.LLAMA_LOAD_MODE_NONE)


def n_gpu_layers(options: EngineOptions) -> int:
    """Layers to put on the GPU; -1 is all of them."""
    chosen = options.get("n_gpu_layers")
    if chosen is None:
        chosen = -1
    return chosen if lib.llama_supports_gpu_offload() else 0


def shape_of(model: Any, header: GGUFHeader) -> ModelShape:
    """What a plan needs to know of a loaded model."""
    n_head = max(1, lib.llama_model_n_head(model))
    usual = lib.llama_model_n_embd(model) // n_head
    attention = f"{header.text('general.architecture')}.attention"
    # Numbers of a key and of a value, of each head. Some models have larger ones than their width would give.
    sizes = (header.number(f"{attention}.key_length") or usual, header.number(f"{attention}.value_length") or usual)
    return ModelShape(
        n_ctx_train=lib.llama_model_n_ctx_train(model),
        n_head=n_head,
        kv_numbers=lib.llama_model_n_layer(model) * lib.llama_model_n_head_kv(model) * sum(sizes),
        model_bytes=lib.llama_model_size(model),
        recurrent=bool(lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)),
    )


def device(options: EngineOptions, n_threads: int) -> str:
    """Where the model is computed, for people: ``CPU, 4 threads``, or the GPU's name."""
    cpu = plural("CPU, {count} thread", "CPU, {count} threads", n_threads)
    if not n_gpu_layers(options):
        return cpu
    return ", ".join(_gpus()) or cpu


def _gpus() -> Iterator[str]:
    """The names of the GPUs that llama.cpp found. The bindings do not bind these functions; their library has them."""
    library = lib._lib
    try:
        count, get, kind, describe = (
            getattr(library, f"ggml_backend_dev_{name}") for name in ("count", "get", "type", "description")
        )
    except AttributeError:  # a system whose linker does not look into the libraries that a library uses
        yield "GPU"
        return
    count.restype, get.restype, describe.restype = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p
    get.argtypes, kind.argtypes, describe.argtypes = [ctypes.c_size_t], [ctypes.c_void_p], [ctypes.c_void_p]
    for index in range(count()):
        handle = get(index)
        if kind(handle) in _GPU_KINDS:
            yield describe(handle).decode(errors="replace")
