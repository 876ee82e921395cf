"""From the options of a command to an open engine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.catalogue import first_run_notice, resolve
from bayling_lite.cli.options import EngineFlags
from bayling_lite.cli.saying import say
from bayling_lite.localization import _
from bayling_lite.settings import Settings
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.engine.base import ModelInfo
    from bayling_lite.engine.llama import LlamaEngine
    from bayling_lite.engine.plan import EngineOptions


logger = logging.getLogger(__name__)


def find_model(flags: EngineFlags) -> tuple[Path, Settings]:
    """The model's file and the settings in force. Quick: nothing is loaded.

    Raises:
        ModelNotFound: it is not on this machine.
        UsageError: a bad setting.
    """
    settings = Settings.load(**flags.settings)
    return resolve(None, settings), settings


def open_engine(
    path: Path,
    settings: Settings,
    *,
    template: str | None = None,
    quiet: bool = False,
    exact: bool = False,
    tell: Callable[[str], None] = say,
) -> LlamaEngine:
    """Load a model; say on stderr if its context is too large for it and, once per user, if it is the demonstrator.

    ``tell`` says it elsewhere. ``exact`` as in :class:`~bayling_lite.engine.plan.EngineOptions`.

    Raises:
        ModelError: it cannot be used.
        UsageError: the engine cannot be set up so.
    """
    from bayling_lite.engine.llama import LlamaEngine

    options: EngineOptions = {**settings.engine, "exact": exact}
    engine = LlamaEngine.open(path, template=template, **options)
    info = engine.info
    logger.info(
        "%s: %s; context %d tokens, %d requests at once",
        *map(printable, (info.name, info.device)),
        info.n_ctx,
        info.n_parallel,
    )
    notices = () if quiet else (_context_warning(info), first_run_notice(info, settings))
    for notice in filter(None, notices):
        tell(notice)
    return engine


def _context_warning(info: ModelInfo) -> str:
    """What to say of a context that is longer than any text the model was trained on; empty when it is not."""
    if not 0 < info.n_ctx_train < info.n_ctx:
        return ""
    return _(
        "Warning: {model} was trained with {trained} tokens of context: with {n_ctx}, what it makes of long texts may "
        "be wrong.",
        model=info.name,
        trained=info.n_ctx_train,
        n_ctx=info.n_ctx,
    )
