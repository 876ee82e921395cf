"""Files made to do harm are refused before llama.cpp sees them, at once and without much memory."""

from __future__ import annotations

import math
import os
import random
import shutil
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.gguf_file import read_header
from tests.gguf_bytes import BOOL, F32, I32, TEXT, U16, U32, U64, Header, Tensor, array, text, value

ARCHITECTURE = ("general.architecture", value(TEXT, "llama"))
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORDS = ["<unk>", "<s>", "</s>", *BYTES]
VOCABULARY = [
    ("tokenizer.ggml.model", value(TEXT, "llama")),
    ("tokenizer.ggml.tokens", array(TEXT, WORDS)),
    ("tokenizer.ggml.scores", array(F32, [0.0] * len(WORDS))),
    ("tokenizer.ggml.token_type", array(I32, [2, 3, 3] + [6] * 256)),
]
SHAPE = [
    ("llama.block_count", value(U32, 2)),
    ("llama.context_length", value(U32, 512)),
    ("llama.embedding_length", value(U32, 64)),
    ("llama.attention.head_count", value(U32, 4)),
    ("llama.attention.head_count_kv", value(U32, 2)),
    ("llama.attention.layer_norm_rms_epsilon", value(F32, 1e-6)),
]


def refuse(path: Path, content: bytes, message: str) -> None:
    """The file is refused, for that reason, and nothing like the size it claims is taken for it."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ModelUnreadable, match=message):
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 500_000 + 4 * len(content)
    finally:
        tracemalloc.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hostile.gguf"


def test_a_file_made_by_hand_is_as_good(path: Path) -> None:
    tensors = [Tensor("a.weight"), Tensor("b.weight", (32, 2), 8, n_bytes=68), Tensor("c.weight", (3,), n_bytes=12)]
    path.write_bytes(Header([ARCHITECTURE, *VOCABULARY, *SHAPE], tensors).encode())
    assert read_header(path).number("llama.block_count") == 2


@pytest.mark.parametrize("count", [100, 4097, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1])
def test_counts_beyond_the_file(path: Path, count: int) -> None:
    header = Header([ARCHITECTURE], [Tensor("a")])
    refuse(path, header.encode(n_values=count), "truncated|claims to have|damaged")
    refuse(path, header.encode(n_tensors=count), "truncated|claims to have|damaged")
    for kind in (0, U32, U64, BOOL, TEXT):
        refuse(path, Header([ARCHITECTURE, ("k", array(kind, [], count=count))]).encode(), "truncated|claims to have")


def test_counts_that_a_long_file_could_hold(path: Path) -> None:
    """The file is long enough for them, as nothing is on the disk of most of it; there is no end to wait for."""
    for content, what in (
        (Header([ARCHITECTURE]).encode(n_values=1 << 26), "values"),
        (Header([ARCHITECTURE]).encode(n_tensors=1 << 26), "tensors"),
        (Header([ARCHITECTURE, ("k", array(TEXT, [], count=1 << 26))]).encode(), "items in an array"),
        (Header([ARCHITECTURE, ("k", array(U32, [], count=1 << 26))]).encode(), "items in an array"),
        (Header([ARCHITECTURE, ("k", (TEXT, struct.pack("<Q", 1 << 30)))]).encode(), "a text of 1,073,741,824 bytes"),
    ):
        path.write_bytes(content)
        os.truncate(path, 1 << 33)
        with pytest.raises(ModelUnreadable, match=what):
            read_header(path)


@pytest.mark.parametrize("length", [10**6, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 8, 2**64 - 1])
def test_lengths_of_texts_beyond_the_file(path: Path, length: int) -> None:
    lying = struct.pack("<Q", length) + b"abc"
    for content in (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + lying + bytes(64),  # a key
        Header([("k", (TEXT, lying))]).encode(),
        Header([("k", array(TEXT, ["a", "b"])), ("n", (9, struct.pack("<IQ", TEXT, 2) + text("a") + lying))]).encode(),
        Header([("n", (9, struct.pack("<IQ", TEXT, 300) + text("abc") * 299 + lying))]).encode(),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + lying + bytes(64),  # a tensor's name
    ):
        refuse(path, content, "truncated|damaged")


def test_arrays_in_arrays(path: Path) -> None:
    deep = (9, struct.pack("<IQ", 9, 1) * 100_000)
    refuse(path, Header([ARCHITECTURE, ("k", deep)]).encode(), "array of the unknown type 9")
    refuse(path, Header([ARCHITECTURE, ("k", (9, struct.pack("<IQ", 77, 1)))]).encode() + bytes(99), "unknown type 77")


def test_what_stands_in_it_twice_or_without_a_name(path: Path) -> None:
    refuse(path, Header([ARCHITECTURE, ARCHITECTURE]).encode(), r"key 'general\.architecture' stands in it twice")
    refuse(path, Header([ARCHITECTURE, ("", value(U32, 1))]).encode(), "a key is empty")
    twice = [Tensor("a.weight"), Tensor("a.weight")]
    refuse(path, Header([ARCHITECTURE], twice).encode(), r"tensor 'a\.weight' stands in it twice")
    for name in ("", "x" * 64, "早" * 22, "a\0b"):
        refuse(path, Header([ARCHITECTURE], [Tensor(name)]).encode(), "a tensor is called")
    refuse(path, Header([ARCHITECTURE], [Tensor(b"\xff\xfe")]).encode(), "not UTF-8")


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor("a", ()), "0 dimensions"),
        (Tensor("a", (1, 1, 1, 1, 1)), "5 dimensions"),
        (Tensor("a", (0, 4)), "which cannot be"),
        (Tensor("a", (8, 0)), "which cannot be"),
        (Tensor("a", (2**63, 1)), "which cannot be"),
        (Tensor("a", (2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1)), "which cannot be"),
        (Tensor("a", (2**32, 2**32)), "which cannot be"),
        (Tensor("a", (2**31, 2**30)), "which cannot be|truncated"),
        (Tensor("a", (2**40,)), "truncated"),
        (Tensor("a", (33, 2), 8), "which cannot be"),  # a row of Q8_0 is blocks of 32
        (Tensor("a", (32, 2), 12), "which cannot be"),  # and one of Q4_K, of 256
        (Tensor("a", (8, 4), 4), "unknown type"),  # Q4_2, long gone
        (Tensor("a", (8, 4), 2**32 - 1), "unknown type"),
        (Tensor("a", offset=32), "lies at 32, not at 0"),
        (Tensor("a", offset=1), "lies at 1, not at 0"),
        (Tensor("a", offset=2**64 - 32), "not at 0"),
    ],
)
def test_tensors_that_cannot_be(path: Path, tensor: Tensor, message: str) -> None:
    refuse(path, Header([ARCHITECTURE], [tensor]).encode(), message)


@pytest.mark.parametrize("offset", [0, 64, 96, 127, 129, 160, 2**63, 2**64 - 128])
def test_tensors_that_overlap_or_leave_gaps(path: Path, offset: int) -> None:
    tensors = [Tensor("a"), Tensor("b", offset=offset), Tensor("c", offset=256)]
    refuse(path, Header([ARCHITECTURE], tensors).encode(), f"'b' lies at {offset:,}, not at 128 behind the last")


def test_swapped_tensors(path: Path) -> None:
    refuse(
        path, Header([ARCHITECTURE], [Tensor("a", offset=128), Tensor("b", offset=0)]).encode(), "lies at 128, not at 0"
    )


@pytest.mark.parametrize(
    "alignment",
    [value(U32, n) for n in (0, 1, 3, 31, 33, 2**21, 2**31, 2**32 - 1)]
    + [value(U64, 32), value(F32, 32.0), value(TEXT, "32")],
)
def test_alignments_that_cannot_be(path: Path, alignment: tuple[int, bytes]) -> None:
    refuse(path, Header([ARCHITECTURE, ("general.alignment", alignment)], [Tensor("a")]).encode(), "no valid alignment")


def test_another_alignment(path: Path) -> None:
    header = Header([ARCHITECTURE, ("general.alignment", value(U32, 64))], [Tensor("a", (3,), n_bytes=12), Tensor("b")])
    path.write_bytes(header.encode(alignment=64))
    read_header(path)
    refuse(path, header.encode(alignment=32), "lies at 32, not at 64")


@pytest.mark.parametrize("architecture", [value(U32, 7), value(TEXT, ""), array(TEXT, ["llama"]), None])
def test_no_architecture(path: Path, architecture: tuple[int, bytes] | None) -> None:
    values = [("general.architecture", architecture)] if architecture else SHAPE
    refuse(path, Header(values, [Tensor("a")]).encode(), "does not say its architecture")


def changed(
    values: list[tuple[str, tuple[int, bytes]]], key: str, new: tuple[int, bytes]
) -> list[tuple[str, tuple[int, bytes]]]:
    return [(name, old) for name, old in values if name != key] + [(key, new)]


@pytest.mark.parametrize(
    ("key", "new", "message"),
    [
        ("llama.block_count", value(U32, 0), "0 layers"),
        ("llama.block_count", value(U32, 513), "513 layers"),
        ("llama.block_count", value(U32, 2**32 - 1), "4,294,967,295 layers"),
        ("llama.nextn_predict_layers", value(U32, 3), "3 of its 2 layers"),
        ("llama.context_length", value(U32, 0), "context_length is 0"),
        ("llama.embedding_length", value(U32, 0), "embedding_length is 0"),
        ("llama.attention.layer_norm_rms_epsilon", value(F32, -1.0), "layer_norm_rms_epsilon is -1"),
        ("llama.attention.layer_norm_rms_epsilon", value(F32, math.nan), "layer_norm_rms_epsilon is nan"),
        ("llama.attention.layer_norm_rms_epsilon", value(F32, math.inf), "layer_norm_rms_epsilon is inf"),
        ("llama.attention.head_count", value(U32, 0), "heads of attention"),
        ("llama.attention.head_count", value(U32, 65), "heads of attention"),
        ("llama.attention.head_count_kv", value(U32, 0), "heads of attention"),
        ("llama.attention.head_count_kv", value(U32, 3), "heads of attention"),
        ("llama.attention.head_count_kv", array(I32, [2, -1]), "heads of attention"),
        ("llama.attention.head_count_kv", array(BOOL, [1, 0]), "heads of attention"),
        ("llama.attention.head_count_kv", array(U32, [2] * 299 + [0]), "heads of attention"),
        ("llama.attention.key_length", value(U32, 0), "a head of attention"),
        ("llama.attention.key_length", value(U32, 17), "a head of attention"),
        ("llama.attention.value_length", value(U32, 2**32 - 1), "a head of attention"),
        ("llama.attention.causal", value(BOOL, 0), "does not continue one"),
        ("llama.expert_count", value(U32, 2000), "experts"),
        ("llama.expert_count", value(U32, 8), "experts"),
        ("llama.expert_used_count", value(U32, 2), "experts"),
        ("llama.expert_group_count", value(U32, 1), "experts"),
        ("llama.rope.scaling.type", value(TEXT, "worm"), "unknown method"),
        ("tokenizer.ggml.model", value(TEXT, "none"), "no vocabulary"),
        ("tokenizer.ggml.model", value(TEXT, "rwkv"), "no LLaMA has a vocabulary"),
        ("tokenizer.ggml.tokens", array(TEXT, []), "vocabulary is empty"),
        ("tokenizer.ggml.tokens", array(U32, [1, 2]), "vocabulary is empty"),
        ("tokenizer.ggml.tokens", array(TEXT, [*WORDS[:-1], "<s>"]), "two tokens of its vocabulary are the same"),
        ("tokenizer.ggml.tokens", array(TEXT, [*WORDS[:-2], "", "[EMPTY_257]"]), "two tokens of its vocabulary"),
        ("tokenizer.ggml.tokens", array(TEXT, [*WORDS[:-1], "<s>\0x"]), "two tokens of its vocabulary are the same"),
        ("tokenizer.ggml.tokens", array(TEXT, [*WORDS[:-1], "x"]), "no tokens for single bytes"),
        ("tokenizer.ggml.scores", array(F32, [0.0] * 258), "one number for each of the 259 tokens"),
        ("tokenizer.ggml.scores", value(F32, 0.0), "one number for each"),
        ("tokenizer.ggml.token_type", array(F32, [0.0] * 259), "one number for each"),
        ("tokenizer.ggml.token_type", array(I32, [1]), "one number for each"),
        ("tokenizer.ggml.bos_token_id", value(U32, 259), "bos token has the number 259"),
        ("tokenizer.ggml.eos_token_id", value(U32, 2**32 - 1), "eos token has the number"),
        ("tokenizer.ggml.eot_token_id", value(I32, -1), "eot token has the number -1"),
    ],
)
def test_what_no_model_says(path: Path, key: str, new: tuple[int, bytes], message: str) -> None:
    values = changed([ARCHITECTURE, *VOCABULARY, *SHAPE], key, new)
    refuse(path, Header(values, [Tensor("a.weight")]).encode(), message)


def test_zero_bytes_hide_nothing(path: Path) -> None:
    """llama.cpp reads keys and strings up to the first."""
    hidden = [("llama.block_count\0", value(U32, 0)), ARCHITECTURE]
    refuse(path, Header(hidden).encode(), "has a zero byte in it")
    values = changed(
        [*VOCABULARY, *SHAPE, ("llama.expert_count", value(U32, 9))], "general.architecture", value(TEXT, "llama\0x")
    )
    refuse(path, Header(values).encode(), "experts")


def test_a_vocabulary_of_another_kind_with_bytes(path: Path) -> None:
    values = changed(
        [*VOCABULARY, ("general.architecture", value(TEXT, "bert"))], "tokenizer.ggml.model", value(TEXT, "bert")
    )
    refuse(path, Header(values).encode(), "'bert' has no tokens for single bytes")


@pytest.mark.parametrize("key", ["padding", "mask", "seperator"])
def test_a_padding_token_outside_the_vocabulary_is_common(path: Path, key: str) -> None:
    values = [ARCHITECTURE, *VOCABULARY, *SHAPE, (f"tokenizer.ggml.{key}_token_id", value(U32, 32000))]
    path.write_bytes(Header(values).encode())
    read_header(path)


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor("token_embd.weight", (8, 4), 26),  # I32
        Tensor("blk.0.attn_q.weight", (8, 4), 24),  # I8
        Tensor("blk.0.attn_q.weight", (8, 4), 28, n_bytes=256),  # F64
        Tensor("blk.0.attn_q.weight", (32, 1, 2), 9),  # Q8_1
        Tensor("blk.0.attn_norm.weight", (64,), 1),  # a norm in F16
        Tensor("blk.0.attn_norm.weight", (32, 1), 8),
        Tensor("rope_freqs.weight", (32,), 30),
    ],
)
def test_numbers_that_llama_cpp_cannot_compute_with(path: Path, tensor: Tensor) -> None:
    refuse(path, Header([ARCHITECTURE], [tensor]).encode(), "of a type .* that no such weights have")


def test_a_model_in_several_files(path: Path) -> None:
    def split(number: int, count: int = 3, kind: int = U16) -> list[tuple[str, tuple[int, bytes]]]:
        return [("split.no", value(kind, number)), ("split.count", value(U16, count))]

    first, second, third = (path.with_name(f"m-0000{part}-of-00003.gguf") for part in (1, 2, 3))
    first.write_bytes(Header([ARCHITECTURE, *split(0)], [Tensor("a")]).encode())
    with pytest.raises(ModelNotFound, match="m-00002-of-00003"):
        read_header(first)
    second.write_bytes(Header(split(1), [Tensor("b")]).encode())
    third.write_bytes(Header(split(2), [Tensor("c")]).encode())
    read_header(first)
    second.write_bytes(Header(split(1), [Tensor("b")]).encode()[:-1])
    with pytest.raises(ModelUnreadable, match=r"m-00002-of-00003\.gguf is truncated"):
        read_header(first)
    second.write_bytes(Header(split(1, kind=U32), [Tensor("b")]).encode())
    with pytest.raises(ModelUnreadable, match="not the part"):
        read_header(first)
    shutil.copy(first, path)
    with pytest.raises(ModelUnreadable, match=r"one of 3 files.*00001-of-00003"):
        read_header(path)
    refuse(third, Header([ARCHITECTURE, *split(2)]).encode(), "one of 3 files")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_and_a_device(path: Path) -> None:
    os.mkfifo(path)
    for strange in (path, Path("/dev/zero")):
        with pytest.raises(ModelUnreadable, match="a device or a pipe, not a GGUF"):
            read_header(strange)


def mutants(model: Path, seed: int) -> bytes:
    """The file with a few bytes or numbers of its header changed."""
    chance, content = random.Random(seed), bytearray(model.read_bytes())
    header = content.index(b"token_embd.weight") + 1500  # the tensors' entries come last
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.choice(
            [chance.randrange(8, 900), chance.randrange(header - 3000, header), chance.randrange(8, header)]
        )
        size = chance.choice([1, 1, 4, 8])
        number = chance.choice([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 255, content[at] ^ 1 << chance.randrange(8)])
        content[at : at + size] = (number % 256**size).to_bytes(size, "little")
    return bytes(content)


def test_no_change_ends_otherwise_than_in_an_answer_or_a_clear_error(random_model: Path, path: Path) -> None:
    refused = 0
    for seed in range(400):
        path.write_bytes(mutants(random_model, seed))
        try:
            read_header(path)
        except ModelUnreadable:
            refused += 1
    assert refused > 200


OPEN_ALL = """
import sys
from bayling_lite.engine import GenerationRequest
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.errors import BaylingError
from bayling_lite.prompts import user_turn

for path in sys.argv[1:]:
    print(path, flush=True)
    try:
        with LlamaEngine.open(path, n_ctx=300, n_parallel=1, n_threads=1, template="bayling") as engine:
            engine.submit(GenerationRequest(user_turn("早 day"), max_tokens=2)).result()
    except BaylingError:
        pass
print("all")
"""


@pytest.mark.slow
def test_what_is_accepted_does_not_end_the_process(random_model: Path, tmp_path: Path) -> None:
    accepted = []
    for seed in range(1000, 2200):
        path = tmp_path / f"{seed}.gguf"
        path.write_bytes(mutants(random_model, seed))
        try:
            read_header(path)
            accepted.append(str(path))
        except ModelUnreadable:
            path.unlink()
    assert len(accepted) > 100
    root = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, *accepted], capture_output=True, text=True, cwd=root, timeout=300
    )
    assert run.returncode == 0, (run.stdout[-200:], run.stderr[-2000:])
    assert run.stdout.endswith("all\n")
