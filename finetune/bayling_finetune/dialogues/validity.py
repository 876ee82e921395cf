"""What a dialogue must be before it is written: a last look that does not trust its maker."""

from __future__ import annotations

import re
from enum import StrEnum

from bayling_finetune.dialogues.values import Dialogue
from bayling_lite.messages import Role

# Of the control characters only the line break and the tab belong into a text; a lone surrogate is no character.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Trouble(StrEnum):
    """Why a dialogue is not written."""

    ROLES = "it does not end with an answer"
    EMPTY = "a turn is empty"
    ECHO = "an answer repeats its request"
    LONG = "a turn is too long"
    CONTROL = "a turn has control characters"
    NOTHING_LEARNT = "no answer is to be learnt"
    DUPLICATE = "the same dialogue again"


def has_control_characters(text: str) -> bool:
    """Whether anything in it is no text: control characters but the line break and the tab, or half a character."""
    return bool(_CONTROL.search(text))


def trouble(dialogue: Dialogue, *, max_characters: int) -> Trouble | None:
    """What is wrong with a dialogue; None where nothing is. ``max_characters`` is the limit of one turn."""
    messages = dialogue.conversation.messages
    # That user and assistant take turns, the conversation has checked at birth.
    if not messages or messages[-1].role is not Role.ASSISTANT:
        return Trouble.ROLES
    if not any(dialogue.learnt):
        return Trouble.NOTHING_LEARNT
    before = ""
    for message in messages:
        text = message.content
        if not text.strip():
            return Trouble.EMPTY
        if len(text) > max_characters:
            return Trouble.LONG
        if has_control_characters(text):
            return Trouble.CONTROL
        if message.role is Role.ASSISTANT and text.strip() == before:
            return Trouble.ECHO
        before = text.strip()
    return None
