"""Sessions as Markdown, to be read: what was said on the path to where they stand, translations with their texts.

What users and models wrote cannot change the structure of the file; see :mod:`~.quotation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bayling_lite.chat.records.exports.quotation import inline, quoted, quoted_markdown
from bayling_lite.chat.records.values import StoredSession, StoredTurn, TurnState
from bayling_lite.chat.session.turns import Kind
from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language
from bayling_lite.localization import _, interface_language


def markdown(sessions: Iterable[StoredSession]) -> str:
    """The text of the file."""
    return "\n\n".join(block for session in sessions for block in _session(session)) + "\n"


def _session(session: StoredSession) -> Iterator[str]:
    yield f"# {inline(session.title) or _('Session')}"
    moment = datetime.fromtimestamp(session.created).astimezone()
    facts = [
        f"{moment:%Y-%m-%d %H:%M}",
        *([inline(session.model)] if session.model else []),
        _("session {id}", id=session.short_id),
    ]
    yield " · ".join(facts)
    if terms := session.preferences.terms_in_force:
        listed = "; ".join(f"{inline(source)} → {inline(target)}" for source, target in terms)
        yield _("Terms: {terms}", terms=listed)
    for number, turn in enumerate((turn for turn in session.turns if turn.on_path), start=1):
        yield f"## {number}. {_heading(turn)}"
        yield from _turn(turn)


def _turn(turn: StoredTurn) -> Iterator[str]:
    if turn.kind is Kind.CHAT:
        yield quoted(turn.typed)
        if turn.answer:
            yield _("Answer:")
            yield quoted_markdown(turn.answer)
    else:
        said = _said(turn)
        if said:
            yield quoted(said)
        if turn.answer:
            if said:
                yield _answer_label(turn)
            yield quoted(turn.answer)
    if note := _note(turn):
        yield f"*{note}*"


def _said(turn: StoredTurn) -> str:
    """What the user said, where that is not all in the heading."""
    if turn.kind is Kind.TRANSLATION:
        return turn.draft.source_text if turn.draft is not None else turn.sent
    if turn.kind is Kind.EXPLANATION:
        return turn.typed.removeprefix("/explain").strip()
    return turn.typed if turn.kind is Kind.REFINEMENT else ""


def _heading(turn: StoredTurn) -> str:
    target = _language(turn.target)
    if turn.kind is Kind.TRANSLATION:
        source = _language(turn.source)
        if source:
            return _("Translation from {source} into {target}", source=source, target=target)
        return _("Translation into {target}", target=target)
    return {
        Kind.CHAT: _("Question"),
        Kind.REFINEMENT: _("Change"),
        Kind.EDIT: _("Edited by hand"),
        Kind.BACK: _("Translated back"),
        Kind.EXPLANATION: _("Explanation"),
    }[turn.kind]


def _answer_label(turn: StoredTurn) -> str:
    if turn.kind is Kind.TRANSLATION:
        return _("Draft:")
    return _("New draft:") if turn.kind is Kind.REFINEMENT else _("Answer:")


def _note(turn: StoredTurn) -> str:
    if turn.state is TurnState.STOPPED:
        return _("Stopped before its end.")
    if turn.state is TurnState.FAILED:
        return _("This came to nothing.")
    if turn.state is TurnState.RUNNING:
        return _("Not finished.")
    return _("Cut off at the limit of tokens.") if turn.truncated else ""


def _language(code: str | None) -> str:
    if not code:
        return ""
    try:
        language = find_language(code)
    except UsageError:
        return inline(code)
    return language.chinese if interface_language() == "zh" else language.english
