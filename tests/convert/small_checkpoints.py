"""Small checkpoints made on the spot: a corpus, a tokenizer trained on it, models with random or trained weights."""

from __future__ import annotations

import functools
import io
import itertools
from typing import Any

import sentencepiece
import torch
from safetensors.torch import save

_WORDS = {
    "en": (("The teacher", "My sister", "A friend", "The old man"), ("reads", "writes", "sees", "wants to buy")),
    "de": (("Der Lehrer", "Meine Schwester", "Ein Freund", "Der alte Mann"), ("liest", "schreibt", "sieht", "möchte")),
    "zh": (("老师", "我的姐姐", "一个朋友", "那位老人"), ("在读", "写了", "看见", "想买")),
}
_OBJECTS = {
    "en": ("a book", "the letter", "two tickets", "the house by the river", "some bread", "a song about winter"),
    "de": ("ein Buch", "den Brief", "zwei Karten", "das Haus am Fluss", "etwas Brot", "ein Lied über den Winter"),
    "zh": ("一本书", "这封信", "两张票", "河边的房子", "一些面包", "一首关于冬天的歌"),
}
_ENDS = {"en": " {}.", "de": " {}.", "zh": "{}。"}


@functools.cache
def corpus() -> tuple[str, ...]:
    """A few hundred sentences in three languages."""
    lines: list[str] = []
    for language, (subjects, verbs) in _WORDS.items():
        gap = "" if language == "zh" else " "
        for subject, verb, thing in itertools.product(subjects, verbs, _OBJECTS[language]):
            lines.append(subject + gap + verb + gap + thing + _ENDS[language].format(len(lines) % 97))
    return tuple(lines)


@functools.cache
def train_tokenizer(*, prefix: bool = False) -> bytes:
    """A SentencePiece BPE model, as training makes them; with ``prefix``, as LLaMA 2's does."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()),
        model_writer=model,
        model_type="bpe",
        vocab_size=600,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=prefix,
        remove_extra_whitespaces=False,
        split_digits=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        minloglevel=2,
    )
    return model.getvalue()


CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 600,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
    "tie_word_embeddings": False,
    "dtype": "float32",
}


def random_tensors(config: dict[str, Any], dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Weights of the right shapes, under their names in a LLaMA checkpoint."""
    return {name: tensor.to(dtype, copy=True) for name, tensor in _random(tuple(_shapes(config).items())).items()}


def random_weights(config: dict[str, Any], dtype: torch.dtype = torch.float32) -> bytes:
    """The same as a file."""
    return _saved(tuple(_shapes(config).items()), dtype)


@functools.cache
def _saved(shapes: tuple[tuple[str, tuple[int, ...]], ...], dtype: torch.dtype) -> bytes:
    weights: bytes = save({name: tensor.to(dtype) for name, tensor in _random(shapes).items()})
    return weights


@functools.cache
def _random(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes}


def _shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    wide, inner, n_heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head_dim = config.get("head_dim") or wide // n_heads
    n_kv = config["num_key_value_heads"] * head_dim
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], wide),
        "model.norm.weight": (wide,),
    }
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (config["vocab_size"], wide)
    for layer in range(config["num_hidden_layers"]):
        shapes |= {
            f"model.layers.{layer}.{name}.weight": shape
            for name, shape in {
                "input_layernorm": (wide,),
                "post_attention_layernorm": (wide,),
                "self_attn.q_proj": (n_heads * head_dim, wide),
                "self_attn.k_proj": (n_kv, wide),
                "self_attn.v_proj": (n_kv, wide),
                "self_attn.o_proj": (wide, n_heads * head_dim),
                "mlp.gate_proj": (inner, wide),
                "mlp.up_proj": (inner, wide),
                "mlp.down_proj": (wide, inner),
            }.items()
        }
    return shapes
