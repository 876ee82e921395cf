"""What of a recipe has been changed between the runs that make one checkpoint: refused, or said."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from bayling_finetune.config import Recipe
from bayling_lite.errors import RecipeError

_TABLES = ("model", "adapter", "schedule", "optimizer", "hardware")


def settings(recipe: Recipe) -> dict[str, Any]:
    """What decides how a model learns, by dotted key, as JSON keeps it. Data and base have their own fingerprint."""
    tables = {name: value for name in _TABLES if (value := getattr(recipe, name)) is not None}
    values = {f"{name}.{key}": value for name, table in tables.items() for key, value in asdict(table).items()}
    kept: dict[str, Any] = json.loads(json.dumps(values))  # tuples become lists
    return kept


def told_changes(before: dict[str, Any], now: dict[str, Any]) -> str:
    """The changes in a sentence, empty without any.

    Raises:
        RecipeError: the weights so far would mean something else: the model's shape or the adapter has been changed.
    """
    changed = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    for key in changed:
        # heads or rope_theta, rank or alpha: some fit the weights' shapes, and make another model of them
        if key.startswith(("model.", "adapter.")) and key != "adapter.dropout":
            raise RecipeError(
                f"The run was trained with {key} = {_text(before.get(key))}, and the recipe says {_text(now.get(key))} "
                "now. Change it back, or name another folder with --run."
            )
    if not changed:
        return ""
    parts = [f"{key} was {_text(before.get(key))}, is {_text(now.get(key))}" for key in changed]
    return f"The recipe has been changed since: {'; '.join(parts)}."


def _text(value: Any) -> str:
    return json.dumps(value) if value is not None else "nothing"
