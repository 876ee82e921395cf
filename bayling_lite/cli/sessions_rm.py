"""``bayling sessions rm``: remove sessions."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.interface import InterfaceCommand, lang_option
from bayling_lite.cli.saying import say
from bayling_lite.cli.sessions_list import local_time, nothing_kept, store_path
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.localization import _, noted, plural
from bayling_lite.reasons import reason

if TYPE_CHECKING:
    from bayling_lite.chat.records.store import SessionStore
    from bayling_lite.chat.records.values import SessionSummary

_SHOWN = 10

_SECTIONS = {noted("Options"): ("before", "everything", "yes", "quiet", "lang")}


@click.command("rm", cls=InterfaceCommand, sections=_SECTIONS, short_help="Remove sessions.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    metavar="DATE",
    help="Those that were not changed since: 2026-01-31.",
)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@lang_option
def remove(ids: tuple[str, ...], before: datetime | None, everything: bool, yes: bool, quiet: bool) -> None:
    """Remove the sessions of the IDs, or those that an option says, with all that was said in them.

    It says what will go and asks first; without a terminal, --yes has to say that it is meant. What is removed is
    overwritten in the file.

    \b
    Examples:
      bayling sessions rm 3f2a 81c0
      bayling sessions rm --before 2026-01-31
      bayling sessions rm --all --yes
    """  # noqa: D301 - click wants the character \b
    if bool(ids) + (before is not None) + everything != 1:
        raise UsageError(_("Say what to remove: either ids, or --before DATE, or --all."))
    path = store_path()
    if not path.exists():
        if ids:
            raise UsageError(_("There is no session {prefix}: none is kept yet.", prefix=ids[0]))
        say(nothing_kept())
        return
    try:
        removed = _remove_from(path, ids, None if before is None else _seconds(before), yes=yes)
    except InputError as error:
        if not everything:
            raise
        # What cannot be read can be thrown away, if that is what is wanted.
        say(str(error))
        _ask(_("The file {path} will be removed with all that is in it.", path=path), yes=yes)
        _remove_file(path)
        return
    if not quiet:
        say(plural("Removed one session.", "Removed {count} sessions.", removed))


def _seconds(moment: datetime) -> float:
    """Seconds since 1970; of a moment for which the clock has none, the nearest."""
    try:
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0 if moment.year < datetime.now().year else float("inf")


def _remove_from(path: Path, ids: Sequence[str], before: float | None, *, yes: bool) -> int:
    from bayling_lite.chat.records.store import SessionStore

    with SessionStore.open(path) as store:
        chosen = [store.summary(name) for name in ids] if ids else _closed(store, store.summaries(before=before))
        chosen = list({summary.id: summary for summary in chosen}.values())
        if chosen and not yes:
            for summary in chosen[:_SHOWN]:
                say(f"{summary.short_id} {local_time(summary.changed)} {summary.title}")
            if len(chosen) > _SHOWN:
                say(_("and {count} more", count=len(chosen) - _SHOWN))
            _ask(plural("One session will be removed.", "{count} sessions will be removed.", len(chosen)), yes=False)
        return store.remove([summary.id for summary in chosen])


def _closed(store: SessionStore, found: Sequence[SessionSummary]) -> list[SessionSummary]:
    """Those that no chat has open; of the others it is said that they stay."""
    closed = []
    for summary in found:
        if store.is_open(summary.id):
            say(_("{session} is open in a chat and stays.", session=summary.short_id))
        else:
            closed.append(summary)
    return closed


def _remove_file(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        try:
            path.with_name(path.name + end).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(_("{path} cannot be removed: {reason}.", path=path, reason=reason(error))) from error


def _ask(what: str, *, yes: bool) -> None:
    if yes:
        return
    say(what)
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(_("Nothing was removed: there is no terminal to ask in. --yes says that it is meant."))
    answer = click.prompt(f"{_('Remove?')} [y/N]", default="n", show_default=False, err=True)
    if answer.strip().casefold() not in ("y", "yes", "是", "是的", "确认", "删除"):
        raise click.Abort
