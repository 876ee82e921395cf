"""What is told of one file after another, added up to one measure of the whole job: fetch, check, convert, check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bayling_lite.hub import Repository
from bayling_lite.pulling.plan import weights
from bayling_lite.registry import Progress

if TYPE_CHECKING:
    from bayling_convert import Step

FETCHING, CHECKING, CONVERTING = "Fetching", "Checking", "Converting"


def weights_to_fetch(repository: Repository) -> dict[str, int]:
    """Bytes of the files with a checkpoint's weights that the shared cache has not, by ``hf://OWNER/NAME/FILE``."""
    missing = (name for name in weights(repository.files) if repository.cached(name) is None)
    return {_path(repository, name): repository.files[name].size for name in missing}


class Measure:
    """Bytes of everything that one job does, told to ``progress`` in three kinds: fetched, checked, converted.

    Args:
        files: bytes of each file to fetch, by ``hf://OWNER/NAME/FILE``.
        result: about how many bytes are written; 0 where nothing is converted.
        progress: told of it.
        result_is_checked: whether what is written is read once more.
    """

    def __init__(
        self, files: Mapping[str, int], result: int, progress: Progress, *, result_is_checked: bool = False
    ) -> None:
        self._files = files
        self._result = result
        self._to_check = sum(files.values()) + (result if result_is_checked else 0)
        self._progress = progress
        self._fetched: dict[str, int] = {}
        self._checked: dict[str, int] = {}
        self._begun = False

    def begin(self) -> None:
        """Announce what there is to do."""
        self._begun = True
        for label, total in ((FETCHING, sum(self._files.values())), (CHECKING, self._to_check)):
            if total:
                self._progress(0, total, label)
        if self._result:
            self._progress(0, self._result, CONVERTING)

    def fetching(self, repository: Repository) -> Progress:
        """For the files of a repository: what is told of each, as :data:`bayling_lite.hub.Progress`."""

        def told(done: int, total: int, name: str) -> None:
            if not self._begun:
                self.begin()
            if name.startswith("waiting "):
                self._progress(0, 0, sentence(name))
            elif name.startswith("checking "):
                path = _path(repository, name.removeprefix("checking "))
                self._fetched[path] = total  # perhaps an earlier run had fetched it
                self._checked[path] = done
                self._tell(self._checked, self._to_check, CHECKING)
            else:
                self._fetched[_path(repository, name)] = done
                self._tell(self._fetched, sum(self._files.values()), FETCHING)

        return told

    def converting(self, step: Step) -> None:
        """For :func:`bayling_convert.convert`. What an earlier run converted needs not be fetched any more."""
        if not self._begun:
            self.begin()
        for path, size in self._files.items():
            if path not in step.files:
                self._fetched[path] = self._checked[path] = size
        self._progress(step.done, step.total, f"{CONVERTING}: tensor {step.n_done:,} of {step.n_tensors:,}")

    def checking_result(self, done: int, total: int, _what: str) -> None:
        """What is written is read once more."""
        self._to_check = sum(self._files.values()) + total
        self._fetched, self._checked = dict(self._files), {**self._files, "": done}
        self._tell(self._checked, self._to_check, CHECKING)

    def _tell(self, done: Mapping[str, int], total: int, label: str) -> None:
        if total:
            self._progress(min(sum(done.values()), total), total, label)


def silent(_done: int, _total: int, _what: str) -> None:
    """Nobody wants to know."""


def sentence(words: str) -> str:
    """The words with a large letter."""
    return words[:1].upper() + words[1:]


def _path(repository: Repository, name: str) -> str:
    return f"hf://{repository.id}/{name}"
