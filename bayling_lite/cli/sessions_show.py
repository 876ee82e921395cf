"""``bayling sessions show``: a session as one reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.interface import InterfaceCommand, lang_option
from bayling_lite.cli.saying import say
from bayling_lite.cli.sessions_list import local_time, nothing_kept, open_store
from bayling_lite.localization import _, noted, plural
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.chat.records.values import StoredSession, StoredTurn

_KINDS = {
    "chat": noted("chat"),
    "translation": noted("translation"),
    "refinement": noted("refinement"),
    "edit": noted("your own draft"),
    "back": noted("translated back"),
    "explanation": noted("explanation"),
}

_SECTIONS = {noted("Options"): ("everything", "lang")}


@click.command("show", cls=InterfaceCommand, sections=_SECTIONS, short_help="Show a session, turn by turn.")
@click.argument("session", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Also what was undone or answered anew.")
@lang_option
def show(session: str | None, everything: bool) -> None:
    """Show the session of an ID turn by turn; without one, the last session.

    Each turn has its number, what was asked (after >) and the answer. What was undone, or answered anew, is left out,
    unless --all says otherwise; then it is marked.

    \b
    Examples:
      bayling sessions show
      bayling sessions show 3f2a --all | less
    """  # noqa: D301 - click wants the character \b
    store = open_store()
    found = None
    if store is not None:
        with store:
            name = session if session is not None else store.newest()
            found = store.session(name) if name is not None else None
    elif session is not None:
        from bayling_lite.errors import UsageError

        raise UsageError(_("There is no session {prefix}: none is kept yet.", prefix=session))
    if found is None:
        say(nothing_kept())
        return
    for line in session_text(found, everything=everything):
        click.echo(printable(line))
    hidden = len(found.turns) - len(shown_turns(found))
    if hidden and not everything:
        say(
            plural(
                "One turn that was undone or answered anew is left out: --all shows it.",
                "{count} turns that were undone or answered anew are left out: --all shows them.",
                hidden,
            )
        )


def session_text(session: StoredSession, *, everything: bool) -> Iterator[str]:
    """A session as text: its heading, then its turns, an empty line before each."""
    about = (session.short_id, session.title, session.model, local_time(session.created))
    yield " · ".join(" ".join(part.split()) for part in about if part)
    numbers = {turn.id: number for number, turn in enumerate(session.turns, 1)}
    known, above = shown_turns(session), 0
    known_ids = {turn.id for turn in known}
    for turn in session.turns if everything else known:
        before = numbers.get(turn.parent or "", 0)
        marks = [] if turn.id in known_ids else [_("undone or answered anew")]
        if before != above:
            # It goes on from another turn than the one above it.
            marks.append(_("after [{number}]", number=before) if before else _("from the beginning"))
        yield ""
        yield from _turn_text(turn, numbers[turn.id], marks)
        if _can_be_gone_on_from(turn):
            above = numbers[turn.id]


def shown_turns(session: StoredSession) -> list[StoredTurn]:
    """The turns of the path, and those that began on it and came to nothing."""
    path = {None, *(turn.id for turn in session.turns if turn.on_path)}
    return [turn for turn in session.turns if turn.on_path or (not _can_be_gone_on_from(turn) and turn.parent in path)]


def _can_be_gone_on_from(turn: StoredTurn) -> bool:
    from bayling_lite.chat.records.values import TurnState

    return not turn.kind.is_aside and turn.state is not TurnState.FAILED and turn.has_answer


def _turn_text(turn: StoredTurn, number: int, marks: list[str]) -> Iterator[str]:
    about = [local_time(turn.created)[-5:], _kind_text(turn), *marks, *_state_marks(turn)]
    yield f"[{number}] {' · '.join(about)}"
    yield from (f"> {line}" for line in turn.typed.splitlines() or [""])
    if turn.answer:
        yield turn.answer


def _kind_text(turn: StoredTurn) -> str:
    kind = _(_KINDS[turn.kind.value])
    if turn.target is None:
        return kind
    return f"{kind} {turn.source}→{turn.target}" if turn.source else f"{kind} →{turn.target}"


def _state_marks(turn: StoredTurn) -> list[str]:
    from bayling_lite.chat.records.values import TurnState

    marks = []
    if turn.state is TurnState.RUNNING:
        marks.append(_("not finished"))
    elif turn.state is TurnState.STOPPED:
        marks.append(_("stopped"))
    elif turn.state is TurnState.FAILED:
        reason = _(" ".join(turn.reason.split()))  # one that was not the model's is a message of ours
        marks.append(_("no answer: {reason}", reason=reason) if reason else _("no answer"))
    if turn.truncated:
        marks.append(_("cut off"))
    if turn.draft is not None:
        failed = sum(segment.status == "failed" for segment in turn.draft.segments)
        missing = [*(wanted for _word, wanted in turn.draft.missing_terms), *turn.draft.missing_words]
        if failed:
            marks.append(plural("one sentence untranslated", "{count} sentences untranslated", failed))
        if missing:
            marks.append(_("without {words}", words=", ".join(dict.fromkeys(missing))))
    return marks
