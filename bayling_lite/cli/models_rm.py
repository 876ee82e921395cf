"""``bayling models rm``: remove models of the models folder, and what interrupted pulls left of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.saying import say

if TYPE_CHECKING:
    from bayling_lite.registry import LocalModel, Registry
    from bayling_lite.settings import Settings


@click.command("rm", short_help="Remove models.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--partial", is_flag=True, help="Remove only what interrupted pulls left; finished models stay.")
@click.option("--all", "every", is_flag=True, help="Remove NAME in every type in which it is here.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def remove(names: tuple[str, ...], partial: bool, every: bool, yes: bool, quiet: bool) -> None:
    """Remove the models NAME..., and what interrupted pulls of them left.

    It says what will go and asks first; without a terminal, --yes has to say that it is meant. Where a model is here in
    several types, NAME:TYPE says which, and --all means each.
    """
    from bayling_lite.errors import UsageError
    from bayling_lite.registry import Registry
    from bayling_lite.settings import Settings

    settings = Settings.load()
    registry = Registry(settings.models_dir)
    wanted = [one for name in names for one in find_removable(name, settings, partial=partial, every=every)]
    found = list(dict.fromkeys(wanted))
    if not yes:
        for removable in found:
            say(f"{removable.name}: {removable.what(registry)}")
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError("Nothing was removed: there is no terminal to ask in. --yes says that it is meant.")
        click.confirm("Remove?", abort=True, err=True)
    for removable in found:
        removable.remove(registry)
        if not quiet:
            say(f"Removed {removable.name}{'' if removable.model else ', which was not finished'}.")


@dataclass(frozen=True, slots=True)
class Removable:
    """A model's file, or None, and the repository of which interrupted pulls left something, or None.

    ``file_type`` is the type of those leftovers, None where all go.
    """

    name: str
    model: LocalModel | None
    repository: str | None
    file_type: str | None

    def what(self, registry: Registry) -> str:
        """What would go, for people."""
        from bayling_lite.registry import bytes_left
        from bayling_lite.units import bytes_text

        parts = []
        if self.model is not None:
            size = bytes_text(self.model.size) if self.model.path.exists() else "missing"
            parts.append(f"{self.model.path} ({size})")
        if self.repository is not None:
            left = sum(map(bytes_left, registry.leftovers(self.repository, self.file_type)))
            parts.append(f"what an interrupted pull left ({bytes_text(left)})")
        return ", and ".join(parts)

    def remove(self, registry: Registry) -> None:
        """Remove it.

        Raises:
            OutputError: it cannot be removed.
        """
        if self.model is not None:
            registry.remove(self.model)
        if self.repository is not None:
            registry.remove_leftovers(self.repository, self.file_type)


def find_removable(name: str, settings: Settings, *, partial: bool = False, every: bool = False) -> list[Removable]:
    """What a name stands for: one model unless ``every`` type is meant, or only what is not finished of it.

    Raises:
        ModelNotFound: nothing of that name lies in the models folder.
        UsageError: the embedded model, a file outside the folder, or several models.
    """
    from bayling_lite.catalogue import HUB_PREFIX, find_entry, resolve
    from bayling_lite.errors import ModelNotFound, UsageError
    from bayling_lite.quantizations import split_type
    from bayling_lite.registry import Registry

    plain = name.removeprefix(HUB_PREFIX)
    bare, wanted_type = split_type(plain)
    entry = find_entry(bare)
    if entry is not None and entry.kind == "embedded":
        raise UsageError(f"{entry.name} ships with the package and cannot be removed; it takes a few megabytes.")
    repository = entry.hub if entry is not None else bare if bare.count("/") == 1 else None
    left = Registry(settings.models_dir).leftovers(repository, wanted_type) if repository is not None else []
    if partial:
        if not left:
            raise ModelNotFound(f"Nothing unfinished of {name} is on this machine: there is nothing to remove.")
        return [Removable(plain, None, repository, wanted_type)]
    found = _models(name, settings, every=every)
    unfinished = {folder.name for folder in left}
    removable = [
        Removable(model.name, model, repository if model.type in unfinished else None, model.type) for model in found
    ]
    if left and (every or not found):
        rest = unfinished - {model.type for model in found}
        removable += [Removable(f"{bare}:{file_type}", None, repository, file_type) for file_type in sorted(rest)]
    if removable:
        return removable
    if entry is not None:
        raise ModelNotFound(f"{name} is not on this machine: there is nothing to remove.")
    path = resolve(name, settings)
    raise UsageError(f"{path} is not in the models folder {settings.models_dir}: remove it yourself.")


def _models(name: str, settings: Settings, *, every: bool) -> list[LocalModel]:
    """The models of a name: whole ones, else one of which the file is missing.

    Raises:
        UsageError: several, and not ``every`` one is meant.
    """
    from bayling_lite.catalogue import HUB_PREFIX, find_local
    from bayling_lite.errors import UsageError
    from bayling_lite.inventory import find_missing

    found = find_local(name, settings)
    if not found:
        missing = find_missing(name, settings)
        return [missing] if missing is not None else []
    exact = [model for model in found if model.name.casefold() == name.removeprefix(HUB_PREFIX).casefold()]
    if every or len(found) == 1:
        return found
    if len(exact) != 1:
        names = ", ".join(model.name for model in found)
        raise UsageError(f"{name} is here several times: say which, or --all. {names}")
    return exact
