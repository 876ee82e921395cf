"""Files of dialogues, read a line at a time: JSON Lines in the chat format, as ``bayling dialogues`` writes them."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, cast

from bayling_finetune.config import DialogueFile
from bayling_finetune.dialogues.values import Dialogue
from bayling_lite.errors import BaylingError, RecipeError

_LARGEST_WEIGHT = 1000


@dataclass(slots=True)
class DialogueReader:
    """Reads the files of a recipe one after the other.

    A dialogue that was there before counts once: of those with the same ``id`` in one file, or with the same words in
    any, the first is taken. ``repeated``: how many were not.
    """

    root: Path
    repeated: int = 0
    _seen: set[bytes] = field(default_factory=set)

    def read(self, file: DialogueFile) -> Iterator[Dialogue]:
        """The dialogues of one file, plain or compressed (``.gz``); the file's weight is multiplied in.

        Raises:
            RecipeError: it is missing, or a line is no dialogue; the message names file and line.
        """
        path = find_file(self.root, file.path)
        number = 0
        try:
            with _open(path) as lines:
                for number, line in enumerate(lines, start=1):
                    data = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                    if data.strip() and (dialogue := self._dialogue(data, file)) is not None:
                        yield replace(dialogue, weight=dialogue.weight * file.weight)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise RecipeError(
                f"{path}, line {number}, is no dialogue in the chat format: {_reason(error)}. "
                "`bayling dialogues import` reads other formats."
            ) from error
        except (OSError, EOFError, zlib.error) as error:
            raise RecipeError(f"The data file {path} cannot be read: {_reason(error)}.") from error

    def _dialogue(self, data: bytes, file: DialogueFile) -> Dialogue | None:
        """What a line holds; None if it was there before."""
        line = json.loads(data.decode("utf-8"))
        try:
            dialogue = Dialogue.of(line)
        except BaylingError as error:
            raise ValueError(str(error).rstrip(".")) from error
        if not 0 <= dialogue.weight <= _LARGEST_WEIGHT:
            raise ValueError(f"the weight is {dialogue.weight}")
        for message in dialogue.conversation:
            message.content.encode()  # a lone half of a surrogate pair is no character
        keys = {_key(dialogue.key())}
        if "id" in line:
            keys.add(_key(f"{file.path}\n{line['id']}"))
        if keys & self._seen:
            self.repeated += 1
            return None
        self._seen |= keys
        return dialogue


def held_out(dialogue: Dialogue, share: float) -> bool:
    """Whether a dialogue is kept for development, whichever file it stands in.

    Its group decides, so that no sentence that is evaluated on was learnt in another dialogue about it; where it has
    none, its own fingerprint.
    """
    digest = hashlib.blake2b(
        (dialogue.group or dialogue.key()).encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
    return int.from_bytes(digest, "big") / 2**64 < share


def files_digest(files: Sequence[DialogueFile], root: Path) -> str:
    """SHA-256 over the SHA-256 of every file, in the recipe's order.

    Raises:
        RecipeError: a file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        path = find_file(root, file.path)
        try:
            with path.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError as error:
            raise RecipeError(f"The data file {path} cannot be read: {_reason(error)}.") from error
    return digest.hexdigest()


def find_file(root: Path, name: str) -> Path:
    """A data file of a recipe.

    Raises:
        RecipeError: it is missing.
    """
    path = root / name
    if not path.is_file():
        raise RecipeError(f"The recipe's data file {path} is missing. Name the folder of the data with --data.")
    return path


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]!r}"
    return str(error).rstrip(".") or type(error).__name__
