"""The commands ``bayling`` and ``bayling-chat``: one module a subcommand, imported only when it is called.

Everything that goes wrong on purpose ends here, as one line on stderr and an exit status: 0 ok, 1 failed, 2 usage,
3 done but some segments untranslated, 4 model not available, 5 checksum mismatch, 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from bayling_lite import __version__
from bayling_lite.cli.interface import LocalizedGroup
from bayling_lite.cli.saying import say
from bayling_lite.errors import BaylingError, OutputError
from bayling_lite.localization import _, interface_language, listed, noted, sentences
from bayling_lite.reasons import reason
from bayling_lite.terminal import is_dumb

# Where each command is, and its short help, which stands here too so that listing the commands imports none of them.
COMMANDS = {
    "translate": ("bayling_lite.cli.translate:translate", noted("Translate documents, folders, or standard input.")),
    "chat": ("bayling_lite.cli.chat:chat", noted("Translate, refine and talk in the terminal (also: bayling-chat).")),
    "sessions": (
        "bayling_lite.cli.sessions:sessions",
        noted("Chats that are kept: list, show, search, export, remove."),
    ),
    "glossary": (
        "bayling_lite.cli.glossary:glossary",
        noted("Check glossaries: contradictions, terms that never occur."),
    ),
    "memory": (
        "bayling_lite.cli.memory:memory",
        noted("Kept translations: list, search, import and export TMX, clear."),
    ),
    "models": ("bayling_lite.cli.models:models", noted("List, pull, remove and check models.")),
    "convert": ("bayling_lite.cli.convert:convert", noted("Convert a Hugging Face checkpoint to a 4-bit GGUF file.")),
    "imatrix": (
        "bayling_lite.cli.imatrix:imatrix",
        noted("Measure which weights matter most, for quantizing a model."),
    ),
    "dialogues": ("bayling_lite.cli.dialogues:dialogues", noted("Build and import dialogues to train on.")),
    "finetune": ("bayling_lite.cli.finetune:command", noted("Train a model by a recipe.")),
    "evaluate": ("bayling_lite.cli.evaluate:evaluate", noted("Measure models, and report what they are worth.")),
}


@click.group(
    cls=LocalizedGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="bayling COMMAND --help tells more.",
)
@click.version_option(__version__, "-V", "--version", prog_name="bayling", message="%(prog)s %(version)s")
def bayling() -> None:
    """A private, offline translator and assistant you can talk to.

    \b
    Examples:
      bayling translate letter.txt --to zh
      echo "Good morning." | bayling translate --to de
      bayling-chat
    """  # noqa: D301 - click wants the character \b


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run ``bayling`` and exit."""
    run(bayling, "bayling", args)


def chat_main(args: Sequence[str] | None = None) -> NoReturn:
    """Run ``bayling-chat``, which is ``bayling chat``, and exit."""
    try:
        from bayling_lite.cli.chat import chat
    except KeyboardInterrupt:
        sys.exit(130)
    run(chat, "bayling-chat", args)


def run(command: click.Command, name: str, args: Sequence[str] | None = None) -> NoReturn:
    """Run a command, say in one line what went wrong, and exit with the status that says it too."""
    _open_missing_streams()
    try:
        status = command.main(args=args, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        # Click quotes arguments as they are.
        say(_click_message(error), keep="\n\t")
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        wipes = sys.stderr.isatty() and not is_dumb()
        # Over the ^C that the terminal has shown.
        click.echo(("\r\x1b[K" if wipes else "") + _("Interrupted."), err=True)
        status = 130
    except BaylingError as error:
        _report(error)
        status = error.exit_status
    except BrokenPipeError:
        # The reader has left, for example `head`. Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        # What no other place had a better word for: a full disk behind a redirection, for example.
        if error.filename:
            _report(OutputError(_("{path}: {reason}.", path=error.filename, reason=reason(error))))
        else:
            _report(OutputError(_("The output cannot be written: {reason}.", reason=reason(error))))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def _open_missing_streams() -> None:
    """What was closed from outside (``>&-``) takes text and forgets it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end


def _click_message(error: click.ClickException) -> str:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    slip = _slip(error)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{error.ctx.get_usage()}\n{_('Error: {text} (--help tells more)', text=slip)}"
    return _("Error: {text}", text=slip)


def _slip(error: click.ClickException) -> str:
    """What is wrong with a command line; in another language than English, the usual slips in words of our own."""
    if interface_language() == "en":
        return error.format_message()
    if isinstance(error, click.NoSuchOption):
        near = listed(error.possibilities or ())
        return sentences(
            _("There is no option {name}.", name=error.option_name),
            _("Did you mean {name}?", name=near) if near else "",
        )
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return _("{name} is missing.", name=_parameter_name(error.param, error.ctx))
    if isinstance(error, click.BadParameter) and error.param is not None:
        name, kind = _parameter_name(error.param, error.ctx), error.param.type
        if isinstance(kind, click.Choice):
            return _("{name} takes one of: {choices}.", name=name, choices=listed(map(str, kind.choices)))
        return _("{name} does not take this value.", name=name)
    if isinstance(error, click.BadOptionUsage):
        return _("The option {name} lacks its value, or takes none.", name=error.option_name)
    return error.format_message()


def _parameter_name(parameter: click.Parameter, context: click.Context | None) -> str:
    """What a parameter is called in the usage."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return _(parameter.make_metavar(context or click.Context(bayling)))


def _report(error: BaylingError) -> None:
    if logging.getLogger("bayling_lite").isEnabledFor(logging.DEBUG):
        traceback.print_exception(error)
    say(_("Error: {text}", text=" ".join(str(error).split())))
