"""``bayling evaluate``: what a model is worth. Its commands are in modules of their own, ``evaluate_NAME.py``."""

from __future__ import annotations

import click

from bayling_lite.cli.lazy import LazyGroup
from bayling_lite.localization import noted

# Where each command is, and its short help, which stands here too so that listing them imports none.
_COMMANDS = {
    "all": ("bayling_lite.cli.evaluate_all:all_command", noted("Every set that the test data holds, with one model.")),
    "wmt22": ("bayling_lite.cli.evaluate_wmt22:wmt22", noted("Translation: the 14 directions of WMT22.")),
    "translation": (
        "bayling_lite.cli.evaluate_translation:translation",
        noted("Translation: files of your own, or a test set of sacreBLEU's."),
    ),
    "constrained": (
        "bayling_lite.cli.evaluate_constrained:constrained",
        noted("Translation with phrases that must occur."),
    ),
    "refinement": (
        "bayling_lite.cli.evaluate_refinement:refinement",
        noted("Translation in several turns: is what was asked for done, and the rest kept?"),
    ),
    "bayling80": (
        "bayling_lite.cli.evaluate_bayling80:bayling80",
        noted("General questions, answers compared by a judge."),
    ),
    "exams": (
        "bayling_lite.cli.evaluate_exams:exams",
        noted("School and entrance exams: GaoKao, SAT, LSAT."),
    ),
    "rank": ("bayling_lite.cli.evaluate_rank:rank", noted("A page on which people rank systems, blind.")),
    "score": ("bayling_lite.cli.evaluate_score:score", noted("Score outputs that were made elsewhere.")),
    "compare": (
        "bayling_lite.cli.evaluate_compare:compare",
        noted("Which differences between systems are significant."),
    ),
    "report": ("bayling_lite.cli.evaluate_report:report", noted("All results as one page, beside the published ones.")),
}


@click.group("evaluate", cls=LazyGroup, table=_COMMANDS)
def evaluate() -> None:
    """Measure what a model is worth, on the tasks of the BayLing paper and on your own.

    Test data is read from where you keep it (--data, or BAYLING_EVALUATION_DATA): checkouts of the public repositories
    ictnlp/BayLing and ruixiangcui/AGIEval hold all of the paper's. Results gather in a folder (--out), of which the
    report is made. Whatever was interrupted goes on when the same command is run again.

    Many items are computed at once, and with weights of 4 bits the sums depend a little on which: two runs may differ
    in some answers. With --exact they do not.

    \b
    Examples:
      bayling evaluate wmt22 zh-en en-zh --data BayLing --model bayling-2-7b
      bayling evaluate all --data BayLing --data AGIEval --model bayling-2-7b
      bayling evaluate exams --data AGIEval --server http://127.0.0.1:8000/v1
      bayling evaluate score --data BayLing
      bayling evaluate report -o report.html
    """  # noqa: D301 - click wants the character \b
