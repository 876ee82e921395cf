"""Training recipes: one TOML file, checked at birth.

A recipe names its data files by path (relative to ``--data``, else to the recipe's own folder), what training begins
from and the schedule. Every value of a recipe ends up in its digest, so that a checkpoint says exactly what made it.
"""

from bayling_finetune.config.data import Data, DialogueFile, Kinds, ParallelText
from bayling_finetune.config.recipe import Recipe
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

__all__ = [
    "Adapter",
    "Checkpoints",
    "Data",
    "DialogueFile",
    "Evaluation",
    "Hardware",
    "Kinds",
    "ModelConfig",
    "Optimizer",
    "ParallelText",
    "Recipe",
    "Schedule",
    "TokenizerConfig",
]
