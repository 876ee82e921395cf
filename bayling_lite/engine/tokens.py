"""From the parts of a prompt to token ids.

Special tokens enter only where the template put them. Text can never become one, whatever characters it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Protocol

from bayling_lite.engine.thinking import thought_end
from bayling_lite.errors import ModelUnreadable
from bayling_lite.localization import _
from bayling_lite.prompts import AnyPart, Control, Markup, Special, Template, Text

_REMEMBERED_MARKUP = 1024
_REMEMBERED_TEXTS = 256
# What C's isspace() takes for white space.
_SPACE = " \t\n\v\f\r"
# Vocabularies such as Gemma's have these as user-defined tokens, for documents are full of them.
_HTML = re.compile(
    "</?(a|abbr|b|blockquote|body|br|caption|center|code|col|colgroup|dd|del|div|dl|dt|em|figcaption|figure|font|footer"
    "|h[1-6]|head|header|hr|html|i|img|ins|kbd|li|link|main|mark|meta|nav|ol|p|pre|q|s|samp|script|section|small|span"
    "|strike|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|var) ?/?>",
    re.IGNORECASE,
)


class Vocabulary(Protocol):
    """What tokenizing needs of a model's vocabulary."""

    @property
    def size(self) -> int:
        """Tokens there are."""
        ...

    @property
    def bos(self) -> int | None:
        """The id that begins a prompt; None when the model wants none."""
        ...

    @property
    def bos_token(self) -> int | None:
        """The id of the vocabulary's BOS, whether or not the model wants one; None when it has none."""
        ...

    @property
    def eos(self) -> int | None:
        """The id that ends a text; None when the vocabulary has none."""
        ...

    @property
    def space_prefix(self) -> bool:
        """Whether :meth:`tokenize` puts a space before the text (SentencePiece's ``add_dummy_prefix``)."""
        ...

    def in_use(self) -> AbstractContextManager[None]:
        """Keep the model from being freed meanwhile. Raises EngineClosed when that has happened."""
        ...

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of a text; ``special`` recognises control tokens by their names."""
        ...

    def is_control(self, token: int) -> bool:
        """Whether the token steers the model and stands for no text."""
        ...

    def is_added(self, token: int) -> bool:
        """Whether the token is a user-defined one: :meth:`tokenize` finds its name in every text."""
        ...

    def strips(self, token: int) -> tuple[bool, bool]:
        """Whether the token swallows the white space before it, and after it, when it is recognised by its name."""
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

    Between two special tokens, everything is tokenized as one text, the template's words and the user's alike, as it
    was in training. Only responses have token borders of their own, for generation starts and ends there.

    Raises:
        ModelUnreadable: the vocabulary lacks a special token of the template; the message names it.
    """

    def __init__(self, vocabulary: Vocabulary, template: Template) -> None:
        self._vocabulary = vocabulary
        self._template = template
        self._specials = {part.token: self._special_id(part) for part in template.specials}
        self._markup: dict[str, tuple[int | str, ...]] = {}
        # User-defined tokens such as <think> are found in every text. Those that look like tags may steer the model,
        # and are kept out of texts; a template may put their names together from pieces, so what it says does not tell
        # which they are. The tags of HTML are words like any other, unless the template writes them.
        self._written = frozenset(vocabulary.tokenize(template.jinja, special=True))
        self._steering: dict[int, bool] = {}
        self.stop_ids = frozenset(id_ for part in template.stop for id_ in self._stop_ids(part))
        # A conversation is tokenized anew with every turn, and most of it has been before.
        self._text = lru_cache(_REMEMBERED_TEXTS)(self._tokenized)

    def encode(self, parts: Iterable[AnyPart], recall: Recall | None = None) -> list[int]:
        """The ids of rendered parts.

        ``recall`` may know the ids that a response was generated as. They can differ from those its text gets here
        (there are many ways to write a text in tokens), and only the same ids are found in the cache.
        """
        run = _Run(self._text)
        for part in parts:
            if isinstance(part, Markup):
                for piece in self._pieces(part.content):
                    if isinstance(piece, str):
                        run.text(piece)
                    else:
                        run.markup_token(piece, strips=self._vocabulary.strips(piece))
            elif part in (Control.TEMPLATE_BOS, Control.TEMPLATE_EOS):
                for token in self._part_ids(part):
                    run.markup_token(token, strips=self._vocabulary.strips(token))
            elif not isinstance(part, Text):
                run.tokens(self._part_ids(part))
            elif part.response:
                run.response(part.content, recall)
            else:
                run.text(part.content)
        ids = run.finish()
        # The template may write by name the BOS that the model wants anyway.
        return ids[1:] if self._vocabulary.bos is not None and ids[:2] == [self._vocabulary.bos] * 2 else ids

    def continuation(self, text: str) -> list[int]:
        """The ids of a text that goes on in a response."""
        return list(self._text(text, prefixed=False)) if text else []

    def _part_ids(self, part: Special | Control) -> list[int]:
        if isinstance(part, Special):
            return [self._specials[part.token]]
        if part in (Control.EOS, Control.TEMPLATE_EOS):
            if self._vocabulary.eos is None:
                raise ModelUnreadable(
                    _(
                        "The model has no end-of-text token; the template {template} needs one.",
                        template=self._template.name,
                    )
                )
            return [self._vocabulary.eos]
        token = self._vocabulary.bos if part is Control.BOS else self._vocabulary.bos_token
        return [] if token is None else [token]

    def _stop_ids(self, part: AnyPart) -> list[int]:
        if isinstance(part, Markup):
            first = self._pieces(part.content.lstrip())[:1]
            # Solar ends its thoughts, too, with the token that ends its answers.
            within = thought_end(self._template)
            return [piece for piece in first if isinstance(piece, int) and self._vocabulary.name(piece) != within]
        return [] if isinstance(part, Text) else self._part_ids(part)

    def _special_id(self, part: Special) -> int:
        ids = self._vocabulary.tokenize(part.token, special=True)
        # A space prefix stands before a name that is only text; a real special token takes none.
        if len(ids) != 1 or self._vocabulary.name(ids[0]) != part.token:
            raise ModelUnreadable(
                _(
                    "The model has no token {token}, which the template {template} needs. "
                    "Name the template that fits it with --template.",
                    token=part.token,
                    template=self._template.name,
                )
            )
        return ids[0]

    def _is_tag(self, token: int) -> bool:
        r"""Whether a user-defined token looks like one that steers: ``<think>``, ``[INST]``, not ``\n\n`` or a word."""
        if not self._vocabulary.is_added(token):
            return False
        name = self._vocabulary.name(token).strip(_SPACE + "▁")
        is_tag = len(name) > 2 and name[0] in "<[" and name[-1] in ">]"
        return is_tag and (token in self._written or not _HTML.fullmatch(name))

    def _pieces(self, markup: str) -> tuple[int | str, ...]:
        """What a template wrote, cut into its special tokens (ids) and the text between them."""
        known = self._markup.get(markup)
        if known is None:
            if len(self._markup) >= _REMEMBERED_MARKUP:
                self._markup.clear()
            known = self._markup[markup] = tuple(self._cut(markup))
        return known

    def _cut(self, markup: str) -> Iterable[int | str]:
        at = 0
        for token in self._vocabulary.tokenize(markup, special=True):
            name = self._vocabulary.name(token)
            if not self._vocabulary.is_control(token) and not (self._vocabulary.is_added(token) and name.strip()):
                continue
            # The tokenizer takes every name it finds, so the next place with this one is where it was found.
            start = markup.find(name, at)
            if start < 0:
                continue
            if start > at:
                yield markup[at:start]
            yield token
            at = start + len(name)
        if at < len(markup):
            yield markup[at:]

    def _tokenized(self, text: str, *, prefixed: bool) -> tuple[int, ...]:
        ids = self._vocabulary.tokenize(text) if prefixed else self._without_prefix(text)
        name = self._smuggled(ids, text)
        if name is None:
            return tuple(ids)
        # Merging went along the characters of a token's name and arrived at the token itself. Cut the name apart.
        first, *rest = text.split(name)
        pieces = [first, *(name[1:] + piece for piece in rest)]
        pieces[:-1] = [piece + name[0] for piece in pieces[:-1]]
        ids = []
        for position, piece in enumerate(pieces):
            ids += self._text(piece, prefixed=prefixed and position == 0)
        return tuple(ids)

    def _smuggled(self, ids: list[int], text: str) -> str | None:
        """The name of a control or byte token that stands in the text as characters and came out as that token."""
        if "<" not in text and not any(map(self._is_special, ids)):
            return None
        for token in dict.fromkeys(ids):
            name = self._vocabulary.name(token)
            by_name = self._is_special(token) or (name.startswith("<0x") and len(name) == 6)
            if by_name and len(name) > 1 and name in text:
                return name
        return None

    def _is_special(self, token: int) -> bool:
        known = self._steering.get(token)
        if known is None:
            known = self._steering[token] = self._vocabulary.is_control(token) or self._is_tag(token)
        return known

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


class _Run:
    """Ids as they grow, and the text that is not tokenized yet because more of it may follow.

    The first text of all gets the space prefix, and so does one after a special token of a model's own template: with
    those, llama.cpp and the tokenizers of these models begin anew. The BayLing templates are trained without.
    """

    def __init__(self, tokenize: Callable[..., Sequence[int]]) -> None:
        self._tokenize = tokenize
        self._ids: list[int] = []
        self._pending: list[str] = []
        self._prefixed = True
        self._strip = False

    def text(self, text: str) -> None:
        if self._strip:
            text = text.lstrip(_SPACE)
            self._strip = not text
        if text:
            self._pending.append(text)

    def markup_token(self, token: int, *, strips: tuple[bool, bool]) -> None:
        self._flush(strip=strips[0])
        self._ids.append(token)
        self._prefixed, self._strip = True, strips[1]

    def tokens(self, tokens: list[int]) -> None:
        self._flush()
        self._ids += tokens
        self._strip = False

    def response(self, text: str, recall: Recall | None) -> None:
        self._flush()
        known = recall(self._ids, text) if recall else None
        if known is not None:
            self._ids += known
            self._prefixed = self._strip = False
            return
        self.text(text)
        self._flush()

    def finish(self) -> list[int]:
        self._flush()
        return self._ids

    def _flush(self, *, strip: bool = False) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        if strip:
            text = text.rstrip(_SPACE)
        if text:
            self._ids += self._tokenize(text, prefixed=self._prefixed)
            self._prefixed = False
