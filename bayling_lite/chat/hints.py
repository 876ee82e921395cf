"""What to say of terms to who names words in a refinement: what is in force, and what could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayling_lite.chat import remarks
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.localization import _
from bayling_lite.prompts import fixed_words

if TYPE_CHECKING:
    from bayling_lite.translate.glossary import Term


def named_pair(plan: Plan, session: Session) -> Term | None:
    """The word of the source and its translation that the line of a plan names, if it names both. Of a command, none:
    it says itself what it puts in force.
    """
    draft = session.draft
    if plan.kind is not Kind.REFINEMENT or not plan.required or plan.rule is None or draft is None:
        return None
    from bayling_lite.chat.reading.draft import Draft
    from bayling_lite.chat.reading.instructions import named_pair as in_line

    return in_line(plan.typed, Draft.of(draft))


def overruled_terms(plan: Plan, pair: Term | None, session: Session) -> tuple[str, ...]:
    """Terms in force of which a refinement wants something else for its draft, and how to change them for all."""
    fixed = fixed_words(plan.sent) if plan.kind is Kind.REFINEMENT and plan.required else None
    return tuple(
        _(
            "{term} is still in force; {change} changes it.",
            term=remarks.term_text(source, wanted),
            change=f"/use {fixed[1]}={source}",
        )
        for source, wanted in session.preferences.terms_in_force
        if fixed is not None and wanted != fixed[1] and (wanted == fixed[0] != source or _is_of(pair, source))
    )


def lasting_term(pair: Term | None, session: Session) -> str:
    """How what a line names would hold from now on; empty where a term of the word is in force."""
    if pair is None or any(_is_of(pair, source) for source, _wanted in session.preferences.terms_in_force):
        return ""
    source, wanted = pair
    return _("/use {wanted}={source} keeps that for all that follows.", wanted=wanted, source=source)


def _is_of(pair: Term | None, word: str) -> bool:
    return pair is not None and pair[0].casefold() == word.casefold()
