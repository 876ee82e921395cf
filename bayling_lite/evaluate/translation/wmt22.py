"""WMT22 as the paper measures it: 14 directions, BLEU and chrF++."""

from __future__ import annotations

from pathlib import Path

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder, read_lines
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.translation.measuring import USUAL, Scoring, instruction_words, measure, score_outputs
from bayling_lite.evaluate.translation.parallel_set import ParallelSet, check_paired
from bayling_lite.evaluate.values import SetResult, Setup
from bayling_lite.languages import Language, find_language
from bayling_lite.prompts import Wording

DIRECTIONS = (
    *("zh-en", "en-zh", "de-en", "en-de", "cs-en", "ja-en", "ru-en", "uk-en"),
    *("en-cs", "en-ja", "en-ru", "en-uk", "de-fr", "fr-de"),
)
"""In the order of the paper's tables."""

_CHINESE = ".zh_prompt"
_PREFERRED = ("reference", "wmt22", "translation_benchmark")


class Wmt22:
    """The family ``wmt22``: ``zhen.src`` and ``zhen.ref``, outputs ``SYSTEM/zh-en.hypo``.

    ``SYSTEM/zh-en.zh_prompt.hypo`` was asked for in Chinese; there the system is called ``SYSTEM.zh_prompt``.
    """

    name = "wmt22"

    def __init__(self, how: Scoring = USUAL) -> None:
        self._how = how

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:
        """The directions that have a source and a reference, in the paper's order."""
        return tuple(direction for direction in DIRECTIONS if all(map(data.find, _files(direction))))

    def test_set(self, data: DataFolder, direction: str) -> ParallelSet:
        """The test set of a direction.

        Raises:
            UsageError: there is no such direction, or the data has none of it.
            InputError: its files cannot be read, or have different numbers of lines.
        """
        if direction not in DIRECTIONS:
            raise UsageError(f"WMT22 has no direction {direction!r} here. There are: {', '.join(DIRECTIONS)}.")
        source, reference = (data.one(name, preferred=_PREFERRED) for name in _files(direction))
        if source is None or reference is None:
            there = ", ".join(self.find_sets(data)) or "none"
            raise UsageError(
                f"{' and '.join(map(str, data.folders))} has no {' and '.join(_files(direction))} for {direction}; it "
                f"has: {there}. The sets are in the public repository ictnlp/BayLing, exp/translation_benchmark."
            )
        sources, references = read_lines(source), read_lines(reference)
        check_paired(source, sources, reference, len(references))
        from_, to = languages(direction)
        return ParallelSet(direction, from_, to, tuple(sources), (tuple(references),), str(reference))

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:
        """Have a direction translated as the paper did, and score it."""
        return measure(self.test_set(data, set_name), self.name, generator, setup, self._how)

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:
        """The files ``SYSTEM/DIRECTION.hypo``, by system, in the paper's order."""
        found = []
        for path in data.find("*.hypo"):
            direction, chinese = _direction(path)
            if direction in DIRECTIONS:
                system = path.absolute().parent.name + (_CHINESE if chinese else "")
                found.append(FoundOutputs(system, direction, path))
        return tuple(sorted(found, key=lambda outputs: (outputs.system, DIRECTIONS.index(outputs.set_name))))

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:
        """Score outputs made elsewhere, one a line.

        Raises:
            InputError: their number of lines is another than the set's.
        """
        test_set = self.test_set(data, found.set_name)
        if not found.path.is_file():
            raise InputError(f"There is no file {found.path}.")
        wording = instruction_words(test_set.target, Wording.CHINESE) if _direction(found.path)[1] else ""
        return score_outputs(test_set, self.name, found.system, found.path, self._how, wording=wording)


def languages(direction: str) -> tuple[Language, Language]:
    """Source and target of one of the directions."""
    source, target = direction.split("-")
    return find_language(source), find_language(target)


def _files(direction: str) -> tuple[str, str]:
    """``zhen.src``, ``zhen.ref``."""
    pair = direction.replace("-", "")
    return f"{pair}.src", f"{pair}.ref"


def _direction(path: Path) -> tuple[str, bool]:
    """Which direction a file of hypotheses is, and whether it was asked for in Chinese."""
    name = path.name.removesuffix(".hypo")
    return name.removesuffix(_CHINESE), name.endswith(_CHINESE)
