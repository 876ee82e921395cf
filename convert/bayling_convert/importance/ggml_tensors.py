"""ggml's tensors as they lie in memory, for looking into a running computation.

The library has no function that tells a tensor's sources, so ``struct ggml_tensor`` (ggml.h) is read directly. Before
the first look a few tensors are made and what stands in them is compared with what the library's own functions say: a
library in which the structure has changed is refused, not misread.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayling_convert.weights.ggml import ggml_library
from bayling_lite.errors import ModelError

F32 = 0
"""ggml's number of the type float32."""


class Tensor(ctypes.Structure):
    """``struct ggml_tensor``: ``ne`` elements in each dimension, ``nb`` bytes from one to the next; columns first."""


Tensor._fields_ = [
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * 4),
    ("nb", ctypes.c_size_t * 4),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_int32 * 16),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(Tensor) * 10),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * 64),
    ("extra", ctypes.c_void_p),
    ("padding", ctypes.c_char * 8),
]


class _InitParams(ctypes.Structure):
    """``struct ggml_init_params``."""

    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


@dataclass(frozen=True, slots=True)
class TensorReader:
    """Reads tensors of the one library it was made for; ``mul_mat`` is its number of the operation."""

    library: ctypes.CDLL
    mul_mat: int

    def operation(self, tensor: Tensor) -> str:
        """What computes the tensor: ``MUL_MAT``, ``ADD``, ..."""
        name: bytes = self.library.ggml_op_desc(ctypes.addressof(tensor))
        return name.decode()

    def rows(self, tensor: Tensor) -> npt.NDArray[np.float32]:
        """A float32 tensor's numbers, shape (rows, columns), fetched from wherever it lies; all but columns are flat.

        Raises:
            ModelError: it is not float32 with neighbouring columns.
        """
        n_bytes: int = self.library.ggml_nbytes(ctypes.addressof(tensor))
        if tensor.type != F32 or tensor.nb[0] != 4:
            name = tensor.name.decode(errors="replace")
            raise ModelError(f"llama.cpp computes {name} in a way that is not provided for here.")
        memory = np.empty(n_bytes // 4, dtype=np.float32)
        self.library.ggml_backend_tensor_get(ctypes.addressof(tensor), memory.ctypes.data, 0, n_bytes)
        shaped = np.lib.stride_tricks.as_strided(memory, tuple(tensor.ne)[::-1], tuple(tensor.nb)[::-1])
        return shaped.reshape(-1, tensor.ne[0])


@functools.cache
def tensor_reader() -> TensorReader:
    """A reader for the library that comes with llama-cpp-python.

    Raises:
        ModelError: the library is missing, or its tensors are laid out in another way than known here.
    """
    library = ggml_library()
    try:
        _declare(library)
        number = _probe(library)
    except AttributeError as error:
        raise _unknown_layout(str(error)) from error
    return TensorReader(library, number)


def _declare(library: ctypes.CDLL) -> None:
    """The signatures of the functions used here."""
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
    for name, result, arguments in (
        ("ggml_init", pointer, [_InitParams]),
        ("ggml_free", None, [pointer]),
        ("ggml_new_tensor_2d", pointer, [pointer, ctypes.c_int, number, number]),
        ("ggml_set_name", pointer, [pointer, ctypes.c_char_p]),
        ("ggml_mul_mat", pointer, [pointer, pointer, pointer]),
        ("ggml_transpose", pointer, [pointer, pointer]),
        ("ggml_get_name", ctypes.c_char_p, [pointer]),
        ("ggml_op_desc", ctypes.c_char_p, [pointer]),
        ("ggml_nbytes", size, [pointer]),
        ("ggml_nelements", number, [pointer]),
        ("ggml_tensor_overhead", size, []),
        ("ggml_backend_tensor_get", None, [pointer, pointer, size, size]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


def _probe(library: ctypes.CDLL) -> int:
    """The number of MUL_MAT, if tensors look as they should."""
    # Far more memory than the tensors need: looking at a wrong place still is looking at memory of ours.
    context = library.ggml_init(_InitParams(1 << 16, None, False))
    if not context:
        raise ModelError("ggml could not reserve 64 kB of memory.")
    try:
        weight = library.ggml_new_tensor_2d(context, F32, 3, 5)
        inputs = library.ggml_new_tensor_2d(context, F32, 3, 7)
        library.ggml_set_name(weight, b"blk.0.probe.weight")
        product = library.ggml_mul_mat(context, weight, inputs)
        turned = library.ggml_transpose(context, inputs)
        seen, leaf, view = (Tensor.from_address(address) for address in (product, weight, turned))
        expected = {
            "size": ctypes.sizeof(Tensor) < library.ggml_tensor_overhead() <= ctypes.sizeof(Tensor) + 64,
            "name": leaf.name == library.ggml_get_name(weight) == b"blk.0.probe.weight",
            "shape": (leaf.type, *leaf.ne, *leaf.nb) == (F32, 3, 5, 1, 1, 4, 12, 60, 60),
            "elements": library.ggml_nelements(weight) == 15 and library.ggml_nbytes(weight) == 60,
            "product": tuple(seen.ne) == (5, 7, 1, 1),
            "sources": [ctypes.addressof(seen.src[at].contents) for at in (0, 1) if seen.src[at]] == [weight, inputs],
            "no more sources": not seen.src[2] and not leaf.src[0],
            "view": view.view_src == inputs and tuple(view.nb)[:2] == (12, 4) and not leaf.view_src,
            "operation": library.ggml_op_desc(product) == b"MUL_MAT" and 0 == leaf.op < seen.op < 1000,
        }
        wrong = [name for name, right in expected.items() if not right]
        if wrong:
            raise _unknown_layout(", ".join(wrong))
        return int(seen.op)
    finally:
        library.ggml_free(context)


def _unknown_layout(what: str) -> ModelError:
    return ModelError(
        f"The installed llama-cpp-python keeps its tensors in a way not known here ({what}). Compute the importance "
        "matrix with llama.cpp's own llama-imatrix, or install the version this program was tested with."
    )
