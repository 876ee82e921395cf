"""Where the inline rules of markdown-it-py match, which its tokens do not say, and some more rules.

The further rules know what other programs than CommonMark's take for markup: references to notes, notes in the line,
templates, roles, names of emoji.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_Rule = Callable[[StateInline, bool], bool]
_TRACE = "where rules matched"
_NOTE = re.compile(r"\[\^[^\]\s]+\]")
_TEMPLATE = re.compile(
    r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}|\{[:#.][^{}\n]{0,500}\}|\{[A-Za-z][\w:+-]*\}(?=`)", re.DOTALL
)
_EMOJI = re.compile(r"(?<![\w:]):(?=[^:]{0,40}[a-z_])[a-z0-9_+-]{1,40}:(?![\w:])")


@dataclass(slots=True)
class Trace:
    """Where the rules of one parse matched: rule, start, end, and what they pushed with its places."""

    state: StateInline | None = None
    matches: list[tuple[str, int, int, Token | None]] = field(default_factory=list)
    delimiters: list[tuple[Token, int, int]] = field(default_factory=list)
    labels: dict[int, int] = field(default_factory=dict)  # where links and images begin: where their label ends


def watch(md: MarkdownIt) -> None:
    """Make the inline rules of a parser say where they match, and give it some more of them."""
    ruler = md.inline.ruler
    ruler.before("link", "note", _note)
    ruler.before("link", "inline_note", _inline_note)
    ruler.before("escape", "template", _template)
    ruler.before("escape", "emoji", _emoji)
    # Merging texts would lose which is which.
    md.inline.ruler2.disable("fragments_join")
    for name, rule in list(zip(md.get_active_rules()["inline"], ruler.getRules(""), strict=True)):
        if name != "text":
            ruler.at(name, _watched(name, rule))


def _watched(name: str, rule: _Rule) -> _Rule:
    @functools.wraps(rule)
    def watched(state: StateInline, silent: bool) -> bool:
        start = state.pos
        if not rule(state, silent):
            return False
        trace = None if silent else state.env.get(_TRACE)
        if trace is not None and trace.state is state:
            _note_match(trace, name, state, start)
        return True

    return watched


def _note_match(trace: Trace, name: str, state: StateInline, start: int) -> None:
    end = state.pos
    if name in ("emphasis", "strikethrough"):
        at = end
        for token in reversed(state.tokens):
            if at <= start:
                break
            trace.delimiters.append((token, at - len(token.content), at))
            at -= len(token.content)
        return
    if name in ("link", "image"):
        label = start + (name == "image")
        trace.labels[start] = state.md.helpers.parseLinkLabel(state, label, name == "link")
        state.pos = end
    last = state.tokens[-1] if state.tokens and not state.pending else None
    trace.matches.append((name, start, end, last))


def _push(state: StateInline, silent: bool, found: re.Match[str] | None) -> bool:
    if found is None or found.end() > state.posMax:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _note(state: StateInline, silent: bool) -> bool:
    return state.src[state.pos] == "[" and _push(state, silent, _NOTE.match(state.src, state.pos, state.posMax))


def _template(state: StateInline, silent: bool) -> bool:
    return state.src[state.pos] == "{" and _push(state, silent, _TEMPLATE.match(state.src, state.pos, state.posMax))


def _emoji(state: StateInline, silent: bool) -> bool:
    return state.src[state.pos] == ":" and _push(state, silent, _EMOJI.match(state.src, state.pos, state.posMax))


def _inline_note(state: StateInline, silent: bool) -> bool:
    start = state.pos
    if not state.src.startswith("^[", start) or state.src.find("]", start, state.posMax) < 0:
        return False
    end = state.md.helpers.parseLinkLabel(state, start + 1, False)
    if end < 0:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = state.src[start : end + 1]
    state.pos = end + 1
    return True


def watched_parse(md: MarkdownIt, content: str, env: dict[str, Any]) -> Trace:
    """Parse the content of a paragraph. ``env`` is what the parser knows of the document."""
    trace = Trace()
    state = StateInline(content, md, {**env, _TRACE: trace}, [])
    trace.state = state
    md.inline.tokenize(state)
    for rule in md.inline.ruler2.getRules(""):
        rule(state)
    return trace
