"""Options that several commands share: which model, how much of the machine, how much to say."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click

from bayling_lite.settings import KV_TYPES, Flags

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class EngineFlags:
    """What the command line says of the model and the machine. ``settings`` may also be said elsewhere."""

    template: str | None
    settings: Flags


def engine_options(function: Function) -> Function:
    """Which model, and how much of the machine: the parameter ``engine``, an :class:`EngineFlags`."""
    decorators = (
        click.option("--model", metavar="NAME|FILE", help="A model's name, or a .gguf file.  [default: bayling-tiny]"),
        click.option(
            "--template",
            metavar="NAME|FILE",
            help="Its prompt template: bayling, bayling-3, jinja (the model's own chat template), or a .jinja file.  "
            "[default: what the file asks for; of other models their own]",
        ),
        click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads to compute with."),
        click.option("--ctx", "n_ctx", type=click.IntRange(min=64), metavar="N", help="Tokens of context."),
        click.option("--parallel", type=click.IntRange(min=1), metavar="N", help="Requests computed at once."),
        click.option(
            "--gpu-layers", type=click.IntRange(min=0), metavar="N", help="Layers on the GPU.  [default: all]"
        ),
        click.option("--kv-type", type=click.Choice(KV_TYPES), help="Number format of the KV cache.  [default: f16]"),
        click.option("--mlock", is_flag=True, default=None, help="Keep the weights from being swapped out."),
        click.option(
            "--no-mmap",
            "mmap",
            is_flag=True,
            flag_value=False,
            default=None,
            help="Read the file instead of mapping it.",
        ),
    )

    @functools.wraps(function)
    def collected(**given: Any) -> Any:
        template = given.pop("template")
        # Options are named like the settings; Flags lists those that there are.
        settings = {name: given.pop(name) for name in Flags.__annotations__ if name in given}
        return function(engine=EngineFlags(template, cast(Flags, settings)), **given)

    return _decorated(cast(Function, collected), decorators)


def output_options(function: Function) -> Function:
    """``-q`` and ``-v``: the parameter ``quiet``; ``-v`` switches the log on, ``-vv`` that of llama.cpp as well."""
    decorators = (
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        click.option(
            "-v",
            "--verbose",
            count=True,
            expose_value=False,
            callback=_be_verbose,
            is_eager=True,
            help="Log to stderr, and show tracebacks; -vv logs llama.cpp, too.",
        ),
    )
    return _decorated(function, decorators)


def _decorated(function: Function, decorators: tuple[Callable[[Function], Function], ...]) -> Function:
    # In --help, options stand in the order of their decorators, read from above.
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _be_verbose(_context: click.Context, _parameter: click.Parameter, level: int) -> None:
    if level:
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("bayling_lite").setLevel(logging.DEBUG)
    if level == 1:
        # Of llama.cpp, which says hundreds of lines at DEBUG, only the warnings.
        logging.getLogger("bayling_lite.engine").setLevel(logging.INFO)
