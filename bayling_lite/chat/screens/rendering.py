"""How the chat looks in a terminal: its styles, the prompt, and how a line was understood.

No colour codes of our own: prompt-toolkit knows what the terminal can do. All text that comes from a model, a file or a
paste passes :func:`~bayling_lite.terminal.printable` on its way here.
"""

from __future__ import annotations

from prompt_toolkit.styles import Style

from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.localization import _
from bayling_lite.terminal import printable

BETWEEN = " · "

# Colours out of the terminal's own sixteen, so that they fit its theme, dark or light. What matters less is dim, not
# grey: in some themes one of the greys is the ground itself.
STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "continuation": "dim",
        "choice": "dim",
        "notice": "dim",
        "warning": "ansiyellow",
        "error": "ansired",
        "key": "bold",
        "bottom-toolbar": "noreverse",
        "bottom-line": "dim",
        "bottom-line.warning": "ansiyellow",
        # The menu of completions: of the terminal's own colours, too.
        "completion-menu": "bg:default",
        "completion-menu.completion": "fg:default bg:default",
        "completion-menu.completion.current": "noreverse fg:default bg:default bold underline",
        "completion-menu.meta.completion": "dim fg:default bg:default",
        "completion-menu.meta.completion.current": "dim fg:default bg:default",
        # What a refinement changed.
        "removed": "ansired strike",
        "added": "ansigreen",
        # Markdown, and code in it.
        "heading": "bold underline",
        "strong": "bold",
        "emphasis": "italic",
        "list-marker": "ansicyan",
        "quote": "ansicyan",
        "rule": "dim",
        "fence": "dim",
        "code": "ansicyan",
        "code-block": "",
        "code-block.comment": "dim",
        "code-block.keyword": "ansiblue bold",
        "code-block.word": "ansiblue bold",  # and, or, not
        "code-block.string": "ansigreen",
        "code-block.number": "ansimagenta",
        "code-block.function": "bold",
        "code-block.class": "bold",
        "code-block.tag": "ansiblue",
    }
)


def prompt_text(session: Session) -> str:
    """What stands before the cursor: the language that lines are translated into, if any."""
    target = session.preferences.target
    return f"{target.code}> " if target is not None else "> "


def choice_text(plan: Plan, other: str) -> str:
    """How a line was understood, and the key by which it is read the ``other`` way, if there is one.

    Empty where nothing was chosen, and where what comes speaks for itself.
    """
    target = plan.target.code if plan.target is not None else ""
    if plan.kind is Kind.TRANSLATION:
        parts = [f"{plan.source.code if plan.source is not None else ''} → {target}".lstrip()]
    elif plan.kind is Kind.REFINEMENT:
        parts = ["↻ " + (_("refining {language}", language=target) if target else _("refining"))]
        # A line that is read the other way may have been typed long before.
        if plan.sent != plan.typed or (plan.replaces and not plan.varied):
            parts.append(" ".join(printable(plan.sent).split()))
    else:
        return ""
    if other:
        parts.append(_("Tab if it was {reading}", reading=other))
    return BETWEEN.join(parts)
