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
from bayling_lite.localization import _
from bayling_lite.reasons import reason


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
            raise ModelUnreadable(
                _("{part} is not the part of {path} that it should be. Fetch the model again.", part=part, path=path)
            )
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
            _(
                "{path} is a LoRA adapter{of_base}, not a model: merge the adapter it was made of into its base with: "
                "bayling convert ADAPTER --base CHECKPOINT",
                path=header.path,
                of_base=_(" for {base}", base=base) if base else "",
            )
        )
    if kind == "imatrix":
        raise ModelUnreadable(
            _("{path} is an importance matrix, not a model: it is for convert --imatrix.", path=header.path)
        )
    if kind == "mmproj":
        raise ModelUnreadable(
            _("{path} is the part of a model that reads images. Open the model's other file.", path=header.path)
        )


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
        raise ModelNotFound(_("There is no file {path}.", path=path)) from None
    except OSError as error:
        raise ModelUnreadable(_("{path} cannot be read: {reason}.", path=path, reason=reason(error))) from error
    except DamagedGGUF as error:
        raise ModelUnreadable(
            _("{path} is damaged: {reason}. Fetch or convert it again.", path=path, reason=error)
        ) from None
    except UnusableGGUF as error:
        raise ModelUnreadable(f"{path}: {error}") from None
    except TruncatedGGUF as error:
        size = path.stat().st_size
        if error.needed is None:
            raise ModelUnreadable(
                _("{path} is truncated: it ends inside its header. Fetch or convert it again.", path=path)
            ) from None
        raise ModelUnreadable(
            _(
                "{path} is truncated: it holds {size} of {needed} bytes. Fetch or convert it again.",
                path=path,
                size=f"{size:,}",
                needed=f"{error.needed:,}",
            )
        ) from None


def _check_start(path: Path, start: bytes) -> None:
    if not start:
        raise ModelUnreadable(_("{path} is empty: it is not a model. Fetch or convert it again.", path=path))
    if start[:4] != b"GGUF":
        raise ModelUnreadable(_("{path} is not a GGUF model file.", path=path))
    if len(start) < 8:
        raise TruncatedGGUF(None)
    (version,) = struct.unpack_from("<I", start, 4)
    if version in VERSIONS:
        return
    if version & 0xFFFF == 0:
        raise ModelUnreadable(
            _("{path} is a GGUF of the other byte order (big-endian). Convert the checkpoint here.", path=path)
        )
    raise ModelUnreadable(
        _(
            "{path} is a GGUF of version {version}; versions {first} and {second} can be read. "
            "Convert the checkpoint again.",
            path=path,
            version=version,
            first=VERSIONS[0],
            second=VERSIONS[1],
        )
    )


def _parts(path: Path, contents: Contents) -> list[Path]:
    """The other files of a model in several."""
    count, number = contents.metadata.get("split.count"), contents.metadata.get("split.no")
    if contents.kinds.get("split.count") != UINT16 or not isinstance(count, int) or count < 2:
        return []
    ending = f"-00001-of-{count:05}.gguf"
    if number != 0 or not path.name.endswith(ending):
        raise ModelUnreadable(
            _(
                "{path} is one of {count} files of a model. Open the first, {ending}, of its own name.",
                path=path,
                count=count,
                ending=ending[1:],
            )
        )
    stem = path.name.removesuffix(ending)
    return [path.with_name(f"{stem}-{part:05}-of-{count:05}.gguf") for part in range(2, count + 1)]


def _folder_message(path: Path) -> str:
    if (path / "config.json").exists():
        command = f"bayling convert {path} -o {path.name}.gguf"
        return _(
            "{path} is a folder with a checkpoint, not a GGUF file. Convert it: {command}", path=path, command=command
        )
    what = _("a folder") if path.is_dir() else _("a device or a pipe")
    return _("{path} is {what}, not a GGUF file.", path=path, what=what)
