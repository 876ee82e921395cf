"""The models that a chat can go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from bayling_lite.engine.base import Engine
from bayling_lite.errors import UsageError
from bayling_lite.localization import _


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that can be opened. ``name`` is what sessions are kept under."""

    name: str
    open: Callable[[], Engine]


class Models(Protocol):
    """Where a chat gets models from."""

    def find(self, name: str) -> FoundModel:
        """The model of a name or a path. Quick: nothing is loaded.

        Raises:
            ModelError: there is none; the message says how to get it.
        """
        ...

    def names(self) -> Iterable[tuple[str, str]]:
        """The names of the models that are here, each with a word about it."""
        ...


class NoModels:
    """The :class:`Models` of a chat that stays with its model."""

    def find(self, name: str) -> NoReturn:  # noqa: ARG002
        """See :class:`Models`."""
        raise UsageError(_("This chat cannot open other models: start it with the one you want."))

    def names(self) -> Iterable[tuple[str, str]]:
        """See :class:`Models`."""
        return ()
