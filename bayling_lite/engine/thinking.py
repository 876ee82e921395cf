"""Tell what a model thinks from what it answers, as the text comes.

Thinking models write ``<think>...</think>`` or the like before their answer, or speak on several channels (gpt-oss:
https://cookbook.openai.com/articles/openai-harmony). Which way a model has stands in its chat template, and so does
whether the prompt has opened the block already. Models whose template knows of no thinking are never filtered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from bayling_lite.prompts import AnyPart, Markup, Template, Text


@dataclass(frozen=True, slots=True)
class Block:
    """A block of thought: its first and last marker, as text or as the names of control tokens.

    ``heading`` is a word that the model writes at its beginning. Where ``resume`` names a control token, the answer
    begins only after that one.
    """

    opening: str
    closing: str
    heading: str = ""
    resume: str = ""


_BLOCKS = (
    Block("<think>", "</think>"),
    Block("<|think|>", "<|end|>", resume="<|content|>"),
    Block("<seed:think>", "</seed:think>"),
    Block("<mm:think>", "</mm:think>"),
    Block("[THINK]", "[/THINK]"),
    Block("<|START_THINKING|>", "<|END_THINKING|>"),
    Block("<|channel>", "<channel|>", heading="thought"),
    Block("<|inner_prefix|>", "<|inner_suffix|>"),
    Block("<thought>", "</thought>"),
    Block("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
)


class Thinking(Protocol):
    """A filter for one answer."""

    @property
    def inside(self) -> bool:
        """Whether a thought is going on, or may be: what came could become the marker that begins one."""
        ...

    @property
    def reasoning(self) -> str:
        """What was thought so far."""
        ...

    @property
    def hid(self) -> bool:
        """Whether anything was kept from the reader."""
        ...

    def feed(self, text: str, control: str | None = None) -> str:
        """Take text and then, where one follows, a control token by its name; returns what is for the reader."""
        ...

    def finish(self) -> str:
        """The end has come: returns what was held back, for it became no marker."""
        ...


def thinking_filter(template: Template, parts: Iterable[AnyPart]) -> Thinking | None:
    """The filter for the answer to a rendered prompt; None where the model is not known to think.

    ``parts`` are those the prompt was tokenized from: they say whether the prompt ends inside a block.
    """
    if _has_channels(template.jinja):
        return Channels(opened=_after_the_last_text(parts))
    block = _block(template.jinja)
    if block is None:
        return None
    prompt = _after_the_last_text(parts)
    return Blocks(block, opened=prompt.rfind(block.opening) > prompt.rfind(block.closing))


def thought_end(template: Template) -> str | None:
    """The marker that ends a thought, which therefore does not end the answer; None where there is none."""
    if _has_channels(template.jinja):
        return "<|end|>"  # of any message; the last one ends with <|return|>
    block = _block(template.jinja)
    return block.closing if block else None


@lru_cache(64)
def _has_channels(jinja: str) -> bool:
    return all(word in jinja for word in ("<|channel|>", "<|message|>", "analysis"))


@lru_cache(64)
def _block(jinja: str) -> Block | None:
    for block in _BLOCKS:
        if block.opening in jinja and block.closing in jinja and block.resume in jinja:
            return block
    # A template that only cuts the thoughts out of past answers names the end alone.
    return next((block for block in _BLOCKS if not block.resume and block.closing in jinja), None)


def _after_the_last_text(parts: Iterable[AnyPart]) -> str:
    prompt = ""
    for part in parts:
        if isinstance(part, Text):
            prompt = ""
        elif isinstance(part, Markup):
            prompt += part.content
    return prompt


class Blocks:
    """Hides blocks of thought that stand before the answer. A marker inside the answer is a word like any other."""

    def __init__(self, block: Block, *, opened: bool = False) -> None:
        self._block = block
        self._inside = opened
        self._waiting = False  # for the token that begins the answer
        self._answering = False
        self._held = ""
        self._reasoning: list[str] = []
        self.hid = False

    @property
    def inside(self) -> bool:
        """Whether a thought is going on, what came may become its marker, or the answer has not begun after it."""
        return self._inside or self._waiting or bool(self._held.strip())

    @property
    def reasoning(self) -> str:
        """What was thought so far, without the white space around it."""
        return "".join(self._reasoning).strip().removeprefix(self._block.heading).lstrip()

    def feed(self, text: str, control: str | None = None) -> str:
        """Take text and then, where one follows, a control token by its name; returns what is for the reader."""
        visible = self._take(text)
        if control is None or self._answering:
            return visible
        if control == self._block.closing and self._inside:
            self._reasoning.append(self._held)
            self._close("")
        elif control == self._block.opening and not self._inside and not self._held.strip():
            self._inside, self._held, self.hid = True, "", True
        elif control == self._block.resume:
            self._waiting, self._held = False, ""
        return visible

    def _take(self, text: str) -> str:
        if self._answering:
            return text
        self._held += text
        while self._step():
            pass
        if not self._answering:
            return ""
        held, self._held = self._held, ""
        return held

    def _step(self) -> bool:
        """Take one marker from what is held back; false when there is none, or not the whole of it yet."""
        if self._inside:
            thought, closing, rest = self._held.partition(self._block.closing)
            keep = 0 if closing else overlap(thought, self._block.closing)
            self._reasoning.append(thought[: len(thought) - keep])
            if closing:
                self._close(rest)
            else:
                self._held = thought[len(thought) - keep :]
            return bool(closing)
        text = self._held.lstrip()
        if text.startswith(self._block.opening):
            self._inside, self._held, self.hid = True, text[len(self._block.opening) :], True
            return True
        if self._waiting or self._block.opening.startswith(text):  # white space alone, too, says nothing yet
            return False
        if self.hid:
            # After a block, the answer begins on a line of its own.
            space = self._held[: len(self._held) - len(text)]
            self._held = self._held[space.rfind("\n") + 1 :]
        self._answering = True
        return False

    def _close(self, rest: str) -> None:
        self._inside, self._waiting, self._held, self.hid = False, bool(self._block.resume), rest, True

    def finish(self) -> str:
        """The end has come: returns what was held back, for it became no marker."""
        held, self._held = self._held, ""
        if self._inside:
            self._reasoning.append(held)
            self.hid = True
            return ""
        return "" if self.hid and (self._waiting or not held.strip()) else held


class Channels:
    """The channels of gpt-oss: ``final`` is for the reader, all others are thought.

    A message is ``<|start|>assistant<|channel|>NAME<|message|>TEXT<|end|>``. ``opened`` is the end of the prompt, which
    has begun one.
    """

    def __init__(self, *, opened: str = "") -> None:
        self._channel = ""  # none was named: the text is for the reader
        self._header: str | None = None  # the text since <|start|> or <|channel|>, before <|message|>
        self._named = False  # whether the header has <|channel|>
        self._reasoning: list[str] = []
        for piece in re.split(r"(<\|[a-z]+\|>)", opened):
            self._control(piece)
        if self._header is not None and not self._named:
            self._header = ""  # "assistant", which the prompt wrote
        self.hid = False

    @property
    def inside(self) -> bool:
        """Whether a thought is going on."""
        return self._channel not in ("", "final")

    @property
    def reasoning(self) -> str:
        """What was thought so far, one message below the other."""
        return "".join(self._reasoning).strip()

    def feed(self, text: str, control: str | None = None) -> str:
        """Take text and then, where one follows, a control token by its name; returns what is for the reader."""
        visible = ""
        if self._header is not None:
            self._header += text
        elif self._channel in ("", "final"):
            visible = text
        else:
            self._reasoning.append(text)
        if control is not None:
            self._control(control)
        return visible

    def _control(self, name: str) -> None:
        if name in ("<|start|>", "<|channel|>"):
            self._header, self._named, self.hid = "", name == "<|channel|>", True
        elif name == "<|message|>":
            words = (self._header or "").split()
            self._channel, self._header, self.hid = words[0] if self._named and words else "", None, True
        elif name in ("<|end|>", "<|return|>", "<|call|>"):
            self._channel, self._header = "", None
            self._reasoning.append("\n")

    def finish(self) -> str:
        """The end has come: a header that never became a message was an answer without one."""
        header, self._header = self._header, None
        return header if header and not self._named and not self.hid else ""


def overlap(text: str, marker: str) -> int:
    """Length of the longest end of ``text`` that begins ``marker`` without completing it."""
    for length in range(min(len(text), len(marker) - 1), 0, -1):
        if text.endswith(marker[:length]):
            return length
    return 0
