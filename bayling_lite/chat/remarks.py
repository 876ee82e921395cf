"""What the chat says of itself, in words: what went wrong, what is full, what a model cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayling_lite.chat.screens.screen import Question
from bayling_lite.chat.session.room import Room
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import BaylingError, ContextOverflow
from bayling_lite.languages import Language
from bayling_lite.localization import _, listed, plural

if TYPE_CHECKING:
    from bayling_lite.translate import Translation

# From this share of the context on, the user is told before it is full.
NEARLY_FULL = 0.8
# Characters of a line, and of its answer, that are shown again when their session goes on.
_LONGEST_ASKED = 200
_LONGEST_ANSWER = 600
# What people type to any program that has a prompt.
_BARE = {
    **{word: word for word in ("help", "exit", "quit", "bye", "undo", "redo")},
    "帮助": "help",
    "退出": "bye",
}


def language_label(language: Language) -> str:
    """``Chinese (zh)``."""
    return _("{language} ({code})", language=language_name(language), code=language.code)


def language_name(language: Language) -> str:
    """The language's name in the interface's language."""
    return language.localized


def term_text(source: str, wanted: str) -> str:
    """``token → 词元``."""
    return f"{source} → {wanted}"


def other_reading_text(plan: Plan) -> str:
    """How a line could have been read as well, to be said before its answer; see :meth:`Screen.choice`."""
    if plan.kind is Kind.REFINEMENT:
        return _("a text to translate")
    return _("feedback on the draft")


def stopped_text(turn: Turn | None) -> str:
    """What to say after the user has stopped an answer."""
    if turn is None:
        return _("stopped before the first word; nothing was kept")
    if turn.draft is not None:
        return _("stopped; what there is was kept as the draft")
    return _("stopped; what there is was kept")


def problems(turn: Turn) -> list[str]:
    """What is wrong with a finished answer; empty when nothing is."""
    draft = turn.draft
    if turn.truncated:
        if turn.plan.kind in (Kind.TRANSLATION, Kind.REFINEMENT, Kind.BACK):
            return [_("The translation is cut off: it became much longer than its text. /regen makes another.")]
        return [_("The answer is cut off: it reached the limit of tokens. A shorter text, or /clear, makes room.")]
    if draft is None or turn.plan.kind is Kind.EDIT:
        return []
    if draft.failed:
        return [
            _(
                "{failed} of {all} sentences could not be translated and stand as they were.",
                failed=draft.failed,
                all=len(draft.segments),
            )
        ]
    missing = [_("The model did not follow: “{word}” is not in the new draft.", word=w) for w in draft.missing_words]
    for source, wanted in dict.fromkeys(draft.missing_terms):
        if wanted not in draft.missing_words:
            missing.append(
                _("The model did not follow: “{word}” is not there for “{source}”.", word=wanted, source=source)
            )
    if missing or turn.plan.kind is not Kind.TRANSLATION:
        return missing
    return [_untranslated_text(turn, draft)] if all(segment.status == "kept" for segment in draft.segments) else []


def _untranslated_text(turn: Turn, draft: Translation) -> str:
    """What to say of a text that stands as it was. A short one is easily taken for the wrong language."""
    language = language_name(draft.target)
    if turn.plan.source is not None or not any(map(str.isalpha, draft.source_text)):
        return _("Nothing to translate: this is {language} already, or holds no word.", language=language)
    return _(
        "Nothing to translate: this is {language} already. If it is not, say what it is: /from {example}",
        language=language,
        example="de" if draft.target.code == "en" else "en",
    )


def unchanged_text(turn: Turn, before: Translation | None) -> str:
    """What to say of a refinement, or of a text translated again, that left the draft as it was; empty where something
    changed.
    """
    if turn.plan.kind not in (Kind.REFINEMENT, Kind.TRANSLATION) or turn.draft is None:
        return ""
    if turn.draft.unchanged and turn.plan.length == "shorter":
        return _("Nothing shorter was found: the draft is as it was. /alt shows other versions.")
    if turn.draft.unchanged and turn.plan.length == "longer":
        return _("Nothing longer was found: the draft is as it was. /alt shows other versions.")
    if before is None or turn.answer.strip() != before.text.strip():
        return ""
    from bayling_lite.chat.reading.feedback import asks_for_length
    from bayling_lite.engine.words import occurs

    there = [word for word in turn.plan.required if occurs(word, before.text)]
    if there:
        return _("“{word}” is in the draft already.", word=there[0])
    length = asks_for_length(turn.plan.typed)
    if length:
        return _("The draft is as it was. {command} searches for one that is.", command=f"/{length}")
    return _("The draft is as it was. /alt shows other versions, /edit lets you write it.")


def bare_command_text(line: str) -> str:
    """What to say to who typed nothing but the name of a command; empty for any other line."""
    word = _BARE.get(line.casefold())
    return _("To the chat this is a line like any other; the command is /{word}.", word=word) if word else ""


def demonstrator_text(info: ModelInfo) -> str:
    """What to say to who chats with the small model that ships with the package."""
    return _(
        "{model} was trained to translate, not to chat: try /to zh, or go on with another model: /model.",
        model=info.name,
    )


def unsteerable_text(info: ModelInfo) -> str:
    """What to say to who steers the small model that ships with the package."""
    return _(
        "{model} is too small to follow formality, style or context; they wait for another model (/model). "
        "Terms (/use, /glossary) it does follow.",
        model=info.name,
    )


def unguaranteed_text(info: ModelInfo) -> str:
    """What to say to who wants terms of an engine that cannot search."""
    return _(
        "{model} is asked for the terms, but cannot be made to use them; what is missing will be said.",
        model=info.name,
    )


def unknown_language_text(language: Language | None, info: ModelInfo) -> str:
    """What to say of a language that the model does not know; empty when it does, or does not say which it knows."""
    if language is None or not info.languages or language in info.languages:
        return ""
    known = listed(_("{code} ({language})", code=known.code, language=known.localized) for known in info.languages)
    return _(
        "{model} does not know {language}, only {known}. /to {example} changes the language.",
        model=info.name,
        language=language_name(language),
        known=known,
        example=info.languages[-1].code,
    )


def error_text(error: BaylingError) -> str:
    """What went wrong, in words for who chats."""
    return overflow_text(error) if isinstance(error, ContextOverflow) else str(error)


def overflow_text(error: ContextOverflow) -> str:
    """What to say when a turn does not fit."""
    return _(
        "That does not fit: it makes {n_prompt} tokens, the context holds {n_ctx} with the answer. "
        "Nothing was sent or dropped. /drop or /undo makes room; a long text goes in parts.",
        n_prompt=error.n_prompt,
        n_ctx=error.n_ctx,
    )


def overflow_question(plan: Plan, room: Room, count: int) -> Question:
    """What to ask before a turn that does not fit as long as the model sees the oldest ``count`` turns."""
    if plan.kind is not Kind.CHAT:
        return Question(
            _(
                "That does not fit any more: with all versions of the draft it makes {n_prompt} tokens, and the new "
                "one needs room in the {n_ctx} of the context.",
                n_prompt=room.n_prompt,
                n_ctx=room.n_ctx,
            ),
            (("n", _("send nothing")), ("d", _("leave out the versions between the text and the draft"))),
        )
    choices = [
        ("n", _("send nothing")),
        ("d", plural("leave the oldest turn out", "leave the oldest {count} turns out", count)),
    ]
    if room.summarisable:
        choices.append(("s", plural("sum the oldest turn up", "sum the oldest {count} turns up", room.summarisable)))
    return Question(
        _(
            "That does not fit any more: it makes {n_prompt} tokens with all turns before it, and an answer needs room "
            "in the {n_ctx} of the context.",
            n_prompt=room.n_prompt,
            n_ctx=room.n_ctx,
        ),
        tuple(choices),
    )


def left_out_text(count: int, *, of_draft: bool = False) -> str:
    """What to say when the model no longer sees the oldest turns, or the versions of a draft between."""
    if of_draft:
        return _("The model sees the text and the draft from now on, not the versions between.")
    return plural(
        "The model no longer sees the oldest turn; it is still in the session.",
        "The model no longer sees the oldest {count} turns; they are still in the session.",
        count,
    )


def going_on(session: Session, title: str) -> tuple[str, ...]:
    """What to say of a kept session that goes on: what it is about, and where it stands."""
    count = len(session.turns)
    line = plural("{title}: {count} turn.", "{title}: {count} turns.", count, title=f"“{title}”")
    if session.preferences.target is not None and session.draft is not None:
        return line, _("The draft is: {draft}", draft=session.draft.text)
    if not session.turns:
        return (line,)
    last = session.turns[-1]
    asked, answer = " ".join(last.plan.typed.split()), last.answer.strip()
    if len(asked) > _LONGEST_ASKED:
        asked = f"{asked[:_LONGEST_ASKED]}…"
    if len(answer) > _LONGEST_ANSWER:
        answer = f"…{answer[-_LONGEST_ANSWER:]}"
    return tuple(filter(None, (line, f"> {asked}", answer)))


def fullness(session: Session) -> float:
    """The share of the context in use. Waits for the model."""
    return session.context_tokens() / session.engine.info.n_ctx


def nearly_full_text(session: Session) -> str:
    """What to say when the context is nearly full; empty when it is not."""
    share = fullness(session)
    if share < NEARLY_FULL:
        return ""
    if session.preferences.target is not None:
        return _(
            "The draft and its versions fill {share} of the context. A new text begins afresh; /drop makes room.",
            share=f"{share:.0%}",
        )
    return _(
        "The context is {share} full. /drop or /summarise makes room, /clear forgets all; nothing is cut by itself.",
        share=f"{share:.0%}",
    )
