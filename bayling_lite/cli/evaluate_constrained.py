"""``bayling evaluate constrained``: translation with phrases that must occur."""

from __future__ import annotations

import click

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options


@click.command("constrained", cls=MeasuringCommand)
@click.argument("sets", nargs=-1, metavar="[SET]...")
@click.option(
    "--guaranteed",
    is_flag=True,
    help="Have the search put the phrases in as well; the system is called 'NAME, guaranteed' then.",
)
@click.option("--any-case", is_flag=True, help="Score the phrases without regard to capital letters, too.")
@measuring_options
def constrained(sets: tuple[str, ...], guaranteed: bool, any_case: bool, measuring: MeasuringFlags) -> None:
    """Translate sentences with one to three phrases that the translation must have, as the paper did.

    SET is en-zh or zh-en; with none, all that the data holds are measured. The data is that of the public repository
    ictnlp/BayLing. A set of your own is a file of the same form that is found by its name: of another pair,
    constraints.en-de.de.jsonl; with a name of its own before the pair, constraints.medical.en-de.de.jsonl, which is the
    set medical.en-de and stands apart from the paper's:

    \b
      {"src": "Good morning.", "tgt": "Guten Morgen.", "constraint": ["Morgen"]}

    The scores: the share of the phrases that are in the translations, letter by letter; the share of the sentences with
    all of their phrases; and BLEU. The phrases are asked for in the prompt. A model that a search can steer may be made
    to write them, exactly and as words of their own (--guaranteed): what a sentence's phrases cannot all be put into is
    asked for by the prompt alone, and counted.

    \b
    Examples:
      bayling evaluate constrained --data BayLing --model bayling-2-7b
      bayling evaluate constrained medical.en-de --data my-sets
      bayling evaluate constrained en-zh --guaranteed --limit 200
      bayling evaluate constrained zh-en --wording zh --any-case
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.evaluate_running import choose_sets, data_folder, run_family
    from bayling_lite.evaluate.interactive.constrained import Constrained
    from bayling_lite.evaluate.interactive.constrained_files import read_constrained_set

    family, data = Constrained(guaranteed=guaranteed, any_case=any_case), data_folder(measuring.data)
    chosen = choose_sets(family, data, sets)
    for name in chosen:
        # What is wrong with a set is told before a model is loaded.
        read_constrained_set(data, name)
    run_family(family, chosen, measuring)
