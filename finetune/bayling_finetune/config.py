"""Training recipes: one TOML file, checked at birth.

A recipe names its data files by path (relative to ``--data``, else to the recipe's own folder), the tokenizer, the
model's
shape and the schedule. Every value of a recipe ends up in its digest, so that a checkpoint says exactly what made it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
import types
import typing
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from bayling_lite.errors import RecipeError
from bayling_lite.languages import find_language
from bayling_lite.prompts import TEMPLATES


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise RecipeError(message)


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
        # Codes from here on, however the recipe names the languages.
        object.__setattr__(self, "source", find_language(self.source).code)
        object.__setattr__(self, "target", find_language(self.target).code)
        _require(self.source != self.target, f"{self.path}: source and target are the same language.")
        _require(0 < self.weight <= 1000, f"{self.path}: weight must be above 0 and at most 1000.")
        _require(self.max_words >= 1, f"{self.path}: max_words must be 1 or more.")


@dataclass(frozen=True, slots=True)
class Data:
    """What dialogues are made of. Shares are of the translation dialogues' number.

    ``max_pairs`` limits the training pairs to a random sample; 0 takes all.
    ``held_out`` is the share of English sentences that no training pair may contain: half for development, half for
    tests.
    """

    parallel: tuple[ParallelText, ...]
    held_out: float = 0.01
    chinese_wording: float = 0.15
    refinement_share: float = 0.1
    constraint_share: float = 0.04
    substitution_share: float = 0.0
    max_tokens: int = 160
    max_pairs: int = 0

    def __post_init__(self) -> None:
        _require(bool(self.parallel), "The recipe names no data: add [[data.parallel]] tables.")
        _require(0 < self.held_out < 0.5, "data.held_out must be above 0 and below 0.5.")
        for name in ("chinese_wording", "refinement_share", "constraint_share", "substitution_share"):
            _require(0 <= getattr(self, name) <= 1, f"data.{name} must be from 0 to 1.")
        _require(self.max_pairs >= 0, "data.max_pairs must be 0 or more.")
        _require(self.max_tokens >= 16, "data.max_tokens must be 16 or more.")


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """SentencePiece BPE with byte fallback."""

    vocab_size: int = 8000
    character_coverage: float = 0.9995
    lines: int = 400_000

    def __post_init__(self) -> None:
        _require(self.vocab_size >= 300, "tokenizer.vocab_size must be 300 or more: 256 bytes, 3 special tokens, text.")
        _require(0.9 <= self.character_coverage <= 1, "tokenizer.character_coverage must be from 0.9 to 1.")
        _require(self.lines >= 1, "tokenizer.lines must be 1 or more.")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of a LLaMA model with tied embeddings."""

    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    context: int = 1024
    rope_theta: float = 10_000.0

    def __post_init__(self) -> None:
        for name in ("hidden_size", "intermediate_size", "layers", "heads", "kv_heads", "context"):
            _require(getattr(self, name) >= 1, f"model.{name} must be 1 or more.")
        _require(self.hidden_size % (2 * self.heads) == 0, "model.hidden_size must be a multiple of twice model.heads.")
        _require(self.heads % self.kv_heads == 0, "model.heads must be a multiple of model.kv_heads.")
        _require(1 < self.rope_theta < math.inf, "model.rope_theta must be above 1.")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Optimization: warm-up, a plateau, a linear decay to zero over the last ``decay`` of the steps.

    Until the decay begins, the number of steps can be changed and a run resumed, as the plateau does not depend on it.
    ``batch_tokens`` counts the tokens of one packed row.
    """

    steps: int
    batch_tokens: int = 8192
    warmup: int = 100
    decay: float = 0.25
    muon_lr: float = 0.02
    adamw_lr: float = 3e-3
    clip: float = 1.0
    precision: str = "bf16"
    compile: bool = True
    seed: int = 1
    evaluate_every: int = 250
    checkpoint_every: int = 250
    keep_checkpoints: int = 2

    def __post_init__(self) -> None:
        _require(
            self.precision in ("bf16", "fp32"), f"schedule.precision must be bf16 or fp32, not {self.precision!r}."
        )
        _require(0 <= self.decay <= 1, "schedule.decay must be from 0 to 1.")
        _require(self.warmup >= 0 and self.seed >= 0, "schedule.warmup and schedule.seed must be 0 or more.")
        for name in ("steps", "batch_tokens", "evaluate_every", "checkpoint_every", "keep_checkpoints"):
            _require(getattr(self, name) >= 1, f"schedule.{name} must be 1 or more.")
        for name in ("muon_lr", "adamw_lr", "clip"):
            _require(0 < getattr(self, name) < math.inf, f"schedule.{name} must be above 0.")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that makes one checkpoint.

    ``base`` is a checkpoint folder to begin from, relative to the recipe (``--base`` names another); its tokenizer is
    kept. Without it the model begins at random and the tokenizer is trained.
    """

    name: str
    data: Data
    tokenizer: TokenizerConfig
    model: ModelConfig
    schedule: Schedule
    template: str = "bayling"
    license: str = ""
    demonstrator: bool = False
    version: str = "0"
    base: str = ""
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        _require(self.template in TEMPLATES, f"Unknown template {self.template!r}. Known: {', '.join(TEMPLATES)}.")
        plain = bool(re.fullmatch(r"\w[\w.-]*", self.name))
        _require(plain, f"The name {self.name!r} should be letters, digits, dots and hyphens: it names a folder.")

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Read a TOML recipe.

        Raises:
            RecipeError: the file is missing or not TOML, a key is unknown or missing, a value is of another type.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RecipeError(f"There is no recipe {path}.") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RecipeError(f"The recipe {path} cannot be read: {error}") from error
        recipe: Recipe = _build(cls, table, where=path.name, folder=path.resolve().parent)
        return recipe

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of all languages in the data, in the order of their first use."""
        return tuple(dict.fromkeys(code for text in self.data.parallel for code in (text.source, text.target)))

    def digest(self) -> str:
        """SHA-256 of all values; the folder does not count."""
        values = asdict(self)
        del values["folder"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


Value = TypeVar("Value")


def _build(kind: type[Value], table: Any, *, where: str, **given: Any) -> Value:
    """Make a dataclass from a TOML table; every key must be known, every value of the declared type."""
    if not isinstance(table, dict):
        raise RecipeError(f"{where} must be a table.")
    hints = typing.get_type_hints(kind)
    known = hints.keys() - given.keys()
    if unknown := sorted(table.keys() - known):
        raise RecipeError(f"{where}: unknown key {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
    values = {key: _convert(hints[key], value, where=f"{where}: {key}") for key, value in table.items()}
    try:
        built: Value = kind(**values, **given)
    except TypeError as error:
        raise RecipeError(f"{where}: {str(error).split('() ')[-1]}.") from error
    return built


def _convert(hint: Any, value: Any, *, where: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, where=where)
    if isinstance(hint, types.GenericAlias) or typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise RecipeError(f"{where} must be a list.")
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, entry, where=f"{where}[{number}]") for number, entry in enumerate(value))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        kinds = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise RecipeError(f"{where} must be {kinds.get(hint, hint.__name__)}, not {value!r}.")
    return value
