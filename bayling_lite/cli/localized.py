"""``--help`` in the language of the interface."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Iterable
from typing import TypeVar

import click

from bayling_lite.localization import _, interface_language, noted

Parameter = TypeVar("Parameter", bound=click.Parameter)


class LocalizedCommand(click.Command):
    """A command whose help is translated when it is shown: its text, its options, and the words around them.

    The texts are found by the catalogue's tool where the command is listed there.
    """

    def get_help(self, ctx: click.Context) -> str:
        """The help, formatted."""
        return super(LocalizedCommand, self._shown(ctx)).get_help(ctx)

    def get_usage(self, ctx: click.Context) -> str:
        """The line that says how the command is called."""
        return super(LocalizedCommand, self._shown(ctx)).get_usage(ctx)

    def _shown(self, ctx: click.Context) -> LocalizedCommand:
        """The command, or a copy of it with all its texts translated."""
        if interface_language() == "en":
            return self
        shown = copy.copy(self)
        shown.help = self.help and _(inspect.cleandoc(self.help))
        shown.epilog = self.epilog and _(inspect.cleandoc(self.epilog))
        shown.options_metavar = self.options_metavar and _(self.options_metavar)
        if isinstance(shown, click.Group):
            shown.subcommand_metavar = _(shown.subcommand_metavar)
        shown.params = [_localized(parameter) for parameter in self.params]
        own = self.get_help_option(ctx)
        shown._help_option = None if own is None else _localized(own)
        ctx.formatter_class = _CellFormatter
        return shown


def _localized(parameter: Parameter) -> Parameter:
    shown = copy.copy(parameter)
    if isinstance(shown, click.Option) and shown.help:
        shown.help = _(shown.help)
    if shown.metavar:
        shown.metavar = _(shown.metavar)
    return shown


# What click writes itself.
_WORDS = (
    noted("Options"),
    noted("Commands"),
    noted("Other"),
    noted("[OPTIONS]"),
    noted("COMMAND [ARGS]..."),
    noted("Show this message and exit."),
)
_DEFAULT = re.compile(r"\[default: (.*?)(?=[];])")


class _CellFormatter(click.HelpFormatter):
    """Titles in the interface's language, and lines that end where the terminal does: Chinese has no spaces to break
    at, and each of its characters takes two cells.
    """

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or _("Usage: "))

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{_('{title}:', title=_(heading))}\n")

    def write_text(self, text: str) -> None:
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.write_paragraph()
            lines = paragraph.split("\n")
            as_they_are = lines[0] == "\b"
            for line in lines[1:] if as_they_are else self._filled("".join(_joined(lines)), self.width):
                self.write(f"{'':>{self.current_indent}}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        first = min(max((_cells(term) for term, _text in rows), default=0), col_max) + col_spacing
        for term, text in rows:
            lines = self._filled(_DEFAULT.sub(_default, text), self.width - first)
            begun = " " * self.current_indent + term + " " * (first - _cells(term))
            if _cells(term) > first - col_spacing:
                self.write(begun.rstrip() + "\n")
                begun = " " * (self.current_indent + first)
            self.write((begun + (lines[0] if lines else "")).rstrip() + "\n")
            for line in lines[1:]:
                self.write(f"{'':>{self.current_indent + first}}{line}\n")

    def _filled(self, text: str, width: int) -> list[str]:
        from bayling_lite.wrapping import filled

        return list(filled(text, max(width - self.current_indent, 10)))


def _default(found: re.Match[str]) -> str:
    """What click writes after an option of which a default is to be shown."""
    return _("[default: {value}", value=found[1])


def _cells(text: str) -> int:
    from prompt_toolkit.utils import get_cwidth

    return get_cwidth(text)


def _joined(lines: list[str]) -> list[str]:
    """Lines to be one: a space between them where both sides are spaced writing."""
    parts = [lines[0].strip()]
    for line in map(str.strip, lines[1:]):
        spaced = parts[-1][-1:].isascii() and line[:1].isascii()
        parts += [" ", line] if spaced else [line]
    return parts
