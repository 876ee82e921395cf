"""Groups of commands that are imported when they are called, and say which was meant by one that there is not."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click

from bayling_lite.localization import _, listed, sentences


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed.

    ``table``: by name, where the command is (``module:attribute``) and its short help (a message).
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table is wrong otherwise
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of one that there is not, say which was meant."""
        suggest(self, ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _(help_)) for name, (_where, help_) in self._table.items()])


def suggest(group: click.Group, ctx: click.Context, args: list[str]) -> None:
    """Say which command was meant by one that there is not.

    Raises:
        click.UsageError: there is none of that name; with the nearest name, where one is near.
    """
    names = group.list_commands(ctx)
    if not args or args[0] in names or args[0].startswith("-"):
        return
    nearest = difflib.get_close_matches(args[0], names, n=1)
    hint = _("Did you mean {name}?", name=nearest[0]) if nearest else _("There are: {names}.", names=listed(names))
    raise click.UsageError(sentences(_("There is no command {name!r}.", name=args[0]), hint), ctx)
