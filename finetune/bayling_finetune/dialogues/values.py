"""The values dialogues are made of: a sentence to translate, and a conversation to learn from.

A file of dialogues is JSON Lines in the chat format of OpenAI's fine-tuning files, so that other trainers read it, too:
``messages`` with ``role`` and ``content``; an assistant's message with ``"weight": 0`` is context and never learnt.
Beside them stand ``id``, ``kind``, ``source_language``, ``target_language``, ``origin``, ``group`` (the same for all
dialogues about one sentence pair) and ``weight`` (how often an epoch passes over the dialogue); a reader that does not
know them can leave them alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bayling_lite.languages import Language, find_language
from bayling_lite.messages import Conversation, Message, Role

_NOT_A_WORD = re.compile(r"[\W_]+")


def fingerprint(sentence: str) -> str:
    """What two sentences share that differ in case, spaces and punctuation only."""
    return _NOT_A_WORD.sub(" ", sentence.casefold()).strip()


class Kind(StrEnum):
    """What a dialogue teaches."""

    TRANSLATION = "translation"  # one request, one translation
    CONSTRAINT = "constraint"  # words that must occur
    CORRECTION = "correction"  # of a draft's wrong, missing or extra words, terms, numbers
    GRAMMAR = "grammar"  # of a draft's agreement, articles, tense, word order
    REPLACEMENT = "replacement"  # another word wanted in a place of the draft
    FORMALITY = "formality"
    LENGTH = "length"
    STYLE = "style"
    CONVERSATION = "conversation"  # back and forth: thanks, changes of mind, undo
    SUGGESTION = "suggestion"  # an open question about the draft, answered by a writer
    GENERAL = "general"  # anything else: imported instructions and chats


@dataclass(frozen=True, slots=True)
class Direction:
    """A sentence to translate with its reference, seen from one side of a pair. ``weight``: passes an epoch."""

    source: str
    reference: str
    source_language: Language
    target_language: Language
    weight: float = 1.0
    origin: str = ""

    @property
    def pair(self) -> str:
        """Such as ``en-zh``."""
        return f"{self.source_language.code}-{self.target_language.code}"

    def reversed(self) -> Direction:
        """The other direction of the same pair."""
        return replace(
            self,
            source=self.reference,
            reference=self.source,
            source_language=self.target_language,
            target_language=self.source_language,
        )

    def key(self) -> str:
        """A fingerprint (32 hexadecimal digits) of texts and languages."""
        return _fingerprint([self.source, self.reference, self.pair], 16)

    def group(self) -> str:
        """A fingerprint (16 hexadecimal digits) of what tells the other translations of the pair, too.

        That is its English side, where it has one: most corpora were translated from or into it, and two translations
        of one sentence tell each other's answers. Case, spaces and punctuation do not count. The same both ways.
        """
        sides = {self.source_language.code: self.source, self.target_language.code: self.reference}
        pivot = [sides["en"]] if "en" in sides else sorted(sides.values())
        return _fingerprint([fingerprint(side) or side for side in pivot], 8)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation to learn from. ``learnt`` says for each assistant turn whether it is a target or context only.

    ``weight`` is how often an epoch passes over it. ``source_language`` and ``target_language`` are codes, empty where
    the dialogue is not about a translation. ``group`` is what dialogues have in common that tell each other's answers,
    such as :meth:`Direction.group`: they are trained on together or held out together; empty where there is none.
    """

    conversation: Conversation
    learnt: tuple[bool, ...]
    kind: Kind
    source_language: str = ""
    target_language: str = ""
    weight: float = 1.0
    origin: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        answers = sum(message.role is Role.ASSISTANT for message in self.conversation)
        if answers != len(self.learnt):
            raise ValueError(f"{answers} assistant messages, but learnt has {len(self.learnt)} entries")

    @property
    def turns(self) -> int:
        """Assistant messages."""
        return len(self.learnt)

    def key(self) -> str:
        """A fingerprint (32 hexadecimal digits) of everything that is said."""
        return _fingerprint(self.conversation.to_list(), 16)

    def to_dict(self) -> dict[str, Any]:
        """The line of a JSONL file; ``id`` is :meth:`key`."""
        learnt = iter(self.learnt)
        messages: list[dict[str, Any]] = []
        for message in self.conversation:
            entry: dict[str, Any] = dict(message.to_dict())
            if message.role is Role.ASSISTANT and not next(learnt):
                entry["weight"] = 0
            messages.append(entry)
        line: dict[str, Any] = {"id": self.key(), "kind": self.kind.value, "messages": messages}
        for name in ("source_language", "target_language", "origin", "group"):
            if value := getattr(self, name):
                line[name] = value
        if self.weight != 1.0:
            line["weight"] = self.weight
        return line

    @classmethod
    def of(cls, line: dict[str, Any]) -> Dialogue:
        """Read a line of a JSONL file, ours or anybody's in the chat format.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        messages = [{"role": message["role"], "content": _text(message["content"])} for message in line["messages"]]
        learnt = tuple(
            message.get("weight", 1) != 0 for message in line["messages"] if message["role"] == Role.ASSISTANT
        )
        return cls(
            Conversation.of(messages),
            learnt,
            Kind(line.get("kind", Kind.GENERAL)),
            _code(line.get("source_language", "")),
            _code(line.get("target_language", "")),
            float(line.get("weight", 1.0)),
            str(line.get("origin", "")),
            str(line.get("group", "")),
        )


def _fingerprint(value: Any, size: int) -> str:
    """Of what JSON can say, in this many bytes."""
    text = json.dumps(value, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("the content of a message must be a text")
    return value


def _code(value: Any) -> str:
    return find_language(str(value)).code if value else ""


def dialogue(direction: Direction, kind: Kind, *turns: str, learnt: tuple[bool, ...] | None = None) -> Dialogue:
    """A dialogue about a direction: user and assistant in turn; every answer is learnt unless ``learnt`` says else."""
    roles = (Role.USER, Role.ASSISTANT)
    return Dialogue(
        Conversation(tuple(Message(roles[number % 2], turn) for number, turn in enumerate(turns))),
        learnt if learnt is not None else (True,) * (len(turns) // 2),
        kind,
        direction.source_language.code,
        direction.target_language.code,
        direction.weight,
        direction.origin,
        direction.group(),
    )
