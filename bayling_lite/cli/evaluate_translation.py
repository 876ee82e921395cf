"""``bayling evaluate translation``: a test set of the user's, or one of sacreBLEU's by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_scoring import ScoringFlags, say_doubts, scoring_options

if TYPE_CHECKING:
    from bayling_lite.evaluate.translation.parallel_set import ParallelSet

_FILE = click.Path(path_type=Path)


@click.command("translation", cls=MeasuringCommand)
@click.option("--source", type=_FILE, metavar="FILE", help="What is to be translated, a sentence a line.")
@click.option(
    "--reference",
    "references",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="A translation of it, line by line; may be given several times, for several translators.",
)
@click.option("--from", "from_", metavar="LANG", help="The source's language: its code or its name.")
@click.option("--to", metavar="LANG", help="The references' language.")
@click.option("--testset", metavar="NAME", help="A test set of sacreBLEU's instead: wmt21. It is downloaded once.")
@click.option("--pair", metavar="SRC-TGT", help="Of which --testset's pair: en-de.")
@click.option("--set", "set_name", metavar="NAME", help="What the set is called.  [default: its file's name]")
@click.option(
    "--outputs",
    type=_FILE,
    metavar="FILE",
    help="Score these translations, a line each, and run no model; --name says whose they are, and --limit that they "
    "are of the first lines.",
)
@scoring_options
@measuring_options
def translation(
    source: Path | None,
    references: tuple[Path, ...],
    from_: str | None,
    to: str | None,
    testset: str | None,
    pair: str | None,
    set_name: str | None,
    outputs: Path | None,
    scoring: ScoringFlags,
    measuring: MeasuringFlags,
) -> None:
    """Translate a test set, and score that by BLEU and chrF++; or score translations made elsewhere.

    \b
    Examples:
      bayling evaluate translation --source news.en --reference news.zh --from en --to zh
      bayling evaluate translation --testset wmt21 --pair en-de --greedy
      bayling evaluate translation --reference news.zh --from en --to zh --outputs mine.zh --name mine
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.evaluate_running import keep, measure_sets, measuring_generator, say_where, show_result
    from bayling_lite.cli.saying import say
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.data import DataFolder
    from bayling_lite.evaluate.families import FoundOutputs
    from bayling_lite.evaluate.results import ResultsFolder
    from bayling_lite.evaluate.translation.given_set import GivenSet

    if testset is not None:
        if source is not None or references or from_ or to or set_name:
            raise UsageError("--testset brings its own files, languages and name: give --pair with it, and no others.")
        test_set = _from_sacrebleu(testset, pair, measuring)
    else:
        if source is None and outputs is None:
            raise UsageError("There is nothing to translate: name a file with --source, or a test set with --testset.")
        test_set = _from_files(source, references, from_, to, set_name, pair)
    if not measuring.quiet:
        for note in test_set.notes():
            say(note)
    if outputs is not None:
        _check_no_model(click.get_current_context())
    family, data = GivenSet(test_set, scoring.how(), limit=measuring.limit), DataFolder(())
    if outputs is None:
        with measuring_generator(measuring) as (generator, setup):
            results = measure_sets(family, data, (test_set.name,), generator, setup, measuring)
    else:
        result = family.score(data, FoundOutputs(measuring.name or outputs.stem, test_set.name, outputs))
        keep(result, ResultsFolder(measuring.out), quiet=measuring.quiet)
        show_result(result, quiet=measuring.quiet)
        results = (result,)
    scoring.write_lines(results)
    if not measuring.quiet:
        say_doubts(results, (test_set.source, test_set.target))
        say_where(measuring.out)


def _check_no_model(context: click.Context) -> None:
    from bayling_lite.errors import UsageError

    for name in ("model", "template", "server", "server_model", "wording", "beam", "greedy", "seed"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--outputs scores translations that are there, and --{name.replace('_', '-')} says how a model "
                "translates: give one of them."
            )


def _from_sacrebleu(testset: str, pair: str | None, measuring: MeasuringFlags) -> ParallelSet:
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.translation.test_sets import set_from_sacrebleu
    from bayling_lite.settings import Settings

    if pair is None:
        raise UsageError("--testset needs --pair: source and target, for example en-de.")
    offline = Settings.load(**measuring.engine.settings).offline
    return set_from_sacrebleu(testset, pair, offline=offline)


def _from_files(
    source: Path | None,
    references: tuple[Path, ...],
    from_: str | None,
    to: str | None,
    set_name: str | None,
    pair: str | None,
) -> ParallelSet:
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.translation.test_sets import set_from_files

    if pair is not None:
        raise UsageError("--pair is for --testset. Of files, --from and --to name the languages.")
    if from_ is None or to is None:
        raise UsageError("Name the languages with --from and --to: --from en --to zh.")
    return set_from_files(source, references, from_, to, name=set_name or "")
