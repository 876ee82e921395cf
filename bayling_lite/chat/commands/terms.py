"""Commands for words that are guaranteed from now on: terms one by one, and glossaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.arguments import OFF, path_of, unquoted
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply, by_command
from bayling_lite.chat.commands.steering import STEERING
from bayling_lite.chat.session.turns import Plan
from bayling_lite.errors import UsageError
from bayling_lite.localization import _, listed, noted, plural

if TYPE_CHECKING:
    from bayling_lite.chat.session.preferences import Preferences
    from bayling_lite.translate.glossary import Term

_MOST_SHOWN = 20


def _use(desk: Desk, argument: str) -> Reply:
    if not argument:
        return Reply(_listed(desk.session.preferences))
    from bayling_lite.chat.commands.named_terms import could_be_turned, named_term

    draft, preferences = desk.session.draft, desk.session.preferences
    term = named_term(argument, draft, preferences)
    if term is None:  # a word alone: it is for this draft
        plan = desk.session.plan_refinement(_('use "{word}"', word=unquoted(argument)))
        return Reply(plan=by_command(plan, f"/use {argument}"))
    lines = _put_in_force(desk, term)
    turned = (term[1], term[0]) in preferences.terms
    if not turned and could_be_turned(argument, term, draft, preferences):
        lines += (_("If it is the other way round: /use {wanted}={source}", wanted=term[0], source=term[1]),)
    plan_now = _brought_in(desk, term, f"/use {argument}")
    return Reply(lines, _of_search(desk), plan_now)


def _put_in_force(desk: Desk, term: Term) -> tuple[str, ...]:
    """Add a term; one of the same word ends, and the user is told. So does the same one turned round."""
    preferences = desk.session.preferences
    others = tuple(
        other
        for other in preferences.terms
        if other[0].casefold() != term[0].casefold() and other != (term[1], term[0])
    )
    desk.session.prefer(terms=(*others, term))
    line = _("{term}, from now on. /unuse {word} ends it.", term=remarks.term_text(*term), word=term[0])
    replaced = next(
        (old for old in preferences.terms_in_force if old[0].casefold() == term[0].casefold() and old[1] != term[1]),
        None,
    )
    if replaced is None:
        return (line, *_told_when(preferences))
    return (
        line,
        _("It takes the place of {term}.", term=remarks.term_text(*replaced)),
        *_told_when(preferences),
    )


def _told_when(preferences: Preferences) -> tuple[str, ...]:
    return () if preferences.target is not None else (_("It holds for translations: /to LANG begins them."),)


def _of_search(desk: Desk) -> str:
    """What to say of an engine that cannot guarantee terms."""
    return remarks.unguaranteed_text(desk.info) if desk.info is not None and not desk.info.can_search else ""


def _brought_in(desk: Desk, term: Term, typed: str) -> Plan | None:
    """The refinement that brings a term into the draft, if its text has the word and it has not the term."""
    from bayling_lite.translate.glossary import applying, occurs

    draft = desk.session.draft
    if draft is None or draft.target != desk.session.preferences.target:
        return None
    lacking = any(applying((term,), segment.source) and not occurs(term[1], segment.text) for segment in draft.segments)
    if not lacking:
        return None
    return by_command(
        desk.session.plan_refinement(_('use "{wanted}" for "{source}"', source=term[0], wanted=term[1])), typed
    )


def _unuse(desk: Desk, argument: str) -> Reply:
    preferences = desk.session.preferences
    if not preferences.terms_in_force:
        raise UsageError(_no_terms())
    if argument.casefold() in ("all", "全部", "所有"):
        if not preferences.terms:
            raise UsageError(_("No term was named one by one. /glossary off ends those of glossaries."))
        desk.session.prefer(terms=())
        ended = preferences.terms
    else:
        word = unquoted(argument).casefold()
        ended = tuple(term for term in preferences.terms if word in (term[0].casefold(), term[1].casefold()))
        if not ended:
            raise UsageError(_no_such_term(argument, preferences))
        desk.session.prefer(terms=tuple(term for term in preferences.terms if term not in ended))
    return Reply(tuple(_("No longer in force: {term}", term=remarks.term_text(*term)) for term in ended))


def _no_such_term(word: str, preferences: Preferences) -> str:
    if not preferences.terms:
        return _("No term was named one by one. /glossary off ends those of glossaries.")
    known = listed(remarks.term_text(*term) for term in preferences.terms[:_MOST_SHOWN])
    return _("There is no term for “{word}”. In force: {known}", word=word, known=known)


def _listed(preferences: Preferences) -> tuple[str, ...]:
    lines = [remarks.term_text(*term) for term in preferences.terms]
    if preferences.glossaries:
        lines.append(_glossary_line(preferences))
    return tuple(lines) or (_no_terms(),)


def _no_terms() -> str:
    return _("No terms are in force. /use 词元=token adds one, /glossary FILE those of a file.")


def _glossary_line(preferences: Preferences) -> str:
    return plural(
        "{count} term of {files}",
        "{count} terms of {files}",
        len(preferences.glossary_terms),
        files=listed(preferences.glossaries),
    )


def _glossary(desk: Desk, argument: str) -> Reply:
    preferences = desk.session.preferences
    if not argument:
        if not preferences.glossaries:
            return Reply((_("No glossary is in force. A glossary is a file of lines: word, tab, translation."),))
        shown = [remarks.term_text(*term) for term in preferences.glossary_terms[:_MOST_SHOWN]]
        more = ["…"] if len(preferences.glossary_terms) > _MOST_SHOWN else []
        return Reply((_glossary_line(preferences), *shown, *more))
    if argument.casefold() in OFF:
        desk.session.prefer(glossary_terms=(), glossaries=())
        return Reply((_("No glossary is in force any more."),))
    from bayling_lite.translate.glossary_file import joined_terms, load_glossary

    glossary = load_glossary(path_of(argument))
    if not glossary.entries:
        raise UsageError(
            _("{name} holds no terms. A glossary is a file of lines: word, tab, translation.", name=argument)
        )
    if preferences.target is not None:
        glossary = glossary.into(preferences.target)
    elif glossary.languages is not None:
        raise UsageError(_("Say first which language to translate into: /to LANG, for example /to zh."))
    terms = dict(preferences.glossary_terms) | dict(joined_terms([glossary]))
    names = tuple(name for name in preferences.glossaries if name != glossary.name)
    desk.session.prefer(glossary_terms=tuple(terms.items()), glossaries=(*names, glossary.name))
    line = plural(
        "{count} term of {file} is guaranteed from now on.",
        "{count} terms of {file} are guaranteed from now on.",
        len(joined_terms([glossary])),
        file=glossary.name,
    )
    return Reply((line, *_told_when(preferences)), _of_search(desk))


TERMS = Group(
    noted("Terms and style, from now on"),
    (
        Command(
            "use",
            noted("[WORD=SOURCE]"),
            noted("guarantee a word: /use 词元=token; alone: list the terms"),
            _use,
            (
                ("/use 词元=token", noted("wherever a text has “token”, the translation has 词元, this draft too")),
                ("/use 词元", noted("this draft is to have 词元")),
                ("/use", noted("the terms in force")),
            ),
            completes="term",
        ),
        Command(
            "unuse",
            noted("WORD"),
            noted("end a term; all ends all of them"),
            _unuse,
            (("/unuse token", noted("the term for “token” is no longer in force")),),
            completes="term",
        ),
        Command(
            "glossary",
            noted("[FILE]"),
            noted("guarantee the terms of a file; off ends that"),
            _glossary,
            (
                ("/glossary terms.tsv", noted("a file of lines: word, tab, translation")),
                ("/glossary off", noted("no glossary any more")),
            ),
            completes="file",
        ),
        *STEERING,
    ),
)
