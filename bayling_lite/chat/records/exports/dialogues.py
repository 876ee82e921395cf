"""Translations and their corrections as dialogues to train on: JSON Lines in the chat format, as ``bayling finetune``
and other trainers read it.

A dialogue is about one text: the request as the model got it, the draft, what the user said, the next version, and so
on to the version that the user stopped at. An assistant's message with ``"weight": 0`` is context and never learnt;
learnt are

- the version that the user let stand: it is where the session stands, or the user went on to another text from it; not
  if it is incomplete, cut off, or lacks a word that was asked for;
- what the user wrote in place of a draft, which then stands in place of it.

What was undone and what another answer replaced is left out; so is talk that is about no translation.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bayling_lite.chat.records.values import StoredSession, StoredTurn, TurnState, path_to
from bayling_lite.chat.session.turns import Kind

_VERSIONS = (Kind.TRANSLATION, Kind.REFINEMENT, Kind.EDIT)


def dialogues(sessions: Iterable[StoredSession]) -> list[dict[str, Any]]:
    """The lines of the file, as JSON values; what was said twice is there once."""
    found: dict[str, dict[str, Any]] = {}
    for session in sessions:
        for line in _session_dialogues(session):
            found.setdefault(json.dumps(line["messages"]), line)
    return list(found.values())


def dump(lines: Iterable[dict[str, Any]]) -> str:
    """The text of the file."""
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def _session_dialogues(session: StoredSession) -> Iterator[dict[str, Any]]:
    left_standing = _left_standing(session.turns)
    for turn in session.turns:
        if turn.id in left_standing and (line := _dialogue(session, _chain(session.turns, turn))) is not None:
            yield line


def _left_standing(turns: Sequence[StoredTurn]) -> set[str]:
    """The versions that the user let stand."""
    children: defaultdict[str | None, list[StoredTurn]] = defaultdict(list)
    for turn in turns:
        children[turn.parent].append(turn)

    def went_on(turn: StoredTurn) -> bool:
        """Whether another text followed, perhaps after some talk."""
        waiting = [*children[turn.id]]
        while waiting:
            child = waiting.pop()
            if child.kind is Kind.TRANSLATION:
                return True
            if child.kind is Kind.CHAT:
                waiting += children[child.id]
        return False

    return {turn.id for turn in turns if turn.accepted or (turn.kind in _VERSIONS and went_on(turn))}


def _chain(turns: Sequence[StoredTurn], last: StoredTurn) -> list[StoredTurn]:
    """The versions of a text, from its first translation to this one; empty where that is not there."""
    chain: list[StoredTurn] = []
    for turn in reversed(path_to(turns, last.id)):
        if turn.kind in _VERSIONS:
            chain.append(turn)
        if turn.kind is Kind.TRANSLATION:
            return chain[::-1]
    return []


def _dialogue(session: StoredSession, chain: Sequence[StoredTurn]) -> dict[str, Any] | None:
    """The dialogue of a text; None where nothing in it is to be learnt."""
    messages = _messages(chain)
    if not any(message.get("weight", 1) for message in messages if message["role"] == "assistant"):
        return None
    if not all(_is_text(message["content"]) for message in messages):
        return None
    first, last = chain[0], chain[-1]
    # Whatever tells the same text's translations belongs together: it is trained on together, or held out together.
    text = first.draft.source_text if first.draft is not None else first.sent
    group = hashlib.blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    line: dict[str, Any] = {
        "id": last.id,
        "kind": ("translation", "correction", "conversation")[min(len(chain) - 1, 2)],
        "messages": messages,
        "origin": f"bayling-chat {last.model or session.model}".strip(),
        "group": group,
    }
    languages = {"source_language": last.source, "target_language": last.target}
    return line | {name: code for name, code in languages.items() if code}


def _messages(chain: Sequence[StoredTurn]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for turn in chain:
        answer: dict[str, Any] = {"role": "assistant", "content": turn.answer.strip()}
        if not _is_learnt(turn, is_last=turn is chain[-1]):
            answer["weight"] = 0
        if turn.kind is Kind.EDIT:
            messages[-1] = answer
        else:
            messages += [{"role": "user", "content": _request(turn)}, answer]
    return messages


def _is_learnt(turn: StoredTurn, *, is_last: bool) -> bool:
    draft = turn.draft
    if turn.state is not TurnState.FINISHED or turn.truncated or draft is None or not draft.complete:
        return False
    return turn.kind is Kind.EDIT or (is_last and not draft.missing_words and not draft.missing_terms)


def _request(turn: StoredTurn) -> str:
    """The user's message as the model got it."""
    asked = turn.conversation.messages[-2].content if len(turn.conversation) > 1 else turn.sent
    return asked.strip()


def _is_text(text: str) -> bool:
    """Whether a trainer can take it: something is there, and no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return bool(text)
