"""How the chat looks: styled fragments for prompt-toolkit, and plain text for a pipe. No colour codes of our own.

All text that comes from a model, a file or a paste passes :func:`~bayling_lite.terminal.printable` on its way here.
"""

from __future__ import annotations

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import ContextOverflow
from bayling_lite.languages import Language
from bayling_lite.terminal import printable

# Colours out of the terminal's own sixteen, so that they fit its theme, dark or light.
STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "continuation": "ansibrightblack",
        "choice": "ansibrightblack",
        "notice": "ansibrightblack",
        "warning": "ansiyellow",
        "error": "ansired",
        "bottom-toolbar": "noreverse ansibrightblack",
        "bottom-toolbar.warning": "noreverse ansiyellow",
    }
)

# From this share of the context on, the user is told before it is full.
NEARLY_FULL = 0.8


def prompt_text(session: Session) -> str:
    """What stands before the cursor: the language that lines are translated into, if any."""
    return f"{session.target.code}> " if session.target is not None else "> "


def choice_text(plan: Plan) -> str:
    """How a line was understood, shown before the answer; empty in chat mode, where nothing was chosen."""
    if plan.kind is Kind.CHAT:
        return ""
    target = plan.target.code if plan.target is not None else ""
    if plan.kind is Kind.TRANSLATION:
        return f"{plan.source.code if plan.source else ''} → {target}".lstrip()
    parts = [f"↻ refining {target}".rstrip()]
    if plan.sent != plan.typed:
        parts.append(printable(plan.sent, keep=""))
    if plan.rule is not Rule.FORCED:
        parts.append("/new if it was a text to translate")
    return " · ".join(parts)


def stopped_text(turn: Turn | None) -> str:
    """What to say after the user has stopped an answer."""
    if turn is None:
        return "stopped before the first word; nothing was kept"
    kept = "kept as the draft" if turn.draft is not None else "kept"
    return f"stopped; what there is was {kept}"


def problem_text(turn: Turn) -> str:
    """What is wrong with a finished answer; empty when nothing is."""
    draft = turn.draft
    if turn.truncated:
        return "The answer is cut off: it reached the limit of tokens. A shorter text, or /clear, makes room."
    if draft is not None and draft.failed:
        return f"{draft.failed} of {len(draft.segments)} sentences could not be translated and stand as they were."
    if draft is not None and draft.missing_words:
        return f"The model did not follow: “{draft.missing_words[0]}” is not in the new draft."
    if draft is not None and all(segment.status == "kept" for segment in draft.segments):
        return f"Nothing to translate: this is {draft.target.english} already, or holds no word."
    return ""


def demonstrator_text(info: ModelInfo) -> str:
    """What to say to who chats with the small model that ships with the package."""
    return f"{info.name} was trained to translate, not to chat: try /to zh, or open another model with --model."


def unknown_language_text(target: Language | None, info: ModelInfo) -> str:
    """What to say of a language that the model does not know; empty when it does, or does not say which it knows."""
    if target is None or not info.languages or target in info.languages:
        return ""
    known = ", ".join(f"{language.code} ({language.english})" for language in info.languages)
    return (
        f"{info.name} does not know {target.english}, only {known}. /to {info.languages[-1].code} changes the language."
    )


def overflow_text(error: ContextOverflow) -> str:
    """What to say when a turn does not fit."""
    return (
        f"That does not fit: it makes {error.n_prompt} tokens, the context holds {error.n_ctx} with the answer. "
        "Nothing was sent or dropped. /undo drops the last turn, /clear all; a long text goes in parts."
    )


def fullness(session: Session) -> float:
    """The share of the context in use. Waits for the model."""
    return session.context_tokens() / session.engine.info.n_ctx


def nearly_full_text(session: Session) -> str:
    """What to say when the context is nearly full; empty when it is not."""
    share = fullness(session)
    if share < NEARLY_FULL:
        return ""
    if session.target is not None:
        return (
            f"The draft and its refinements fill {share:.0%} of the context. A new text begins afresh; /undo goes back."
        )
    return f"The context is {share:.0%} full. /undo drops the last turn, /clear forgets all; nothing is cut by itself."


def toolbar(session: Session, *, ready: bool, width: int) -> StyleAndTextTuples:
    """The bottom line: model, mode and languages, tokens in the context; cut to the terminal's width in cells."""
    if session.target is None:
        mode = "chat"
    else:
        mode = f"{session.source.code if session.source else 'auto'} → {session.target.code}"
    if not ready:
        return [("", fit(f" loading the model… · {mode}", width))]
    info = session.engine.info
    name = printable(info.name, keep="")
    line = fit(f" {name} · {mode} · {session.context_tokens()}/{info.n_ctx} tokens · /help", width)
    return [("class:bottom-toolbar.warning" if fullness(session) >= NEARLY_FULL else "", line)]


def fit(text: str, width: int) -> str:
    """The text, cut with an ellipsis to a width in terminal cells (a Chinese character takes two)."""
    if get_cwidth(text) <= width:
        return text
    cells = 0
    for position, character in enumerate(text):
        cells += get_cwidth(character)
        if cells > width - 1:
            return text[:position] + "…"
    return text
