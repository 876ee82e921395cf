"""What a user asks of ``bayling finetune``: a recipe by path or by name, and where and how to run it."""

from __future__ import annotations

import dataclasses
import difflib
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from bayling_finetune.config import Recipe
from bayling_lite.errors import RecipeError

_SHIPPED = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True)
class Job:
    """What to train and where; None means the recipe's or the machine's default.

    ``recipe``: a file, or the name of a shipped recipe. ``base``: a folder, or ``hf://OWNER/NAME``. ``stop_after``:
    seconds after which the run is saved and ends. ``keep_going``: do not stop when the loss has risen and stays high.
    """

    recipe: str | os.PathLike[str]
    data: Path | None = None
    run: Path | None = None
    base: str | os.PathLike[str] | None = None
    steps: int | None = None
    device: str | None = None
    threads: int | None = None
    stop_after: float | None = None
    tensorboard: bool = False
    keep_going: bool = False
    prepare_only: bool = False

    def load(self) -> Recipe:
        """The recipe, for as many steps as asked for.

        Raises:
            RecipeError: it cannot be found or used.
        """
        recipe = Recipe.load(find_recipe(self.recipe))
        if self.steps is None:
            return recipe
        schedule = dataclasses.replace(recipe.schedule, steps=self.steps, epochs=0.0)
        return dataclasses.replace(recipe, schedule=schedule)

    def command(self, *, processes: int = 1) -> str:
        """The command line that does this job with so many processes: what resumes it, too."""
        words = ["bayling"]
        if processes > 1:
            words = [
                "torchrun",
                "--nproc-per-node",
                str(processes),
                "-m",
                "bayling_lite.cli",
                "--",
            ]  # else it takes --run for its own
        words += ["finetune", os.fspath(self.recipe)]
        for option in ("data", "run", "base", "steps", "device", "threads"):
            value = getattr(self, option)
            if value is not None:
                words += [f"--{option}", str(value)]
        if self.stop_after is not None:
            words += ["--stop-after", f"{self.stop_after:.15g}s"]
        words += ["--tensorboard"] * self.tensorboard + ["--keep-going"] * self.keep_going
        return shlex.join(words)

    def public_command(self) -> str:
        """The command without this machine's paths."""
        steps = f" --steps {self.steps}" if self.steps is not None else ""
        base = ""
        if self.base is not None:
            base = f" --base {self.base if str(self.base).startswith('hf://') else 'DIR'}"
        return f"bayling finetune {Path(self.recipe).name} --data DIR{base}{steps}"


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.toml"))}


def find_recipe(named: str | os.PathLike[str]) -> Path:
    """A recipe's file: the path itself, else the shipped recipe of this name.

    Raises:
        RecipeError: there is neither.
    """
    path = Path(named)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    name = os.fspath(named).removesuffix(".toml")
    if name in shipped:
        return shipped[name]
    near = difflib.get_close_matches(name, shipped, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise RecipeError(f"There is no recipe {path}.{hint} Shipped with bayling-lite are: {', '.join(shipped)}.")
