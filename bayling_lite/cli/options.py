"""Options that several commands share: which model, how much of the machine, how much to say."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def engine_options(function: Function) -> Function:
    """``--model``, ``--template``, ``--threads``, ``--ctx`` (``n_ctx``): parameters so named, None if not given."""
    decorators = (
        click.option("--model", metavar="NAME|FILE", help="A model's name, or a .gguf file.  [default: bayling-tiny]"),
        click.option("--template", metavar="NAME", help="Its prompt template.  [default: the file's]"),
        click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads to compute with."),
        click.option("--ctx", "n_ctx", type=click.IntRange(min=64), metavar="N", help="Tokens of context."),
    )
    return _decorated(function, decorators)


def output_options(function: Function) -> Function:
    """``-q`` and ``-v``: the parameter ``quiet``; ``-v`` switches the log on."""
    decorators = (
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_be_verbose,
            is_eager=True,
            help="Log to stderr, and show tracebacks.",
        ),
    )
    return _decorated(function, decorators)


def _decorated(function: Function, decorators: tuple[Callable[[Function], Function], ...]) -> Function:
    # In --help, options stand in the order of their decorators, read from above.
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _be_verbose(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("bayling_lite").setLevel(logging.DEBUG)
