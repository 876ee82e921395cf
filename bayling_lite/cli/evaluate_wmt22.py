"""``bayling evaluate wmt22``: translation in the 14 directions of the paper."""

from __future__ import annotations

import click

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_scoring import ScoringFlags, say_doubts, scoring_options


@click.command("wmt22", cls=MeasuringCommand)
@click.argument("directions", nargs=-1, metavar="[DIRECTION]...")
@scoring_options
@measuring_options
def wmt22(directions: tuple[str, ...], scoring: ScoringFlags, measuring: MeasuringFlags) -> None:
    """Translate the WMT22 test sets as the paper did, and score that by BLEU and chrF++.

    DIRECTION is zh-en, en-zh, de-en, en-de, cs-en, ja-en, ru-en, uk-en, en-cs, en-ja, en-ru, en-uk, de-fr or fr-de;
    with none, all that the data holds are measured. The data is that of the public repository ictnlp/BayLing.

    \b
    Examples:
      bayling evaluate wmt22 zh-en en-zh --data BayLing --model bayling-2-7b
      bayling evaluate wmt22 en-de --wording zh --greedy --limit 200
      bayling evaluate wmt22 zh-en --comet-scores zh-en.json
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.evaluate_running import run_family
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.translation.wmt22 import DIRECTIONS, Wmt22

    for direction in directions:
        if direction not in DIRECTIONS:
            raise UsageError(f"WMT22 has no direction {direction!r} here. There are: {', '.join(DIRECTIONS)}.")
    results = run_family(Wmt22(scoring.how()), directions, measuring)
    scoring.write_lines(results)
    if not measuring.quiet:
        say_doubts(results)
