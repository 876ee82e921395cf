"""The line below the prompt: what is in force, and what a key would do now."""

from __future__ import annotations

from dataclasses import dataclass

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat.blocks import opens_block
from bayling_lite.chat.remarks import NEARLY_FULL
from bayling_lite.chat.screens.offers import Offers
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Turn
from bayling_lite.localization import _
from bayling_lite.terminal import fit, printable

_BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class Status:
    """What the line says of a session, found out once for each prompt, for a key must cost nothing.

    ``model`` is empty as long as it loads; then nothing is known of the context either. ``rate`` is the last answer's
    tokens per second, 0 before any.
    """

    mode: str
    model: str = ""
    used: int = 0
    n_ctx: int = 0
    rate: float = 0.0

    @property
    def nearly_full(self) -> bool:
        """Whether the user should see that the context is soon full."""
        return self.n_ctx > 0 and self.used >= NEARLY_FULL * self.n_ctx


def status_of(session: Session, *, ready: bool) -> Status:
    """The status of a session; ``ready`` says whether its model is there."""
    target, source = session.preferences.target, session.preferences.source
    mode = _("chat") if target is None else f"{source.code if source else _('auto')} → {target.code}"
    if not ready:
        return Status(mode)
    turns, info = session.turns, session.engine.info
    rate = turns[-1].tokens_per_second if turns and _was_generated(turns[-1]) else 0.0
    return Status(mode, printable(info.name, keep=""), session.context_tokens(), info.n_ctx, rate)


def _was_generated(turn: Turn) -> bool:
    """Whether a model made the answer: not the user, and not the text itself, which needed no translation."""
    kept = turn.draft is not None and all(segment.status == "kept" for segment in turn.draft.segments)
    return turn.plan.kind is not Kind.EDIT and not kept


def hint(typed: str, offers: Offers) -> str:
    """What the next key would do, with so much typed already."""
    if opens_block(typed):
        return _('""" ends the text')
    if "\n" in typed:
        return _("Enter sends all lines")
    return (offers.hint() if not typed else "") or "/help"


def bottom_line(status: Status, hint: str, width: int) -> StyleAndTextTuples:
    """The line as styled text that fits ``width`` cells.

    What there is no room for goes as a whole, and what can be found elsewhere (``/stats``) goes first.
    """
    if not status.model:
        parts = [(0, "", _("loading the model…")), (1, "", status.mode), (2, "", hint)]
    else:
        warning = "class:bottom-line.warning" if status.nearly_full else ""
        rate = f"{status.rate:.0f}" if status.rate >= 10 else f"{status.rate:.1f}"
        parts = [
            (4, "", status.model),
            (1, "", status.mode),
            (0 if warning else 3, warning, _("{used}/{n_ctx} tokens", used=status.used, n_ctx=status.n_ctx)),
            *([(5, "", _("{rate} tokens/s", rate=rate))] if status.rate else []),
            (2, "", hint),
        ]
    while len(parts) > 1 and _cells(parts) > width:
        parts.remove(max(parts))
    line: StyleAndTextTuples = []
    for number, (_order, style, text) in enumerate(parts):
        line.append(("class:bottom-line", _BETWEEN if number else " "))
        line.append((f"class:bottom-line {style}".rstrip(), fit(text, width - 1) if len(parts) == 1 else text))
    return line


def _cells(parts: list[tuple[int, str, str]]) -> int:
    return 1 + sum(get_cwidth(text) for *_style, text in parts) + len(_BETWEEN) * (len(parts) - 1)
