"""What the model sees: the conversation that the next turn continues, made from turns, position and preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayling_lite.chat.session.branch import draft_turn
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Kind, Turn
from bayling_lite.messages import Conversation, Message, Role
from bayling_lite.prompts import Wording, summary_question

if TYPE_CHECKING:
    from bayling_lite.translate import Translation

_ROLES = (Role.USER, Role.ASSISTANT)


@dataclass(frozen=True, slots=True)
class View:
    """How the model sees turns: under this ``system`` prompt, without what the ``position`` leaves out."""

    system: str | None
    position: Position

    def seen(self, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """Those of the turns that a chat still shows."""
        ids = [turn.id for turn in turns]
        last = self.position.seen_after
        return turns[ids.index(last) + 1 :] if last in ids else turns

    def summary(self, turns: tuple[Turn, ...]) -> str:
        """What stands for those of the turns that a chat does not show; empty where nothing does."""
        return self.position.summary if len(self.seen(turns)) < len(turns) else ""

    def chat(self, turns: tuple[Turn, ...]) -> Conversation:
        """The turns as a chat goes on with them."""
        return self.part(self.seen(turns), self.summary(turns))

    def part(self, turns: Sequence[Turn], summary: str) -> Conversation:
        """These turns after a summary of what was before them."""
        return chat_conversation(turns, system=self.system, summary=summary)

    def on_path(self, turns: tuple[Turn, ...]) -> Position:
        """What of the position is about these turns: what was said of others, which cannot come back, is forgotten."""
        ids = [turn.id for turn in turns]
        position = self.position
        if position.seen_after not in ids:
            position = replace(position, seen_after=None, summary="")
        return position if position.restated in ids else replace(position, restated=None)

    def draft(self, turns: tuple[Turn, ...]) -> Translation | None:
        """The draft of the turns as its refinement goes on with it."""
        turn = draft_turn(turns)
        if turn is None or turn.draft is None:
            return None
        return restated(turn.draft) if turn.id == self.position.restated else turn.draft


def chat_conversation(turns: Sequence[Turn], *, system: str | None = None, summary: str = "") -> Conversation:
    """Turns as one conversation; a summary of what was before is its first exchange.

    A draft that the user wrote takes the place of the one before it, if that can be seen: the user did not say
    anything, and the model need not read both.
    """
    exchanges: list[tuple[str, str]] = []
    latest = -1  # the exchange of the draft
    for turn in turns:
        if turn.plan.kind is Kind.EDIT and latest >= 0:
            exchanges[latest] = exchanges[latest][0], turn.answer
            continue
        exchanges.append((turn.request, turn.answer))
        latest = len(exchanges) - 1 if turn.draft is not None else latest
    if summary:
        exchanges.insert(0, (summary_question(wording=_wording(summary)), summary))
    # All at once: a conversation is checked as a whole, which turn by turn would take the square of its length.
    messages = [Message(role, text) for pair in exchanges for role, text in zip(_ROLES, pair, strict=True)]
    return Conversation(tuple(messages)).with_system(system)


def _wording(text: str) -> Wording:
    """The wording that fits a text: one of which a third is Chinese characters is Chinese."""
    letters = [letter for letter in text if letter.isalpha()]
    n_chinese = sum("㐀" <= letter <= "鿿" for letter in letters)
    return Wording.CHINESE if n_chinese and 3 * n_chinese >= len(letters) else Wording.ENGLISH


def draft_conversation(draft: Translation) -> Conversation:
    """What a refinement of the draft continues; of a text of several sentences, which are refined one by one, the
    longest.
    """
    own = [segment.conversation for segment in draft.segments] if len(draft.segments) > 1 else []
    return max(own, key=lambda turns: sum(len(turn.content) for turn in turns), default=draft.conversation)


def restated(draft: Translation) -> Translation:
    """A draft whose conversations are the request and the draft, without the versions between."""
    segments = tuple(replace(segment, conversation=_first_and_last(segment.conversation)) for segment in draft.segments)
    return replace(draft, conversation=_first_and_last(draft.conversation), segments=segments)


def n_versions_between(draft: Translation) -> int:
    """How many versions stand between the request and the draft, in the conversation that has most of them."""
    conversations = [draft.conversation, *(segment.conversation for segment in draft.segments)]
    return max(sum(message.role is Role.ASSISTANT for message in turns) for turns in conversations) - 1


def _first_and_last(conversation: Conversation) -> Conversation:
    first = next(position for position, message in enumerate(conversation) if message.role is Role.USER)
    return Conversation((*conversation.messages[: first + 1], conversation.messages[-1]))
