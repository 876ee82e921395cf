"""``--help`` in the language of the interface."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable

import click

from bayling_lite.localization import _, interface_language, noted


class LocalizedCommand(click.Command):
    """A command whose help is translated when it is shown: its text, its options, and the words around them.

    The texts are found by the catalogue's tool where the command is listed there.
    """

    def get_help(self, ctx: click.Context) -> str:
        """The help, formatted."""
        if interface_language() == "en":
            return super().get_help(ctx)
        shown = copy.copy(self)
        shown.help = self.help and _(inspect.cleandoc(self.help))
        shown.epilog = self.epilog and _(inspect.cleandoc(self.epilog))
        shown.params = [_localized(parameter) for parameter in self.params]
        own = self.get_help_option(ctx)
        shown._help_option = own and copy.copy(own)
        if shown._help_option is not None:
            shown._help_option.help = _("Show this message and exit.")
        ctx.formatter_class = _CellFormatter
        return super(LocalizedCommand, shown).get_help(ctx)


def _localized(parameter: click.Parameter) -> click.Parameter:
    shown = copy.copy(parameter)
    if isinstance(shown, click.Option) and shown.help:
        shown.help = _(shown.help)
    return shown


_WORDS = (noted("Usage:"), noted("Options"), noted("Commands"), noted("Show this message and exit."))


class _CellFormatter(click.HelpFormatter):
    """Titles in the interface's language, and lines that end where the terminal does: Chinese has no spaces to break
    at, and each of its characters takes two cells.
    """

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or f"{_('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(_(heading))

    def write_text(self, text: str) -> None:
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.write_paragraph()
            lines = paragraph.split("\n")
            as_they_are = lines[0] == "\b"
            for line in lines[1:] if as_they_are else self._wrapped("".join(_joined(lines)), self.width):
                self.write(f"{'':>{self.current_indent}}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        first = min(max((len(term) for term, _text in rows), default=0), col_max) + col_spacing
        for term, text in rows:
            lines = self._wrapped(text, self.width - first)
            begun = f"{'':>{self.current_indent}}{term:<{first}}"
            if len(term) > first - col_spacing:
                self.write(begun.rstrip() + "\n")
                begun = " " * (self.current_indent + first)
            self.write((begun + (lines[0] if lines else "")).rstrip() + "\n")
            for line in lines[1:]:
                self.write(f"{'':>{self.current_indent + first}}{line}\n")

    def _wrapped(self, text: str, width: int) -> list[str]:
        from wcwidth import wrap

        return wrap(text, max(width - self.current_indent, 10))


def _joined(lines: list[str]) -> list[str]:
    """Lines to be one: a space between them where both sides are spaced writing."""
    parts = [lines[0].strip()]
    for line in map(str.strip, lines[1:]):
        spaced = parts[-1][-1:].isascii() and line[:1].isascii()
        parts += [" ", line] if spaced else [line]
    return parts
