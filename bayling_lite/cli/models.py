"""``bayling models``: list, pull, remove, verify and show models.

``list`` and ``show`` are in models_list.py, ``pull`` in models_pull.py, ``rm`` in models_rm.py.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.lazy import suggest
from bayling_lite.cli.models_list import list_models, show
from bayling_lite.cli.models_pull import pull
from bayling_lite.cli.models_rm import remove
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.registry import LocalModel


class ModelsGroup(click.Group):
    """The group, which says what was meant by a command that there is not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        suggest(self, ctx, args)
        return super().resolve_command(ctx, args)


@click.group("models", cls=ModelsGroup)
def models() -> None:
    """Models: what is here, what can be had, and fetching it.

    \b
    Examples:
      bayling models list
      bayling models pull bayling-2-7b
      bayling models pull OWNER/NAME:Q4_K_M
      bayling translate letter.txt --to zh --model bayling-2-7b
    """  # noqa: D301 - click wants the character \b


@click.command("path", short_help="Print the path of a model's file.")
@click.argument("name")
def path(name: str) -> None:
    """Print the path of NAME's file."""
    from bayling_lite.catalogue import resolve
    from bayling_lite.settings import Settings

    found = str(resolve(name, Settings.load()).absolute())
    # A program gets the name as it is, byte for byte; a screen what it can show.
    click.echo(printable(found, keep="") if sys.stdout.isatty() else os.fsencode(found))


@click.command("verify", short_help="Check that models are what was pulled.")
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("-q", "--quiet", is_flag=True, help="Name only what is wrong.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
def verify(names: tuple[str, ...], quiet: bool, no_progress: bool) -> None:
    """Check that the models NAME..., or all, are what was pulled.

    Of a pulled model, size and SHA-256 are compared with its record, and the file's header is read; of others, the
    header only. Exit status: 0 all are right, 5 one is missing or not what its record says, 1 one is no whole GGUF
    file.
    """
    from bayling_lite.catalogue import DEFAULT_MODEL, embedded_model, find_local, resolve
    from bayling_lite.cli.transfer import ByteProgress
    from bayling_lite.errors import BaylingError
    from bayling_lite.inventory import find_missing
    from bayling_lite.registry import LocalModel, Registry, read_record
    from bayling_lite.registry import verify as check
    from bayling_lite.settings import Settings

    settings = Settings.load()
    chosen: list[LocalModel] = []
    for name in names:
        local = find_local(name, settings)
        missing = None if local else find_missing(name, settings)
        path = None if local or missing else resolve(name, settings)
        chosen += [missing] if missing else local if path is None else [LocalModel(name, path, read_record(path))]
    if not names:
        registry = Registry(settings.models_dir)
        chosen = [LocalModel(DEFAULT_MODEL, embedded_model()), *registry.models(), *registry.missing()]
    statuses = []
    for model in chosen:
        progress = ByteProgress(shown=not quiet and not no_progress)
        try:
            said = f"right ({check(model, progress)})" if model.name != DEFAULT_MODEL else _embedded(model)
        except BaylingError as error:
            said = f"WRONG: {error}"
            statuses.append(error.exit_status)
        finally:
            progress.end()
        if not quiet or said.startswith("WRONG"):
            click.echo(printable(f"{model.name}: {said}", keep=""))
    sys.exit(max(statuses, default=0))


def _embedded(model: LocalModel) -> str:
    """The model that ships with the package has no record, and needs none: what installs a package checks its files."""
    from bayling_lite.registry import verify as check

    check(model)
    return "right (header; it came with bayling-lite)"


for command in (list_models, pull, remove, verify, path, show):
    models.add_command(command)
