"""ggml's own quantizer, called through ctypes in the library that comes with llama-cpp-python.

The same code that llama.cpp's quantization runs, so the same bytes come out. No model is opened and no backend started.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from bayling_lite.errors import ModelError

_NAMES = ("libggml-base.so", "libggml-base.dylib", "ggml-base.dll", "libggml-base.dll")
_REMEDY = "Install it again: pip install --force-reinstall llama-cpp-python."


def row_bytes(kind: GGMLQuantizationType, n_columns: int) -> int:
    """Bytes of one row of ``n_columns`` elements, which must be a multiple of the type's block."""
    block, size = GGML_QUANT_SIZES[kind]
    return n_columns // int(block) * int(size)


def block_size(kind: GGMLQuantizationType) -> int:
    """Elements in one block of the type."""
    return int(GGML_QUANT_SIZES[kind][0])


def quantize_rows(
    rows: npt.NDArray[np.float32], kind: GGMLQuantizationType, importance: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.uint8] | None:
    """Turn float32 rows of shape (n, columns) into bytes of shape (n * row_bytes,). Releases the GIL while it works.

    Args:
        rows: the numbers.
        kind: the type to store them in.
        importance: how much an error in each column costs, shape (columns,): the mean square of what the column is
            multiplied with. None weighs them by ggml's own guess.

    Returns:
        None when a value cannot be expressed in the type (infinite, not a number, too large).

    Raises:
        ModelError: ggml's library is missing or too old.
        ValueError: the importance is of another length.
    """
    n_rows, n_columns = rows.shape
    source = np.ascontiguousarray(rows, dtype=np.float32)
    target = np.empty(n_rows * row_bytes(kind, n_columns), dtype=np.uint8)
    weights = None if importance is None else np.ascontiguousarray(importance, dtype=np.float32)
    if weights is not None and weights.shape != (n_columns,):
        raise ValueError(f"an importance of shape {weights.shape} for rows of {n_columns} columns")
    library = ggml_library()
    written = library.ggml_quantize_chunk(
        int(kind),
        source.ctypes.data,
        target.ctypes.data,
        0,
        n_rows,
        n_columns,
        None if weights is None else weights.ctypes.data,
    )
    if written != target.nbytes:
        raise ModelError(f"ggml wrote {written} bytes of {kind.name} where {target.nbytes} were due. {_REMEDY}")
    return target if library.ggml_validate_row_data(int(kind), target.ctypes.data, target.nbytes) else None


def available_cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def ggml_library() -> ctypes.CDLL:
    """The basic library of ggml, with the signatures of its quantizer declared.

    Raises:
        ModelError: it is missing or too old.
    """
    path = _library_path()
    try:
        library = ctypes.CDLL(str(path))
        quantize, validate = library.ggml_quantize_chunk, library.ggml_validate_row_data
    except (OSError, AttributeError) as error:
        raise ModelError(f"ggml's library {path} cannot be used ({error}). {_REMEDY}") from error
    quantize.argtypes = [
        ctypes.c_int,  # type
        ctypes.c_void_p,  # source, float32
        ctypes.c_void_p,  # target
        ctypes.c_int64,  # start
        ctypes.c_int64,  # rows
        ctypes.c_int64,  # elements in a row
        ctypes.c_void_p,  # importance of the columns, float32, or null
    ]
    quantize.restype = ctypes.c_size_t
    validate.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    validate.restype = ctypes.c_bool
    return library


def _library_path() -> Path:
    """Where llama-cpp-python keeps ggml; ``LLAMA_CPP_LIB_PATH`` moves it, as it does for llama-cpp-python itself."""
    override = os.environ.get("LLAMA_CPP_LIB_PATH")
    if override:
        folders = [Path(override)]
    else:
        spec = importlib.util.find_spec("llama_cpp")
        folders = [Path(place) / "lib" for place in (spec.submodule_search_locations or ())] if spec else []
    for folder in folders:
        for name in _NAMES:
            if (folder / name).is_file():
                return folder / name
    where = f" in {folders[0]}" if folders else "; llama-cpp-python is not installed"
    raise ModelError(f"ggml's library (libggml-base) is not there{where}. {_REMEDY}")
