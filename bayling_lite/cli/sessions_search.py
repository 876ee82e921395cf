"""``bayling sessions search``: turns that hold words."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.interface import InterfaceCommand, lang_option
from bayling_lite.cli.saying import say
from bayling_lite.cli.sessions_list import local_time, open_store
from bayling_lite.localization import _, noted
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.chat.records.searching import Hit

_SECTIONS = {noted("Options"): ("most", "as_json", "lang")}


@click.command("search", cls=InterfaceCommand, sections=_SECTIONS, short_help="Find turns that hold words.")
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@click.option(
    "-n", "--most", type=click.IntRange(min=1), metavar="N", default=20, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@lang_option
def search(words: tuple[str, ...], most: int, as_json: bool) -> None:
    """Find the turns in which every WORD occurs, in what was typed or answered, the newest first.

    Upper and lower case do not matter. What stands in quotation marks on the command line is looked for as one.

    \b
    Examples:
      bayling sessions search token 词元
      bayling sessions search "annual report" --json
    """  # noqa: D301 - click wants the character \b
    store = open_store()
    hits: list[Hit] = []
    if store is not None:
        with store:
            hits = list(itertools.islice(store.search(words), most + 1))
    for session, found in itertools.groupby(hits[:most], key=lambda hit: hit.session):
        _echo_hits(list(found), session, as_json=as_json)
    if not hits:
        say(_("No turn holds this."))
        return
    if len(hits) > most:
        say(_("There are more: -n shows more than {most}.", most=most))
    if sys.stdout.isatty() and not as_json:
        from bayling_lite.chat.records.values import SHORT_ID

        say(_("To go on with the newest: bayling-chat --continue {id}", id=hits[0].session[:SHORT_ID]))


def _echo_hits(hits: list[Hit], session: str, *, as_json: bool) -> None:
    from bayling_lite.chat.records.values import SHORT_ID

    if as_json:
        for hit in hits:
            click.echo(
                json.dumps(
                    {
                        "session": session,
                        "title": hit.title,
                        "turn": hit.number,
                        "in": hit.where,
                        "excerpt": hit.excerpt,
                    }
                )
            )
        return
    heading = f"{session[:SHORT_ID]} {local_time(hits[0].changed)} {hits[0].title}"
    click.echo(printable(heading, keep=""))
    for hit in hits:
        mark = "> " if hit.where == "typed" else ""
        click.echo(printable(f"  [{hit.number}] {mark}{hit.excerpt}", keep=""))
