"""The chat for programs: one JSON object a line on standard output, and nothing else there.

Each has a ``type``. Texts are as they are, with escapes for what would steer a terminal or end a line.

=============== =====================================================================================================
type            what else there is
=============== =====================================================================================================
answer          ``session`` and ``turn`` (ids; the session's is null where it is not kept), ``kind`` (chat, translation,
                refinement, edit, back, explanation), ``typed``, ``sent`` (the text or the instruction that the model
                got), ``rule`` (why the line was read so, or null), ``text``, ``source_text`` (null in chat),
                ``source_language``, ``target_language`` (codes or null), ``state`` (finished, stopped, truncated),
                ``tokens``, ``seconds``, ``failed_segments``, ``missing_words``, ``missing_terms``
notice, warning ``text``
error           ``error`` (the kind), ``status`` (what the program would exit with), ``text``
alternatives    ``texts``: ``/pick N`` takes the N-th
changes         ``changes``: stretches of ``kind`` kept, removed or added with their ``text``
=============== =====================================================================================================

Times are in seconds. Who reads this should leave alone what it does not know: there may be more keys, and more types.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from bayling_lite.chat.differences import Change
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.errors import BaylingError, UsageError
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.screens.screen import Question

# What JSON itself does not escape: DEL and C1, separators of lines, bidirectional controls; and half of a surrogate
# pair, which is no character in any file.
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class JsonScreen:
    """Writes each event as a line. Safe to use from any thread.

    Args:
        output: gets the lines.
        session_id: gives the id of the session that runs, empty where it is not kept.
        quiet: leaves out what is only information.
    """

    asks = False
    has_keys = False

    def __init__(self, output: TextIO, session_id: Callable[[], str] = str, *, quiet: bool = False) -> None:
        self.session_id = session_id
        self._output = output
        self._quiet = quiet
        self._lock = threading.Lock()

    def choice(self, plan: Plan, other: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. The answer tells it."""

    def begin_answer(self, plan: Plan) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. The answer comes whole."""

    def piece(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. The answer comes whole."""

    def end_answer(self, turn: Turn | None) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if turn is not None:
            self._write("answer", session=self.session_id() or None, **answer_values(turn))

    def notice(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        if not self._quiet:
            self._write("notice", text=text)

    def warning(self, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._write("warning", text=text)

    def error(self, error: BaylingError, text: str) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._write("error", error=type(error).__name__, status=error.exit_status, text=text)

    def changes(self, changes: Sequence[Change]) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._write("changes", changes=[{"kind": change.kind, "text": change.text} for change in changes])

    def alternatives(self, texts: Sequence[str]) -> None:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`."""
        self._write("alternatives", texts=list(texts))

    def ask(self, question: Question) -> str:
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. Nobody is asked."""
        return question.choices[0][0]

    def edit(self, text: str) -> NoReturn:  # noqa: ARG002
        """See :class:`~bayling_lite.chat.screens.screen.Screen`. A program edits by itself."""
        raise UsageError(_("There is nobody here to edit it: /edit TEXT sets the draft."))

    def _write(self, type_: str, **values: Any) -> None:
        line = _ESCAPED.sub(_escape, json.dumps({"type": type_, **values}, ensure_ascii=False))
        with self._lock:
            self._output.write(line + "\n")
            self._output.flush()


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def answer_values(turn: Turn) -> dict[str, Any]:
    """What is told of an answer, but for its session."""
    plan, draft = turn.plan, turn.draft
    source = draft.source if draft is not None else plan.source
    target = draft.target if draft is not None else plan.target
    return {
        "turn": turn.id,
        "kind": plan.kind.value,
        "typed": plan.typed,
        "sent": plan.sent,
        "rule": plan.rule.value if plan.rule is not None else None,
        "text": turn.answer,
        "source_text": draft.source_text if draft is not None else None,
        "source_language": source.code if source is not None else None,
        "target_language": target.code if target is not None else None,
        "state": "stopped" if turn.stopped else "truncated" if turn.truncated else "finished",
        "tokens": turn.n_tokens,
        "seconds": round(turn.seconds, 4),
        "failed_segments": draft.failed if draft is not None else 0,
        "missing_words": list(draft.missing_words) if draft is not None else [],
        "missing_terms": [list(term) for term in draft.missing_terms] if draft is not None else [],
    }
