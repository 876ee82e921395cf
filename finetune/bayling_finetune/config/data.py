"""What is learnt from: parallel text and files of dialogues."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

from bayling_finetune.config.checks import require
from bayling_lite.errors import RecipeError, UsageError
from bayling_lite.languages import find_language

_LARGEST_WEIGHT = 1000


@dataclass(frozen=True, slots=True)
class ParallelText:
    """One TSV file: source TAB target, UTF-8, a pair a line. ``weight`` is how often an epoch passes over it."""

    path: str
    source: str
    target: str
    weight: float = 1.0
    max_words: int = 24
    everyday: bool = False
    origin: str = ""
    license: str = ""

    def __post_init__(self) -> None:
        where = f"data.parallel ({self.path}):"
        # Codes from here on, however the recipe names the languages.
        for key in ("source", "target"):
            try:
                object.__setattr__(self, key, find_language(getattr(self, key)).code)
            except UsageError as error:
                raise RecipeError(f"{where} {key}: {error}") from error
        require(self.source != self.target, f"{where} source and target are the same language.")
        _check_weight(where, self.weight)
        require(self.max_words >= 1, f"{where} max_words must be 1 or more.")


@dataclass(frozen=True, slots=True)
class DialogueFile:
    """One JSONL file of dialogues, as ``bayling dialogues build`` writes it. ``weight``: passes an epoch.

    ``languages`` are the codes of those its translations are between: the model card and the model say them.
    """

    path: str
    weight: float = 1.0
    languages: tuple[str, ...] = ()
    origin: str = ""
    license: str = ""

    def __post_init__(self) -> None:
        where = f"data.dialogues ({self.path}):"
        _check_weight(where, self.weight)
        try:
            object.__setattr__(self, "languages", tuple(find_language(name).code for name in self.languages))
        except UsageError as error:
            raise RecipeError(f"{where} languages: {error}") from error


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many dialogues of each kind are made of the parallel text, as a share of its directions.

    Each is from 0 to 1: how probable it is that a direction of a pair gives one, where it can.
    """

    translation: float = 1.0
    constraint: float = 0.05
    correction: float = 0.1
    grammar: float = 0.0
    replacement: float = 0.05
    formality: float = 0.02
    length: float = 0.02
    style: float = 0.02
    conversation: float = 0.03

    def __post_init__(self) -> None:
        for kind in fields(self):
            require(0 <= getattr(self, kind.name) <= 1, f"data.kinds.{kind.name} must be from 0 to 1.")
        require(any(getattr(self, kind.name) for kind in fields(self)), "data.kinds are all 0: nothing would be made.")


@dataclass(frozen=True, slots=True)
class Data:
    """What is learnt: parallel text, made to dialogues, and files of dialogues.

    ``held_out`` is the share of English sentences that no training pair may contain: half for development, half for
    tests. Of files of dialogues that share is held out for development by each dialogue's fingerprint. ``max_pairs``
    limits the training pairs to a random sample; 0 takes all. Dialogues of more than ``max_tokens`` are left out and
    counted.
    """

    parallel: tuple[ParallelText, ...] = ()
    dialogues: tuple[DialogueFile, ...] = ()
    kinds: Kinds = Kinds()
    held_out: float = 0.01
    max_tokens: int = 160
    max_pairs: int = 0

    def __post_init__(self) -> None:
        named = bool(self.parallel or self.dialogues)
        require(named, "The recipe names no data: add [[data.parallel]] or [[data.dialogues]] tables.")
        for key, files in (("parallel", self.parallel), ("dialogues", self.dialogues)):
            path, count = Counter(file.path for file in files).most_common(1)[0] if files else ("", 0)
            require(count <= 1, f"data.{key} names {path} {count} times: give it a weight instead.")
        require(0 < self.held_out < 0.5, "data.held_out must be above 0 and below 0.5.")
        require(self.max_pairs >= 0, "data.max_pairs must be 0 or more.")
        require(self.max_tokens >= 16, "data.max_tokens must be 16 or more.")

    @classmethod
    def check_named(cls, named: set[str]) -> None:
        """Refuse keys that would do nothing.

        Raises:
            RecipeError: what is for parallel text only stands in a recipe without any.
        """
        for key in sorted(named & {"kinds", "max_pairs"}):
            require(
                "parallel" in named,
                f"data.{key} is about [[data.parallel]], and the recipe names none: files of dialogues are taken as "
                "they are.",
            )


def _check_weight(where: str, weight: float) -> None:
    require(0 < weight <= _LARGEST_WEIGHT, f"{where} weight must be above 0 and at most {_LARGEST_WEIGHT}.")
