"""Whether what a GGUF file says of its model can be.

llama.cpp ends the whole process, by an assertion or worse, when it meets some of the values that are looked for here;
others let it take memory without bound, or compute nonsense. Each rule names what it protects from. Rules about the
graph are for LLaMA's alone, which is what we convert; other architectures have their own.
"""

from __future__ import annotations

import math
import mmap

from bayling_lite.gguf_reader import (
    FLOAT32,
    INT32,
    STRING,
    Contents,
    DamagedGGUF,
    TensorInfo,
    UnusableGGUF,
    read_numbers,
    read_strings,
    until_zero,
)

# Limits that llama.cpp was built with.
_MOST_LAYERS, _MOST_EXPERTS = 512, 1024
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
_TOKENS, _SCORES, _TYPES = (f"tokenizer.ggml.{name}" for name in ("tokens", "scores", "token_type"))
# A padding or mask token outside is common, and harmless: nothing asks for it.
_SPECIAL = ("bos", "eos", "eot", "eom", "unknown")
_OF_LLAMA = ("llama", "gpt2", "hybriddna", "whitespace")
# Kinds of vocabulary that may have tokens for single bytes; for others, llama.cpp ends the process.
_WITH_BYTES, _BYTE = (*_OF_LLAMA, "t5"), 6
# Types that are only steps of a computation, or whole numbers: Q8_1, Q8_K, I8 to I64, and F64.
_NO_WEIGHTS = frozenset({9, 15, 24, 25, 26, 27, 28})
_F32 = 0


def check_rules(contents: Contents, data: mmap.mmap) -> None:
    """Hold a header against the rules. A file without a vocabulary of its own, such as an adapter, keeps them too.

    Raises:
        DamagedGGUF: it breaks one; the argument says which.
        UnusableGGUF: it is a model of a kind that does not chat.
    """
    architecture = contents.metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise DamagedGGUF("it does not say its architecture")
    _check_numbers(contents, architecture)
    _check_experts(contents, architecture)
    _check_vocabulary(contents, data)
    if contents.metadata.get(f"{architecture}.attention.causal") is False:
        raise UnusableGGUF("this model reads whole texts and does not continue one, so it cannot chat.")
    if architecture == "llama":
        _check_heads(contents)
        for name, tensor in contents.tensors.items():
            _check_weight(name, tensor)


def _number(contents: Contents, key: str) -> int | None:
    """A whole number, or None where there is none; llama.cpp says itself when one that it needs is missing."""
    value = contents.metadata.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _numbers(contents: Contents, key: str) -> list[int]:
    """A number that may be one for each layer, where llama.cpp takes truth values for numbers."""
    value = contents.metadata.get(key)
    return [int(item) for item in (value if isinstance(value, list) else [value]) if isinstance(item, int)]


def _check_numbers(contents: Contents, architecture: str) -> None:
    n_layers = _number(contents, f"{architecture}.block_count")
    if n_layers is not None and not 1 <= n_layers <= _MOST_LAYERS:
        raise DamagedGGUF(f"it claims to have {n_layers:,} layers")
    n_next = _number(contents, f"{architecture}.nextn_predict_layers")
    if n_layers is not None and n_next is not None and n_next > n_layers:
        raise DamagedGGUF(f"{n_next:,} of its {n_layers} layers predict further tokens")
    for key in ("context_length", "embedding_length"):
        if _number(contents, f"{architecture}.{key}") == 0:
            raise DamagedGGUF(f"its {key} is 0")
    for key in ("layer_norm_epsilon", "layer_norm_rms_epsilon", "group_norm_epsilon"):
        value = contents.metadata.get(f"{architecture}.attention.{key}")
        if isinstance(value, float) and not 0 <= value < math.inf:
            raise DamagedGGUF(f"its {key} is {value}")
    scaling = contents.metadata.get(f"{architecture}.rope.scaling.type")
    if isinstance(scaling, str) and scaling not in _ROPE_SCALINGS:
        raise DamagedGGUF(f"it scales positions by an unknown method ({scaling[:40]!r})")


def _check_experts(contents: Contents, architecture: str) -> None:
    """What llama.cpp asserts of mixtures of experts."""
    n_experts = _number(contents, f"{architecture}.expert_count") or 0
    n_used = max(_numbers(contents, f"{architecture}.expert_used_count"), default=0)
    n_groups = _number(contents, f"{architecture}.expert_group_count") or 0
    n_groups_used = _number(contents, f"{architecture}.expert_group_used_count") or 0
    possible = n_experts <= _MOST_EXPERTS and n_used <= n_experts and (n_used > 0) == (n_experts > 0)
    if n_groups > 1:
        possible = possible and n_experts % n_groups == 0 and 0 < n_groups_used < n_groups
    if not possible or (n_groups >= n_experts if n_experts else n_groups > 0):
        raise DamagedGGUF(f"it claims to use {n_used:,} of {n_experts:,} experts in {n_groups:,} groups")


def _check_vocabulary(contents: Contents, data: mmap.mmap) -> None:
    model = contents.metadata.get("tokenizer.ggml.model")
    if model in ("none", "no_vocab"):
        raise DamagedGGUF("it has no vocabulary")
    tokens = contents.arrays.get(_TOKENS)
    if tokens is None:
        return  # llama.cpp says so itself, if it is to run
    if tokens.item_kind != STRING or not tokens.count:
        raise DamagedGGUF("its vocabulary is empty, or not of texts")
    if model not in _OF_LLAMA and contents.metadata["general.architecture"] == "llama":
        raise DamagedGGUF(f"no LLaMA has a vocabulary of the kind {str(model)[:40]!r}")
    for key, kinds in ((_SCORES, (FLOAT32, INT32)), (_TYPES, (INT32,))):
        array = contents.arrays.get(key)
        if key in contents.kinds and (array is None or array.item_kind not in kinds or array.count < tokens.count):
            raise DamagedGGUF(f"{key} is not a list of one number for each of the {tokens.count:,} tokens")
    for name in _SPECIAL:
        number = _number(contents, f"tokenizer.ggml.{name}_token_id")
        if number is not None and not 0 <= number < tokens.count:
            raise DamagedGGUF(f"the {name} token has the number {number:,}, but there are {tokens.count:,} tokens")
    types = contents.arrays.get(_TYPES)
    if types and model not in _WITH_BYTES and _BYTE in read_numbers(data, types):
        raise DamagedGGUF(f"a vocabulary of the kind {model!r} has no tokens for single bytes")
    texts = _as_called(read_strings(data, tokens))
    if len(texts) != tokens.count:
        raise DamagedGGUF("two tokens of its vocabulary are the same")
    # A character without a token of its own is written in those of its bytes. Where one is missing, the process ends.
    if model == "llama" and not all(b"<0x%02X>" % byte in texts or bytes([byte]) in texts for byte in range(256)):
        raise DamagedGGUF("its vocabulary has no tokens for single bytes, so there are texts that it cannot be given")


def _as_called(tokens: list[bytes]) -> set[bytes]:
    """The tokens as llama.cpp calls them: up to a zero byte, and an empty one by its number."""
    texts = set(tokens)
    if b"" in texts or any(b"\0" in token for token in tokens):
        return {until_zero(token) or b"[EMPTY_%d]" % number for number, token in enumerate(tokens)}
    return texts


def _check_heads(contents: Contents) -> None:
    """What the graph of attention asserts of the numbers of heads, and of the size of one."""
    heads = _numbers(contents, "llama.attention.head_count")
    heads_kv = _numbers(contents, "llama.attention.head_count_kv") or heads
    width = _number(contents, "llama.embedding_length")
    if not heads or width is None:
        return  # llama.cpp says so itself
    if len(heads) != len(heads_kv):  # one number stands for all layers
        heads, heads_kv = heads * len(heads_kv), heads_kv * len(heads)
    pairs = zip(heads, heads_kv, strict=False)
    if any(not 0 < n_kv <= n_head <= width or n_head % n_kv for n_head, n_kv in pairs):
        raise DamagedGGUF(f"its {max(heads):,} heads of attention cannot share {max(heads_kv):,}")
    for key in ("key_length", "value_length"):
        size = _number(contents, f"llama.attention.{key}")
        size = width // heads[0] if size is None else size
        if not 0 < size <= width * 64 or (size % 2 and key == "key_length"):
            raise DamagedGGUF(f"a head of attention has the size {size:,}")


def _check_weight(name: str, tensor: TensorInfo) -> None:
    """What llama.cpp can compute with: vectors, which are added or multiplied number by number, only in F32."""
    vector = len(tensor.shape) == 1 or math.prod(tensor.shape[1:]) == 1
    if tensor.kind in _NO_WEIGHTS or (vector and tensor.kind != _F32):
        raise DamagedGGUF(f"the tensor {name!r} is of a type ({tensor.kind}) that no such weights have")
