"""Sessions as they are kept, written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bayling_lite.chat.records.values import StoredDraft, StoredSegment, StoredSession, StoredTurn, TurnState, placed
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import translation_instruction, user_turn

ZH = find_language("zh")
EN = find_language("en")


def translated(turn: str, parent: str | None, text: str, answer: str, *, request: str = "") -> StoredTurn:
    """A first draft of one sentence."""
    conversation = user_turn(request or translation_instruction(text, ZH)).assistant(answer)
    draft = StoredDraft(
        text=answer,
        source_text=text,
        source="en",
        target="zh",
        conversation=conversation,
        segments=(StoredSegment(text, answer, "ok", conversation),),
    )
    plan = Plan(Kind.TRANSLATION, text, text, None, ZH, EN)
    return StoredTurn(
        turn, parent, plan, TurnState.FINISHED, answer, created=1.5, conversation=conversation, draft=draft
    )


def changed(turn: str, before: StoredTurn, said: str, answer: str, *, parent: str | None = None) -> StoredTurn:
    """The next version of a draft."""
    assert before.draft is not None
    conversation = before.draft.conversation.user(said).assistant(answer)
    draft = replace(
        before.draft,
        text=answer,
        conversation=conversation,
        segments=(replace(before.draft.segments[0], text=answer, conversation=conversation),),
    )
    return StoredTurn(
        turn,
        parent or before.id,
        Plan(Kind.REFINEMENT, said, said, None, ZH, EN),
        TurnState.FINISHED,
        answer,
        created=2.5,
        conversation=Conversation(conversation.messages[-2:]),
        draft=draft,
    )


def edited(turn: str, before: StoredTurn, text: str) -> StoredTurn:
    """A draft that the user wrote."""
    assert before.draft is not None
    conversation = Conversation((*before.draft.conversation.messages[:-1],)).assistant(text)
    draft = replace(
        before.draft,
        text=text,
        conversation=conversation,
        segments=(replace(before.draft.segments[0], text=text, conversation=conversation),),
    )
    return StoredTurn(
        turn,
        before.id,
        Plan(Kind.EDIT, text, text, None, ZH, EN),
        TurnState.FINISHED,
        text,
        created=3.5,
        conversation=Conversation(conversation.messages[-2:]),
        draft=draft,
    )


def talked(turn: str, parent: str | None, said: str, answer: str) -> StoredTurn:
    """A turn of chat."""
    conversation = user_turn(said).assistant(answer)
    return StoredTurn(
        turn, parent, Plan(Kind.CHAT, said, said), TurnState.FINISHED, answer, created=4.5, conversation=conversation
    )


def session(turns: Iterable[StoredTurn], head: str | None, *, title: str = "Good morning.") -> StoredSession:
    """A session that stands at a turn."""
    turns = tuple(turns)
    return StoredSession(
        id="0123456789abcdef0123456789abcdef",
        title=title,
        model="bayling-tiny",
        created=1.0,
        changed=9.0,
        preferences=Preferences(target=ZH, terms=(("token", "词元"),), style="plain"),
        position=Position(head=head),
        turns=placed(turns, head),
    )
