"""Options that the commands of ``bayling evaluate`` share: what is measured, on what, and where results go."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from bayling_lite.cli.options import EngineFlags, engine_options, output_options
from bayling_lite.cli.sectioned import SectionedCommand

Function = TypeVar("Function", bound=Callable[..., Any])

DATA_VARIABLE = "BAYLING_EVALUATION_DATA"
DEFAULT_OUT = Path("evaluation")


_SECTIONS = {
    "Data and results": ("data", "out"),
    "What is measured": ("model", "template", "server", "server_model", "name"),
    "How it is asked": ("wording", "beam", "greedy", "exact", "limit", "seed"),
    "The machine": ("threads", "n_ctx", "parallel", "gpu_layers", "kv_type", "mlock", "mmap"),
}
_LAST = ("no_progress", "quiet", "verbose", "help")


class MeasuringCommand(SectionedCommand):
    """A command with :func:`measuring_options`: its own options come first in the help."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, sections={}, **options)
        shared = {*(name for names in _SECTIONS.values() for name in names), *_LAST}
        own = [each.name for each in self.params if isinstance(each, click.Option) and each.name]
        self.sections = {"The task": [name for name in own if name not in shared], **_SECTIONS}


@dataclass(frozen=True, slots=True)
class MeasuringFlags:
    """What the command line says of a measurement. ``beam`` None is what the paper did; 1 is greedy.

    ``exact`` is for models in a GGUF; a judge on a server is asked as usual.
    """

    data: tuple[Path, ...]
    out: Path
    name: str | None
    server: str | None
    server_model: str | None
    engine: EngineFlags
    wording: str
    beam: int | None
    limit: int | None
    seed: int
    exact: bool
    no_progress: bool
    quiet: bool


def data_option(function: Function) -> Function:
    """``--data``: the parameter ``data``, folders."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        multiple=True,
        envvar=DATA_VARIABLE,
        show_envvar=True,
        metavar="DIR",
        help="A folder that holds test data, at any depth; may be given several times (in the variable, with "
        f"{os.pathsep!r} between them).",
    )(function)


def out_option(function: Function) -> Function:
    """``--out``: the parameter ``out``, the results folder."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=DEFAULT_OUT,
        show_default=True,
        metavar="DIR",
        help="The results folder.",
    )(function)


def measuring_options(function: Function) -> Function:
    """All options of a command that has a model answer: the parameter ``measuring``, a :class:`MeasuringFlags`."""
    decorators = (
        data_option,
        out_option,
        click.option("--name", metavar="NAME", help="What the system is called.  [default: the model's name]"),
        click.option(
            "--server",
            metavar="URL",
            help="Measure a server that speaks OpenAI's protocol, not a GGUF; its key is in BAYLING_SERVER_KEY.",
        ),
        click.option("--server-model", metavar="NAME", help="Which of its models.  [default: its only one]"),
        click.option(
            "--wording",
            type=click.Choice(["en", "zh"]),
            default="en",
            show_default=True,
            help="The language of the instructions.",
        ),
        click.option(
            "--beam", type=click.IntRange(1, 32), metavar="N", help="Beams of the search.  [default: as in the paper]"
        ),
        click.option("--greedy", is_flag=True, help="The likeliest token each time: --beam 1, and much faster."),
        click.option(
            "--exact",
            is_flag=True,
            help="The same answers each time, bit for bit, also after an interruption: one at a time, slower.",
        ),
        click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N items of each set."),
        click.option(
            "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, metavar="N", help="For sampling."
        ),
        engine_options,
        click.option("--no-progress", is_flag=True, help="Show no progress."),
        output_options,
    )

    @functools.wraps(function)
    def collected(**given: Any) -> Any:
        if given.pop("greedy"):
            if given["beam"] not in (None, 1):
                raise click.UsageError("--greedy is --beam 1: give one of them.")
            given["beam"] = 1
        if given["exact"] and given["server"] is not None:
            raise click.UsageError("--exact is for a GGUF: what a server computes at once is its own affair.")
        own = {field.name: given.pop(field.name) for field in fields(MeasuringFlags)}
        return function(measuring=MeasuringFlags(**own), **given)

    decorated: Any = collected
    # In --help, options stand in the order of their decorators, read from above.
    for decorate in reversed(decorators):
        decorated = decorate(decorated)
    return cast(Function, decorated)
