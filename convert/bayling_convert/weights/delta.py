"""Weights that are published as a difference to those they were trained from: target = base + delta.

BayLing v1.0 is published this way, in fp16. The sum is made as torch makes it: in float32, rounded to the delta's type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayling_convert.reading.checkpoint import Checkpoint
from bayling_convert.reading.shards import Index, Located, Shards
from bayling_convert.reading.stored import BITS, StoredTensor, widened
from bayling_convert.weights.sources import Plain, Source
from bayling_lite.errors import CheckpointError

_NORM = "model.norm.weight"
_LARGEST_DIFFERENCE = 0.05
"""Root mean square of a final norm's weights: about one or more in a LLaMA, some hundredths at most in a difference."""
_SAMPLE = 64 * 1024
"""Elements of each tensor that are looked at before any work is done."""
_ON_GRID = 0.25
"""More differences than this have nothing in their last places when they were taken between two fp16 numbers (0.4 to
1.0 of them for the sizes of weights and changes that occur); of other numbers one in sixteen."""
_OFF_BASE = 0.02
"""More differences than this do not come out again: with the right base none, with another model's weights about 0.3,
with those of a model trained from the right base 0.05 to 0.17."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A difference and what it is a difference to."""

    delta: Located
    base: Located
    recipe = ""

    @property
    def name(self) -> str:
        """The difference's name."""
        return self.delta.tensor.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Of both."""
        return self.delta.tensor.shape

    @property
    def parts(self) -> tuple[Located, ...]:
        """Both; work goes along the difference's files."""
        return (self.delta, self.base)

    def rows(self, shards: Shards, index: Index) -> npt.NDArray[np.float32]:
        """The rows of the sum, rounded to the difference's number type."""
        return added(shards.rows(self.delta, index), shards.rows(self.base, index), self.delta.tensor.dtype)


def added(delta: npt.NDArray[np.float32], base: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[np.float32]:
    """Base + delta in numbers of ``dtype``: both are brought to it, added in float32, and the sum is rounded to it."""
    return _rounded(_rounded(delta, dtype) + _rounded(base, dtype), dtype)


def _rounded(values: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[np.float32]:
    if dtype == "F16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "BF16":
        bits = np.ascontiguousarray(values).view(np.uint32)
        to_even = ((bits >> 16) & 1) + np.uint32(0x7FFF)
        rounded = ((bits + to_even) & np.uint32(0xFFFF0000)).view(np.float32)
        return np.where(np.isnan(values), values, rounded)
    return values


@np.errstate(over="ignore", invalid="ignore")
def looks_like_a_delta(checkpoint: Checkpoint) -> bool:
    """Whether the final norm's weights are those of a difference between two models rather than of a model."""
    stored = checkpoint.tensors.get(_NORM)
    if stored is None or not stored.shape:
        return False
    values = _sample(checkpoint, stored)
    return bool(np.sqrt(np.mean(values**2)) < _LARGEST_DIFFERENCE)


@dataclass(frozen=True, slots=True)
class Added:
    """The sources of a sum, by name, and whether the numbers tell that the base is the right one."""

    sources: Mapping[str, Source]
    certain: bool


def add_to_base(delta: Checkpoint, base: Checkpoint) -> Added:
    """Take a difference and its base together.

    Raises:
        CheckpointError: ``delta`` is no difference, or not one to this base: other names, shapes, tokenizer or numbers.
    """
    if not looks_like_a_delta(delta):
        raise CheckpointError(
            f"{delta.files.where} is not a difference to another model: its weights are a whole model's. "
            "Convert it without a base."
        )
    if looks_like_a_delta(base):
        raise CheckpointError(f"{base.files.where} is itself only a difference to another model; name the whole model.")
    _check_names_and_shapes(delta, base)
    _check_tokenizers(delta, base)
    certain = _check_numbers(delta, base)
    sources: dict[str, Source] = {
        name: Sum(Located(delta.files, tensor), Located(base.files, base.tensors[name]))
        if name in base.tensors
        else Plain(Located(delta.files, tensor))
        for name, tensor in delta.tensors.items()
    }
    return Added(sources, certain)


def _check_names_and_shapes(delta: Checkpoint, base: Checkpoint) -> None:
    needed = {name: tensor for name, tensor in delta.tensors.items() if "rotary_emb" not in name}
    missing = [name for name in needed if name not in base.tensors]
    if missing:
        raise CheckpointError(
            f"{base.files.where} is not the base of {delta.files.where}: it lacks {missing[0]}"
            f"{f' and {len(missing) - 1} other tensors' if len(missing) > 1 else ''}."
        )
    for name, tensor in needed.items():
        other = base.tensors[name].shape
        if tensor.shape != other:
            raise CheckpointError(
                f"{base.files.where} is not the base of {delta.files.where}: its {name} has the shape {list(other)}, "
                f"the difference {list(tensor.shape)}. Is it of another size, or was the vocabulary enlarged?"
            )
        if (tensor.dtype, base.tensors[name].dtype) == ("F16", "BF16"):
            raise CheckpointError(
                f"{base.files.where} is not quite the base of {delta.files.where}: stored as BF16, it has lost digits "
                "that the F16 difference counts on. Take the base as it was published, in F16."
            )


def _check_tokenizers(delta: Checkpoint, base: Checkpoint) -> None:
    """Both have the same SentencePiece model, where both bring one; a difference may bring none."""
    theirs, ours = base.files.read("tokenizer.model"), delta.files.read("tokenizer.model")
    if theirs is not None and ours is not None and theirs != ours:
        raise CheckpointError(
            f"{base.files.where} is not the base of {delta.files.where}: they have different tokenizers."
        )


@np.errstate(over="ignore", invalid="ignore")
def _check_numbers(delta: Checkpoint, base: Checkpoint) -> bool:
    """Recognise a wrong base of the right shape.

    A difference of two fp16 numbers is a multiple of their last place, so base + delta needs no rounding and the
    difference comes out again when the base is taken off. With another base the places do not match. Only where the
    numbers of the difference lie on such a grid at all does this say anything.

    Returns:
        Whether it said anything.
    """
    on_grid, off_base, count = 0, 0, 0
    for name, tensor in delta.tensors.items():
        if tensor.dtype != "F16" or len(tensor.shape) != 2 or name not in base.tensors:
            continue
        difference, origin = _sample(delta, tensor), _rounded(_sample(base, base.tensors[name]), "F16")
        nonzero = (difference != 0) & (origin != 0) & (np.abs(difference) < np.abs(origin))
        difference, origin = difference[nonzero], origin[nonzero]
        # The last four of the ten bits behind the point are zero: one number in sixteen by chance.
        on_grid += int(np.count_nonzero((difference.astype(np.float16).view(np.uint16) & 0xF) == 0))
        back = _rounded(added(difference, origin, "F16") - origin, "F16")
        off_base += int(np.count_nonzero(back != difference))
        count += difference.size
        if count > 32 * _SAMPLE:
            break
    certain = bool(count) and on_grid / count > _ON_GRID
    if certain and off_base / count > _OFF_BASE:
        raise CheckpointError(
            f"{base.files.where} is not the base of {delta.files.where}: the two have the same shapes, but "
            f"{off_base / count:.0%} of the differences cannot have been taken from these weights."
        )
    return certain


def _sample(checkpoint: Checkpoint, tensor: StoredTensor) -> npt.NDArray[np.float32]:
    """The first elements of a tensor."""
    size = np.dtype(BITS[tensor.dtype]).itemsize
    with checkpoint.files.open(tensor.file) as file:
        file.seek(tensor.offset)
        data = file.read(min(tensor.n_bytes, _SAMPLE * size))
    return widened(np.frombuffer(data, dtype=BITS[tensor.dtype]), tensor.dtype)


def as_they_are(checkpoint: Checkpoint) -> Mapping[str, Source]:
    """The sources of a whole checkpoint."""
    return {name: Plain(Located(checkpoint.files, tensor)) for name, tensor in checkpoint.tensors.items()}
