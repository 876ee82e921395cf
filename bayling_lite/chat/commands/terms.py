"""Commands for what is in force from now on: terms, formality, style, context."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.chat.session.turns import Plan
from bayling_lite.errors import InputError, UsageError
from bayling_lite.localization import _, listed, noted, plural
from bayling_lite.reasons import reason

if TYPE_CHECKING:
    from bayling_lite.chat.session.preferences import Preferences
    from bayling_lite.translate.asking.steering import Formality
    from bayling_lite.translate.glossary import Term

_OFF = ("off", "none", "关", "关闭", "无", "不用")
_FORMAL: dict[Formality, str] = {"formal": noted("Make it more formal."), "informal": noted("Make it less formal.")}
_FORMALITIES: dict[str, Formality] = {
    "formal": "formal",
    "正式": "formal",
    "informal": "informal",
    "不正式": "informal",
    "非正式": "informal",
    "随意": "informal",
    "口语": "informal",
}
_SHOWN: dict[Formality, str] = {"formal": noted("formal"), "informal": noted("informal")}
_MOST_SHOWN = 20
_LONGEST_CONTEXT = 20_000
_LONGEST_SHOWN = 200


# Terms.


def _use(desk: Desk, argument: str) -> Reply:
    if not argument:
        return Reply(_listed(desk.session.preferences))
    from bayling_lite.chat.commands.named_terms import named_term

    term = named_term(argument, desk.session.draft, desk.session.preferences)
    if term is None:  # a word alone: it is for this draft
        plan = desk.session.plan_refinement(_('use "{word}"', word=_unquoted(argument)))
        return Reply(plan=_by_command(plan, f"/use {argument}"))
    lines = _put_in_force(desk, term)
    plan_now = _brought_in(desk, term, f"/use {argument}")
    return Reply(lines, _of_search(desk), plan_now)


def _put_in_force(desk: Desk, term: Term) -> tuple[str, ...]:
    """Add a term; one of the same word ends, and the user is told."""
    preferences = desk.session.preferences
    others = tuple(other for other in preferences.terms if other[0].casefold() != term[0].casefold())
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


def _by_command(plan: Plan, typed: str) -> Plan:
    """The plan of a command, whose line cannot be read another way."""
    return replace(plan, typed=typed, rule=None)


def _brought_in(desk: Desk, term: Term, typed: str) -> Plan | None:
    """The refinement that brings a term into the draft, if its text has the word and it has not the term."""
    from bayling_lite.translate.glossary import applying, occurs

    draft = desk.session.draft
    if draft is None or draft.target != desk.session.preferences.target:
        return None
    lacking = any(applying((term,), segment.source) and not occurs(term[1], segment.text) for segment in draft.segments)
    if not lacking:
        return None
    return _by_command(
        desk.session.plan_refinement(_('use "{wanted}" for "{source}"', source=term[0], wanted=term[1])), typed
    )


def _unuse(desk: Desk, argument: str) -> Reply:
    preferences = desk.session.preferences
    if argument.casefold() in ("all", "全部", "所有"):
        if not preferences.terms:
            raise UsageError(_("No term was named one by one. /glossary off ends those of glossaries."))
        desk.session.prefer(terms=())
        ended = preferences.terms
    else:
        word = _unquoted(argument).casefold()
        ended = tuple(term for term in preferences.terms if word in (term[0].casefold(), term[1].casefold()))
        if not ended:
            raise UsageError(_no_such_term(argument, preferences))
        desk.session.prefer(terms=tuple(term for term in preferences.terms if term not in ended))
    return Reply(tuple(_("No longer in force: {term}", term=remarks.term_text(*term)) for term in ended))


def _no_such_term(word: str, preferences: Preferences) -> str:
    if not preferences.terms:
        return _("There is no such term: none was named. /glossary off ends those of glossaries.")
    known = listed(remarks.term_text(*term) for term in preferences.terms[:_MOST_SHOWN])
    return _("There is no term for “{word}”. In force: {known}", word=word, known=known)


def _listed(preferences: Preferences) -> tuple[str, ...]:
    lines = [remarks.term_text(*term) for term in preferences.terms]
    if preferences.glossaries:
        lines.append(_glossary_line(preferences))
    return tuple(lines) or (_("No terms are in force. /use 词元=token adds one, /glossary FILE those of a file."),)


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
    if argument.casefold() in _OFF:
        desk.session.prefer(glossary_terms=(), glossaries=())
        return Reply((_("No glossary is in force any more."),))
    from bayling_lite.translate.glossary_file import joined_terms, load_glossary

    glossary = load_glossary(path_of(argument))
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


# Steering.


def _formality(desk: Desk, argument: str) -> Reply:
    now = desk.session.preferences.formality
    if not argument:
        return Reply((_in_force(_("Formality"), _(_SHOWN[now]) if now is not None else ""),))
    if argument.casefold() in _OFF:
        desk.session.prefer(formality=None)
        return Reply((_in_force(_("Formality"), ""),))
    formality = _FORMALITIES.get(argument.casefold())
    if formality is None:
        raise UsageError(_("The formality is formal, informal or off, not “{argument}”.", argument=argument))
    desk.session.prefer(formality=formality)
    plan = _steered(desk, _(_FORMAL[formality]), f"/formality {formality}")
    return Reply((_in_force(_("Formality"), _(_SHOWN[formality])),), _of_steering(desk), plan)


def _style(desk: Desk, argument: str) -> Reply:
    if not argument:
        return Reply((_in_force(_("Style"), desk.session.preferences.style),))
    style = "" if argument.casefold() in _OFF else argument
    desk.session.prefer(style=style)
    if not style:
        return Reply((_in_force(_("Style"), ""),))
    plan = _steered(desk, _("Rewrite it in this style: {style}", style=style), f"/style {style}")
    return Reply((_in_force(_("Style"), style),), _of_steering(desk), plan)


def _context(desk: Desk, argument: str) -> Reply:
    if not argument:
        return Reply((_in_force(_("Context"), _beginning(desk.session.preferences.context)),))
    context = "" if argument.casefold() in _OFF else _read(argument)
    desk.session.prefer(context=context)
    return Reply((_in_force(_("Context"), _beginning(context)),), _of_steering(desk) if context else "")


def _steered(desk: Desk, instruction: str, typed: str) -> Plan | None:
    """The refinement that brings what is in force into the draft. None for a model that it would only confuse."""
    draft = desk.session.draft
    if _of_steering(desk) or draft is None or draft.target != desk.session.preferences.target:
        return None
    return _by_command(desk.session.plan_style(instruction), typed)


def _of_steering(desk: Desk) -> str:
    """What to say of a model that cannot be steered."""
    return remarks.unsteerable_text(desk.info) if desk.info is not None and desk.info.demonstrator else ""


def _in_force(what: str, value: str) -> str:
    return _("{what}: {value}", what=what, value=value or _("none"))


def _beginning(text: str) -> str:
    """A text, or as much of it as one can look at."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _read(argument: str) -> str:
    """The text itself, or with ``@`` before it what is in a file."""
    if not argument.startswith("@"):
        return argument
    path = path_of(argument[1:])
    try:
        with path.open("rb") as file:
            data = file.read(4 * _LONGEST_CONTEXT + 1)
    except (OSError, ValueError) as error:
        raise InputError(_("{path} cannot be read: {reason}.", path=path, reason=reason(error))) from error
    from bayling_lite.translate.formats import Source
    from bayling_lite.translate.formats.decoding import decode

    text = decode(Source(str(path), data)).text.removeprefix("\ufeff").strip()
    if len(text) > _LONGEST_CONTEXT:
        raise InputError(_("{path} is too long to be told with every sentence.", path=path))
    return text


def path_of(argument: str) -> Path:
    """The path that was typed, perhaps in quotation marks or from the home directory (``~``).

    Raises:
        UsageError: it begins with the home directory of nobody.
    """
    path = Path(_unquoted(argument))
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UsageError(_("There is no home directory for {path}.", path=path)) from error


def _unquoted(text: str) -> str:
    text = text.strip()
    pairs = ('""', "''", "“”", "„“", "«»", "「」")
    return text[1:-1].strip() if len(text) > 2 and text[0] + text[-1] in pairs else text


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
        Command(
            "formality",
            noted("[HOW]"),
            noted("formal, informal, or off"),
            _formality,
            (("/formality formal", noted("this draft, and all that follows, is to be formal")),),
            completes="formality",
        ),
        Command(
            "style",
            noted("[TEXT]"),
            noted("say how texts are to sound; or off"),
            _style,
            (("/style plain, short sentences", noted("this draft, and all that follows, in this style")),),
        ),
        Command(
            "context",
            noted("[TEXT]"),
            noted("say what texts are about, here or as @FILE; or off"),
            _context,
            (
                ("/context subtitles of a film about bees", noted("known with every text from now on")),
                ("/context @about.txt", noted("the same, from a file")),
            ),
            completes="attached file",
        ),
    ),
)
