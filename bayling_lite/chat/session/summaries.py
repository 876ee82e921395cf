"""The model sums up older turns, to make room for new ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from bayling_lite.chat.session.context import View
from bayling_lite.chat.session.room import summary_reserve
from bayling_lite.chat.session.turns import Turn
from bayling_lite.engine.base import Engine, Generation, GenerationRequest
from bayling_lite.errors import EngineError
from bayling_lite.localization import _, interface_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, summary_instruction


class SummaryRun:
    """A summary that is being written. Iterate it for pieces, then :meth:`finish`; :meth:`cancel` from any thread.

    Turns that do not fit the context together are summed up one part after the other, each with the summary of those
    before; the pieces are those of the last.

    Args:
        engine: what writes it.
        turns: what it sums up.
        view: how the model sees them.
        before: the summary of what was before them, if there is one.
        keep: takes it into the session.
    """

    def __init__(
        self, engine: Engine, turns: tuple[Turn, ...], view: View, before: str, keep: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._left = turns
        self._view = view
        self._keep = keep
        self._summary = before
        self._generation: Generation | None = None
        self._stopped = False
        self._pieces = self._run()

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def cancel(self) -> None:
        """Stop as soon as possible; nothing changes then."""
        self._stopped = True
        if self._generation is not None:
            self._generation.cancel()

    def finish(self) -> str | None:
        """Wait for the end; from then on the summary stands for its turns. None when it was stopped.

        Raises:
            EngineError: generating failed, or the model said nothing; nothing has changed.
            ContextOverflow: a turn is too long to be summed up.
        """
        for _piece in self._pieces:
            pass
        if self._stopped or self._left:
            return None
        self._keep(self._summary)
        return self._summary

    def _run(self) -> Iterator[str]:
        n_ctx = self._engine.info.n_ctx
        most = summary_reserve(n_ctx)
        while self._left and not self._stopped:
            part = max(1, bisect_right(range(1, len(self._left) + 1), n_ctx - most, key=self._tokens))
            generation = self._engine.submit(GenerationRequest(self._asked(part), max_tokens=most))
            self._generation = generation
            if self._stopped:  # before there was anything to stop
                generation.cancel()
            if part == len(self._left):
                yield from generation
            completion = generation.result()
            if self._stopped or completion.finish_reason == "cancelled":
                return
            if not completion.text.strip():
                raise EngineError(_("The model gave no summary: leave the older turns out instead, or /clear."))
            self._summary, self._left = completion.text.strip(), self._left[part:]

    def _tokens(self, part: int) -> int:
        return self._engine.count_tokens(self._asked(part))

    def _asked(self, part: int) -> Conversation:
        conversation = self._view.part(self._left[:part], self._summary)
        return conversation.user(summary_instruction(wording=Wording(interface_language())))
