"""What lies where in a file of ``torch.save``: ``pytorch_model*.bin`` and ``adapter_model.bin``, read without torch.

Since PyTorch 1.6 such a file is a zip archive (https://pytorch.org/docs/stable/notes/serialization.html): a pickle
``NAME/data.pkl`` that describes the tensors, and, not compressed, the bytes of each storage as ``NAME/data/KEY``.
Several tensors may be views of one storage. Only the archive's directory, the pickle and the storages' headers are
read, and the pickle as data: see :mod:`bayling_convert.reading.pickled`.
"""

from __future__ import annotations

import itertools
import math
import operator
import re
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.reading.pickled import LARGEST, Call, Name, Reference, UnsafePickle, read_pickle
from bayling_convert.reading.stored import BITS, StoredTensor
from bayling_convert.reading.torch_archive import Archive, DamagedArchive, Extent
from bayling_lite.errors import CheckpointError

# The names that torch gives its number types: of a storage's class, and of the type itself.
_OF_STORAGE = {"Float": "F32", "Half": "F16", "BFloat16": "BF16", "Double": "F64", "Long": "I64", "Bool": "BOOL"}
_OF_NUMBER = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}

_STORAGE = re.compile(r"torch\.(?:storage\.)?_?(\w+?)Storage")
_NUMBER = re.compile(r"torch\.((?:u?int|b?float|complex|bool|q)\w*)")
# Functions that make a tensor of a storage, and those that wrap one that is made.
_REBUILD = "torch._utils._rebuild_tensor"
_PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
_SUBCLASS = "torch._tensor._rebuild_from_type_v2"
_CLASSES = ("torch.Tensor", "torch.nn.parameter.Parameter")
_FUNCTIONS = frozenset({_REBUILD, f"{_REBUILD}_v2", f"{_REBUILD}_v3", *_PARAMETERS, _SUBCLASS, *_CLASSES})

_WRAPPERS = ("state_dict", "model", "module")
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""What files began with before PyTorch 1.6: a pickle of a number chosen for that."""


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor as the pickle describes it: in which entry, and where. All counts are of numbers, none of bytes."""

    dtype: str
    entry: str
    n_stored: int
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_header(files: CheckpointFiles, name: str) -> dict[str, StoredTensor]:
    """The tensors of one file, which holds a dictionary of them, or one under ``state_dict``, ``model`` or ``module``.

    Tables of rotary embeddings that older models stored are left out when their number type cannot be read: they follow
    from the configuration.

    Raises:
        CheckpointError: missing, truncated or damaged; in a format before PyTorch 1.6; it asks for code to be run; a
            tensor of another number type than F32, F16 and BF16, or not stored row by row.
    """
    path = files.path(name)
    if name not in files.sizes:
        raise CheckpointError(f"{path} is missing. Fetch or save the checkpoint again.")
    try:
        with files.open(name) as file:
            _check_start(path, file)
            archive = Archive(file)
            views = _views(path, _state_dict(path, archive))
            extents = archive.locate({view.entry for view in views.values()})
            return {tensor: _stored(path, tensor, view, name, extents[view.entry]) for tensor, view in views.items()}
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    except DamagedArchive as error:
        raise CheckpointError(f"{path} is damaged: it {error}. Fetch or save it again.") from error


def is_rotary_table(name: str) -> bool:
    """Whether a tensor follows from the configuration, so that it may be missing."""
    return name.endswith("rotary_emb.inv_freq")


def _check_start(path: str, file: BinaryIO) -> None:
    start = file.read(512)
    if start.startswith(b"PK\x03\x04"):
        return
    if start.startswith(_LEGACY) or start[257:262] == b"ustar":
        raise CheckpointError(
            f"{path} is in a format of PyTorch before 1.6, which cannot be read without running what is in it. If you "
            "trust it, save it again where PyTorch is: torch.save(torch.load(path, weights_only=True), path)."
        )
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{path} is a Git LFS pointer, not the weights. Run 'git lfs pull' in its folder.")
    raise CheckpointError(f"{path} is not a file of PyTorch, or is damaged. Fetch or save it again.")


def _state_dict(path: str, archive: Archive) -> dict[str, object]:
    """The dictionary of what are to be tensors."""
    if "constants.pkl" in archive.names:
        raise CheckpointError(f"{path} holds a TorchScript program, not a dictionary of weights.")
    if "byteorder" in archive.names and archive.read("byteorder", 16) != b"little":
        raise CheckpointError(
            f"{path} was written on a machine of the other byte order. Save it again on one of this order."
        )
    try:
        content = read_pickle(archive.read("data.pkl", LARGEST), _is_expected)
    except UnsafePickle as error:
        raise CheckpointError(
            f"{path} asks for code to be run: {str(error)[:100]!r}. Weights need none, so nothing of it was run. "
            "Take the checkpoint's safetensors files, or fetch it from somebody you trust."
        ) from None
    except ValueError as error:
        raise CheckpointError(
            f"{path} has a damaged list of tensors: {str(error)[:200]}. Fetch or save it again."
        ) from error
    if isinstance(content, dict):
        inner = [content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)]
        content = inner[0] if len(inner) == 1 else content
    if not isinstance(content, dict) or not all(isinstance(key, str) and key.isprintable() for key in content):
        raise CheckpointError(f"{path} does not hold tensors by their names. Save the model's state_dict.")
    return content


def _is_expected(name: str) -> bool:
    return name in _FUNCTIONS or bool(_STORAGE.fullmatch(name) or _NUMBER.fullmatch(name))


def _views(path: str, content: dict[str, object]) -> dict[str, _View]:
    """The tensors that can be read."""
    views = {}
    for name, value in content.items():
        try:
            view = _view(value)
        except (ValueError, TypeError, IndexError):
            raise CheckpointError(
                f"{path}: what is called {name[:100]!r} there is not a tensor. Save the model's state_dict alone."
            ) from None
        if view.dtype in BITS:
            views[name] = view
        elif not is_rotary_table(name):
            raise CheckpointError(
                f"{path}: tensor {name[:100]!r} is of type {view.dtype}; only F32, F16 and BF16 can be converted. "
                "Save the checkpoint in one of these first."
            )
    return views


def _view(value: object) -> _View:
    """What a call that makes a tensor says. Raises ValueError, TypeError or IndexError where it says nothing."""
    call = _unwrapped(value)
    version = call.function.full.removeprefix(_REBUILD)
    reference, start, shape, strides, *others = call.arguments
    if version not in ("", "_v2", "_v3") or not isinstance(reference, Reference):
        raise ValueError
    if not isinstance(reference.key, tuple):
        raise TypeError
    kind, storage, key, _, n_stored, *_ = reference.key
    if kind != "storage" or not isinstance(key, str) or not isinstance(storage, Name):
        raise ValueError
    matched = _STORAGE.fullmatch(storage.full)
    if matched is None:
        raise ValueError
    # Of a storage without a type, bytes are counted, and the call says the type.
    if matched[1] == "Untyped":
        dtype = _number_type(others[2]) if version == "_v3" and len(others) > 2 else ""
        n_stored = _count(n_stored) // np.dtype(BITS.get(dtype, np.uint8)).itemsize
    else:
        dtype = _OF_STORAGE.get(matched[1], matched[1])
    return _View(dtype, f"data/{key}", _count(n_stored), _count(start), _counts(shape), _counts(strides))


def _unwrapped(value: object) -> Call:
    """The innermost call: parameters and tensors with attributes are made of plain tensors."""
    while isinstance(value, Call) and value.function.full in (*_PARAMETERS, _SUBCLASS):
        if value.function.full in _PARAMETERS:
            value = value.arguments[0]
        else:
            function, _, arguments, *_ = value.arguments
            value = Call(function, arguments)  # type: ignore[arg-type]  # looked at below
    if not isinstance(value, Call) or not isinstance(value.function, Name) or not isinstance(value.arguments, tuple):
        raise TypeError
    return value


def _number_type(value: object) -> str:
    matched = _NUMBER.fullmatch(value.full) if isinstance(value, Name) else None
    if matched is None:
        raise ValueError
    return _OF_NUMBER.get(matched[1], matched[1])


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError
    return value


def _counts(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or len(values) > 8:
        raise ValueError
    return tuple(map(_count, values))


def _stored(path: str, name: str, view: _View, file: str, extent: Extent) -> StoredTensor:
    """The tensor's place in the file, which must be in its storage, and hold it row by row."""
    # In row-major order, a step along a dimension passes all numbers of those behind it; along one of length 1, none.
    passed = [*itertools.accumulate(view.shape[:0:-1], operator.mul, initial=1)][::-1] if view.shape else []
    if any(n > 1 and stride != step for n, stride, step in zip(view.shape, view.strides, passed, strict=False)):
        raise CheckpointError(
            f"{path}: tensor {name[:100]!r} is not stored row by row. Save it again after tensor.contiguous()."
        )
    item, n_needed = np.dtype(BITS[view.dtype]).itemsize, view.start + math.prod(view.shape)
    if len(view.strides) != len(view.shape) or view.n_stored * item != extent.size or n_needed > view.n_stored:
        raise CheckpointError(
            f"{path} is damaged: tensor {name[:100]!r} of shape {list(view.shape)} does not lie in its {extent.size:,} "
            "bytes. Fetch or save it again."
        )
    return StoredTensor(name, view.dtype, view.shape, file, extent.offset + view.start * item)
