"""``bayling sessions``: the chats that are kept. Its commands are in modules of their own."""

from __future__ import annotations

import click

from bayling_lite.cli.interface import InterfaceGroup, lang_option
from bayling_lite.localization import noted

_COMMANDS = {
    "list": ("bayling_lite.cli.sessions_list:list_sessions", noted("List the sessions that are kept.")),
    "show": ("bayling_lite.cli.sessions_show:show", noted("Show a session, turn by turn.")),
    "search": ("bayling_lite.cli.sessions_search:search", noted("Find turns that hold words.")),
    "export": ("bayling_lite.cli.sessions_export:export", noted("Write sessions as Markdown, JSON, TMX or dialogues.")),
    "rm": ("bayling_lite.cli.sessions_rm:remove", noted("Remove sessions.")),
}


@click.group("sessions", cls=InterfaceGroup, table=_COMMANDS)
@lang_option
def sessions() -> None:
    """Chats that are kept: list, show, search, export, remove.

    `bayling-chat` keeps every turn as it happens, on this machine alone. `bayling-chat --continue` goes on with the
    last session; a session is named by its id, or by as much of its beginning as tells it from the others.

    \b
    Examples:
      bayling sessions list
      bayling sessions show 3f2a
      bayling sessions search "annual report"
      bayling sessions export 3f2a -o report.md
      bayling sessions rm --before 2026-01-31
    """  # noqa: D301 - click wants the character \b
