"""What torch.save would not write is refused, without running or believing what is in it."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayling_convert.reading.files import Folder
from bayling_convert.reading.torch_file import read_torch_header
from bayling_lite.errors import CheckpointError
from tests.convert.torch_files import NAME, Runs, header, tensor_pickle, write_archive, write_pickle


def test_a_file_made_by_hand_is_as_good(tmp_path: Path) -> None:
    tensors = header(write_pickle(tmp_path / NAME, tensor_pickle(), byteorder=b"little", version=b"3\n"))
    assert [(tensor.shape, tensor.dtype) for tensor in tensors.values()] == [((2, 2), "F32")]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, f"{os.name}.*system"),
        (eval, "eval"),
        (__import__, "__import__"),
        (getattr, "getattr"),
        (io.open, "open"),
    ],
)
def test_no_code_is_run(tmp_path: Path, function: Callable[..., Any], name: str, protocol: int) -> None:
    content = pickle.dumps({"a": Runs(function, f"touch {tmp_path}/ran")}, protocol=protocol)
    with pytest.raises(CheckpointError, match=f"asks for code to be run: '.*{name}|damaged list of tensors"):
        header(write_pickle(tmp_path / NAME, content))
    if protocol in (2, 3, 4, 5):
        with pytest.raises(CheckpointError, match="asks for code to be run"):
            header(tmp_path / NAME)
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME]


@pytest.mark.parametrize(
    "name",
    [
        "torch.load",
        "torch.hub.load",
        "torch.serialization.load",
        "torch._utils._rebuild_device_tensor_from_numpy",
        "torch.storage._load_from_bytes",
        "torch.FloatStorage.from_file",
        "collections.Counter",
        "builtins.eval",
        "numpy.core.multiarray.scalar",
        "nt.system",
    ],
)
def test_functions_even_of_torch_that_no_state_dict_needs(tmp_path: Path, name: str) -> None:
    module, _, function = name.rpartition(".")
    content = f"c{module}\n{function}\n".encode()
    with pytest.raises(CheckpointError, match=f"asks for code to be run: '{name}'"):
        header(write_pickle(tmp_path / NAME, b"\x80\x02}U\x01a" + content + b"(tRs."))
    with pytest.raises(CheckpointError, match=f"asks for code to be run: '{name}'"):
        header(write_pickle(tmp_path / NAME, b"\x80\x02}U\x01a(i" + content[1:] + b"s."))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"\x80\x02N",
        b"\x80\x02}q\x00",
        b"\x80\x02tttt.",
        b"\x80\x02h\x05.",
        b"\x80\x02}(U\x01aNU\x01bu.",  # a key without a value
        b"\x80\x02}(U\x01aNU\x01aNu.",  # a key twice
        b"\x80\x02}N)s.",  # no key
        b"\x80\x02}))s.",  # a key that is a tuple
        b"\x80\x02}U\x01aX\xff\xff\xff\xffabs.",  # BINUNICODE of 4 GB
        b"\x80\x04}U\x01a\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabs.",  # BINUNICODE8 of 8 EB
        b"\x80\x02}U\x01a\x8b\xff\xff\xff\x7fabs.",  # LONG4 of 2 GB
        b"\x80\x04}U\x01a\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabs.",  # BINBYTES8
        b"\x80\x02}U\x01ar\xff\xff\xff\x7fNs.",  # LONG_BINPUT into the place 2**31
        b"\x80\x02}U\x01aI" + b"9" * 10_000 + b"\ns.",
        b"\x80\x02}U\x01a\x82\x01s.",  # an extension of the registry
        b"\x80\x02}U\x01aP1\ns.",
        b"\x80\x02ctorch\nFloatStorage\n)\x81.",
        b"\x80\x02ctorch\nFloatStorage\nNb.",
        b"\x80\x02ccollections\nOrderedDict\nNR.",
        b"\xff" * 100,
    ],
    ids=range(22),
)
def test_damaged_pickles(tmp_path: Path, content: bytes) -> None:
    path = write_pickle(tmp_path / NAME, content)
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.slow
def test_deep_and_long_pickles(tmp_path: Path) -> None:
    deep = b"\x80\x02}U\x01a" + b"]" * 200_000 + b"a" * 199_999 + b"s."
    with pytest.raises(CheckpointError, match="is not a tensor"):
        header(write_pickle(tmp_path / NAME, deep))
    # Each tuple holds the one before twice: 2**500 leaves, for whoever would count, compare or print them.
    doubled = b"\x80\x02}U\x01a)" + b"".join(
        b"r" + struct.pack("<I", i) + b"h\x00\x86"[:0] + b"2\x86" for i in range(500)
    )
    with pytest.raises(CheckpointError, match="damaged list of tensors"):
        header(write_pickle(tmp_path / NAME, doubled + b"s."))
    doubled = b"\x80\x02}U\x01a)" + b"".join(
        b"r%bj%b\x86" % (struct.pack("<I", i), struct.pack("<I", i)) for i in range(500)
    )
    with pytest.raises(CheckpointError, match="is not a tensor"):
        header(write_pickle(tmp_path / NAME, doubled + b"s."))
    with pytest.raises(CheckpointError, match="too many instructions"):
        header(write_pickle(tmp_path / NAME, b"\x80\x02" + b"]" * 600_000 + b"."))
    with pytest.raises(CheckpointError, match="which it needs not"):
        header(write_pickle(tmp_path / NAME, bytes(17 * 1024 * 1024)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stored": 5}, "does not lie in its 16 bytes"),
        ({"stored": 3}, "does not lie in its 16 bytes"),
        ({"stored": -4}, "not a tensor"),
        ({"stored": 4.0}, "not a tensor"),
        ({"stored": True}, "not a tensor"),
        ({"stored": 1 << 5000}, "not a tensor"),
        ({"start": 1}, "does not lie in its 16 bytes"),
        ({"start": -1}, "not a tensor"),
        ({"start": 2**63 - 1}, "does not lie in its 16 bytes"),
        ({"shape": (2, 3), "strides": (3, 1)}, "does not lie in its 16 bytes"),
        ({"shape": (2**62, 2**62), "strides": (2**62, 1)}, "does not lie in its 16 bytes"),
        ({"shape": (-2, -2), "strides": (2, 1)}, "not a tensor"),
        ({"shape": (2, 2), "strides": (2,)}, "does not lie in its 16 bytes"),
        ({"shape": (2, 2), "strides": (0, 0)}, "not stored row by row"),
        ({"shape": (1,) * 9, "strides": (1,) * 9}, "not a tensor"),
        ({"shape": [2, 2]}, "not a tensor"),
        ({"shape": 4}, "not a tensor"),
        ({"key": "1"}, "has no entry 'data/1'"),
        ({"key": "../data.pkl"}, "has no entry"),
        ({"key": "/etc/passwd"}, "has no entry"),
        ({"key": 0}, "not a tensor"),
        ({"storage": ("torch", "HalfStorage")}, "does not lie in its 16 bytes"),
        ({"storage": ("torch", "DoubleStorage")}, "of type F64"),
        ({"storage": ("torch.storage", "UntypedStorage")}, "is of type "),
        ({"storage": ("torch", "float32")}, "not a tensor"),
    ],
)
def test_tensors_that_cannot_be(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        header(write_pickle(tmp_path / NAME, tensor_pickle(**changes)))


def test_the_other_byte_order_and_programs(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="other byte order"):
        header(write_pickle(tmp_path / NAME, tensor_pickle(), byteorder=b"big"))
    with pytest.raises(CheckpointError, match="TorchScript"):
        header(write_archive(tmp_path / NAME, {"m/data.pkl": tensor_pickle(), "m/constants.pkl": b"N."}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_that_torch_does_not_write(tmp_path: Path) -> None:
    path, content = tmp_path / NAME, tensor_pickle()
    with pytest.raises(CheckpointError, match="compressed"):
        header(write_archive(path, {"m/data.pkl": content, "m/data/0": bytes(16)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(CheckpointError, match="compressed"):
        header(write_archive(path, {"m/data.pkl": content, "m/data/0": bytes(50_000_000)}, zipfile.ZIP_DEFLATED))
    for name in ("../data/0", "/data/0", "m/../m/data/0", "m//data/0", "m/data\\0", "m/data/0\n", "data/"):
        with pytest.raises(CheckpointError, match="strange name"):
            header(write_archive(path, {"m/data.pkl": content, "m/data/0": bytes(16), name: bytes(16)}))
    with pytest.raises(CheckpointError, match="more than one folder"):
        header(write_archive(path, {"m/data.pkl": content, "n/data/0": bytes(16)}))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (("m/data.pkl", content), ("m/data/0", bytes(16)), ("m/data/0", b"\1" * 16)):
            archive.writestr(name, data)
    with pytest.raises(CheckpointError, match="two entries of the same name"):
        header(path)
    with pytest.raises(CheckpointError, match=r"has no entry 'data\.pkl'"):
        header(write_archive(path, {"m/data/0": bytes(16)}))


def patched(whole: bytes, where: int, form: str, value: int) -> bytes:
    changed = bytearray(whole)
    struct.pack_into("<" + form, changed, where, value)
    return bytes(changed)


def test_directories_that_lie(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / NAME, tensor_pickle())
    whole = path.read_bytes()
    assert header(path)
    end = whole.index(b"PK\x05\x06")
    first = whole.index(b"PK\x01\x02")
    storage = whole.index(b"PK\x01\x02", first + 1)
    local = whole.index(b"PK\x03\x04", 1)
    lies = {
        "two entries at one place": patched(whole, storage + 42, "I", 0),
        "an entry elsewhere": patched(whole, storage + 42, "I", local + 8),
        "an entry in the directory": patched(whole, storage + 42, "I", first),
        "an entry behind the end": patched(whole, storage + 42, "I", 2**32 - 2),
        "an entry longer than the file": patched(patched(whole, storage + 20, "I", 2**31), storage + 24, "I", 2**31),
        "a pickle that runs into the storage": patched(patched(whole, first + 20, "I", 200), first + 24, "I", 200),
        "another name in the entry's header": whole[: local + 30] + b"x" + whole[local + 31 :],
        "a header that takes more than there is": patched(whole, local + 28, "H", 60_000),
        "a header that takes a little more": patched(whole, local + 28, "H", 1),
        "a long directory": patched(whole, end + 12, "I", 2**32 - 2),
        "a directory behind the end": patched(whole, end + 16, "I", 2**32 - 2),
        "a changed pickle": whole.replace(b"_v2", b"_v3", 1),
        "an encrypted entry": patched(whole, storage + 8, "H", 1),
    }
    for name, content in lies.items():
        path.write_bytes(content)
        refused = False
        try:
            header(path)
        except CheckpointError:
            refused = True
        assert refused, name


def test_a_directory_that_claims_to_be_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with path.open("wb") as file:  # 1 GB, of which nothing is on the disk
        file.write(b"PK\x03\x04")
        file.truncate(1 << 30)
        file.seek(0, io.SEEK_END)
        file.write(b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 9, 9, 1 << 29, 1 << 29, 0))
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="damaged"):
        header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        header(tmp_path / NAME)


def test_a_file_that_cannot_be_read_on(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / NAME, tensor_pickle())
    folder = Folder(tmp_path)

    class Broken(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            if size == len(tensor_pickle()):
                raise OSError(5, "Input/output error")
            return super().read(-1 if size is None else size) or b""

    folder.open = lambda name: Broken(path)  # type: ignore[method-assign]
    with pytest.raises(CheckpointError, match="cannot be read: Input/output error"):
        read_torch_header(folder, NAME)
