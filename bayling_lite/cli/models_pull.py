"""``bayling models pull``: fetch a model into the models folder, converted on the way where it is a checkpoint."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.saying import say

if TYPE_CHECKING:
    from bayling_lite.hub import Repository
    from bayling_lite.pulling import Plan, Pulled


@click.command("pull", short_help="Fetch a model.")
@click.argument("name", metavar="NAME|OWNER/NAME[:TYPE|:FILE]")
@click.option(
    "--type", "file_type", metavar="TYPE", help="How the weights are stored: Q4_K_M, Q8_0, ...  [default: Q4_K_M]"
)
@click.option("--revision", metavar="REVISION", help="A branch, tag or commit of the repository.")
@click.option(
    "--base", metavar="FOLDER|NAME|OWNER/NAME", help="The checkpoint that a difference, or a LoRA adapter, is for."
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
      bayling models pull OWNER/NAME:FILE.gguf
      bayling models pull bayling-7b --base llama-7b
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
        progress.end(interrupted=True)
        come = "What has come is kept; this goes on" if progress.has_come else "Nothing had come yet; this begins anew"
        say(f"Interrupted. {come}: {shlex.join(request.command)}")
        sys.exit(130)
    finally:
        progress.end()
    for warning in done.warnings:
        say(f"Warning: {warning}")
    if not quiet:
        _say_done(done)


def _announce(plan: Plan) -> None:
    from bayling_lite.units import bytes_text

    repository, base = plan.repository, plan.base
    say(f"{plan.target.name}: {plan.kind} of {repository.id} at {repository.commit[:12]}")
    say(f"Licence: {plan.licence or 'not stated'}; see {_page(repository)}")
    if base is not None and base.repository is not None:
        say(f"Base: {base.repository.id} at {base.repository.commit[:12]}")
        say(f"Licence of the base: {plan.base_licence or 'not stated'}; see {_page(base.repository)}")
    elif base is not None:
        say(f"Base: {base.source}")
    becomes = "" if plan.file is not None else f", about {bytes_text(plan.result)} here as {plan.target.file_type}"
    fetch = bytes_text(plan.download) if plan.download else "nothing, it is in the hub's shared cache"
    if plan.done:
        rest = plan.download - plan.done
        say(f"Going on: about {bytes_text(plan.done)} of {fetch} are done, {bytes_text(rest)} to fetch{becomes}")
    else:
        say(f"To fetch: {fetch}{becomes}")


def _page(repository: Repository) -> str:
    """Where people read about it, at the revision that was asked for."""
    page = repository.url.partition("/tree/")[0]
    return f"{page}/tree/{repository.revision}" if repository.revision is not None else page


def _say_done(done: Pulled) -> None:
    from bayling_lite.catalogue import DEFAULT_MODEL
    from bayling_lite.units import bytes_text

    model = done.model
    if done.fresh:
        say(f"Wrote {model.path}: {model.type or 'GGUF'}, {bytes_text(model.size)}.")
    elif model.name == DEFAULT_MODEL:
        say(f"{model.name} ships with bayling-lite: {model.path}.")
    else:
        whose = "" if model.record is not None else ", a file of your own"
        say(f"{model.name} is here already: {model.path}{whose}. --force fetches it again.")
    name = shlex.quote(model.name)
    say(f"Use it: bayling-chat --model {name}, or bayling translate FILE --to zh --model {name}")
