"""``bayling evaluate score``: outputs that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from bayling_lite.cli.evaluate_options import data_option, out_option
from bayling_lite.cli.evaluate_running import data_folder, keep, say_where, show_result
from bayling_lite.cli.options import output_options
from bayling_lite.cli.saying import say
from bayling_lite.cli.stopping import stoppable
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FAMILIES, Family, FoundOutputs, family
from bayling_lite.evaluate.results import ResultsFolder


@click.command("score")
@click.argument("family_name", metavar="[FAMILY", required=False, type=click.Choice(list(FAMILIES)))
@click.argument("set_name", metavar="[SET", required=False)
@click.argument("path", metavar="[OUTPUTS]]]", required=False, type=click.Path(path_type=Path))
@data_option
@out_option
@click.option("--name", metavar="NAME", help="What the system is called.  [default: its file's or folder's name]")
@output_options
def score(
    family_name: str | None,
    set_name: str | None,
    path: Path | None,
    data: tuple[Path, ...],
    out: Path,
    name: str | None,
    quiet: bool,
) -> None:
    """Score outputs that were made elsewhere, with the same code that scores what is measured here.

    With a file OUTPUTS, those are the outputs for the set SET of FAMILY: of translations one a line, of others JSON
    lines, in the order of the set. A folder OUTPUTS (with "all" as SET) is searched for files that are named as the
    paper's authors named theirs: zh-en.hypo, hypo.zh-en.en.jsonl, predict.NAME.TASK.zero-shot.jsonl. Without OUTPUTS,
    every output that lies with the test data is scored: in a checkout of ictnlp/BayLing, those of all published
    systems.

    Translations of other sets are scored by `bayling evaluate translation`.

    \b
    Examples:
      bayling evaluate score --data BayLing --data AGIEval
      bayling evaluate score wmt22 --data BayLing
      bayling evaluate score wmt22 zh-en output.txt --data BayLing --name "my model"
      bayling evaluate score exams all predictions/ --data AGIEval --name "my model"
    """  # noqa: D301 - click wants the character \b
    folder = data_folder(data)
    families = [family(family_name)] if family_name else [family(each) for each in FAMILIES]
    with stoppable():
        if path is None or path.is_dir():
            work = _found(families, folder, path, set_name, name)
        elif path.exists():
            work = [_one(families[0], folder, set_name or "", path, name)]
        else:
            raise InputError(f"There is no file {path}.")
        failed = _score(work, folder, ResultsFolder(out), quiet=quiet)
    if not quiet:
        say_where(out)
    if failed:
        raise InputError(f"{failed} of {len(work)} outputs could not be scored; the others are.")


def _one(kind: Family, folder: DataFolder, set_name: str, path: Path, name: str | None) -> tuple[Family, FoundOutputs]:
    sets = kind.find_sets(folder)
    if set_name not in sets:
        raise UsageError(f"There is no set {set_name} of {kind.name} in the test data. There are: {', '.join(sets)}.")
    return kind, FoundOutputs(name or path.stem, set_name, path)


def _found(
    families: Sequence[Family], folder: DataFolder, outputs: Path | None, set_name: str | None, name: str | None
) -> list[tuple[Family, FoundOutputs]]:
    """The outputs that lie in a folder, or with the test data."""
    where = DataFolder([outputs]) if outputs is not None else folder
    work = [
        (kind, replace(found, system=name) if name and outputs is not None else found)
        for kind in families
        for found in kind.find_outputs(where)
        if set_name in (None, "all", found.set_name)
    ]
    if not work:
        named = f" for {set_name}" if set_name not in (None, "all") else ""
        raise InputError(
            f"There are no outputs of {' or '.join(kind.name for kind in families)}{named} in "
            f"{' and '.join(map(str, where.folders))}: no file is named as those of the paper's authors. "
            "A single file can be named together with its set."
        )
    if name and outputs is None and len({found.system for _, found in work}) > 1:
        raise UsageError("--name names one system, and the test data holds outputs of several.")
    return work


def _score(
    work: Iterable[tuple[Family, FoundOutputs]], folder: DataFolder, results: ResultsFolder, *, quiet: bool
) -> int:
    """Score one after the other; what cannot be is told, and does not keep the others from it. How many could not."""
    system, failed = "", 0
    for kind, found in work:
        if found.system != system:
            system = found.system
            click.echo(f"{system}: {kind.name}")
        try:
            result = kind.score(folder, found)
        except InputError as error:
            say(f"Error: {error}")
            failed += 1
            continue
        keep(result, results)
        show_result(result, quiet=quiet)
    return failed
