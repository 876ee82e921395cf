"""Whose answers: a system's name, a file or a folder, as the command line takes them."""

from __future__ import annotations

from pathlib import Path

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.bayling80.published import (
    FAMILY,
    find_answers,
    find_reviews,
    read_outputs,
    read_reviewed,
)
from bayling_lite.evaluate.bayling80.questions import SETS
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.results import ResultsFolder, decode, file_name
from bayling_lite.evaluate.values import SetResult


class AnswerSource:
    """A system's answers.

    ``where`` is a file (answers to one set, or a result of ours), a folder with such files, else a system's name in the
    results folder or among the published outputs that lie with the data: its answers, else those that reviews repeat.
    """

    def __init__(self, where: str, data: DataFolder, results: ResultsFolder) -> None:
        self._where = where
        self._data = data
        self._results = results
        self._path = Path(where)

    def sets(self) -> tuple[str, ...]:
        """The sets that there are answers to, in their order; of a file, none is known before it is read."""
        return tuple(name for name in SETS if self._result_file(name) or self._outputs(name) or self._reviews(name))

    def read(self, set_name: str) -> SetResult:
        """The answers to a set.

        Raises:
            UsageError: there are none, or it cannot be told which are meant.
            InputError: they are damaged, or of another set.
        """
        if self._path.is_file():
            return self._file(set_name)
        if result := self._result_file(set_name):
            return _answers(decode(result), set_name, result)
        found = self._outputs(set_name)
        if len({outputs.system for outputs in found}) > 1:
            names = ", ".join(outputs.system for outputs in found)
            raise UsageError(f"{self._where} holds answers of several systems: {names}. Name the folder of one.")
        if len(found) > 1:
            paths = ", ".join(str(outputs.path) for outputs in found)
            raise UsageError(f"There are several answers of {self._where} to {set_name}: {paths}. Name one of them.")
        if found:
            return read_outputs(self._data, found[0])
        if reviews := self._reviews(set_name):
            return read_reviewed(self._data, reviews[0], self._where)
        raise UsageError(f"There are no answers of {self._where} to {set_name}. {self._known()}")

    def _file(self, set_name: str) -> SetResult:
        path = self._path
        if path.suffix == ".json":
            return _answers(decode(path), set_name, path)
        published = path.name.startswith("res.bayling-80.")
        if published and path.name not in (f"res.bayling-80.{name}.jsonl" for name in _readable_as(set_name)):
            raise InputError(f"{path} does not hold answers to {set_name}. Name the set whose answers it holds.")
        system = path.absolute().parent.name if published else path.stem
        return _answers(read_outputs(self._data, FoundOutputs(system, set_name, path)), set_name, path)

    def _result_file(self, set_name: str) -> Path | None:
        folder = self._path if self._path.is_dir() else self._results.path / file_name(self._where)
        path = folder / FAMILY / f"{file_name(set_name)}.json"
        return path if path.is_file() else None

    def _outputs(self, set_name: str) -> list[FoundOutputs]:
        if self._path.is_dir():
            found = find_answers(DataFolder([self._path.absolute()]))
            return [outputs for outputs in found if outputs.set_name == set_name]
        found = find_answers(self._data)
        return [outputs for outputs in found if (outputs.system, outputs.set_name) == (self._where, set_name)]

    def _reviews(self, set_name: str) -> list[FoundOutputs]:
        """Published reviews of the system, which repeat its answers; one is as good as another."""
        return [
            review
            for review in find_reviews(self._data)
            if review.set_name == set_name and self._where in (review.system, review.against)
        ]

    def _known(self) -> str:
        names = {outputs.system for outputs in find_answers(self._data)}
        names |= {name for review in find_reviews(self._data) for name in (review.system, review.against)}
        if self._results.path.is_dir():
            names |= {path.parent.name for path in self._results.path.glob(f"*/{FAMILY}") if path.is_dir()}
        there = f"There are answers of: {', '.join(sorted(names))}. " if names else ""
        return (
            f"{there}A system's name is looked for in the results folder (--out) and among the published outputs "
            "(--data); a file or a folder can be named as well."
        )


def _readable_as(set_name: str) -> tuple[str, str]:
    """The sets whose published answers answer a set: itself, and several turns for their first one."""
    return set_name, set_name.replace("singleturn", "multiturn")


def _answers(result: SetResult, set_name: str, path: Path) -> SetResult:
    if result.family != FAMILY or result.against or result.set_name != set_name:
        raise InputError(f"{path} holds no answers to {set_name} of BayLing-80.")
    return result
