"""``bayling dialogues``: conversations to train on, from parallel text and from other collections.

``build`` is in dialogues_build.py, ``report`` and ``show`` in dialogues_show.py, ``import`` and ``mix`` in
dialogues_import.py.
"""

from __future__ import annotations

import importlib

import click

# Where each command is, and its short help, which stands here too so that listing them imports none.
_COMMANDS = {
    "build": ("dialogues_build:build", "Parallel text to dialogues."),
    "import": ("dialogues_import:import_command", "Alpaca, ShareGPT or chat files to dialogues."),
    "mix": ("dialogues_import:mix_command", "Parts of several files of dialogues as one."),
    "report": ("dialogues_show:report", "What is in a file of dialogues, as a page with plots."),
    "show": ("dialogues_show:show", "Print some dialogues of a file."),
}


class DialoguesGroup(click.Group):
    """A group whose commands are imported when they are called; it says which was meant by one that there is not."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"bayling_lite.cli.{module}"), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is wrong otherwise
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        from bayling_lite.cli import suggest

        suggest(self, ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])


@click.group("dialogues", cls=DialoguesGroup)
def dialogues() -> None:
    """Dialogues to train on: build them from parallel text, import, mix, look at them.

    \b
    Examples:
      bayling dialogues build news.en-zh.tsv -o dialogues.jsonl
      bayling dialogues show dialogues.jsonl --kind correction
      bayling dialogues report dialogues.jsonl
      bayling dialogues import alpaca_data.json -o alpaca.jsonl
      bayling dialogues mix dialogues.jsonl alpaca.jsonl=0.5 -o train.jsonl
    """  # noqa: D301 - click wants the character \b
