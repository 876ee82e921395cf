"""Drafts and turns as JSON values, and back. What their fields are made of is in :mod:`~.fields`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

from bayling_lite.chat.records.fields import (
    fields_json,
    from_fields,
    number_from_json,
    pairs_from_json,
    seconds_from_json,
    text_from_json,
    texts_from_json,
)
from bayling_lite.chat.records.values import StoredDraft, StoredSegment, StoredTurn, TurnState
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import find_language
from bayling_lite.localization import _
from bayling_lite.messages import Conversation, Role

if TYPE_CHECKING:
    from bayling_lite.translate.results import Status, Translation

_MOST_TOKENS = 2**63


def draft_json(draft: StoredDraft) -> dict[str, Any]:
    """A draft. The conversation of its only segment is its own and stands there once."""
    own = len(draft.segments) != 1 or draft.segments[0].conversation != draft.conversation
    return {
        "text": draft.text,
        "source_text": draft.source_text,
        "source": draft.source,
        "target": draft.target,
        "conversation": draft.conversation.to_list() if own else None,
        "segments": [
            {
                "source": segment.source,
                "text": segment.text,
                "status": segment.status,
                "conversation": segment.conversation.to_list(),
            }
            for segment in draft.segments
        ],
        "terms": draft.terms,
        "missing_terms": draft.missing_terms,
        "missing_words": draft.missing_words,
        "required": draft.required,
        "unchanged": draft.unchanged,
        "standing": draft.standing,
    }


def draft_from_json(value: Mapping[str, Any]) -> StoredDraft:
    """What :func:`draft_json` was made from.

    Raises:
        InputError: it is not such a thing.
    """
    try:
        segments = tuple(
            StoredSegment(
                text_from_json(segment["source"]),
                text_from_json(segment["text"]),
                _status(segment["status"]),
                _conversation(segment["conversation"]),
            )
            for segment in value["segments"]
        )
        own = value.get("conversation")
        return StoredDraft(
            text=text_from_json(value["text"]),
            source_text=_text(value["source_text"]),
            source=None if value["source"] is None else _language(value["source"]),
            target=_language(value["target"]),
            conversation=segments[0].conversation if own is None and segments else _conversation(own or []),
            segments=segments,
            terms=pairs_from_json(value.get("terms", ())),
            missing_terms=pairs_from_json(value.get("missing_terms", ())),
            missing_words=texts_from_json(value.get("missing_words", ())),
            required=texts_from_json(value.get("required", ())),
            unchanged=bool(value.get("unchanged", False)),
            standing=texts_from_json(value.get("standing", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise InputError(_("A kept session is damaged: {error}.", error=error)) from error


def stored_draft(draft: Translation) -> StoredDraft:
    """A draft as a plain value."""
    return StoredDraft(
        text=draft.text,
        source_text=draft.source_text,
        source=None if draft.source is None else draft.source.code,
        target=draft.target.code,
        conversation=draft.conversation,
        segments=tuple(
            StoredSegment(segment.source, segment.text, segment.status, segment.conversation)
            for segment in draft.segments
        ),
        terms=tuple(draft.terms),
        missing_terms=tuple(draft.missing_terms),
        missing_words=tuple(draft.missing_words),
        required=tuple(draft.required),
        unchanged=draft.unchanged,
        standing=tuple(draft.standing),
    )


def ended(turn: Turn) -> StoredTurn:
    """A turn that has ended, as a plain value; without its place in the tree."""
    return StoredTurn(
        id=turn.id,
        parent=None,
        plan=turn.plan,
        state=TurnState.STOPPED if turn.stopped else TurnState.FINISHED,
        answer=turn.answer,
        conversation=_exchange(turn.conversation),
        draft=None if turn.draft is None else stored_draft(turn.draft),
        truncated=turn.truncated,
        seconds=turn.seconds,
        seconds_to_first=turn.seconds_to_first,
        n_tokens=turn.n_tokens,
    )


def outcome_json(turn: StoredTurn) -> dict[str, Any]:
    """What came of a turn, beside its answer."""
    value: dict[str, Any] = {
        "reason": turn.reason,
        "conversation": turn.conversation.to_list(),
        "draft": None if turn.draft is None else draft_json(turn.draft),
        "truncated": turn.truncated,
        "seconds": turn.seconds,
        "seconds_to_first": turn.seconds_to_first,
        "n_tokens": turn.n_tokens,
    }
    return {name: item for name, item in value.items() if item}


def turn_json(turn: StoredTurn) -> dict[str, Any]:
    """A whole turn; what follows from the others (:func:`~bayling_lite.chat.records.values.placed`) is not in it."""
    return {
        "id": turn.id,
        "parent": turn.parent,
        "state": turn.state.value,
        "created": turn.created,
        "plan": fields_json(turn.plan),
        "answer": turn.answer,
        "model": turn.model,
        **outcome_json(turn),
    }


def turn_from_json(value: Mapping[str, Any]) -> StoredTurn:
    """What :func:`turn_json` was made from.

    Raises:
        InputError: it is not such a thing.
    """
    try:
        draft = value.get("draft")
        parent = value["parent"]
        return StoredTurn(
            id=text_from_json(value["id"]),
            parent=None if parent is None else text_from_json(parent),
            plan=from_fields(Plan, value["plan"]),
            state=TurnState(value["state"]),
            answer=text_from_json(value["answer"]),
            created=seconds_from_json(value["created"]),
            reason=text_from_json(value.get("reason", "")),
            model=text_from_json(value.get("model", "")),
            conversation=_conversation(value.get("conversation") or [], may_be_empty=True),
            draft=None if draft is None else draft_from_json(draft),
            truncated=bool(value.get("truncated", False)),
            seconds=seconds_from_json(value.get("seconds", 0)),
            seconds_to_first=seconds_from_json(value.get("seconds_to_first", 0)),
            n_tokens=int(number_from_json(value.get("n_tokens", 0), below=_MOST_TOKENS)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(_("A kept session is damaged: {error}.", error=error)) from error


def _exchange(conversation: Conversation) -> Conversation:
    # A chat's conversation holds all turns before it: kept whole, a session would grow with its square.
    return Conversation(conversation.messages[-2:]).with_system(conversation.system)


def _conversation(value: Any, *, may_be_empty: bool = False) -> Conversation:
    """A conversation that ends with an answer."""
    conversation = Conversation.of(value)
    for message in conversation:
        text_from_json(message.content)
    turns = [message.role for message in conversation if message.role is not Role.SYSTEM]
    if (turns or not may_be_empty) and (len(turns) < 2 or turns[-1] is not Role.ASSISTANT):
        raise ValueError("a conversation without an answer")
    return conversation


def _text(value: Any) -> str:
    if not text_from_json(value).strip():
        raise ValueError("an empty text")
    return str(value)


def _language(value: Any) -> str:
    """The code of a language that we know: what is kept is gone on with."""
    return find_language(text_from_json(value)).code


def _status(value: Any) -> Status:
    from bayling_lite.translate.results import Status

    if value not in get_args(Status):
        raise ValueError(f"no status {value!r:.40}")
    return cast("Status", value)
