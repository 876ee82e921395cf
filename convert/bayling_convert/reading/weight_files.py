"""The files of weights: one, or several that an index names."""

from __future__ import annotations

from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.reading.json_files import read_json
from bayling_convert.reading.safetensors_file import read_safetensors_header
from bayling_convert.reading.stored import StoredTensor
from bayling_convert.reading.torch_file import is_rotary_table, read_torch_header
from bayling_lite.errors import CheckpointError


def read_all_tensors(files: CheckpointFiles) -> dict[str, StoredTensor]:
    """All tensors of one file, or of the shards an index names; safetensors where there is a choice."""
    for single, index in (
        ("model.safetensors", "model.safetensors.index.json"),
        ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):
        if single in files.sizes:
            return read_tensors(files, single)
        if index in files.sizes:
            return _sharded(files, index)
    raise CheckpointError(
        f"{files.where} has no weights: no model.safetensors, no pytorch_model.bin, and no index of several such files."
    )


def read_tensors(files: CheckpointFiles, name: str) -> dict[str, StoredTensor]:
    """The tensors of one file of weights."""
    return (read_torch_header if name.endswith(".bin") else read_safetensors_header)(files, name)


def _sharded(files: CheckpointFiles, index_name: str) -> dict[str, StoredTensor]:
    path = files.path(index_name)
    weight_map = (read_json(files, index_name) or {}).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{path} has no weight_map. Fetch or save it again.")
    tensors: dict[str, StoredTensor] = {}
    for shard in sorted(set(map(str, weight_map.values()))):
        if not shard.endswith((".safetensors", ".bin")) or len(shard) > 255 or set(shard) & {"/", "\\", "\0"}:
            raise CheckpointError(f"{path} names {shard[:100]!r}, which is not a file of weights in this folder.")
        found = read_tensors(files, shard)
        if twice := tensors.keys() & found.keys():
            raise CheckpointError(f"{path}: the tensor {min(twice)} is in two files. Fetch or save it again.")
        tensors |= found
    lost = sorted(
        name
        for name, shard in weight_map.items()
        if (tensors[name].file != shard if name in tensors else not is_rotary_table(name))
    )
    if lost:
        raise CheckpointError(
            f"{path} promises {lost[0]} and {len(lost) - 1} other tensors that are not where it says."
        )
    return tensors
