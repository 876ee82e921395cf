"""``bayling models rm``: remove models of the models folder, and what interrupted pulls left of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.registry import LocalModel, Registry
    from bayling_lite.settings import Settings


@click.command("rm", short_help="Remove models.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def remove(names: tuple[str, ...], yes: bool, quiet: bool) -> None:
    """Remove the models NAME..., and what interrupted pulls of them left.

    In a terminal it asks first. Where a model is here in several types, NAME:TYPE says which.
    """
    from bayling_lite.registry import Registry
    from bayling_lite.settings import Settings

    settings = Settings.load()
    registry = Registry(settings.models_dir)
    found = [find_removable(name, settings) for name in names]
    if not yes and sys.stdin.isatty():
        for removable in found:
            click.echo(printable(f"{removable.name}: {removable.what}", keep=""), err=True)
        click.confirm("Remove?", abort=True, err=True)
    for removable in found:
        removable.remove(registry)
        if not quiet:
            click.echo(printable(f"Removed {removable.name}.", keep=""), err=True)


@dataclass(frozen=True, slots=True)
class Removable:
    """A model's file, or None, and the repository of which interrupted pulls left something, or None.

    ``file_type`` is the type that was named, None where all leftovers go.
    """

    name: str
    model: LocalModel | None
    repository: str | None
    file_type: str | None

    @property
    def what(self) -> str:
        """What would go, for people."""
        from bayling_lite.units import bytes_text

        if self.model is None:
            return "what an interrupted pull left"
        return f"{self.model.path} ({bytes_text(self.model.size)})"

    def remove(self, registry: Registry) -> None:
        """Remove it.

        Raises:
            OutputError: it cannot be removed.
        """
        if self.model is not None:
            registry.remove(self.model)
        if self.repository is not None:
            registry.remove_leftovers(self.repository, self.file_type)


def find_removable(name: str, settings: Settings) -> Removable:
    """What a name stands for.

    Raises:
        ModelNotFound: nothing of that name lies in the models folder.
        UsageError: the embedded model, a file outside the folder, or several models.
    """
    from bayling_lite.catalogue import HUB_PREFIX, find_entry, find_local, resolve
    from bayling_lite.errors import ModelNotFound, UsageError
    from bayling_lite.quantizations import split_type
    from bayling_lite.registry import Registry

    plain = name.removeprefix(HUB_PREFIX)
    bare, wanted_type = split_type(plain)
    entry = find_entry(bare)
    if entry is not None and entry.kind == "embedded":
        raise UsageError(f"{entry.name} ships with the package and cannot be removed; it takes a few megabytes.")
    repository = entry.hub if entry is not None else bare if bare.count("/") == 1 else None
    if repository is not None and not Registry(settings.models_dir).leftovers(repository, wanted_type):
        repository = None
    found = find_local(name, settings)
    exact = [model for model in found if model.name.casefold() == plain.casefold()]
    if len(found) > 1 and len(exact) != 1:
        raise UsageError(f"{name} is here several times: say which. {', '.join(model.name for model in found)}")
    if found:
        model = (exact or found)[0]
        return Removable(model.name, model, repository, wanted_type or model.type)
    if repository is not None:
        return Removable(plain, None, repository, wanted_type)
    if entry is not None:
        raise ModelNotFound(f"{name} is not on this machine: there is nothing to remove.")
    path = resolve(name, settings)
    raise UsageError(f"{path} is not in the models folder {settings.models_dir}: remove it yourself.")
