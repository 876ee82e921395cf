"""How changes are shown: in colours where there are any, with the signs of GNU wdiff where there are none."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from bayling_lite.chat.differences import Change, ChangeKind

SIGNS: dict[ChangeKind, tuple[str, str]] = {"kept": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
STYLES: dict[ChangeKind, str] = {"kept": "", "removed": "class:removed", "added": "class:added"}

# Of what was kept, so many characters are shown on either side of a change.
_SHOWN = 40

_VISIBLE = str.maketrans({" ": "·", "\u00a0": "⍽", "\u3000": "□", "\t": "→", "\n": "↵\n", "\r": "␍"})


def marked(changes: Sequence[Change]) -> str:
    """The changes in plain text: ``Guten [-Tag-]{+Morgen+}.``"""
    return "".join(f"{SIGNS[change.kind][0]}{change.text}{SIGNS[change.kind][1]}" for change in visible(changes))


def styled(changes: Sequence[Change]) -> list[tuple[str, str]]:
    """The changes as (style, text), for a screen with colours.

    Where words are separated by spaces, an old word and the new one are, too.
    """
    fragments: list[tuple[str, str]] = []
    before = ""
    for change in visible(changes):
        if change.kind == "added" and _run_together(before[-1:], change.text[0]):
            fragments.append(("", " "))
        fragments.append((STYLES[change.kind], change.text))
        before = change.text if change.kind == "removed" else ""
    return fragments


def _run_together(end: str, begin: str) -> bool:
    """Whether what ends and begins so reads as one word; Chinese does not need a space, nor do two signs."""
    both = end + begin
    if not end or any(c.isspace() or unicodedata.east_asian_width(c) in ("W", "F") for c in both):
        return False
    return any(c.isalnum() for c in both)


def visible(changes: Sequence[Change]) -> Iterator[Change]:
    """The changes with white space made visible where nothing else changed, and long kept stretches cut out."""
    for number, change in enumerate(changes):
        if change.kind != "kept":
            text = space_shown(change.text)
        else:
            text = _shortened(change.text, is_first=number == 0, is_last=number == len(changes) - 1)
        yield Change(change.kind, text)


def space_shown(text: str) -> str:
    """White space as signs, if a text is nothing else."""
    return text.translate(_VISIBLE) if text.isspace() else text


def _shortened(text: str, *, is_first: bool, is_last: bool) -> str:
    """What was kept, with … for its middle, or for its end that lies away from the changes.

    Whoever reads changes wants what is around them; a text without any change is not cut.
    """
    begin = 0 if is_first else _word_end(text, _SHOWN)
    end = len(text) if is_last else _word_begin(text, len(text) - _SHOWN)
    if (is_first and is_last) or end - begin <= _SHOWN:
        return text
    return f"{text[:begin]}…{text[end:]}"


def _word_end(text: str, position: int) -> int:
    """The end of the word at a position, if it is near."""
    found = next((i for i in range(position, min(position + _SHOWN // 2, len(text))) if text[i].isspace()), position)
    return min(found, len(text))


def _word_begin(text: str, position: int) -> int:
    """The beginning of the word at a position, if it is near."""
    first = max(position - _SHOWN // 2, 0)
    return next((i for i in range(max(position, 0), first, -1) if text[i - 1].isspace()), max(position, 0))
