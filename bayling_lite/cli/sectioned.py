"""Commands with many options: listed in sections by --help, and remembered as they were typed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click

_ARGUMENTS = "bayling.arguments"


class SectionedCommand(click.Command):
    """A command whose options are listed in sections. ``sections``: titles and the names of their parameters."""

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.sections = sections

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and keep a copy."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options; those of no section come last."""
        options = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        records = {option.name: option.get_help_record(ctx) for option in options}
        for title, names in self.sections.items():
            rows = [record for name in names if (record := records.pop(name, None))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if rest := [record for record in records.values() if record]:
            with formatter.section("Other"):
                formatter.write_dl(rest)


def typed_command(ctx: click.Context, *more: str) -> str:
    """The line that a command was called with, fit to be typed again, and more options where they are not in it."""
    typed = ctx.meta.get(_ARGUMENTS, [])
    # First, since what stands after -- is no option.
    return f"{ctx.command_path} {shlex.join([*(option for option in more if option not in typed), *typed])}".rstrip()
