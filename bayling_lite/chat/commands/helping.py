"""What ``/help`` shows: the commands by what they are for, and how to begin; one command with its examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from bayling_lite.chat.commands.command import Command, Group
from bayling_lite.localization import _, listed, noted

# A first session, in the order in which a newcomer needs it.
_BEGINNING = (
    ("/to zh", noted("lines are translated into Chinese from now on")),
    ("The token is lost.", noted("a line, or a pasted paragraph, is translated: the draft")),
    (noted("more formal"), noted("a line that reads like feedback changes the draft")),
    ("/use 词元=token", noted("“token” is 词元 from now on, in this draft too: guaranteed")),
    ("/undo", noted("the draft before is back")),
    ("/diff", noted("what the last change changed")),
    ("/export work.md", noted("write the translations to a file")),
)
_FEEDBACK = (
    noted("Feedback on the draft is anything like:"),
    noted('  use "X"   A should be B   replace A with B   translate A as B'),
    noted("  more formal   shorter   把A改成B   更正式一点"),
    noted("Where a line was taken for the wrong thing, /new and /refine turn it round."),
)
_TYPING = (noted('""" begins a text of several lines, """ ends it. // sends a slash.'),)
_KEYS = (noted("Alt-Enter: a new line. Ctrl-R: search what was typed. Ctrl-G: your editor."),)
_LEAVING = (
    noted("Ctrl-C stops an answer and keeps what there is. Ctrl-D leaves."),
    noted("bayling-chat --continue goes on with the last session, or --continue ID."),
    noted("/help COMMAND shows examples, for instance /help use."),
)


def help_lines(groups: Iterable[Group], *, keys: bool) -> tuple[str, ...]:
    """All commands, then how to begin: what comes last is what a short terminal still shows. ``keys`` as well, where
    they do something.
    """
    groups = tuple(groups)
    rows = iter(_columns([(each.localized_usage, _(each.help)) for group in groups for each in group.commands]))
    lines: list[str] = []
    for group in groups:
        lines += [_(group.title), *itertools.islice(rows, len(group.commands)), ""]
    lines += [*map(_, (*_TYPING, *(_KEYS if keys else ()), *_LEAVING)), "", *map(_, _FEEDBACK), ""]
    return (*lines, _("To begin, type:"), *_columns([(_(typed), _(meaning)) for typed, meaning in _BEGINNING]))


def command_help(command: Command) -> tuple[str, ...]:
    """One command, with its other names and with examples."""
    lines = [_("{usage}: {help}", usage=command.localized_usage, help=_(command.help))]
    if command.aliases:
        lines.append(_("Also: {names}", names=listed(f"/{name}" for name in command.aliases)))
    return (*lines, *_columns([(typed, _(meaning)) for typed, meaning in command.examples]))


def _columns(rows: Sequence[tuple[str, str]]) -> Iterable[str]:
    """Rows of two columns, aligned by what they take in a terminal."""
    width = max((_cells(typed) for typed, _meaning in rows), default=0)
    return (f"  {typed}{' ' * (width - _cells(typed))}  {meaning}" for typed, meaning in rows)


def _cells(text: str) -> int:
    from prompt_toolkit.utils import get_cwidth

    return get_cwidth(text)
