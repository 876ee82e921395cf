"""``bayling chat``, also ``bayling-chat``: translate, refine and talk."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.options import EngineFlags, engine_options, output_options
from bayling_lite.cli.saying import say
from bayling_lite.errors import UsageError
from bayling_lite.languages import Language, find_language

if TYPE_CHECKING:
    from bayling_lite.chat.driver import ChatOptions
    from bayling_lite.engine.base import Engine


def _language(_context: click.Context, _parameter: click.Parameter, name: str | None) -> Language | None:
    return None if name is None or name.strip().casefold() == "auto" else find_language(name)


@click.command("chat", short_help="Translate, refine and talk in the terminal.")
@click.option(
    "--to", "--target-lang", "target", metavar="LANG", callback=_language, help="Translate lines into: zh, de, ..."
)
@click.option(
    "--from",
    "--source-lang",
    "source",
    default="auto",
    metavar="LANG",
    callback=_language,
    help="From.  [default: auto]",
)
@click.option("--system", metavar="TEXT", help="The chat's system prompt.  [default: the model's own]")
@click.option("--prompt", metavar="TEXT", help="Answer this one text and end.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.7, show_default=True, help="Of chat answers.")
@click.option("--seed", type=int, help="Make chat answers repeatable.")
@engine_options
@output_options
def chat(
    target: Language | None,
    source: Language | None,
    system: str | None,
    prompt: str | None,
    temperature: float,
    seed: int | None,
    engine: EngineFlags,
    quiet: bool,
) -> int:
    """Talk with the model, or have each line translated and say what to change: /help lists what can be typed.

    With --to (or /to LANG) a line is translated; a line like `use "token"`, `A should be B` or `more formal` refines
    the last translation. Without a terminal, lines are read from standard input, and only answers go to standard
    output.

    \b
    Examples:
      bayling-chat --to zh
      bayling-chat --to de --prompt "Good morning."
      printf '%s\\n' 'Can you see me?' 'use "Können Sie"' | bayling-chat --to de

    \b
    Exit status without a terminal, of the first thing that went wrong: 0 nothing,
    1 no answer, 2 wrong usage, 3 something was left untranslated, 4 model not
    available, 130 interrupted.
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.opening import find_model, open_engine

    path, settings = find_model(engine)

    def opened() -> Engine:
        return open_engine(path, settings, template=engine.template, quiet=quiet)

    from bayling_lite.chat.driver import ChatOptions
    from bayling_lite.engine.base import SamplingParams

    options = ChatOptions(target, source, system, SamplingParams(temperature=temperature, seed=seed))
    if prompt is not None or not _has_screen():
        return _without_screen(opened, options, prompt, quiet=quiet)
    from bayling_lite.chat.screens import rendering
    from bayling_lite.chat.screens import terminal as repl

    def opened_for_a_person() -> Engine:
        """Who is going to type lines should know before the first one that none will be translated."""
        loaded = opened()
        if warning := rendering.unknown_language_text(target, loaded.info):
            say(warning)
        return loaded

    return repl.run(opened_for_a_person, options, settings.state_dir / "history")


def _has_screen() -> bool:
    """Whether both ends are a terminal that can move its cursor."""
    if sys.stdin is None:
        raise UsageError("There is nothing to read: standard input is closed. --prompt TEXT answers one text.")
    return (
        sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "").casefold() not in ("dumb", "unknown")
    )


def _without_screen(open_engine: Callable[[], Engine], options: ChatOptions, prompt: str | None, *, quiet: bool) -> int:
    from bayling_lite.chat.screens import plain

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # whatever the locale: a program reads it
    screen = plain.PlainScreen(sys.stdout, sys.stderr, quiet=quiet)
    if prompt is not None:
        return plain.run_once(open_engine, options, prompt, screen)
    return plain.run(open_engine, options, sys.stdin.buffer, screen)
