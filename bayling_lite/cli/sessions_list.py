"""``bayling sessions list``, and what its sisters share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.interface import InterfaceCommand, lang_option
from bayling_lite.cli.saying import say
from bayling_lite.localization import _, noted
from bayling_lite.terminal import fit, printable

if TYPE_CHECKING:
    from bayling_lite.chat.records.store import SessionStore
    from bayling_lite.chat.records.values import SessionSummary

_SHORTEST_TITLE = 16
_SECTIONS = {noted("Options"): ("most", "as_json", "lang")}


@click.command("list", cls=InterfaceCommand, sections=_SECTIONS, short_help="List the sessions that are kept.")
@click.option("-n", "--most", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@lang_option
def list_sessions(most: int | None, as_json: bool) -> None:
    """List the sessions that are kept, the last changed first.

    \b
    Examples:
      bayling sessions list
      bayling sessions list -n 5 --json
    """  # noqa: D301 - click wants the character \b
    store = open_store()
    found: Sequence[SessionSummary] = ()
    if store is not None:
        with store:
            found = store.summaries(most)
    if as_json:
        for summary in found:
            click.echo(json.dumps(_as_json(summary)))
    elif found:
        _echo_table(found)
    else:
        say(nothing_kept())


def open_store() -> SessionStore | None:
    """The user's sessions, if any were kept. To look at them, a file that cannot be written does."""
    from bayling_lite.chat.records.store import SessionStore
    from bayling_lite.errors import OutputError

    path = store_path()
    if not path.exists():
        return None
    try:
        return SessionStore.open(path)
    except OutputError:
        return SessionStore.open(path, readonly=True)


def store_path() -> Path:
    """Where the user's sessions are."""
    from bayling_lite.chat.records.store import default_path

    return default_path()


def nothing_kept() -> str:
    """What is said where there is no session."""
    return _("No session is kept yet: `bayling-chat` keeps what is said in it.")


def local_time(seconds: float) -> str:
    """A moment as the user's clock has shown it, to the minute."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def languages_text(languages: Sequence[tuple[str | None, str]]) -> str:
    """Directions of translation: ``en→zh, de``; the source is left out where it is not known."""
    return ", ".join(f"{source}→{target}" if source else target for source, target in languages)


def _as_json(summary: SessionSummary) -> dict[str, object]:
    return {
        "id": summary.id,
        "title": summary.title,
        "model": summary.model,
        "created": _utc(summary.created),
        "changed": _utc(summary.changed),
        "languages": [{"from": source, "to": target} for source, target in summary.languages],
        "turns": summary.n_turns,
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _echo_table(found: Sequence[SessionSummary]) -> None:
    from bayling_lite.cli.tables import output_width, table

    header = (_("ID"), _("CHANGED"), _("TURNS"), _("LANGUAGES"), _("MODEL"), _("TITLE"))
    rows: list[tuple[str, ...]] = [
        (
            summary.short_id,
            local_time(summary.changed),
            f"{summary.n_turns}",
            languages_text(summary.languages),
            summary.model,
            summary.title,
        )
        for summary in found
    ]
    width = output_width()
    if width is not None:
        rows = _fitted(header, rows, width)
    for line in table(header, rows, width):
        click.echo(line)


def _fitted(header: Sequence[str], rows: list[tuple[str, ...]], width: int) -> list[tuple[str, ...]]:
    """The rows with titles, which stand last, cut to what the terminal has left for them, if that is worth it."""
    from prompt_toolkit.utils import get_cwidth

    others = [max(map(get_cwidth, column)) for column in zip(header[:-1], *(row[:-1] for row in rows), strict=True)]
    room = width - sum(cells + 2 for cells in others)
    return [(*row[:-1], _cut(row[-1], room)) for row in rows] if room >= _SHORTEST_TITLE else rows


def _cut(title: str, width: int) -> str:
    """As much of a title as has room, an ellipsis at its end where that is not all."""
    title = printable(title, keep="")
    shown = fit(title, width)
    return title if shown == title else f"{shown[:-1].rstrip()}…"
