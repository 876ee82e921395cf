"""The report on a file of dialogues: what is in it, from what it was made, and what was left out and why.

``NAME.report.json`` holds the figures, ``NAME.report.html`` shows them, with plots and samples, in one file that needs
nothing else. Both are made from the same :class:`Report`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Self, cast

from bayling_finetune.dialogues.bounded import bounded_lines
from bayling_finetune.dialogues.making import token_counter
from bayling_finetune.dialogues.report_page import page
from bayling_finetune.dialogues.statistics import Statistics
from bayling_finetune.dialogues.values import Dialogue
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.whole_file import replace_whole


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that dialogues were made from; ``origin`` and ``license`` as far as they were said."""

    path: str
    pairs: int
    sha256: str
    languages: str = ""
    origin: str = ""
    license: str = ""


@dataclass(slots=True)
class Report:
    """What is told of a file of dialogues.

    ``skipped``: pairs left out, by reason. ``overlap``: pairs found in a test set, by its name, and what was done about
    them. ``options``: what the build was asked for, by name. Of a file that was not just built, only ``output`` and
    ``statistics`` are known.
    """

    output: dict[str, Any]
    statistics: Statistics
    command: str = ""
    made_by: str = ""
    inputs: list[InputFile] = field(default_factory=list)
    pairs_read: int = 0
    pairs_used: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    test_sets: list[str] = field(default_factory=list)
    overlap: dict[str, int] = field(default_factory=dict)
    on_overlap: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["statistics"] = self.statistics.to_dict()
        values["inputs"] = [asdict(file) for file in self.inputs]
        return values

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gives.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        inputs = [InputFile(**file) for file in values["inputs"]]
        return cls(**{**values, "statistics": Statistics.of(values["statistics"]), "inputs": inputs})

    def write(self, path: Path) -> tuple[Path, Path]:
        """Write the page to ``path`` and the figures beside it; both paths.

        Raises:
            OutputError: they cannot be written.
        """
        figures = path.with_suffix(".json")
        try:
            text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"
            replace_whole(figures, text.encode("utf-8", "backslashreplace"))
            replace_whole(path, page(self.to_dict()).encode("utf-8", "xmlcharrefreplace"))
        except OSError as error:
            raise OutputError(f"The report {path} cannot be written: {error.strerror or error}.") from error
        return path, figures


def report_path(output: Path) -> Path:
    """``dialogues.report.html`` for ``dialogues.jsonl`` and for ``dialogues.jsonl.gz``."""
    name = output.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
    return output.with_name(f"{name or output.name}.report.html")


def described(path: Path) -> dict[str, Any]:
    """Name, size and SHA-256 of an output."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest}


def read_lines(path: Path, *, holding: bytes = b"") -> Iterator[tuple[Dialogue, dict[str, Any]]]:
    """The dialogues of a file, plain or compressed, with their lines; only of lines that hold these bytes somewhere.

    Raises:
        InputError: it cannot be read, or a line is no dialogue; the message says which.
    """
    import gzip
    import zlib

    number = 0
    try:
        with path.open("rb") as file:
            lines = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
            for number, data in bounded_lines(path, lines):  # noqa: B007 - told in the message
                if holding in data and data.strip():
                    line = json.loads(data)
                    dialogue = Dialogue.of(line)
                    yield dialogue, {**dialogue.to_dict(), **line}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise InputError(
            f"{path}, line {number}, is no dialogue in the chat format ({str(error)[:200]}). "
            "bayling dialogues import reads other formats."
        ) from error
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def report_on(path: Path, tokenizer: Path | None = None) -> Report:
    """A report on any file of dialogues; what it was made from is told if its own report lies beside it.

    ``tokenizer``: a SentencePiece model to count tokens with.

    Raises:
        InputError: a file cannot be read, or holds something else.
        UsageError: another kind of tokenizer.
    """
    statistics, count = Statistics(), token_counter(tokenizer)
    for dialogue, line in read_lines(path):
        statistics.add(dialogue, line, tokens=count(dialogue) if count is not None else 0)
    output = described(path)
    try:
        known = Report.of(json.loads(report_path(path).with_suffix(".json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return Report(output, statistics)
    if known.output.get("sha256") != output["sha256"]:
        return Report(output, statistics)
    if tokenizer is not None:
        known.statistics.histograms["tokens"] = statistics.histograms["tokens"]
    return known
