"""Commands that say what a line is: a text in one language for another, feedback, or talk."""

from __future__ import annotations

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.languages import AUTOMATIC, Language, find_language
from bayling_lite.localization import _, noted


def _to(desk: Desk, argument: str) -> Reply:
    target = find_language(argument)
    terms = _change_terms(desk, target)
    preferences = desk.session.prefer(target=target)
    if preferences.source is None:
        line = _("Lines are translated into {target}. /chat ends that.", target=remarks.language_label(target))
    else:
        line = _(
            "Lines are translated from {source} into {target}. /chat ends that.",
            source=remarks.language_label(preferences.source),
            target=remarks.language_label(target),
        )
    _warn_of_unknown(desk, target)
    return Reply((line, *terms))


def _change_terms(desk: Desk, target: Language) -> tuple[str, ...]:
    """Terms are words of one language: under another they wait, and the user is told."""
    before, draft = desk.session.preferences, desk.session.draft
    language = before.target or (draft.target if draft is not None else None)
    if language is None or language == target:
        return ()
    desk.set_aside[language.code] = before
    now = desk.set_aside.get(target.code, Preferences())
    desk.session.prefer(terms=now.terms, glossary_terms=now.glossary_terms, glossaries=now.glossaries)
    return (
        *_waiting(before, language),
        *(_("In force again: {term}", term=remarks.term_text(*term)) for term in now.terms),
        *(_("In force again: {term}", term=name) for name in now.glossaries),
    )


def _waiting(before: Preferences, language: Language) -> tuple[str, ...]:
    if not before.terms_in_force:
        return ()
    return (
        _(
            "The terms for {language} wait until /to {code}.",
            language=remarks.language_name(language),
            code=language.code,
        ),
    )


def _from(desk: Desk, argument: str) -> Reply:
    source = None if argument.casefold() in AUTOMATIC else find_language(argument)
    desk.session.prefer(source=source)
    if source is None:
        return Reply((_("The source language is detected from each text."),))
    _warn_of_unknown(desk, source)
    return Reply((_("Texts are taken to be {language}.", language=remarks.language_label(source)),))


def _warn_of_unknown(desk: Desk, language: Language) -> None:
    if desk.info is not None and (warning := remarks.unknown_language_text(language, desk.info)):
        desk.screen.warning(warning)


def _new(desk: Desk, argument: str) -> Reply:
    return Reply(plan=desk.session.plan_new(argument))


def _chat(desk: Desk, _argument: str) -> Reply:
    desk.session.prefer(target=None)
    return Reply((_("Lines are answered. /to LANG translates again."),))


TRANSLATE = Group(
    noted("Translate"),
    (
        Command(
            "to",
            noted("LANG"),
            noted("translate lines into it (zh, de, French, 中文, ...)"),
            _to,
            (("/to zh", noted("every line, or pasted paragraph, is translated into Chinese from now on")),),
            completes="language",
        ),
        Command(
            "from",
            noted("LANG"),
            noted("take texts to be in this language; auto detects it"),
            _from,
            (
                ("/from de", noted("texts are German, even where they look English")),
                ("/from auto", noted("each text's language is detected again")),
            ),
            completes="source",
        ),
        Command(
            "new",
            noted("[TEXT]"),
            noted("a text, not feedback: this one, or the last line"),
            _new,
            (
                ("/new Keep it simple.", noted("translated, though it sounds like feedback")),
                ("/new", noted("the last line was a text: it is translated instead")),
            ),
        ),
        Command("chat", "", noted("leave translation mode: lines are answered"), _chat),
    ),
)
