"""A model's own chat template, in the Jinja language, as a prompt template that is safe for any text.

A Jinja template mixes what people wrote with the special tokens of the model in one string, in which ``<|im_end|>``
from a document looks like the template's own. So the template never sees the texts. It is rendered with a placeholder
in the place of each, the result is cut at the placeholders, and the texts are put in as
:class:`~bayling_lite.prompts.Text`, out of which no special token can come. What is left is the template's own
:class:`~bayling_lite.prompts.Markup`.

The rendering depends on the shape of a conversation alone (who speaks, which texts are empty, the white space around
them), so conversations of one shape share one.

The variables and their meaning: https://huggingface.co/docs/transformers/chat_templating_writing
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import jinja2

from bayling_lite.errors import ModelUnreadable
from bayling_lite.jinja_sandbox import TooMuch, compile_template
from bayling_lite.localization import _
from bayling_lite.messages import Conversation, Message, Role
from bayling_lite.prompts import AnyPart, Control, Markup, Special, Text, spelled

# A translation needs no thoughts. These are the names under which templates of several families can be told so.
NO_THINKING = {"enable_thinking": False, "thinking": False, "reasoning": False, "thinking_mode": "disabled"}
_REMEMBERED_SHAPES = 512
# A placeholder stands between two of these, which must not occur in a text. What is between them shows whether a
# template changed it: upper and lower case, a character that JSON escapes.
_BRACKETS = [(chr(code), chr(code + 1)) for code in range(0xF5C3A, 0xF5C7A, 2)]
_INSIDE = 'aZ"'
_BOS, _EOS = "b", "e"
_CONTROLS = {_BOS: Control.TEMPLATE_BOS, _EOS: Control.TEMPLATE_EOS}


class _Turn(NamedTuple):
    """What a template may learn of a message: the white space around its text, and whether there is a text."""

    role: Role
    before: str
    after: str
    empty: bool

    @classmethod
    def of(cls, message: Message) -> _Turn:
        core = message.content.strip()
        start = message.content.index(core) if core else len(message.content)
        return cls(message.role, message.content[:start], message.content[start + len(core) :], not core)


class _Slot(NamedTuple):
    """Where the text of a message goes, and the white space that the template left around it."""

    turn: int
    before: str
    after: str
    response: bool


class _Refused(Exception):
    """The template cannot write such a conversation; the message says why."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a template wants its input.

    ``typed``: text as a list of typed parts; ``tools``: an empty list of them, where others want none;
    ``merged``: the system's text in the first user's turn.
    """

    typed: bool = False
    tools: bool = False
    merged: bool = False


class ChatTemplate:
    """A Jinja chat template. It satisfies :class:`~bayling_lite.prompts.Template`.

    Args:
        source: the template.
        name: what to call it.
        where: the file it came from, for messages.

    Raises:
        ModelUnreadable: it is no template, or it cannot write a conversation of system, user and assistant with every
            text in it, unchanged.
    """

    def __init__(self, source: str, *, name: str = "jinja", where: str = "the model") -> None:
        self.name = name
        self.jinja = source
        self.specials: tuple[Special, ...] = ()
        self._where = where
        self._brackets = [pair for pair in _BRACKETS if not any(bracket in source for bracket in pair)]
        try:
            self._render = compile_template(source)
        except jinja2.TemplateError as error:
            raise self._unusable(error) from None
        self._shape = lru_cache(_REMEMBERED_SHAPES)(self._cut)
        # The shapes that a shape begins with are needed again, and stay from turn to turn.
        self._rendered = lru_cache(_REMEMBERED_SHAPES)(self._write)
        self._manner = self._find_manner()
        # What follows an answer ends it: models are published whose metadata name another token as their end.
        answered = self.render(Conversation().user("a").assistant("b"))
        place = next(place for place, part in enumerate(answered) if isinstance(part, Text) and part.response)
        self.stop: tuple[AnyPart, ...] = tuple(part for part in answered[place + 1 :][:1] if isinstance(part, Markup))

    def render(self, conversation: Conversation) -> tuple[AnyPart, ...]:
        """The parts of a conversation; after a user's turn, what opens the response follows.

        A response begins where the parts of the conversation before it ended, white space included, so that its tokens
        are those that were generated. Where the template writes no BOS, ``Control.BOS`` stands first.

        Raises:
            ModelUnreadable: the template refuses the conversation, or leaves a text out or changes it.
        """
        try:
            return self._parts(conversation, self._manner)
        except _Refused as refusal:
            raise self._unusable(refusal) from None

    def text(self, conversation: Conversation, *, bos: str = "", eos: str = "</s>") -> str:
        """The rendered conversation as one string, for people to read and to compare templates; never to tokenize."""
        return spelled((part for part in self.render(conversation) if part is not Control.BOS), bos=bos, eos=eos)

    def _unusable(self, reason: Exception) -> ModelUnreadable:
        return ModelUnreadable(
            _(
                "The chat template of {model} cannot be used: {reason}. "
                "Name another with --template: bayling, bayling-3, or a file that ends in .jinja.",
                model=self._where,
                reason=str(reason) or type(reason).__name__,
            )
        )

    def _find_manner(self) -> _Manner:
        """Try out what the template accepts."""
        asked = Conversation().user("a").assistant("b").user("c")
        refusals = []
        for manner in (_Manner(), _Manner(typed=True), _Manner(tools=True)):
            try:
                self._parts(asked, manner)
            except _Refused as refusal:
                refusals.append(refusal)
                continue
            try:
                self._parts(asked.with_system("s"), manner)
            except _Refused:
                return replace(manner, merged=True)
            return manner
        raise self._unusable(refusals[0])

    def _parts(self, conversation: Conversation, manner: _Manner) -> tuple[AnyPart, ...]:
        messages = _merged(conversation.messages) if manner.merged else conversation.messages
        brackets = self._free_brackets(messages)
        turns = tuple(map(_Turn.of, messages))
        try:
            rendered = self._shape(turns, manner, brackets, date.today())
        except _Refused:
            # Some refuse messages without text. As the texts are put in afterwards, they need not know.
            filled = tuple(turn._replace(empty=False) for turn in turns)
            if filled == turns:
                raise
            rendered = self._shape(filled, manner, brackets, date.today())
        return tuple(
            part
            if not isinstance(part, _Slot)
            else Text(part.before + messages[part.turn].content.strip() + part.after, response=part.response)
            for part in rendered
        )

    def _free_brackets(self, messages: Sequence[Message]) -> tuple[str, str]:
        """A pair of private-use characters that no text has."""
        for pair in self._brackets:
            if not any(bracket in message.content for message in messages for bracket in pair):
                return pair
        raise _Refused("the texts use every private character there is for marking them")

    def _cut(
        self, turns: tuple[_Turn, ...], manner: _Manner, brackets: tuple[str, str], day: date
    ) -> tuple[AnyPart | _Slot, ...]:
        """The parts of every conversation of this shape."""
        whole = self._rendered(turns, manner, brackets, day)
        pattern = re.compile(f"{brackets[0]}({_BOS}|{_EOS}|{_INSIDE}[0-9]+){brackets[1]}")
        parts: list[AnyPart | _Slot] = []
        at = 0
        seen = set()
        for found in pattern.finditer(whole):
            mark = found.group(1)
            if mark in _CONTROLS:
                parts += [*_markup(whole[at : found.start()]), _CONTROLS[mark]]
                at = found.end()
                continue
            index = int(mark.removeprefix(_INSIDE))
            seen.add(index)
            turn = turns[index]
            start, end = found.span()
            if whole.endswith(turn.before, at, start):
                start -= len(turn.before)
            if whole.startswith(turn.after, end):
                end += len(turn.after)
            response = turn.role is Role.ASSISTANT
            if response:
                start = self._begin_of_response(whole, start, (turns[:index], manner, brackets, day))
            start = max(start, at)
            slot = _Slot(index, whole[start : found.start()], whole[found.end() : end], response)
            parts += [*_markup(whole[at:start]), slot]
            at = end
        parts += _markup(whole[at:])
        if any(isinstance(part, Markup) and not {*brackets}.isdisjoint(part.content) for part in parts):
            raise _Refused("it changes the texts it is given")
        # Some write the system's text before the last turn if that is the user's, and else nowhere.
        needless = {Role.SYSTEM} if turns and turns[-1].role is Role.ASSISTANT else set()
        for index, turn in enumerate(turns):
            if not turn.empty and index not in seen and turn.role not in needless:
                raise _Refused(f"it leaves out what the {turn.role} says")
        return tuple(parts) if Control.TEMPLATE_BOS in parts else (Control.BOS, *parts)

    def _begin_of_response(
        self, whole: str, start: int, before: tuple[tuple[_Turn, ...], _Manner, tuple[str, str], date]
    ) -> int:
        """Where a response that was generated began: after the rendered turns before it.

        A template that writes ``[/INST] `` before an answer ends the prompt with ``[/INST]``: the model itself began
        with the space. Where a template writes more than space there (or less), the answer begins with its text.
        """
        try:
            prompt = self._rendered(*before)
        except _Refused:
            return start
        if whole.startswith(prompt) and len(prompt) <= start and not whole[len(prompt) : start].strip():
            return len(prompt)
        return start

    def _write(self, turns: tuple[_Turn, ...], manner: _Manner, brackets: tuple[str, str], day: date) -> str:
        """What the template makes of a conversation with placeholders; ``day`` because templates write today's date."""
        del day
        left, right = brackets
        messages = []
        for index, turn in enumerate(turns):
            content = turn.before + ("" if turn.empty else f"{left}{_INSIDE}{index}{right}") + turn.after
            typed = [{"type": "text", "text": content}] if manner.typed else content
            messages.append({"role": turn.role.value, "content": typed})
        try:
            return self._render(
                messages=messages,
                tools=[] if manner.tools else None,
                documents=None,
                add_generation_prompt=not turns or turns[-1].role is not Role.ASSISTANT,
                **NO_THINKING,
                bos_token=f"{left}{_BOS}{right}",
                eos_token=f"{left}{_EOS}{right}",
            )
        except TooMuch as error:
            raise self._unusable(error) from None  # in another manner it would do the same
        except jinja2.TemplateError as error:
            raise _Refused(str(error).strip().rstrip(".") or type(error).__name__) from None


def _markup(text: str) -> Iterator[Markup]:
    if text:
        yield Markup(text)


def _merged(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The system's text in front of the first user's, for models that know no system."""
    if len(messages) < 2 or messages[0].role is not Role.SYSTEM:
        return messages
    system, first, *rest = messages
    joined = "\n\n".join(text for text in (system.content.strip(), first.content) if text)
    return (Message(Role.USER, joined), *rest)
