"""``--lang``: the language that a command speaks, in its help as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from bayling_lite.cli.lazy import LazyGroup
from bayling_lite.cli.localized import LocalizedCommand
from bayling_lite.cli.sectioned import SectionedCommand
from bayling_lite.errors import UsageError
from bayling_lite.localization import noted, use_language

Function = TypeVar("Function", bound=Callable[..., Any])


def _use(_context: click.Context, _parameter: click.Parameter, name: str | None) -> None:
    if name is not None:
        use_language(name)


def lang_option(function: Function) -> Function:
    """``--lang``; it is no parameter of the command, but takes effect at once."""
    return click.option(
        "--lang",
        metavar="en|zh",
        expose_value=False,
        is_eager=True,
        callback=_use,
        help=noted("The language of the interface.  [default: the system's]"),
    )(function)


class _Obeying(LocalizedCommand):
    """A command with :func:`lang_option`, whose help and errors obey it wherever on the line it stands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for the language first: ``--help --lang zh`` shows the help before it has read on."""
        for position, word in enumerate(args):
            name, equals, value = word.partition("=")
            if name == "--lang" and (equals or position + 1 < len(args)):
                try:
                    use_language(value if equals else args[position + 1])
                except UsageError:
                    break  # it may be another option's value; where it is not, the option's callback says so
        return super().parse_args(ctx, args)


class InterfaceCommand(_Obeying, SectionedCommand):
    """A command with options in sections that has :func:`lang_option`."""


class LocalizedGroup(LocalizedCommand, LazyGroup):
    """A group that lists its commands in the language of the interface."""


class InterfaceGroup(_Obeying, LocalizedGroup):
    """A group whose commands all have :func:`lang_option`, as it has itself."""
