"""Sentences for people on standard error: safe for a terminal, and broken between words where it ends."""

from __future__ import annotations

import shutil
import sys

import click

from bayling_lite.terminal import printable


def say(text: str, *, keep: str = "") -> None:
    """Write a paragraph to standard error; of control characters only those in ``keep`` stay."""
    text = printable(text, keep=keep)
    if sys.stderr.isatty():
        from bayling_lite.wrapping import wrapped

        text = wrapped(text, shutil.get_terminal_size().columns)
    click.echo(text, err=True)
