"""From the parts of a prompt to token ids.

Special tokens enter only where the template put them. Text can never become one, whatever characters it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from bayling_lite.errors import ModelUnreadable
from bayling_lite.prompts import Control, Part, PromptTemplate, Special, Text


class Vocabulary(Protocol):
    """What tokenizing needs of a model's vocabulary."""

    @property
    def bos(self) -> int | None:
        """The id that begins a prompt; None when the model wants none."""
        ...

    @property
    def eos(self) -> int | None:
        """The id that ends a text; None when the vocabulary has none."""
        ...

    @property
    def space_prefix(self) -> bool:
        """Whether :meth:`tokenize` puts a space before the text (SentencePiece's ``add_dummy_prefix``)."""
        ...

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of a text; ``special`` recognises control tokens by their names."""
        ...

    def is_control(self, token: int) -> bool:
        """Whether the token steers the model and stands for no text."""
        ...

    def is_end(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        ...

    def name(self, token: int) -> str:
        """The token as the vocabulary writes it, for example ``</s>`` or ``<0x0A>``."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that the token stands for in a text; empty for control tokens."""
        ...


# Given the ids before a response and its text: the ids it was generated as, if they are known.
Recall = Callable[[list[int], str], tuple[int, ...] | None]


class Tokenizer:
    """Tokenizes the parts of one template for one vocabulary.

    Raises:
        ModelUnreadable: the vocabulary lacks a special token of the template; the message names it.
    """

    def __init__(self, vocabulary: Vocabulary, template: PromptTemplate) -> None:
        self._vocabulary = vocabulary
        self._template = template
        self._specials = {part.token: self._special_id(part) for part in _parts(template) if isinstance(part, Special)}
        self.stop_ids = frozenset(id_ for part in template.stop for id_ in self._part_ids(part))

    def encode(self, parts: Iterable[Part], recall: Recall | None = None) -> list[int]:
        """The ids of rendered parts.

        ``recall`` may know the ids that a response was generated as. They can differ from those its text gets here
        (there are many ways to write a text in tokens), and only the same ids are found in the cache.
        """
        ids: list[int] = []
        seen_text = False
        for part in parts:
            if isinstance(part, Text):
                known = recall(ids, part.content) if recall and part.response else None
                ids += known if known is not None else self._text(part.content, prefixed=not seen_text)
                seen_text = True
            else:
                ids += self._part_ids(part)
        return ids

    def _part_ids(self, part: Special | Control) -> list[int]:
        if isinstance(part, Special):
            return [self._specials[part.token]]
        if part is Control.BOS:
            return [] if self._vocabulary.bos is None else [self._vocabulary.bos]
        if self._vocabulary.eos is None:
            raise ModelUnreadable(f"The model has no end-of-text token; the template {self._template.name} needs one.")
        return [self._vocabulary.eos]

    def _special_id(self, part: Special) -> int:
        ids = self._vocabulary.tokenize(part.token, special=True)
        # A space prefix stands before a name that is only text; a real special token takes none.
        if len(ids) != 1 or self._vocabulary.name(ids[0]) != part.token:
            raise ModelUnreadable(
                f"The model has no token {part.token}, which the template {self._template.name} needs. "
                "Name the template that fits it with --template."
            )
        return ids[0]

    def _text(self, text: str, *, prefixed: bool) -> list[int]:
        ids = self._vocabulary.tokenize(text) if prefixed else self._without_prefix(text)
        name = self._smuggled(ids, text)
        if name is None:
            return ids
        # Merging went along the characters of a token's name and arrived at the token itself. Cut the name apart.
        first, *rest = text.split(name)
        pieces = [first, *(name[1:] + piece for piece in rest)]
        pieces[:-1] = [piece + name[0] for piece in pieces[:-1]]
        ids = []
        for position, piece in enumerate(pieces):
            ids += self._text(piece, prefixed=prefixed and position == 0)
        return ids

    def _smuggled(self, ids: list[int], text: str) -> str | None:
        """The name of a control or byte token that stands in the text as characters and came out as that token."""
        if "<" not in text and not any(map(self._vocabulary.is_control, ids)):
            return None
        for token in dict.fromkeys(ids):
            name = self._vocabulary.name(token)
            by_name = self._vocabulary.is_control(token) or (name.startswith("<0x") and len(name) == 6)
            if by_name and len(name) > 1 and name in text:
                return name
        return None

    def _without_prefix(self, text: str) -> list[int]:
        r"""Tokenize a text that continues a prompt.

        With SentencePiece's space prefix, ``tokenize("Hello")`` is ``▁Hello``: right for the first text of all, but a
        response after ``### Response:\n`` begins with ``Hello``, for in training the line break stood before it.
        llama.cpp prefixes every text it is given, so the text is given with a line break before it, and the ids of
        space and line break are dropped. Where a vocabulary joins the line break to what follows, a control character
        that no vocabulary joins to anything takes its place.
        """
        if not self._vocabulary.space_prefix or not text:
            return self._vocabulary.tokenize(text)
        for before in ("\n", "\x02"):
            known = self._vocabulary.tokenize(before)
            ids = self._vocabulary.tokenize(before + text)
            if ids[: len(known)] == known:
                return ids[len(known) :]
        return self._vocabulary.tokenize(text)


def _parts(template: PromptTemplate) -> Iterable[Part]:
    """Every part a template can render."""
    for parts in (
        template.before_system,
        template.after_system,
        template.before_user,
        template.after_user,
        template.before_response,
        template.after_response,
        template.between_turns,
        template.stop,
    ):
        yield from parts
