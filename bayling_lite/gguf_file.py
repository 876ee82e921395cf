"""Look at a GGUF file before llama.cpp does: is it one, is it whole, what does it say of itself?

llama.cpp answers a damaged file with a log line at best. Reading the header costs milliseconds, whatever the size of
the file: the weights themselves are not touched.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.gguf_reader import (
    UINT16,
    VERSIONS,
    Contents,
    DamagedGGUF,
    Scalar,
    TruncatedGGUF,
    UnusableGGUF,
    read_contents,
)
from bayling_lite.gguf_rules import check_rules


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """A file's metadata: scalars and strings, and short lists of them; vocabularies are left out.

    ``parts`` are the other files of a model in several.
    """

    path: Path
    metadata: dict[str, Scalar | list[Scalar]]
    parts: tuple[Path, ...] = ()

    def text(self, key: str) -> str | None:
        """A string value, or None when the key is missing, of another type or empty."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) and value else None

    def number(self, key: str) -> int | None:
        """A whole-number value, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, key: str) -> bool | None:
        """A truth value, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, bool) else None

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty when there is none."""
        value = self.metadata.get(key)
        if not isinstance(value, list):
            return ()
        return tuple(item for item in value if isinstance(item, int) and not isinstance(item, bool))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string counts as a comma-separated list."""
        value = self.metadata.get(key, [])
        items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())


def read_header(path: Path) -> GGUFHeader:
    """Check that a file is a complete GGUF that says nothing impossible, and read its metadata.

    Of a model in several files, which llama.cpp opens with the first, all are checked.

    Raises:
        ModelNotFound: no such file.
        ModelUnreadable: a folder, no permission, empty, not a GGUF, of another version or byte order, damaged, or
            shorter than its tensors need. The message says which.
    """
    contents = _read(path)
    parts = _parts(path, contents)
    for part in parts:
        # Its number must be there, as llama.cpp asserts.
        if _read(part, rules=False).kinds.get("split.no") != UINT16:
            raise ModelUnreadable(f"{part} is not the part of {path} that it should be. Fetch the model again.")
    return GGUFHeader(path, contents.metadata, tuple(parts))


def check_is_model(header: GGUFHeader) -> None:
    """See that a file is a model, and not what goes with one.

    Raises:
        ModelUnreadable: it is an adapter, an importance matrix, or an encoder of images; the message says what to do.
    """
    kind = header.text("general.type")
    if kind == "adapter":
        base = header.text("general.base_model.0.name")
        raise ModelUnreadable(
            f"{header.path} is a LoRA adapter{f' for {base}' if base else ''}, not a model: merge the adapter it was "
            "made of into its base with: bayling convert ADAPTER --base CHECKPOINT"
        )
    if kind == "imatrix":
        raise ModelUnreadable(f"{header.path} is an importance matrix, not a model: it is for convert --imatrix.")
    if kind == "mmproj":
        raise ModelUnreadable(f"{header.path} is the part of a model that reads images. Open the model's other file.")


def _read(path: Path, *, rules: bool = True) -> Contents:
    try:
        # A device or a pipe would be waited for.
        if path.exists() and not path.is_file():
            raise ModelUnreadable(_folder_message(path))
        with path.open("rb") as file:
            start = file.read(8)
            _check_start(path, start)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                contents = read_contents(data)
                if rules:
                    check_rules(contents, data)
                return contents
    except FileNotFoundError:
        raise ModelNotFound(f"There is no file {path}.") from None
    except OSError as error:
        raise ModelUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    except DamagedGGUF as error:
        raise ModelUnreadable(f"{path} is damaged: {error}. Fetch or convert it again.") from None
    except UnusableGGUF as error:
        raise ModelUnreadable(f"{path}: {error}") from None
    except TruncatedGGUF as error:
        size = path.stat().st_size
        sizes = "ends inside its header" if error.needed is None else f"holds {size:,} of {error.needed:,} bytes"
        raise ModelUnreadable(f"{path} is truncated: it {sizes}. Fetch or convert it again.") from None


def _check_start(path: Path, start: bytes) -> None:
    if not start:
        raise ModelUnreadable(f"{path} is empty: it is not a model. Fetch or convert it again.")
    if start[:4] != b"GGUF":
        raise ModelUnreadable(f"{path} is not a GGUF model file.")
    if len(start) < 8:
        raise TruncatedGGUF(None)
    (version,) = struct.unpack_from("<I", start, 4)
    if version in VERSIONS:
        return
    if version & 0xFFFF == 0:
        raise ModelUnreadable(f"{path} is a GGUF of the other byte order (big-endian). Convert the checkpoint here.")
    raise ModelUnreadable(
        f"{path} is a GGUF of version {version}; versions {VERSIONS[0]} and {VERSIONS[1]} can be read. "
        "Convert the checkpoint again."
    )


def _parts(path: Path, contents: Contents) -> list[Path]:
    """The other files of a model in several."""
    count, number = contents.metadata.get("split.count"), contents.metadata.get("split.no")
    if contents.kinds.get("split.count") != UINT16 or not isinstance(count, int) or count < 2:
        return []
    ending = f"-00001-of-{count:05}.gguf"
    if number != 0 or not path.name.endswith(ending):
        raise ModelUnreadable(
            f"{path} is one of {count} files of a model. Open the first, {ending[1:]}, of its own name."
        )
    stem = path.name.removesuffix(ending)
    return [path.with_name(f"{stem}-{part:05}-of-{count:05}.gguf") for part in range(2, count + 1)]


def _folder_message(path: Path) -> str:
    if (path / "config.json").exists():
        command = f"bayling convert {path} -o {path.name}.gguf"
        return f"{path} is a folder with a checkpoint, not a GGUF file. Convert it: {command}"
    return f"{path} is {'a folder' if path.is_dir() else 'a device or a pipe'}, not a GGUF file."
