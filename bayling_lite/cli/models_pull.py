"""``bayling models pull``: fetch a model into the models folder, converted on the way where it is a checkpoint."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.pulling import Plan, Pulled, PullRequest


@click.command("pull", short_help="Fetch a model.")
@click.argument("name", metavar="NAME|OWNER/NAME[:TYPE]")
@click.option(
    "--type", "file_type", metavar="TYPE", help="How the weights are stored: Q4_K_M, Q8_0, ...  [default: Q4_K_M]"
)
@click.option("--revision", metavar="REVISION", help="A branch, tag or commit of the repository.")
@click.option(
    "--base", metavar="FOLDER|OWNER/NAME", help="The checkpoint that a difference, or a LoRA adapter, is for."
)
@click.option("--keep", is_flag=True, help="Keep the downloaded checkpoint in the cache that all hub programs share.")
@click.option("--force", is_flag=True, help="Fetch again what is here.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
def pull(
    name: str,
    file_type: str | None,
    revision: str | None,
    base: str | None,
    keep: bool,
    force: bool,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Fetch a model: one of the catalogue by NAME, or any repository of the Hugging Face hub by OWNER/NAME.

    Ready-made GGUF files are taken as they are; a LLaMA checkpoint is converted while it is fetched, so that the disk
    needs room for the result and the largest file of weights only. What is interrupted goes on when the same is asked
    for again.

    \b
    Examples:
      bayling models pull bayling-2-7b
      bayling models pull bayling-2-8b --type Q8_0
      bayling models pull OWNER/NAME:Q4_K_M
      bayling models pull bayling-7b-diff --base llama-7b
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.transfer import ByteProgress
    from bayling_lite.pulling import PullRequest
    from bayling_lite.pulling import pull as run
    from bayling_lite.settings import Settings

    request = PullRequest(name, file_type, revision, base, keep, force)
    progress = ByteProgress(shown=not quiet and not no_progress)
    try:
        done = run(request, Settings.load(), announce=None if quiet else _announce, progress=progress)
    except KeyboardInterrupt:
        progress.end()
        _say(f"Interrupted. What has come is kept; this goes on: {command_line(request)}")
        sys.exit(130)
    finally:
        progress.end()
    for warning in done.warnings:
        _say(f"Warning: {warning}")
    if not quiet:
        _say_done(done)


def command_line(request: PullRequest) -> str:
    """The line that asks for the same."""
    words = ["bayling", "models", "pull", request.name]
    for option, value in (("--type", request.file_type), ("--revision", request.revision), ("--base", request.base)):
        words += [option, value] if value is not None else []
    words += [option for option, is_set in (("--keep", request.keep), ("--force", request.force)) if is_set]
    return shlex.join(words)


def _announce(plan: Plan) -> None:
    from bayling_lite.units import bytes_text

    repository = plan.repository
    _say(f"{plan.target.name}: {plan.file or 'a checkpoint'} of {repository.id} at {repository.commit[:12]}")
    _say(f"Licence: {plan.licence or 'not stated'}; see {repository.url}")
    becomes = "" if plan.file is not None else f", about {bytes_text(plan.result)} here as {plan.target.file_type}"
    fetch = bytes_text(plan.download) if plan.download else "nothing, it is in the hub's shared cache"
    _say(f"To fetch: {fetch}{becomes}")


def _say_done(done: Pulled) -> None:
    from bayling_lite.catalogue import DEFAULT_MODEL
    from bayling_lite.units import bytes_text

    model = done.model
    if done.fresh:
        _say(f"Wrote {model.path}: {model.type or 'GGUF'}, {bytes_text(model.size)}.")
    elif model.name == DEFAULT_MODEL:
        _say(f"{model.name} ships with bayling-lite: {model.path}.")
    else:
        whose = "" if model.record is not None else ", a file of your own"
        _say(f"{model.name} is here already: {model.path}{whose}. --force fetches it again.")
    name = shlex.quote(model.name)
    _say(f"Use it: bayling-chat --model {name}, or bayling translate FILE --to zh --model {name}")


def _say(text: str) -> None:
    click.echo(printable(text, keep=""), err=True)
