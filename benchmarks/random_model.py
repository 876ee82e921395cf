"""Build a randomly initialised LLaMA for speed measurements: the shape of a real model, none of its knowledge.

::

    python -m benchmarks.random_model FOLDER [--shape 1.1b] [--type Q4_K_M] [--tokenizer FILE] [--keep-checkpoint]

Speed depends on shapes and number formats, not on what the numbers say, so a random model stands in for a real one
that would have to be downloaded. The checkpoint is written one tensor at a time (2.2 GB in bfloat16 for 1.1 billion
parameters), converted by ``bayling convert`` and removed again.

The model never ends its answer by itself: the output row of every special token is zero, so their logits are 0 while
the largest of 32,000 random ones is about four standard deviations above that.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import math
import shutil
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import sentencepiece

from bayling_convert.pipeline import convert
from benchmarks.sentences import sentences

_N_SPECIAL = 3  # unknown, BOS, EOS
_PIECE_ROWS = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a LLaMA, in the names of its ``config.json``."""

    num_hidden_layers: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int = 32_000
    max_position_embeddings: int = 4096
    tie_word_embeddings: bool = False
    rope_theta: float = 10_000.0
    rope_scaling: Mapping[str, float | str] | None = None

    @property
    def head_dim(self) -> int:
        """Numbers per attention head."""
        return self.hidden_size // self.num_attention_heads

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Names and shapes (rows, columns), as a LLaMA checkpoint has them."""
        wide, inner = self.hidden_size, self.intermediate_size
        n_kv = self.num_key_value_heads * self.head_dim
        yield "model.embed_tokens.weight", (self.vocab_size, wide)
        for layer in range(self.num_hidden_layers):
            for name, shape in {
                "input_layernorm": (wide,),
                "self_attn.q_proj": (wide, wide),
                "self_attn.k_proj": (n_kv, wide),
                "self_attn.v_proj": (n_kv, wide),
                "self_attn.o_proj": (wide, wide),
                "post_attention_layernorm": (wide,),
                "mlp.gate_proj": (inner, wide),
                "mlp.up_proj": (inner, wide),
                "mlp.down_proj": (wide, inner),
            }.items():
                yield f"model.layers.{layer}.{name}.weight", shape
        yield "model.norm.weight", (wide,)
        if not self.tie_word_embeddings:
            yield "lm_head.weight", (self.vocab_size, wide)


SHAPES = {
    # TinyLlama 1.1B, https://github.com/jzhang38/TinyLlama
    "1.1b": Shape(22, 2048, 5632, 32, 4),
    # Llama 3 8B
    "8b": Shape(32, 4096, 14336, 32, 8, vocab_size=128_256, max_position_embeddings=8192),
    # Small enough to try a benchmark out.
    "20m": Shape(4, 256, 768, 8, 4),
}


def build(folder: Path, shape: Shape, name: str, file_type: str, tokenizer: Path | None, *, keep: bool = False) -> Path:
    """Write the checkpoint, convert it, and return the GGUF file. Both stand in ``folder``."""
    checkpoint = folder / f"{name}-checkpoint"
    write_checkpoint(checkpoint, shape, tokenizer)
    output = folder / f"{name}.{file_type}.gguf"
    convert(checkpoint, output, file_type, template="bayling", overwrite=True)
    if not keep:
        shutil.rmtree(checkpoint)
    return output


def write_checkpoint(folder: Path, shape: Shape, tokenizer: Path | None = None, *, n_shards: int = 1) -> None:
    """A folder as ``save_pretrained`` leaves it, with its weights in one file or in several."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_config(shape), indent=2))
    (folder / "tokenizer.model").write_bytes(tokenizer.read_bytes() if tokenizer else small_tokenizer(shape.vocab_size))
    tensors = list(shape.tensors())
    if n_shards == 1:
        with (folder / "model.safetensors").open("wb") as file:
            write_random_tensors(file, tensors)
        return
    size = -(-len(tensors) // n_shards)
    weight_map: dict[str, str] = {}
    for number in range(n_shards):
        name, part = f"model-{number + 1:05}-of-{n_shards:05}.safetensors", tensors[number * size : (number + 1) * size]
        weight_map |= {tensor: name for tensor, _ in part}
        with (folder / name).open("wb") as file:
            write_random_tensors(file, part, seed=number + 1)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def _config(shape: Shape) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "torch_dtype": "bfloat16",
        "bos_token_id": 1,
        "eos_token_id": 2,
        **dataclasses.asdict(shape),
    }


def write_random_tensors(file: BinaryIO, tensors: Sequence[tuple[str, tuple[int, ...]]], seed: int = 1) -> None:
    """A safetensors file in bfloat16, a piece of rows at a time.

    Matrices are normal with variance 1/columns, which keeps the residual stream's size about the same through the
    layers, so that attention and not the last token alone decides what comes next.

    https://huggingface.co/docs/safetensors/index#format
    """
    offset, header = 0, {}
    for name, size in tensors:
        end = offset + 2 * math.prod(size)
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    file.write(struct.pack("<Q", len(encoded)) + encoded)
    generator = np.random.default_rng(seed)
    for name, size in tensors:
        if len(size) == 1:
            file.write(_bfloat16(np.ones(size, np.float32)))
            continue
        n_rows, n_columns = size
        for begin in range(0, n_rows, _PIECE_ROWS):
            rows = generator.standard_normal((min(_PIECE_ROWS, n_rows - begin), n_columns), np.float32)
            rows /= math.sqrt(n_columns)
            if name == "lm_head.weight" and begin == 0:
                rows[:_N_SPECIAL] = 0
            file.write(_bfloat16(rows))


def _bfloat16(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    """The upper half of each number's bits."""
    return (values.view(np.uint32) >> 16).astype("<u2").tobytes()


def small_tokenizer(vocab_size: int) -> bytes:
    """A SentencePiece BPE model: trained on the benchmark's own sentences, filled up with pieces no text becomes.

    The filling has no merges that lead to it, so only the random model writes such pieces.
    """
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(2000)),
        model_writer=model,
        model_type="bpe",
        vocab_size=1000,
        hard_vocab_limit=False,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        minloglevel=2,
    )
    trained = model.getvalue()
    n_trained = sentencepiece.SentencePieceProcessor(model_proto=trained).get_piece_size()
    # A message of protocol buffers grows by appending: what is appended to a repeated field is added to it.
    return trained + b"".join(_piece(f"\u2581word{number}", -float(number)) for number in range(n_trained, vocab_size))


def _piece(text: str, score: float) -> bytes:
    """A ``SentencePiece`` of a ``ModelProto``, both in ``sentencepiece_model.proto``: field 1 of either, score in 2."""
    data = text.encode()
    body = b"\x0a" + bytes([len(data)]) + data + b"\x15" + struct.pack("<f", score)
    return b"\x0a" + bytes([len(body)]) + body


def main() -> None:
    """Build a model and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the model is written")
    parser.add_argument("--shape", choices=SHAPES, default="1.1b")
    parser.add_argument("--type", default="Q4_K_M", help="F32, F16, BF16, Q8_0 or Q4_K_M")
    parser.add_argument("--tokenizer", type=Path, help="a SentencePiece file of the same size; else one is made")
    parser.add_argument("--keep-checkpoint", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    name = f"llama-{options.shape}"
    shape = SHAPES[options.shape]
    path = build(options.folder, shape, name, options.type, options.tokenizer, keep=options.keep_checkpoint)
    print(path)
    print(f"{path.stat().st_size / 1e6:,.0f} MB in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
