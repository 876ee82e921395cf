"""``bayling chat``, also ``bayling-chat``: translate, refine and talk.

What is typed is checked in chat_options.py, and the chat is run, in one of its screens, by chat_run.py.
"""

from __future__ import annotations

from typing import Any

import click

from bayling_lite.cli.interface import InterfaceCommand, lang_option
from bayling_lite.cli.options import EngineFlags, engine_options, output_options
from bayling_lite.cli.steering import manner_options, term_options
from bayling_lite.localization import noted

NEWEST = "newest"

_SECTIONS = {
    noted("Languages"): ("target", "source"),
    noted("Terms and style"): ("terms", "glossaries", "formality", "style", "context"),
    noted("Conversation"): ("system", "temperature", "seed", "on_overflow"),
    noted("Sessions"): ("continued", "new", "kept"),
    noted("Scripts and programs"): ("prompt", "as_json", "quiet", "verbose"),
    noted("Interface"): ("plain", "lang"),
    noted("Model and machine"): (
        *("model", "template", "threads", "n_ctx", "parallel"),
        *("gpu_layers", "kv_type", "mlock", "mmap"),
    ),
}


@click.command(
    "chat",
    cls=InterfaceCommand,
    sections=_SECTIONS,
    short_help="Translate, refine and talk in the terminal.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--to", "--target-lang", "target", metavar="LANG", help=noted("Translate lines into this language: zh, de, ...")
)
@click.option("--from", "--source-lang", "source", metavar="LANG", help=noted("From this one.  [default: auto]"))
@term_options
@manner_options
@click.option("--system", metavar="TEXT", help=noted("The chat's system prompt.  [default: the model's own]"))
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=0.7,
    show_default=True,
    metavar="NUMBER",
    help=noted("Of chat answers."),
)
@click.option("--seed", type=int, metavar="N", help=noted("Make chat answers repeatable."))
@click.option(
    "--on-overflow",
    type=click.Choice(("drop", "summarise", "fail")),
    help=noted("What becomes of the oldest turns when the next one does not fit.  [default: ask; fail in scripts]"),
)
@click.option(
    "--continue",
    "continued",
    is_flag=False,
    flag_value=NEWEST,
    metavar="[ID]",
    help=noted("Go on with the last session, or with this one."),
)
@click.option("--new", is_flag=True, help=noted("Begin a new session.  [default]"))
@click.option(
    "--store/--no-store",
    "kept",
    default=None,
    help=noted("Keep the session, or only as long as it lasts.  [default: keep it, but not what scripts do]"),
)
@click.option("--prompt", metavar="TEXT", help=noted("Answer this one text, - for that of standard input, and end."))
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=noted("Write a line of JSON for each answer and each thing there is to say."),
)
@click.option(
    "--plain",
    is_flag=True,
    default=None,
    help=noted("Linear text for screen readers: no colours, no moving cursor."),
)
@lang_option
@engine_options
@output_options
def chat(engine: EngineFlags, quiet: bool, **given: Any) -> int:
    """Talk with the model, or have each line translated and say what to change: /help lists what can be typed.

    With --to (or /to LANG) a line is translated; a line like `use "token"`, `A should be B` or `more formal` refines
    the last translation. Sessions are kept: --continue goes on with the last one, `bayling sessions list` lists them.

    Without a terminal, or with --json, lines are read from standard input (several lines between two lines of three
    quotation marks are one text), and only answers go to standard output. What scripts do is kept only with --store
    or --continue.

    \b
    Examples:
      bayling-chat --to zh
      bayling-chat --to zh --term token=词元 --formality formal
      bayling-chat --continue
      bayling-chat --to de --prompt "Good morning."
      bayling-chat --to de --prompt - < letter.txt
      printf '%s\\n' 'Can you see me?' 'use "Können Sie"' | bayling-chat --to de
      printf '%s\\n' 'Good morning.' '/alt 3' | bayling-chat --to fr --json

    \b
    Each line of --json is an object with a "type": "answer" (its text, kind,
    source_text, languages, state, tokens, seconds, missing_words,
    missing_terms, and the ids of session and turn), "notice", "warning",
    "error", "alternatives" or "changes".

    \b
    Exit status without a terminal, of the first thing that went wrong: 0 nothing,
    1 no answer, 2 wrong usage, 3 something was left untranslated, 4 model not
    available, 130 interrupted.
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.chat_options import checked
    from bayling_lite.cli.chat_run import carry_out

    return carry_out(checked(given), engine, quiet=quiet)
