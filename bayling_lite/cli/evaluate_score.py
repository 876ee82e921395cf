"""``bayling evaluate score``: outputs that were made elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from bayling_lite.cli.evaluate_exams import show_averages
from bayling_lite.cli.evaluate_options import data_option, out_option
from bayling_lite.cli.evaluate_running import WHERE_DATA_IS, data_folder, keep, say_where, show_result
from bayling_lite.cli.evaluate_scoring import ScoringFlags, say_doubts, scoring_options
from bayling_lite.cli.options import output_options
from bayling_lite.cli.saying import say
from bayling_lite.cli.stopping import stoppable
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FAMILIES, Family, FoundOutputs, family
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult
from bayling_lite.terminal import printable

WMT22, EXAMS = "wmt22", "exams"


@click.command("score")
@click.argument("family_name", metavar="[FAMILY]", required=False, type=click.Choice(list(FAMILIES)))
@click.argument("set_name", metavar="[SET]", required=False)
@click.argument("path", metavar="[OUTPUTS]", required=False, type=click.Path(path_type=Path))
@data_option
@out_option
@click.option("--name", metavar="NAME", help="What the system is called.  [default: its file's or folder's name]")
@scoring_options
@output_options
def score(
    family_name: str | None,
    set_name: str | None,
    path: Path | None,
    data: tuple[Path, ...],
    out: Path,
    name: str | None,
    scoring: ScoringFlags,
    quiet: bool,
) -> None:
    """Score outputs that were made elsewhere, with the same code that scores what is measured here.

    Without OUTPUTS, every output that lies with the test data is scored: in a checkout of ictnlp/BayLing, those of all
    published systems. FAMILY (wmt22, constrained, refinement, bayling80 or exams) and SET choose among them.

    With a file OUTPUTS, those are the outputs for the set SET of FAMILY: of translations one a line, of others JSON
    lines, in the order of the set. A folder OUTPUTS, of one set SET or of "all", is searched for files that are
    named as the paper's authors named theirs: zh-en.hypo, hypo.zh-en.en.jsonl, predict.NAME.TASK.zero-shot.jsonl,
    res.bayling-80.SET.jsonl; or refined.SET.jsonl.

    Translations of other sets are scored by `bayling evaluate translation --outputs`.

    \b
    Examples:
      bayling evaluate score --data BayLing --data AGIEval
      bayling evaluate score wmt22 --data BayLing
      bayling evaluate score wmt22 zh-en output.txt --data BayLing --name "my model"
      bayling evaluate score exams all predictions/ --data AGIEval --name "my model"
    """  # noqa: D301 - click wants the character \b
    folder = data_folder(data)
    families = _families(family_name, scoring)
    with stoppable():
        if path is None or path.is_dir():
            work = _found(families, folder, path, set_name, name)
        elif path.exists():
            work = [_one(families[0], folder, set_name or "", path, name)]
        else:
            raise InputError(f"There is no file {path}.")
        _check_comet(work, scoring)
        scored = _score(work, folder, ResultsFolder(out), scoring, quiet=quiet)
    if scored.done and not quiet:
        say_where(out)
    if scored.failed:
        others = "the others are" if scored.done else "nothing else was"
        raise InputError(f"{scored.failed:,} of {len(work):,} outputs could not be scored; {others}.")
    if not scored.done:
        raise InputError("Nothing was scored.")


@dataclass(slots=True)
class _Scored:
    """What is known after scoring: how many outputs were scored, and how many could not be; the results of exams,
    which have averages; and the sets whose questions the data has not.
    """

    done: int = 0
    failed: int = 0
    exams: list[SetResult] = field(default_factory=list)
    without_set: dict[str, None] = field(default_factory=dict)


def _families(name: str | None, scoring: ScoringFlags) -> list[Family]:
    """The families to score outputs of; the one of translations is told how they are to be scored."""
    from bayling_lite.evaluate.translation.wmt22 import Wmt22

    if name not in (None, WMT22) and scoring.given:
        raise UsageError(f"{scoring.given} is for translations: for the family {WMT22}, and not for {name}.")
    names = [name] if name else list(FAMILIES)
    return [Wmt22(scoring.how()) if each == WMT22 else family(each) for each in names]


def _check_comet(work: Sequence[tuple[Family, FoundOutputs]], scoring: ScoringFlags) -> None:
    """See that scores made elsewhere are not taken for those of several systems."""
    systems = list(dict.fromkeys(found.system for kind, found in work if kind.name == WMT22))
    if scoring.comet_scores is not None and len(systems) > 1:
        raise UsageError(
            f"--comet-scores are those of one system, and there are outputs of several: {', '.join(systems)}. "
            "Name the folder of one of them as OUTPUTS."
        )


def _one(kind: Family, folder: DataFolder, set_name: str, path: Path, name: str | None) -> tuple[Family, FoundOutputs]:
    sets = kind.find_sets(folder)
    if set_name not in sets:
        there = f"There are: {', '.join(sets)}." if sets else f"There is none. {WHERE_DATA_IS}"
        raise UsageError(f"There is no set {set_name} of {kind.name} in the test data. {there}")
    return kind, FoundOutputs(name or path.stem, set_name, path)


def _found(
    families: Sequence[Family], folder: DataFolder, outputs: Path | None, set_name: str | None, name: str | None
) -> list[tuple[Family, FoundOutputs]]:
    """The outputs that lie in a folder, or with the test data."""
    where = DataFolder([outputs]) if outputs is not None else folder
    work = [
        (kind, found)
        for kind in families
        for found in kind.find_outputs(where)
        if set_name in (None, "all", found.set_name)
    ]
    if not work:
        raise _nothing(families, where, outputs, set_name)
    if name is None:
        return work
    systems = list(dict.fromkeys(found.system for _, found in work))
    if len(systems) > 1:
        raise UsageError(
            f"--name names one system, and there are outputs of several: {', '.join(systems)}. "
            "Name the folder of one of them as OUTPUTS."
        )
    return [(kind, replace(found, system=name)) for kind, found in work]


def _nothing(families: Sequence[Family], where: DataFolder, outputs: Path | None, set_name: str | None) -> Exception:
    """What to say where there are no outputs."""
    kinds = " or ".join(kind.name for kind in families)
    if outputs is None and set_name is not None and set_name != "all" and Path(set_name).exists():
        needed = "all" if Path(set_name).is_dir() else "SET"
        return UsageError(
            f"{set_name} is no set of {kinds}. Of outputs, name the set first: "
            f"bayling evaluate score {families[0].name} {needed} {shlex.quote(set_name)}"
        )
    named = f" for {set_name}" if set_name not in (None, "all") else ""
    return InputError(
        f"There are no outputs of {kinds}{named} in {' and '.join(map(str, where.folders))}: no file is named as those "
        "of the paper's authors. A single file can be named together with its set."
    )


def _score(
    work: Iterable[tuple[Family, FoundOutputs]],
    folder: DataFolder,
    results: ResultsFolder,
    scoring: ScoringFlags,
    *,
    quiet: bool,
) -> _Scored:
    """Score one after the other; what cannot be is told, and does not keep the others from it."""
    heading, scored = "", _Scored()
    files: dict[Path, Path] = {}
    for kind, found in work:
        try:
            result = kind.score(folder, found)
            path = results.file_of(result)
            if path in files:
                raise InputError(
                    f"{found.path} and {files[path]} are both outputs of {found.system} for {found.set_name}. The "
                    "latter is scored; to score the other one as well, name it alone, with a --name of its own."
                )
        except UsageError:
            if found.set_name in kind.find_sets(folder):
                raise
            scored.without_set[f"{kind.name} {found.set_name}"] = None
            continue
        except InputError as error:
            say(f"Error: {error}")
            scored.failed += 1
            continue
        files[path] = found.path
        if heading != (heading := f"{found.system}: {kind.name}"):
            click.echo(printable(heading, keep=""))
        keep(result, results, quiet=quiet)
        show_result(result, quiet=quiet)
        if kind.name == WMT22:
            scoring.write_lines([result])
            if not quiet:
                say_doubts([result])
        if kind.name == EXAMS:
            scored.exams.append(result)
        scored.done += 1
    show_averages(scored.exams)
    if scored.without_set and not quiet:
        say(f"Passed over, for the test data has no such sets: {', '.join(scored.without_set)}. {WHERE_DATA_IS}")
    return scored
