"""``bayling dialogues``: conversations to train on, from parallel text and from other collections.

``build`` is in dialogues_build.py, ``report`` and ``show`` in dialogues_show.py, ``import`` and ``mix`` in
dialogues_import.py.
"""

from __future__ import annotations

import click

from bayling_lite.cli.lazy import LazyGroup

# Where each command is, and its short help, which stands here too so that listing them imports none.
_COMMANDS = {
    "build": ("bayling_lite.cli.dialogues_build:build", "Parallel text to dialogues."),
    "import": ("bayling_lite.cli.dialogues_import:import_command", "Alpaca, ShareGPT or chat files to dialogues."),
    "mix": ("bayling_lite.cli.dialogues_import:mix_command", "Parts of several files of dialogues as one."),
    "report": ("bayling_lite.cli.dialogues_show:report", "What is in a file of dialogues, as a page with plots."),
    "show": ("bayling_lite.cli.dialogues_show:show", "Print some dialogues of a file."),
}


@click.group("dialogues", cls=LazyGroup, table=_COMMANDS)
def dialogues() -> None:
    """Dialogues to train on: build them from parallel text, import, mix, look at them.

    \b
    Examples:
      bayling dialogues build news.en-zh.tsv -o dialogues.jsonl
      bayling dialogues show dialogues.jsonl --kind correction
      bayling dialogues report dialogues.jsonl
      bayling dialogues import alpaca_data.json -o alpaca.jsonl
      bayling dialogues mix dialogues.jsonl alpaca.jsonl=0.5 -o train.jsonl
    """  # noqa: D301 - click wants the character \b
