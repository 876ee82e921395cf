"""Files of torch.save, and such as torch would never save: archives and pickles made by hand."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bayling_convert.reading.files import Folder
from bayling_convert.reading.stored import StoredTensor
from bayling_convert.reading.torch_file import read_torch_header

NAME = "pytorch_model.bin"


def header(path: Path) -> dict[str, StoredTensor]:
    return read_torch_header(Folder(path.parent), path.name)


def tensor_pickle(
    storage: tuple[object, ...] = ("torch", "FloatStorage"),
    *,
    key: object = "0",
    stored: object = 4,
    start: object = 0,
    shape: object = (2, 2),
    strides: object = (2, 1),
) -> bytes:
    """The pickle of ``{"a": tensor}``, with whatever values."""

    def value(something: object) -> bytes:
        return pickle.dumps(something, protocol=2)[2:-1]

    reference = (
        b"(" + value("storage") + f"c{storage[0]}\n{storage[1]}\n".encode() + value(key) + value("cpu") + value(stored)
    )
    call = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + reference[1:] + b"tQ" + value(start) + value(shape) + value(strides)
    )
    return b"\x80\x02}" + value("a") + call + b"\x89ccollections\nOrderedDict\n)RtRs."


def write_archive(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def write_pickle(path: Path, content: bytes, **entries: bytes) -> Path:
    return write_archive(
        path, {"m/data.pkl": content, "m/data/0": bytes(16)} | {f"m/{k}": v for k, v in entries.items()}
    )


class Runs:
    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call
