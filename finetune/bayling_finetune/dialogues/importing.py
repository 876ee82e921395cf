"""Instructions and chats that others collected, as dialogues: Alpaca, ShareGPT and chat files, JSON or JSON Lines.

- *Alpaca*: ``instruction``, ``input`` (may be empty or missing), ``output`` (github.com/tatsu-lab/stanford_alpaca).
- *ShareGPT*: ``conversations`` of ``from`` (human, gpt, system) and ``value``, as FastChat trains on them.
- *chat*: ``messages`` of ``role`` and ``content``: OpenAI's fine-tuning files, our own dialogues, and sessions that
  the REPL exported; what :class:`Dialogue` writes beside the messages is kept.

Files are streamed: memory does not grow with them. A conversation that cannot be learnt from is left out and counted
under its reason; a file that is not what it should be is an error that names the place.
"""

from __future__ import annotations

import gzip
import json
import zlib
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from bayling_finetune.dialogues.bounded import bounded_items, bounded_lines
from bayling_finetune.dialogues.values import Dialogue, Kind
from bayling_lite.errors import InputError, UsageError
from bayling_lite.messages import Conversation, Message, Role

_ROLES = {
    **dict.fromkeys(("human", "user", "prompter"), Role.USER),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model"), Role.ASSISTANT),
    "system": Role.SYSTEM,
}


_LONGEST_REASON = 200  # characters of what is told of an entry: it may be quoted whole
_LARGEST_WEIGHT = 1000  # the trainer's, too


class Format(StrEnum):
    """What a file of conversations looks like."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"
    CHAT = "chat"


@dataclass(slots=True)
class Imported:
    """What an import did: conversations read, and how many were left out by reason."""

    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


class _Unusable(Exception):
    """A conversation that cannot be learnt from; says why in a few words."""


def import_file(
    path: Path, counts: Imported, *, form: Format | None = None, max_characters: int = 0, origin: str = ""
) -> Iterator[Dialogue]:
    """The dialogues of one file.

    Args:
        path: JSON (a list) or JSON Lines, also ``.gz``.
        counts: is filled while the dialogues are read.
        form: the format; None to tell it from each conversation.
        max_characters: longer chats are cut at turns into several, each beginning with the user; 0 leaves them.
        origin: where they come from, where a conversation does not say it itself.

    Raises:
        InputError: the file cannot be read, or is not JSON of one of the formats.
    """
    for where, entry in _entries(path):
        counts.read += 1
        try:
            dialogue = _dialogue(entry, form)
        except _Unusable as reason:
            counts.left_out[str(reason)] += 1
            continue
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, UsageError) as error:
            wanted = f"{form} format" if form else "formats known: alpaca, sharegpt, chat"
            what = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
            raise InputError(f"{path}, {where}: this is no conversation of the {wanted} ({what}).") from error
        for part in _parts(dialogue, max_characters):
            yield part if part.origin else replace(part, origin=origin)


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    """Every conversation of a file with its place, in the words of an error message."""
    import ijson

    try:
        with _open(path) as file:
            beginning = file.read(4096)
            file.seek(len(BOM_UTF8) if beginning.startswith(BOM_UTF8) else 0)
            if beginning.removeprefix(BOM_UTF8).lstrip().startswith(b"["):
                for number, entry in bounded_items(path, file):
                    yield f"entry {number}", entry
                return
            for number, line in bounded_lines(path, file):
                if line.strip():
                    yield f"line {number}", json.loads(line.decode("utf-8"))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    # Of too many digits, or brackets in brackets, Python makes errors of its own.
    except (ijson.common.JSONError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON, or not in UTF-8: {error}") from error


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _dialogue(entry: Any, form: Format | None) -> Dialogue:
    """One conversation in any of the formats."""
    if not isinstance(entry, dict):
        raise TypeError("an object was expected")
    if form is None:
        names = {"instruction": Format.ALPACA, "conversations": Format.SHAREGPT, "messages": Format.CHAT}
        form = next((names[name] for name in names if name in entry), None)
        if form is None:
            raise KeyError("instruction, conversations or messages")
    if form is Format.ALPACA:
        asked = [part.strip() for part in (entry["instruction"], entry.get("input") or "") if part.strip()]
        return _general([Message(Role.USER, "\n\n".join(asked)), Message(Role.ASSISTANT, entry["output"].strip())])
    if form is Format.SHAREGPT:
        return _general(_turns((turn["from"], turn["value"]) for turn in entry["conversations"]))
    return _chat(entry)


def _chat(entry: dict[str, Any]) -> Dialogue:
    """The chat format; what our own files say beside the messages counts where the roles are in order."""
    known = {"kind", "source_language", "target_language", "origin", "group", "weight"}
    extras = {name: entry[name] for name in known & entry.keys()}
    if isinstance(extras.get("kind"), str) and extras["kind"] not in {kind.value for kind in Kind}:
        del extras["kind"]
    marked = {id(message) for message in entry["messages"] if message.get("weight", 1) == 0}
    if marked:
        return _worth(Dialogue.of({**extras, "messages": entry["messages"]}))
    turns = _turns((message["role"], message["content"]) for message in entry["messages"])
    plain = [message.to_dict() for message in turns]
    return _worth(Dialogue.of({**extras, "messages": plain}))


def _turns(turns: Iterable[tuple[str, Any]]) -> list[Message]:
    """Messages in order: what one speaker says in a row is one message, what stands around whole exchanges goes."""
    messages: list[Message] = []
    for name, content in turns:
        role = _ROLES.get(str(name).lower())
        if role is None:
            raise _Unusable(f"speaks as {str(name)[:20]!r}")
        if not isinstance(content, str):
            raise _Unusable("something other than text")
        text = content.strip()
        if not text:
            raise _Unusable("an empty turn")
        if role is Role.SYSTEM and messages:
            raise _Unusable("a system message in the middle")
        if role is Role.ASSISTANT and (not messages or messages[-1].role is Role.SYSTEM):
            continue  # an answer to something that was cut off
        if messages and messages[-1].role is role:
            messages[-1] = Message(role, f"{messages[-1].content}\n\n{text}")
        else:
            messages.append(Message(role, text))
    while messages and messages[-1].role is not Role.ASSISTANT:
        messages.pop()
    return messages


def _general(messages: list[Message]) -> Dialogue:
    if not messages:
        raise _Unusable("no answer")
    if any(not message.content for message in messages):
        raise _Unusable("an empty turn")
    answers = sum(message.role is Role.ASSISTANT for message in messages)
    return Dialogue(Conversation(tuple(messages)), (True,) * answers, Kind.GENERAL)


def _worth(dialogue: Dialogue) -> Dialogue:
    if not 0 <= dialogue.weight <= _LARGEST_WEIGHT:
        raise _Unusable("a weight out of range")
    try:
        f"{dialogue.origin}{dialogue.group}".encode()
    except UnicodeEncodeError:
        raise _Unusable("half a character") from None
    if not any(dialogue.learnt):
        raise _Unusable("no answer")
    if any(not message.content.strip() for message in dialogue.conversation if message.role is not Role.SYSTEM):
        raise _Unusable("an empty turn")
    return dialogue


def _parts(dialogue: Dialogue, max_characters: int) -> Iterator[Dialogue]:
    """The dialogue, or where it is longer than that, its exchanges in parts that are not (a single one may be)."""
    size = sum(len(message.content) for message in dialogue.conversation)
    if not 0 < max_characters < size:
        yield dialogue
        return
    # The parts of one chat belong together.
    dialogue = replace(dialogue, group=dialogue.group or dialogue.key()[:16])
    system = tuple(message for message in dialogue.conversation if message.role is Role.SYSTEM)
    turns = [message for message in dialogue.conversation if message.role is not Role.SYSTEM]
    room = max_characters - sum(len(message.content) for message in system)
    part: list[Message] = []
    learnt: list[bool] = []
    used = 0
    for number in range(0, len(turns) - 1, 2):
        exchange = turns[number : number + 2]
        length = sum(len(message.content) for message in exchange)
        if part and used + length > room:
            yield replace(dialogue, conversation=Conversation((*system, *part)), learnt=tuple(learnt))
            part, learnt, used = [], [], 0
        part += exchange
        learnt.append(dialogue.learnt[number // 2])
        used += length
    yield replace(dialogue, conversation=Conversation((*system, *part)), learnt=tuple(learnt))
