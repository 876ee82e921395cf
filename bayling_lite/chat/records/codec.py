"""Plans, preferences, positions, drafts and turns as JSON values, and back.

The JSON is ASCII alone, so that whatever was typed or answered, lone surrogates and NUL included, comes back as it was.
Fields that are not there have their default, and fields that are not known are passed over: a file of a version before
or after this one can be read as far as it says the same.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.chat.records.values import StoredDraft, StoredSegment, StoredTurn, TurnState
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import Language, find_language
from bayling_lite.localization import _
from bayling_lite.messages import Conversation, Role

if TYPE_CHECKING:
    from bayling_lite.translate.results import Status, Translation

VERSION = 1
_LAST_SECOND = 250_000_000_000.0  # in the year 9892: a time of any zone is still one that Python can write
_MOST_TOKENS = 2**63
_ENUMS = {"kind": Kind, "rule": Rule}
_LANGUAGES = ("source", "target")
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "formality": (None, "formal", "informal"),
    "length": ("", "shorter", "longer"),
}
_PAIRS = ("terms", "glossary_terms")

T = TypeVar("T", Plan, Preferences, Position)


def dumped(value: Mapping[str, Any]) -> str:
    """A JSON value as text."""
    return json.dumps({"version": VERSION, **value}, ensure_ascii=True, separators=(",", ":"))


def loaded(text: str) -> dict[str, Any]:
    """The JSON value of a text.

    Raises:
        InputError: it is none, or was written by a newer bayling-lite.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(_("A kept session is damaged: {error}.", error=error)) from error
    if not isinstance(value, dict):
        raise InputError(_("A kept session is damaged: {error}.", error="no object"))
    version = value.pop("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise InputError(_("This was kept by a newer bayling-lite. Update bayling-lite to read it."))
    return value


def fields_json(value: Plan | Preferences | Position) -> dict[str, Any]:
    """A plan, preferences or a position; what has its default is left out."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if item != field.default:
            found[field.name] = item.code if isinstance(item, Language) else item
    return found


def from_fields(kind: type[T], value: Mapping[str, Any]) -> T:
    """What :func:`fields_json` was made from.

    Raises:
        InputError: it says something that cannot be.
    """
    try:
        fields = [field for field in dataclasses.fields(kind) if field.name in value]
        return kind(**{field.name: _field(field.name, value[field.name], field.default) for field in fields})
    except (TypeError, ValueError, UsageError) as error:
        raise InputError(_("A kept session is damaged: {error}.", error=error)) from error


def _field(name: str, value: Any, default: Any) -> Any:
    if name in _ENUMS and value is not None:
        return _ENUMS[name](value)
    if name in _LANGUAGES and value is not None:
        return find_language(_string(value))
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise ValueError(f"no {name} {value!r:.40}")
        return value
    if name in _PAIRS:
        return _pairs(value)
    if isinstance(default, tuple):
        return _words(value)
    if value is None and default is None:
        return None
    if isinstance(default, bool):
        return bool(value)
    return _string(value)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is wanted, not {value!r:.40}")
    return tuple(map(_string, value))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is wanted, not {value!r:.40}")
    pairs = []
    for pair in value:
        first, second = _words(pair)
        pairs.append((first, second))
    return tuple(pairs)


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
    }


def draft_from_json(value: Mapping[str, Any]) -> StoredDraft:
    """What :func:`draft_json` was made from.

    Raises:
        InputError: it is not such a thing.
    """
    try:
        segments = tuple(
            StoredSegment(
                _string(segment["source"]),
                _string(segment["text"]),
                _status(segment["status"]),
                _conversation(segment["conversation"]),
            )
            for segment in value["segments"]
        )
        own = value.get("conversation")
        return StoredDraft(
            text=_string(value["text"]),
            source_text=_text(value["source_text"]),
            source=None if value["source"] is None else _string(value["source"]),
            target=_string(value["target"]),
            conversation=segments[0].conversation if own is None and segments else _conversation(own or []),
            segments=segments,
            terms=_pairs(value.get("terms", ())),
            missing_terms=_pairs(value.get("missing_terms", ())),
            missing_words=_words(value.get("missing_words", ())),
            required=_words(value.get("required", ())),
            unchanged=bool(value.get("unchanged", False)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
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
            id=_string(value["id"]),
            parent=None if parent is None else _string(parent),
            plan=from_fields(Plan, value["plan"]),
            state=TurnState(value["state"]),
            answer=_string(value["answer"]),
            created=seconds_from_json(value["created"]),
            reason=_string(value.get("reason", "")),
            model=_string(value.get("model", "")),
            conversation=_conversation(value.get("conversation") or [], may_be_empty=True),
            draft=None if draft is None else draft_from_json(draft),
            truncated=bool(value.get("truncated", False)),
            seconds=seconds_from_json(value.get("seconds", 0)),
            seconds_to_first=seconds_from_json(value.get("seconds_to_first", 0)),
            n_tokens=int(_below(_MOST_TOKENS, value.get("n_tokens", 0))),
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
        _string(message.content)
    turns = [message.role for message in conversation if message.role is not Role.SYSTEM]
    if (turns or not may_be_empty) and (len(turns) < 2 or turns[-1] is not Role.ASSISTANT):
        raise ValueError("a conversation without an answer")
    return conversation


def seconds_from_json(value: Any) -> float:
    """Seconds, since 1970 or of a duration.

    Raises:
        TypeError, ValueError: they are none, or no calendar has them.
    """
    return float(_below(_LAST_SECOND, value))


def _below(end: float, value: Any) -> Any:
    """A number from 0 on. Compared as it is: one of hundreds of digits can be made neither a float nor a text."""
    if not 0 <= value < end:
        raise ValueError(f"a number from 0 to {end:.0f} is wanted")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is wanted, not {value!r:.40}")
    return value


def _text(value: Any) -> str:
    if not _string(value).strip():
        raise ValueError("an empty text")
    return str(value)


def _status(value: Any) -> Status:
    from bayling_lite.translate.results import Status

    if value not in get_args(Status):
        raise ValueError(f"no status {value!r:.40}")
    return cast("Status", value)
