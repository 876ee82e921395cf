"""Importance matrices in files: both forms of llama.cpp's are read, ours is what llama.cpp reads."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter

from bayling_convert import convert
from bayling_convert.importance.imatrix import Imatrix, read_imatrix
from bayling_lite.errors import InputError, OutputError

Q, V = "blk.0.attn_q.weight", "blk.0.attn_v.weight"


def example() -> Imatrix:
    """Two weights of 8 columns, and the 3 experts of one, of which the second was never asked."""
    chance = np.random.default_rng(0)
    sums = {name: chance.exponential(100.0, (1, 8)).astype(np.float32) for name in (Q, V)}
    sums["blk.0.ffn_up_exps.weight"] = chance.exponential(5.0, (3, 4)).astype(np.float32)
    counts = {Q: np.asarray([1024]), V: np.asarray([1000]), "blk.0.ffn_up_exps.weight": np.asarray([7, 0, 3])}
    return Imatrix(sums, counts, ("text.txt", "更多"), 2, 512)


def written(path: Path, tensors: Mapping[str, object], change: Callable[[GGUFWriter], None] = lambda _: None) -> Path:
    """A GGUF as another program might write it: keys as they should be unless changed, then the tensors."""
    writer = GGUFWriter(path, arch="anything")
    writer.add_array("imatrix.datasets", ["text.txt"])
    writer.add_uint32("imatrix.chunk_count", 3)
    writer.add_uint32("imatrix.chunk_size", 512)
    change(writer)
    for name, values in tensors.items():
        writer.add_tensor(name, np.asarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def legacy(path: Path, *entries: tuple[str, int, list[float]], tail: bytes = b"") -> Path:
    """The older form."""
    data = struct.pack("<i", len(entries))
    for name, n_chunks, values in entries:
        data += struct.pack(f"<i{len(name.encode())}sii", len(name.encode()), name.encode(), n_chunks, len(values))
        data += struct.pack(f"<{len(values)}f", *values)
    path.write_bytes(data + tail)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    matrix, path = example(), tmp_path / "imatrix.gguf"
    matrix.write(path)
    again = read_imatrix(path)
    assert again.values.keys() == matrix.values.keys()
    assert all((again.values[name] == matrix.values[name]).all() for name in matrix.values)
    assert all((again.counts[name] == matrix.counts[name]).all() for name in matrix.counts)
    assert (again.datasets, again.chunk_count, again.chunk_size) == (("text.txt", "更多"), 2, 512)
    assert again.digest == matrix.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(OutputError, match="exists"):
        matrix.write(path)
    matrix.write(path, overwrite=True)


def test_other_programs_read_it(tmp_path: Path) -> None:
    matrix, path = example(), tmp_path / "imatrix.gguf"
    matrix.write(path)
    reader = GGUFReader(path)
    assert reader.fields["general.type"].contents() == "imatrix"
    assert reader.fields["imatrix.datasets"].contents() == ["text.txt", "更多"]
    assert (reader.fields["imatrix.chunk_count"].contents(), reader.fields["imatrix.chunk_size"].contents()) == (2, 512)
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    assert list(tensors) == [f"{name}.{kind}" for name in sorted(matrix.values) for kind in ("in_sum2", "counts")]
    assert (tensors[f"{Q}.in_sum2"] == matrix.values[Q]).all()
    assert tensors["blk.0.ffn_up_exps.weight.counts"].tolist() == [[7], [0], [3]]


def test_importances_are_means_in_single_precision() -> None:
    matrix = example()
    importance = matrix.importance(V, 8)
    assert importance is not None
    assert importance.dtype == np.float32
    assert (importance == matrix.values[V][0] / np.float32(1000)).all()
    experts = matrix.importance("blk.0.ffn_up_exps.weight", 12)
    assert experts is not None
    assert experts[4:8].tolist() == [1.0] * 4  # never asked: all columns count alike
    assert matrix.importance("blk.9.attn_q.weight", 8) is None


def test_the_matrix_of_another_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "imatrix.gguf"
    example().write(path)
    with pytest.raises(InputError, match=r"imatrix\.gguf was measured on another model: .*8 columns.*16"):
        read_imatrix(path).importance(Q, 16)
    looked_up = Imatrix({"token_embd.weight": np.ones((1, 3), np.float32)}, {"token_embd.weight": np.asarray([1])})
    assert looked_up.importance("token_embd.weight", 16) is None


def test_the_older_form(tmp_path: Path) -> None:
    # Values are means times the number of chunks.
    tail = struct.pack("<ii", 7, 6) + "文本".encode()
    path = legacy(tmp_path / "old.dat", (Q, 7, [7.0, 14.0, 0.7, 1e-30]), (V, 0, [3.0, 5.0]), tail=tail)
    matrix = read_imatrix(path)
    assert (matrix.datasets, matrix.chunk_count) == (("文本",), 7)
    means = matrix.importance(Q, 4)
    assert means is not None
    assert (means == np.asarray([7.0, 14.0, 0.7, 1e-30], np.float32) / np.float32(7)).all()
    assert np.asarray(matrix.importance(V, 2)).tolist() == [3.0, 5.0]
    assert read_imatrix(legacy(tmp_path / "short.dat", (Q, 7, [1.0]))).datasets == ()
    matrix.write(tmp_path / "new.gguf")
    again = read_imatrix(tmp_path / "new.gguf").importance(Q, 4)
    assert (np.asarray(again) == means).all()


def test_files_of_other_programs_are_read(tmp_path: Path) -> None:
    def more(writer: GGUFWriter) -> None:
        writer.add_array("some.numbers", [1, 2, 3])
        writer.add_float32("some.number", 0.5)
        writer.add_string("some.text", "text")

    ones = np.ones((1, 4), np.float32)
    tensors = {f"{Q}.in_sum2": ones, f"{Q}.counts": ones[:, :1] * 512, "other": ones}
    path = written(tmp_path / "x.gguf", tensors, more)
    matrix = read_imatrix(path)
    assert (list(matrix.values), matrix.counts[Q].tolist(), matrix.chunk_count) == ([Q], [512], 3)


ONE = np.ones((1, 4), np.float32)
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "no entries": ({"other": ONE}, "no entries"),
    "sums alone": ({f"{Q}.in_sum2": ONE}, "lacks"),
    "counts alone": ({f"{Q}.counts": ONE}, "lacks"),
    "F16": ({f"{Q}.in_sum2": ONE.astype(np.float16), f"{Q}.counts": ONE}, "not F32"),
    "not a number": ({f"{Q}.in_sum2": ONE * np.nan, f"{Q}.counts": ONE[:, :1]}, "no numbers"),
    "infinite": ({f"{Q}.in_sum2": ONE * np.inf, f"{Q}.counts": ONE[:, :1]}, "infinite"),
    "negative": ({f"{Q}.in_sum2": -ONE, f"{Q}.counts": ONE[:, :1]}, "negative"),
    "counts not a number": ({f"{Q}.in_sum2": ONE, f"{Q}.counts": ONE[:, :1] * np.nan}, "no numbers"),
    "counts negative": ({f"{Q}.in_sum2": ONE, f"{Q}.counts": -ONE[:, :1]}, "negative"),
    "counts huge": ({f"{Q}.in_sum2": ONE, f"{Q}.counts": ONE[:, :1] * 1e30}, "impossibly many"),
    "counts too many": ({f"{Q}.in_sum2": ONE, f"{Q}.counts": np.ones((3, 1), np.float32)}, "4 values for 3 counts"),
}


@pytest.mark.parametrize("case", WRONG)
def test_values_that_make_no_sense(case: str, tmp_path: Path) -> None:
    tensors, message = WRONG[case]
    path = written(tmp_path / "x.gguf", tensors)
    with pytest.raises(InputError, match=message) as raised:
        read_imatrix(path)
    assert "bayling imatrix" in str(raised.value)


def test_what_is_no_importance_matrix(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    writer = GGUFWriter(model, arch="llama")
    writer.add_tensor("a.weight", ONE)
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()
    with pytest.raises(InputError, match=r"without the keys imatrix\.datasets"):
        read_imatrix(model)
    for content in (b"", b"x", b"hello, this is no such file", b"\xff" * 100, b"GGUF", b"\x00" * 64):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(InputError):
            read_imatrix(tmp_path / "x")
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_imatrix(path)


def test_legacy_values_that_make_no_sense(tmp_path: Path) -> None:
    one, nothing = (Q, 1, [1.0]), list[float]()
    for entries in ([(Q, 1, [float("nan")])], [(Q, 1, [-1.0])], [(Q, 1, nothing)], [one, one], []):
        with pytest.raises(InputError):
            read_imatrix(legacy(tmp_path / "x.dat", *entries))


@pytest.mark.parametrize("form", ["gguf", "dat"])
def test_truncated_at_every_byte(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{form}"
    if form == "gguf":
        example().write(path)
        whole = path.read_bytes().rstrip(b"\0")  # what pads the end may be missing
    else:
        whole = legacy(path, (Q, 7, [1.0, 2.0]), (V, 7, [3.0])).read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_imatrix(path)


@pytest.mark.parametrize("form", ["gguf", "dat"])
def test_damage_never_ends_in_another_error(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{form}"
    if form == "gguf":
        example().write(path)
    else:
        legacy(path, (Q, 7, [1.0, 2.0]), (V, 7, [3.0]), tail=struct.pack("<ii", 7, 0))
    whole, chance, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(min(len(whole), 600))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        path.write_bytes(damaged)
        try:
            matrix = read_imatrix(path)
        except InputError:
            refused += 1
        else:
            assert all(np.isfinite(values).all() for values in matrix.values.values())
    assert refused > 100


def test_lengths_are_checked_before_memory_is_taken(tmp_path: Path) -> None:
    """Each of these claims to hold terabytes."""
    path = tmp_path / "x.gguf"
    key = struct.pack("<Q", 16) + b"imatrix.datasets"
    huge = 2**40
    for body in (
        struct.pack("<IQQ", 3, huge, 0),
        struct.pack("<IQQ", 3, 0, huge),
        struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", huge),
        struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<IQ", 8, huge),
        struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<IIQ", 9, 8, huge),
        struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<IIQ", 9, 4, huge),
        struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<IIQ", 9, 9, 1) * 50,
    ):
        path.write_bytes(b"GGUF" + body)
        with pytest.raises(InputError):
            read_imatrix(path)
    legacy(path, (Q, 1, [1.0]))
    path.write_bytes(path.read_bytes().replace(struct.pack("<ii", 1, 1), struct.pack("<ii", 1, 2**31 - 1)))
    with pytest.raises(InputError, match="too early"):
        read_imatrix(path)


def test_a_name_that_llama_cpp_cannot_hold_is_not_written(tmp_path: Path) -> None:
    name = "blk.0." + "x" * 60
    with pytest.raises(InputError, match="too long"):
        Imatrix({name: np.ones((1, 2), np.float32)}, {name: np.asarray([1])}).write(tmp_path / "x.gguf")


def test_one_of_another_model_is_refused_before_anything_is_written(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    """Also where the first matrices fit: models of one size may have different inner widths."""
    sums = {Q: np.ones((1, 256), np.float32), "blk.1.ffn_down.weight": np.ones((1, 1024), np.float32)}
    other = Imatrix(sums, {name: np.asarray([512]) for name in sums})
    told: list[object] = []
    with pytest.raises(InputError, match=r"another model: blk\.1\.ffn_down\.weight has 1024 columns"):
        convert(make_checkpoint(), tmp_path / "out.gguf", imatrix=other, progress=told.append)
    assert told == []
    assert not (tmp_path / "out.gguf").exists()
