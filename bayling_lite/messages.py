"""Conversations as frozen values: a :class:`Conversation` is a tuple of :class:`Message`, each with a :class:`Role`.

Standard library only, so that training, conversion and running can share them without weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """Who speaks. The values are those of the OpenAI chat format."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who said what."""

    role: Role
    content: str

    def to_dict(self) -> dict[str, str]:
        """The OpenAI chat format: ``{"role": ..., "content": ...}``."""
        return {"role": self.role.value, "content": self.content}


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order: at most one system message, first, then user and assistant in turn.

    Adding a turn gives a new conversation; the old one stays valid (undo is keeping it).

    Raises:
        ValueError: the roles are out of order.
    """

    messages: tuple[Message, ...] = field(default=())

    def __post_init__(self) -> None:
        expected = Role.USER
        for position, message in enumerate(self.messages):
            if message.role is Role.SYSTEM:
                if position:
                    raise ValueError("a system message can only come first")
            elif message.role is not expected:
                raise ValueError(f"message {position + 1} should be the {expected}'s, but is the {message.role}'s")
            else:
                expected = Role.USER if expected is Role.ASSISTANT else Role.ASSISTANT

    @classmethod
    def of(cls, messages: Iterable[dict[str, str]]) -> Conversation:
        """Read the OpenAI chat format.

        Raises:
            ValueError: an unknown role, or the roles are out of order.
        """
        return cls(tuple(Message(Role(message["role"]), message["content"]) for message in messages))

    @property
    def system(self) -> str | None:
        """The system message's text, if there is one."""
        if self.messages and self.messages[0].role is Role.SYSTEM:
            return self.messages[0].content
        return None

    def with_system(self, text: str | None) -> Conversation:
        """The same turns under another system message, or under none."""
        turns = tuple(message for message in self.messages if message.role is not Role.SYSTEM)
        return replace(self, messages=((Message(Role.SYSTEM, text), *turns) if text is not None else turns))

    def user(self, text: str) -> Conversation:
        """The conversation with the user's next turn."""
        return Conversation((*self.messages, Message(Role.USER, text)))

    def assistant(self, text: str) -> Conversation:
        """The conversation with the assistant's next turn."""
        return Conversation((*self.messages, Message(Role.ASSISTANT, text)))

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    def to_list(self) -> list[dict[str, str]]:
        """The OpenAI chat format."""
        return [message.to_dict() for message in self.messages]
