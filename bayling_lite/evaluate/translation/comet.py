"""COMET, which judges a translation by a neural model (Rei et al. 2020, 2022), as an option.

Its package, ``unbabel-comet``, needs PyTorch and versions of other packages that are not ours, so it lives in an
environment of its own and its program ``comet-score`` is run (:class:`CometProgram`); or that was done elsewhere, where
there is a GPU, and what it wrote is read (:class:`CometFile`).

Source: the program and its JSON, unbabel-comet 2.2.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import read_lines
from bayling_lite.evaluate.translation.parallel_set import ParallelSet, one_line
from bayling_lite.reasons import reason

DEFAULT_MODEL = "Unbabel/wmt22-comet-da"
"""The model of the paper's COMET scores."""

_SHOWN = 300
_JSON_KEY = "COMET"
_CHECKPOINT = ".ckpt"


@dataclass(frozen=True, slots=True)
class CometScores:
    """A score for each sentence, as COMET gives it (of today's models about 0–1), and how they were made."""

    segments: tuple[float, ...]
    signature: str


class Comet(Protocol):
    """Where COMET scores come from."""

    def check(self) -> None:
        """See, before the long work, that scores can be had.

        Raises:
            UsageError: they cannot be had here.
            InputError: the file that should have them is not there.
        """
        ...

    def scores(self, test_set: ParallelSet, hypotheses: Sequence[str]) -> CometScores:
        """The scores of hypotheses, one for each line of the set.

        Raises:
            UsageError: they cannot be had here.
            InputError: what is there is broken, or has another number of scores.
        """
        ...


@dataclass(frozen=True, slots=True)
class CometProgram:
    """Runs ``comet-score`` over the first reference.

    ``program`` is its name or path; ``model`` a name on the hub or a ``.ckpt`` file; ``gpus`` 0 is the CPU.
    """

    model: str = DEFAULT_MODEL
    program: str = "comet-score"
    gpus: int = 0

    def scores(self, test_set: ParallelSet, hypotheses: Sequence[str]) -> CometScores:
        """Run it. Without a GPU, large models take minutes for a hundred sentences."""
        program = self._found()
        if not test_set.sources:
            raise UsageError("COMET compares a translation with its source, too: name the sources with --source.")
        with tempfile.TemporaryDirectory(prefix="bayling-comet-") as name:
            folder = Path(name)
            texts = {"src": test_set.sources, "hypo": hypotheses, "ref": test_set.references[0]}
            for end, lines in texts.items():
                (folder / f"set.{end}").write_text(_file(lines), encoding="utf-8", newline="\n")
            found = self._run(program, folder)
            segments = _segments(found, Path("set.hypo"), {"set.hypo"})
        return _checked(segments, len(hypotheses), self.program, f"model:{self.model}|refs:1|{_version(program)}")

    def check(self) -> None:
        """See that the program is there, and the model, if it is a file."""
        self._found()
        if self.model.endswith(_CHECKPOINT) and not Path(self.model).is_file():
            raise UsageError(f"There is no file {self.model}, which was named as COMET's model.")

    def _found(self) -> str:
        program = shutil.which(self.program)
        if program is None:
            raise UsageError(
                f"There is no program {self.program}: COMET is not installed here. Install it in an environment of its "
                "own (python -m venv comet; comet/bin/pip install unbabel-comet) and name comet/bin/comet-score with "
                "--comet-program; or score elsewhere, and name what came of it with --comet-scores."
            )
        return str(Path(program).absolute())

    def _run(self, program: str, folder: Path) -> Any:
        command = [program, "-s", "set.src", "-t", "set.hypo", "-r", "set.ref", "--model", self._model()]
        command += ["--gpus", str(self.gpus), "--quiet", "--only_system", "--to_json", "scores.json"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - the user's program
            if done.returncode == 0:
                return json.loads((folder / "scores.json").read_bytes())
        except OSError as error:
            raise UsageError(f"{program} cannot be run, or wrote no scores: {reason(error)}.") from error
        except ValueError as error:
            raise InputError(f"What {program} wrote is no JSON ({error}).") from error
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        raise UsageError(
            f"{program} failed with status {done.returncode}: {said[-1][-_SHOWN:]} "
            f"(The model {self.model} has to be on this machine, or there has to be a network.)"
        )

    def _model(self) -> str:
        # A path has to be found from another folder.
        return str(Path(self.model).absolute()) if self.model.endswith(_CHECKPOINT) else self.model


@dataclass(frozen=True, slots=True)
class CometFile:
    """Reads scores made elsewhere.

    ``path`` is the JSON of ``comet-score --to_json``, or a file with one number a line; or a folder that has such a
    file for each set, named after the set or its direction: ``zh-en.json``, ``zh-en.txt``. ``model`` made them.
    """

    path: Path
    model: str = DEFAULT_MODEL

    def scores(self, test_set: ParallelSet, hypotheses: Sequence[str]) -> CometScores:
        """Read the scores of a set."""
        path = self._file(test_set)
        if path.suffix == ".json":
            try:
                found = json.loads(path.read_bytes())
            except OSError as error:
                raise InputError(f"{path} cannot be read: {reason(error)}.") from error
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path} is no JSON ({error}).") from error
            segments = _segments(found, path, {test_set.name, test_set.direction})
            _same_hypotheses(found, hypotheses, path)
        else:
            segments = _numbers(path)
        return _checked(segments, len(hypotheses), str(path), f"model:{self.model}|refs:1|from:{path.name}")

    def check(self) -> None:
        """See that the file, or the folder, is there."""
        if not self.path.exists():
            raise InputError(f"There are no COMET scores at {self.path}: there is no such file or folder.")

    def _file(self, test_set: ParallelSet) -> Path:
        if not self.path.is_dir():
            return self.path
        names = dict.fromkeys((test_set.name, test_set.direction))
        paths = [self.path / f"{name}{end}" for name in names for end in (".json", ".txt", ".comet")]
        found = next((path for path in paths if path.is_file()), None)
        if found is None:
            raise InputError(f"{self.path} has no COMET scores of {test_set.name}: there is no {paths[0].name}.")
        return found


def _segments(found: Any, path: Path, names: Iterable[str]) -> list[Any]:
    """The scores in what ``comet-score --to_json`` writes: by the name of each file of translations, its sentences."""
    systems = found if isinstance(found, dict) else {"": found}
    if len(systems) > 1:
        systems = {name: rows for name, rows in systems.items() if {Path(name).name, Path(name).stem} & set(names)}
    if len(systems) != 1:
        raise InputError(f"{path} must have the scores of one file of translations, or of one named after the set.")
    (rows,) = systems.values()
    try:
        return [row[_JSON_KEY] for row in rows]
    except (TypeError, KeyError) as error:
        raise InputError(f"{path} is not what comet-score --to_json writes: a list with {_JSON_KEY!r}s.") from error


def _same_hypotheses(found: Any, hypotheses: Sequence[str], path: Path) -> None:
    """See, where the file has the translations that were scored, that they are these."""
    lists = found.values() if isinstance(found, dict) else [found]
    if len(list(lists)) != 1:
        return
    (rows,) = lists
    for number, (row, hypothesis) in enumerate(zip(rows, hypotheses, strict=False), 1):
        scored = row.get("mt") if isinstance(row, dict) else None
        if isinstance(scored, str) and _plain(scored) != _plain(hypothesis):
            raise InputError(f"{path} has scores of other translations: number {number} is not the one that is here.")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _numbers(path: Path) -> list[Any]:
    numbers = []
    for number, line in enumerate(read_lines(path), 1):
        try:
            numbers.append(float(line))
        except ValueError as error:
            raise InputError(f"{path}, line {number}: a number was expected, not {line[:40]!r}.") from error
    return numbers


def _checked(segments: Sequence[Any], expected: int, where: str, signature: str) -> CometScores:
    if len(segments) != expected:
        raise InputError(
            f"{where} has {len(segments):,} COMET scores for {expected:,} translations: "
            "there must be one for each, an empty translation included."
        )
    for number, value in enumerate(segments, 1):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{where}: COMET score {number} is no number, but {str(value)[:40]!r}.")
    return CometScores(tuple(map(float, segments)), signature)


def _file(lines: Iterable[str]) -> str:
    return "".join(f"{one_line(line)}\n" for line in lines)


def _version(program: str) -> str:
    """``version:2.2.7``, asked of the interpreter that the program's first line names; nothing where that fails."""
    try:
        with Path(program).open("rb") as file:
            first = file.readline(500).decode("utf-8", "replace").strip()
        code = "from importlib.metadata import version; print(version('unbabel-comet'))"
        command = [first.removeprefix("#!"), "-c", code]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()  # noqa: S603 - as above
    except (OSError, ValueError, subprocess.SubprocessError):
        return "version:unknown"
    return f"version:{told}"
