"""llama.cpp's own quantization of a GGUF, to compare ours with, and random models to try both on."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, GGUFWriter

from bayling_convert import FileType
from bayling_convert.proof.scoring import llama_library
from bayling_convert.reading.configuration import HyperParameters

Importances = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A tensor of a random model."""

    name: str
    data: npt.NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape


def hyper_parameters(**changes: Any) -> HyperParameters:
    """The shape of a small LLaMA."""
    values: dict[str, Any] = {
        "n_layers": 2,
        "hidden_size": 256,
        "intermediate_size": 512,
        "n_heads": 4,
        "n_kv_heads": 2,
        "vocab_size": 300,
        "context_length": 64,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "tied": False,
        "attention_bias": False,
        "mlp_bias": False,
    } | changes
    return HyperParameters(**{"head_dim": values["hidden_size"] // values["n_heads"]} | values)


def random_matrices(hyper: HyperParameters, seed: int = 0) -> list[Matrix]:
    """Weights with a few large columns, as trained ones have, in llama.cpp's order."""
    wide, inner = hyper.hidden_size, hyper.intermediate_size
    n_q, n_kv = hyper.n_heads * hyper.head_dim, hyper.n_kv_heads * hyper.head_dim
    shapes: dict[str, tuple[int, ...]] = {} if hyper.tied else {"output.weight": (hyper.vocab_size, wide)}
    shapes |= {"output_norm.weight": (wide,), "token_embd.weight": (hyper.vocab_size, wide)}
    for layer in range(hyper.n_layers):
        parts = {
            "attn_k": (n_kv, wide),
            "attn_norm": (wide,),
            "attn_output": (wide, n_q),
            "attn_q": (n_q, wide),
            "attn_v": (n_kv, wide),
            "ffn_down": (wide, inner),
            "ffn_gate": (inner, wide),
            "ffn_norm": (wide,),
            "ffn_up": (inner, wide),
        }
        shapes |= {f"blk.{layer}.{part}.weight": shape for part, shape in parts.items()}
    chance = np.random.default_rng(seed)
    return [
        Matrix(name, (chance.standard_normal(shape) * chance.exponential(0.1, shape[-1])).astype(np.float32))
        for name, shape in shapes.items()
    ]


def random_importances(matrices: list[Matrix], seed: int = 1) -> dict[str, npt.NDArray[np.float32]]:
    """As an importance matrix has them: for the layers' matrices; a few columns matter most, some not at all."""
    chance = np.random.default_rng(seed)
    found = {}
    for matrix in matrices:
        if len(matrix.shape) == 2 and matrix.name.startswith("blk."):
            values = chance.exponential(1.0, matrix.shape[1]) ** 4
            values[chance.random(values.size) < 0.05] = 0.0
            found[matrix.name] = values.astype(np.float32)
    return found


def write_gguf(path: Path, hyper: HyperParameters, matrices: list[Matrix]) -> Path:
    """An F32 GGUF without a vocabulary: enough to be quantized."""
    writer = GGUFWriter(path, arch="llama")
    writer.add_block_count(hyper.n_layers)
    writer.add_context_length(hyper.context_length)
    writer.add_embedding_length(hyper.hidden_size)
    writer.add_feed_forward_length(hyper.intermediate_size)
    writer.add_head_count(hyper.n_heads)
    writer.add_head_count_kv(hyper.n_kv_heads)
    writer.add_layer_norm_rms_eps(hyper.rms_norm_eps)
    writer.add_vocab_size(hyper.vocab_size)
    for matrix in matrices:
        writer.add_tensor(matrix.name, matrix.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def quantize(source: Path, target: Path, file_type: FileType, importances: Importances | None = None) -> None:
    """llama.cpp's own quantization of a GGUF."""
    llama_library()  # quietly
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = int(file_type.llama)
    params.nthread = 2
    if importances is not None:
        entries = (llama_cpp.llama_model_imatrix_data * (len(importances) + 1))()
        for entry, (name, values) in zip(entries, importances.items(), strict=False):
            entry.name, entry.size = name.encode(), values.size
            entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        params.imatrix = entries
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params))
    assert status == 0


def tensors(path: Path) -> list[tuple[str, str, list[int], bytes]]:
    """Name, type, shape and bytes of every tensor, in the order of the file."""
    return [(t.name, t.tensor_type.name, t.shape.tolist(), t.data.tobytes()) for t in GGUFReader(path).tensors]
