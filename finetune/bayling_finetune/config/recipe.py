"""A recipe: everything that makes one checkpoint."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bayling_finetune.config.checks import choice, require
from bayling_finetune.config.data import Data
from bayling_finetune.config.reading import build, read_toml
from bayling_finetune.config.training import (
    Adapter,
    Checkpoints,
    Evaluation,
    Hardware,
    ModelConfig,
    Optimizer,
    Schedule,
    TokenizerConfig,
)
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import TEMPLATES

_HUB = re.compile(r"hf://[\w.-]+/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that makes one checkpoint.

    Either ``base`` (a checkpoint folder, relative to the recipe, or a repository as ``hf://OWNER/NAME``, with
    ``@REVISION`` if need be; ``--base`` names another), whose shape and tokenizer are kept, or ``model`` (and
    ``tokenizer``): from scratch.
    """

    name: str
    data: Data
    schedule: Schedule
    optimizer: Optimizer = field(default_factory=Optimizer)
    hardware: Hardware = field(default_factory=Hardware)
    evaluation: Evaluation = field(default_factory=Evaluation)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    base: str = ""
    model: ModelConfig | None = None
    tokenizer: TokenizerConfig | None = None
    adapter: Adapter | None = None
    template: str = "bayling"
    license: str = ""
    demonstrator: bool = False
    version: str = "0"
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        choice("template", self.template, TEMPLATES)
        plain = bool(re.fullmatch(r"\w[\w.-]*", self.name))
        require(plain, f"name: {self.name!r} should be letters, digits, dots and hyphens: it names a folder.")
        self._check_beginning()
        self._check_adapter()
        self._check_room()

    def _check_beginning(self) -> None:
        require(
            bool(self.base) != (self.model is not None),
            "base and [model] conflict: the recipe must name either a checkpoint to begin from or a shape from "
            "scratch, and only one of them.",
        )
        require(
            not (self.base and self.tokenizer),
            "[tokenizer] conflicts with base: a checkpoint is trained on with its own tokenizer.",
        )
        require(
            not self.base.startswith("hf:") or bool(_HUB.fullmatch(self.base)),
            f"base: {self.base!r} is no repository of the hub. Write hf://OWNER/NAME.",
        )
        require(
            self.model is None or not TEMPLATES[self.template].specials,
            f'template = "{self.template}" conflicts with [model]: a tokenizer made from scratch lacks its special '
            "tokens.",
        )
        require(
            self.model is None or bool(self.data.parallel),
            "[model] needs [[data.parallel]]: a tokenizer is trained on its text.",
        )

    def _check_adapter(self) -> None:
        if self.adapter is None:
            return
        require(
            bool(self.base),
            "[adapter] needs a base: there is nothing frozen beside which low-rank matrices could learn.",
        )
        require(
            self.optimizer.kind == "adamw",
            '[adapter] conflicts with optimizer.kind = "muon": low-rank matrices are trained with adamw.',
        )
        require(
            self.hardware.precision != "bf16-pure",
            '[adapter] conflicts with hardware.precision = "bf16-pure": with "bf16" all but its own few matrices are '
            "in bfloat16 already.",
        )

    def _check_room(self) -> None:
        """A packed row and the model's context must hold the longest dialogue."""
        rooms = [("schedule.batch_tokens", self.schedule.batch_tokens)]
        if self.model is not None:
            rooms.append(("model.context", self.model.context))
        for key, room in rooms:
            require(
                room >= self.data.max_tokens,
                f"{key} is {room}, which conflicts with data.max_tokens = {self.data.max_tokens}: "
                "the longest dialogue would not fit.",
            )

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Read a TOML recipe.

        Raises:
            RecipeError: the file is missing or not TOML, a key is unknown or missing, a value is of another type, or
                two values conflict. The message begins with the file's name.
        """
        table = read_toml(path)
        try:
            recipe: Recipe = build(cls, table, folder=path.resolve().parent)
        except RecipeError as error:
            raise RecipeError(f"{path.name}: {error}") from error
        return recipe

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of all languages of the data, in the order of their first use."""
        codes = [code for text in self.data.parallel for code in (text.source, text.target)]
        codes += [code for file in self.data.dialogues for code in file.languages]
        return tuple(dict.fromkeys(codes))

    def digest(self) -> str:
        """SHA-256 of all values; the folder does not count."""
        values = asdict(self)
        del values["folder"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
