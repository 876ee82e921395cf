"""A LoRA adapter as a GGUF file of its own, which llama.cpp lays over the base model's file when it runs.

Format: llama.cpp's ``llama-adapter.cpp``. The scale it applies is alpha / rank, the same for all matrices; where an
adapter's own differs, the second matrix takes up the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

from gguf import GGMLQuantizationType, GGUFWriter, Keys

from bayling_convert.layout import lay_out
from bayling_convert.output import check_place, whole_file
from bayling_convert.pipeline import Place, files_of
from bayling_convert.reading.checkpoint import Checkpoint, open_checkpoint
from bayling_convert.weights.lora import Adapter, Pair, check_fits, open_adapter
from bayling_convert.weights.quantize import FileType
from bayling_convert.weights.sources import Scaled
from bayling_convert.weights.tensor_map import (
    EMBEDDING,
    OUTPUT,
    MappedTensor,
    expected_tensors,
    llama_cpp_order,
    row_order,
)
from bayling_convert.work import Progress, silent, write_tensors
from bayling_lite.errors import CheckpointError, UsageError


def convert_adapter(
    adapter: Place,
    base: Place,
    output: str | os.PathLike[str],
    file_type: FileType | str = FileType.F16,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a LoRA adapter as one GGUF file.

    Args:
        adapter: a folder (or other files) as peft saves it.
        base: the checkpoint it was trained on; only its configuration and the headers of its weights are read.
        output: the file to write; it appears whole or not at all.
        file_type: F32, F16 or BF16.
        overwrite: replace the output if it exists.
        progress: told before anything is read and after every piece of work.

    Raises:
        CheckpointError: the adapter cannot be used, or belongs to another model.
        OutputError: the file exists, or cannot be written.
        UsageError: another type.
    """
    path = Path(output)
    chosen = file_type if isinstance(file_type, FileType) else FileType.of(file_type)
    if not chosen.is_exact:
        raise UsageError(f"An adapter is written as F32, F16 or BF16, not as {chosen}: llama.cpp adds it unquantized.")
    check_place(path, overwrite=overwrite)
    opened, checkpoint = open_adapter(files_of(adapter)), open_checkpoint(files_of(base))
    check_fits(opened, checkpoint)
    writer = GGUFWriter(path=None, arch="llama")
    _add_metadata(writer, opened, checkpoint, chosen)
    kind = GGMLQuantizationType[chosen.value]
    layout = lay_out(writer, [(tensor, kind) for tensor in _tensors(opened, checkpoint)])
    with whole_file(path, n_bytes=layout.n_bytes, overwrite=overwrite) as part:
        part.write(0, layout.header)
        write_tensors(part, layout, None, progress or silent)
    return path


def _add_metadata(writer: GGUFWriter, adapter: Adapter, base: Checkpoint, file_type: FileType) -> None:
    writer.add_type("adapter")
    writer.add_string(Keys.Adapter.TYPE, "lora")
    writer.add_float32(Keys.Adapter.LORA_ALPHA, adapter.alpha)
    writer.add_name(adapter.files.name)
    writer.add_file_type(file_type.llama)
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, base.name)
    if adapter.files.source:
        writer.add_source_url(adapter.files.source)


def _tensors(adapter: Adapter, base: Checkpoint) -> list[MappedTensor]:
    """The two matrices of every pair, the second in the order of rows that its matrix has in a GGUF."""
    expected = dict(expected_tensors(base.hyper))
    # The one matrix that a tied model has for both cannot be changed for one of them.
    fixed = {EMBEDDING, OUTPUT} if base.hyper.tied else set()
    mapped = []
    for target, pair in adapter.pairs.items():
        if target not in expected or target in fixed:
            raise CheckpointError(
                f"The adapter {adapter.files.where} changes {target}, which llama.cpp cannot change when it runs. "
                "Merge it into its base instead: leave --adapter out."
            )
        name, shape = expected[target]
        if pair.shape != shape:
            raise CheckpointError(
                f"{base.files.where}: tensor {target} has the shape {list(pair.shape)}, "
                f"config.json asks for {list(shape)}."
            )
        mapped += [
            MappedTensor(f"{name}.lora_a", Scaled(pair.a, transposed=pair.embedding)),
            MappedTensor(f"{name}.lora_b", Scaled(pair.b, _factor(adapter, pair)), row_order(name, base.hyper)),
        ]
    return sorted(mapped, key=llama_cpp_order)


def _factor(adapter: Adapter, pair: Pair) -> float:
    """What the second matrix is multiplied by so that llama.cpp's scale comes out as the adapter's."""
    if not adapter.alpha:
        raise CheckpointError(f"The adapter {adapter.files.where} has lora_alpha 0: it changes nothing.")
    return pair.scale * pair.rank / adapter.alpha
