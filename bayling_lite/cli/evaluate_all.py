"""``bayling evaluate all``: a row of every table of the paper, by one command."""

from __future__ import annotations

import click

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_running import (
    WHERE_DATA_IS,
    data_folder,
    measure_sets,
    measuring_generator,
    say_where,
)
from bayling_lite.errors import UsageError
from bayling_lite.evaluate.families import FAMILIES, family


@click.command("all", cls=MeasuringCommand)
@click.argument("names", metavar="[FAMILY...]", nargs=-1)
@measuring_options
def all_command(names: tuple[str, ...], measuring: MeasuringFlags) -> None:
    """Measure one model on every set that the test data holds, or on those of the families FAMILY.

    Families: wmt22, constrained, refinement, bayling80, exams. Every set is written to the results folder when it is
    done; run the same command again after an interruption and it goes on where it was.

    \b
    Examples:
      bayling evaluate all --data BayLing --data AGIEval
      bayling evaluate all wmt22 constrained --data BayLing --greedy
      bayling evaluate all --data BayLing --limit 20 --name "a first look"
    """  # noqa: D301 - click wants the character \b
    data = data_folder(measuring.data)
    families = [family(name) for name in dict.fromkeys(names or FAMILIES)]
    work = [(each, each.find_sets(data)) for each in families]
    if not any(sets for _, sets in work):
        kinds = ", ".join(each.name for each in families)
        raise UsageError(f"There is no set of {kinds} in {' and '.join(map(str, data.folders))}. {WHERE_DATA_IS}")
    with measuring_generator(measuring) as (generator, setup):
        for each, sets in work:
            if sets:
                click.echo(each.name)
                measure_sets(each, data, sets, generator, setup, measuring)
    if not measuring.quiet:
        say_where(measuring.out)
