"""``bayling sessions export``: kept sessions as Markdown, JSON, a translation memory, or dialogues to train on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.interface import InterfaceCommand, lang_option
from bayling_lite.cli.saying import say
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.localization import _, noted
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.chat.records.values import StoredSession

_SECTIONS = {
    noted("What"): ("all_sessions",),
    noted("Outputs"): ("output", "format_name", "force", "quiet"),
    noted("Interface"): ("lang",),
}


@click.command(
    "export",
    cls=InterfaceCommand,
    sections=_SECTIONS,
    short_help=noted("Write sessions to a file: to read, to go on with, as a memory, to train on."),
)
@click.argument("sessions", nargs=-1, metavar="[ID]...")
@click.option("--all", "all_sessions", is_flag=True, help=noted("All sessions, the oldest first."))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help=noted("Write there; the name says in which format.  [default: standard output]"),
)
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    help=noted("md, json, tmx or dialogues.  [default: what the file's name says, else md]"),
)
@click.option("--force", is_flag=True, help=noted("Overwrite the file if it exists."))
@click.option("-q", "--quiet", is_flag=True, help=noted("Say nothing but errors."))
@lang_option
def export(
    sessions: tuple[str, ...],
    all_sessions: bool,
    output: str | None,
    format_name: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write kept sessions, by their ids or the beginnings of these, to a file, which appears whole or not at all.

    \b
    md         to read: what was said, without what was undone
    json       everything; bayling-chat goes on with it by /load FILE
    tmx        the accepted translations, for `bayling memory import` and other
               programs
    dialogues  JSON Lines for `bayling finetune`: each text with its drafts, what
               you said about them, and the version you let stand

    Dialogues hold what you typed, as you typed it: nothing of it is sent anywhere, but read the file before you share
    it, or a model that was trained on it.

    \b
    Examples:
      bayling sessions export 4f2a91c0 -o meeting.md
      bayling sessions export --all -o mine.tmx
      bayling sessions export --all --format dialogues -o corrections.jsonl
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.chat.records.exports.formats import format_named, format_of, write

    if bool(sessions) == all_sessions:
        raise UsageError(_("Name the sessions, or say --all: `bayling sessions list` lists them."))
    if output == "":
        raise UsageError(_("The file's name is empty: perhaps a variable of the shell is not set."))
    path = None if output in (None, "-") else Path(str(output))
    if format_name is not None:
        format_ = format_named(format_name)
    else:
        format_ = format_of(path) if path is not None else format_named("md")
    if path is not None and path.is_file() and not force:
        raise OutputError(_("{path} exists. --force overwrites it; or name another file.", path=path))
    exported = format_.export(_sessions(sessions))
    if path is None:
        _to_standard_output(exported.text)
    else:
        write(path, exported, overwrite=force)
    if not quiet:
        said = _("{what}.", what=exported.what)
        say(said if path is None else _("{path}: {said}", path=path, said=said))


def _sessions(names: tuple[str, ...]) -> list[StoredSession]:
    """The sessions of some ids, each once; of none, all of them, the oldest first."""
    from bayling_lite.chat.records.store import SessionStore, default_path

    path = default_path()
    if not path.exists():
        raise UsageError(_("No session is kept yet."))
    with SessionStore.open(path, readonly=True) as store:
        found = list(dict.fromkeys(map(store.find, names)))
        if not names:
            found = [summary.id for summary in reversed(store.summaries())]
        return [store.session(session) for session in found]


def _to_standard_output(text: str) -> None:
    """As it is for a program, and safe to look at on a terminal."""
    if sys.stdout.isatty():
        click.echo(printable(text), nl=False)
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
