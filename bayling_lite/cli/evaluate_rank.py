"""``bayling evaluate rank``: people rank systems, blind, on a page of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayling_lite.cli.evaluate_options import out_option
from bayling_lite.cli.options import output_options
from bayling_lite.cli.saying import say
from bayling_lite.errors import UsageError

if TYPE_CHECKING:
    from bayling_lite.evaluate.ranking.store import StudyStore

_ASPECTS = ("translation", "instructions", "interaction")


@click.command("rank")
@click.argument("study_name", metavar="STUDY")
@click.argument("systems", nargs=-1, metavar="[SYSTEM[=FILE]]...")
@click.option("--set", "set_name", metavar="FAMILY/SET", help="Outputs of the results folder on this set: wmt22/zh-en.")
@click.option("--source", type=click.Path(path_type=Path), metavar="FILE", help="What was translated, for SYSTEM=FILE.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="References that people can open, for SYSTEM=FILE.",
)
@click.option("--show-references", is_flag=True, help="With --set: people can open the references.")
@click.option(
    "--aspect",
    "aspects",
    type=click.Choice(_ASPECTS),
    multiple=True,
    help="Rank by this; may be given several times.  [default: what suits the set]",
)
@click.option("--items", "n_items", type=click.IntRange(min=1), metavar="N", help="Draw so many items.  [default: all]")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), metavar="N", help="For drawing and shuffling.  [default: any]"
)
@click.option("--results", is_flag=True, help="Print what was ranked so far, and end.")
@click.option("--export", type=click.Path(path_type=Path), metavar="FILE", help="Write all rankings as CSV, and end.")
@click.option("--force", is_flag=True, help="Overwrite the file of --export.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets others in who have the address.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="[default: the first free one from 8410]")
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@out_option
@output_options
def rank(
    study_name: str,
    systems: tuple[str, ...],
    out: Path,
    results: bool,
    export: Path | None,
    force: bool,
    host: str,
    port: int | None,
    opens: bool,
    quiet: bool,
    **made_of: Any,
) -> None:
    """Have people rank what systems wrote, blind, on a page of this machine.

    The first time, STUDY is made of the systems named: of their results on a set in the results folder (--set; without
    names, all of them), or of files (SYSTEM=FILE) whose lines belong together. Then it never changes, whatever becomes
    of its files, and STUDY alone goes on with it. A file has plain lines, or JSON lines (.jsonl) with "asked" and
    "said", each a text or a list with one for each turn.

    People see the outputs of an item in an order of their own, the same output once, and nothing that says which is
    which. Everything they say is kept at once; they can stop, go on in another browser, and change their minds. Ctrl-C
    ends the page.

    \b
    Examples:
      bayling evaluate rank zh-en --set wmt22/zh-en --items 100
      bayling evaluate rank mine A=a.txt B=b.txt --source source.txt
      bayling evaluate rank mine --host 0.0.0.0
      bayling evaluate rank mine --results --export votes.csv
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.evaluate.ranking.opening import Making, look_at_study, open_study
    from bayling_lite.evaluate.ranking.values import Aspect

    aspects = tuple(map(Aspect, made_of.pop("aspects")))
    making = Making(systems=systems, aspects=aspects, **made_of)
    if results or export is not None:
        if making.says_something:
            raise UsageError("--results and --export look at a study that there is: give nothing but its name.")
        with look_at_study(out, study_name) as store:
            _look(store, results=results, export=export, force=force, quiet=quiet)
        return
    store, is_new = open_study(out, study_name, making)
    with store:
        if not quiet:
            (_warn_of_names if is_new else _warn_of_changes)(store)
        _serve(store, host, port, opens=opens, quiet=quiet)


def _look(store: StudyStore, *, results: bool, export: Path | None, force: bool, quiet: bool) -> None:
    from bayling_lite.cli.evaluate_rank_results import export_votes, print_results

    if results:
        print_results(store)
    if export is not None:
        export_votes(store, export, force=force, quiet=quiet)


def _warn_of_names(store: StudyStore) -> None:
    """A model may say who it is, which takes the blindness away."""
    from bayling_lite.evaluate.ranking.dealing import naming

    count = naming(store.needed(), list(store.items()))
    if count:
        say(f"{count:,} outputs have a system's name in them, which people will read.")


def _warn_of_changes(store: StudyStore) -> None:
    """People go on seeing what the files said when the study was begun."""
    from bayling_lite.evaluate.ranking.opening import changed_files

    if changed := changed_files(store):
        files = ", ".join(map(str, changed))
        say(f"Warning: changed since the study was begun, which keeps the outputs that it was begun with: {files}.")


def _serve(store: StudyStore, host: str, port: int | None, *, opens: bool, quiet: bool) -> None:
    from bayling_lite.evaluate.ranking.serving import RankingServer

    server = RankingServer(store, host=host, port=port)
    study = store.needed()
    if not quiet:
        aspects = ", ".join(aspect.label.lower() for aspect in study.aspects)
        drawn = f" of {study.n_set:,}" if study.n_items < study.n_set else ""
        say(f"{study.name}: {study.n_items:,}{drawn} items, {len(study.systems)} systems, ranked by {aspects}.")
        say("The page is at the address below. Ctrl-C ends it; the same command goes on.")
        if server.wants_token:
            say("Whoever has the address can rank, and nothing is encrypted on the way: use a network that you trust.")
    click.echo(server.address)
    if opens:
        click.launch(server.address)
    try:
        server.run()
    except KeyboardInterrupt:
        if not quiet:
            say(_so_far(store))


def _so_far(store: StudyStore) -> str:
    """Who has done how much."""
    study, items = store.needed(), list(store.items())
    done = dict.fromkeys(store.persons(), 0)
    for ballot in store.ballots():
        done[ballot.person] += ballot.done(study.aspects_of(items[ballot.position]), len(study.systems))
    counts = ", ".join(f"{person} {count:,} of {study.n_items:,}" for person, count in done.items())
    return f"Ended; all is kept. Done so far: {counts or 'nothing'}."
