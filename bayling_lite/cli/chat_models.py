"""The models of this machine, for a chat to go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayling_lite.catalogue import DEFAULT_MODEL, resolve
from bayling_lite.cli.opening import open_engine
from bayling_lite.cli.saying import say
from bayling_lite.settings import Settings

if TYPE_CHECKING:
    from bayling_lite.chat.models import FoundModel
    from bayling_lite.engine.base import Engine


@dataclass(frozen=True)
class InstalledModels:
    """The :class:`~bayling_lite.chat.models.Models` that ``bayling models list`` shows, and every GGUF file.

    They are opened as the command line says, but with the template that their own files name. ``tell`` says what there
    is to say of one that was opened.
    """

    settings: Settings
    quiet: bool = False
    tell: Callable[[str], None] = say

    def find(self, name: str) -> FoundModel:
        """See :class:`~bayling_lite.chat.models.Models`."""
        from bayling_lite.chat.models import FoundModel

        path = resolve(name, self.settings)

        def opened() -> Engine:
            return open_engine(path, self.settings, quiet=self.quiet, tell=self.tell)

        return FoundModel(path.stem, opened)

    def names(self) -> Iterator[tuple[str, str]]:
        """See :class:`~bayling_lite.chat.models.Models`. Only the folder is looked at, for a key waits for it."""
        from bayling_lite.localization import _
        from bayling_lite.registry import Registry
        from bayling_lite.units import bytes_text

        yield DEFAULT_MODEL, _("ships with the package")
        for model in Registry(self.settings.models_dir).models():
            try:
                yield model.name, bytes_text(model.size)
            except OSError:  # removed just now
                continue
