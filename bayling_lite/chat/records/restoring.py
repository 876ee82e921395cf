"""From what was kept of a session to what a chat goes on with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from bayling_lite.chat.records.values import StoredDraft, StoredSession, StoredTurn, TurnState, path_to
from bayling_lite.chat.session.drafts import edited
from bayling_lite.chat.session.recording import KeptSession
from bayling_lite.chat.session.turns import Kind, Turn
from bayling_lite.languages import detect_language, find_language
from bayling_lite.messages import Conversation

if TYPE_CHECKING:
    from bayling_lite.translate import Translation, Translator


def restored(stored: StoredSession, translator: Translator) -> KeptSession:
    """The session with its drafts, which ``translator`` refines; the model is not asked for anything."""
    by_id = {turn.id: turn for turn in stored.turns}
    path = path_to(stored.turns, stored.path[-1].id if stored.path else None)
    undone = _undone(stored.position.undone, path[-1].id if path else None, by_id)
    makes = _Turns(stored, translator)
    return KeptSession(
        preferences=stored.preferences,
        turns=tuple(map(makes.turn, path)),
        undone=tuple(map(makes.turn, undone)),
        position=stored.position,
        replaced=tuple(map(makes.turn, _replaced([*path, *undone], by_id))),
    )


def _undone(ids: Iterable[str], head: str | None, by_id: dict[str, StoredTurn]) -> list[StoredTurn]:
    """The turns that a redo brings back: each goes on from the one before it, or stands in its place."""
    found: list[StoredTurn] = []
    for turn in map(by_id.get, ids):
        if turn is None or head not in (turn.parent, turn.plan.replaced):
            break
        found.append(turn)
        head = turn.id
    return found


def _replaced(turns: Iterable[StoredTurn], by_id: dict[str, StoredTurn]) -> list[StoredTurn]:
    """The turns in whose place one of these stands, and those in whose place they stood."""
    wanted = [turn.plan.replaced for turn in turns]
    found: dict[str, StoredTurn] = {}
    while wanted:
        turn = by_id.get(wanted.pop())
        if turn is not None and turn.id not in found and turn.state is not TurnState.FAILED:
            found[turn.id] = turn
            wanted.append(turn.plan.replaced)
    return list(found.values())


def _standing(turn: StoredTurn, before: StoredDraft) -> tuple[str, ...]:
    """The words that were asked for by and before a refinement that was cut off, and not taken back by it."""
    from bayling_lite.translate.refining.standing import standing

    required = turn.plan.required
    stand = standing((*before.standing, *before.required), before.text, turn.sent, required, before.conversation)
    return (*stand.after(turn.answer), *required)


class _Turns:
    def __init__(self, stored: StoredSession, translator: Translator) -> None:
        self._stored = stored
        self._translator = translator

    def turn(self, stored: StoredTurn) -> Turn:
        """The turn; one that was cut off with its process as a stopped one, with what there was of its answer."""
        draft = self._draft(stored)
        conversation = stored.conversation
        if draft is not None:
            conversation = draft.conversation
        elif len(conversation) == 0:
            asked = Conversation().with_system(self._stored.preferences.system).user(stored.sent)
            conversation = asked.assistant(stored.answer)
        return Turn(
            plan=stored.plan,
            answer=stored.answer,
            conversation=conversation,
            draft=draft,
            stopped=stored.state is not TurnState.FINISHED,
            truncated=stored.truncated,
            seconds=stored.seconds,
            seconds_to_first=stored.seconds_to_first,
            n_tokens=stored.n_tokens,
            id=stored.id,
        )

    def _draft(self, turn: StoredTurn) -> Translation | None:
        if turn.draft is not None:
            return self._restored(turn.draft)
        if turn.state is TurnState.FINISHED:
            return None
        if turn.kind is Kind.TRANSLATION:
            return self._cut_off_translation(turn)
        before = self._draft_before(turn)
        if before is None:
            return None
        if turn.kind is Kind.EDIT:
            return edited(self._restored(before), turn.sent)
        if turn.kind is Kind.REFINEMENT:
            asked = before.conversation.user(turn.sent)
            cut_off = self._cut_off(turn, before.source_text, before.source, before.target, asked)
            return replace(cut_off, standing=_standing(turn, before))
        return None

    def _restored(self, draft: StoredDraft) -> Translation:
        from bayling_lite.translate.restoring import restore_translation
        from bayling_lite.translate.results import TranslatedSegment

        return restore_translation(
            self._translator,
            text=draft.text,
            source_text=draft.source_text,
            source=None if draft.source is None else find_language(draft.source),
            target=find_language(draft.target),
            conversation=draft.conversation,
            segments=[
                TranslatedSegment(segment.source, segment.text, segment.status, segment.conversation)
                for segment in draft.segments
            ],
            terms=draft.terms,
            required=draft.required,
            missing_terms=draft.missing_terms,
            missing_words=draft.missing_words,
            unchanged=draft.unchanged,
            standing=draft.standing,
        )

    def _cut_off_translation(self, turn: StoredTurn) -> Translation | None:
        from bayling_lite.prompts import translation_instruction, user_turn

        target = turn.plan.target
        if target is None:
            return None
        source = turn.plan.source or detect_language(turn.sent)
        asked = user_turn(translation_instruction(turn.sent.strip(), target))
        return self._cut_off(turn, turn.sent, None if source is None else source.code, target.code, asked)

    def _draft_before(self, turn: StoredTurn) -> StoredDraft | None:
        path = path_to(self._stored.turns, turn.parent)
        return next((earlier.draft for earlier in reversed(path) if earlier.draft is not None), None)

    def _cut_off(
        self, turn: StoredTurn, source_text: str, source: str | None, target: str, asked: Conversation
    ) -> Translation:
        from bayling_lite.chat.records.values import StoredSegment

        conversation = asked.assistant(turn.answer.strip())
        segment = StoredSegment(source_text.strip(), turn.answer.strip(), "cancelled", conversation)
        return self._restored(StoredDraft(turn.answer, source_text, source, target, conversation, (segment,)))
