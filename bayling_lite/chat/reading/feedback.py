"""Is a line the next text to translate, or feedback on the last draft?

The rules, in the order they are tried; the first that applies decides. A line is

1. **new** when there is no draft, when it has several lines, or when it is longer than 160 characters;
2. **feedback** when it asks for a word in a recognised form (``use "X"``, ``A should be B``, ``translate A as B``,
   ``don't translate A``, ``把A改成B``; :mod:`~bayling_lite.chat.reading.forms` has them all, and
   :mod:`~bayling_lite.chat.reading.instructions` what an unquoted word needs to count);
3. **feedback** when it consists of words of style alone (``shorter``, ``a bit more formal, please``, ``更正式一点``),
   asks for just another version (``rephrase it``, ``another version``, ``换个说法``), or names just a fault (``wrong
   article``, ``falsche Zeit``, ``语气不对``);
4. **feedback** when it opens like a request (``make``, ``please``, ``don't``, ``bitte``, ``remplace``, ``把``) or a
   complaint (``you forgot``, ``漏译``) *and* shows that it speaks of the draft: it quotes or holds words of the draft,
   names it or its grammar ("the translation", "the tone", "past tense"), asks for more or less of a style, is about
   words that only the draft has ("remove the Haus"), says what of the source is missing ("you forgot the garden"), or
   is not in the source language that the user fixed; or when all that it quotes stands in the draft and not in its
   source (``"Haus" is wrong``);
5. **feedback** when it is in the translation's script and the source language is written in another: there would be
   nothing to translate;
6. **new** otherwise.

The limits are those of any rule: "Keep it simple." can be either, and is taken for feedback; "That is too long." can be
either, and is taken for a text. So the choice is always shown before the answer; ``/new`` and ``/refine`` overrule it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bayling_lite.chat.reading.draft import Draft, language_scripts, scripts
from bayling_lite.chat.reading.instructions import normalise, quoted_terms
from bayling_lite.chat.reading.phrases import (
    ADJECTIVES,
    ANOTHER,
    COMPARATIVES,
    COMPLAINT,
    DEGREES,
    DRAFT_NAMED,
    FAULT,
    FILLERS,
    LONGER,
    OPENING,
    REMOVAL,
    SHORTER,
    ZH_STYLE,
)
from bayling_lite.languages import LANGUAGES, detect_language, find_language
from bayling_lite.translate.glossary import occurs


class Rule(StrEnum):
    """Which rule decided; the value says it in words."""

    NO_DRAFT = "there is no draft yet"
    TOO_LONG = "several lines, or a long one"
    FORM = "asks for a word"
    STYLE = "asks for a style"
    REQUEST = "a request about the draft"
    SCRIPT = "written in the language of the translation"
    PLAIN = "a text to translate"
    FORCED = "you said so"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a line is understood. ``instruction`` is what the model gets when it is feedback, ``required`` the word that
    it asks for.
    """

    feedback: bool
    rule: Rule
    instruction: str
    required: tuple[str, ...] = ()


MAX_FEEDBACK_LENGTH = 160
_MAX_REMARK_LENGTH = 80
_FEWEST_LETTERS = 4


def read_line(line: str, draft: Draft | None) -> Reading:
    """Decide by the rules above."""
    text = line.strip()
    if draft is None:
        return Reading(False, Rule.NO_DRAFT, text)
    if "\n" in text or len(text) > MAX_FEEDBACK_LENGTH:
        return Reading(False, Rule.TOO_LONG, text)
    form = normalise(text, draft)
    if form is not None:
        return Reading(True, Rule.FORM, form.instruction, form.required)
    if _is_style(text) or ANOTHER.fullmatch(text) or FAULT.fullmatch(text.replace("’", "'").rstrip(".!。！")):
        return Reading(True, Rule.STYLE, text)
    if (_opens_like_a_request(text) and _speaks_of(text, draft)) or _quotes_the_draft(text, draft):
        return Reading(True, Rule.REQUEST, text)
    if _is_in_target_script(text, draft):
        return Reading(True, Rule.SCRIPT, text)
    return Reading(False, Rule.PLAIN, text)


def asks_for_length(line: str) -> Literal["", "shorter", "longer"]:
    """Whether feedback asks for a draft that is shorter or longer."""
    words = set(_words(line))
    if words & SHORTER or "短" in line or "简洁" in line:
        return "shorter"
    return "longer" if words & LONGER or "长一" in line or "长点" in line else ""


def forced_feedback(line: str, draft: Draft) -> Reading:
    """The user has said that the line is feedback; recognised forms still get the trained wording."""
    text = line.strip()
    form = normalise(text, draft, certain=True)
    if form is None:
        return Reading(True, Rule.FORCED, text)
    return Reading(True, Rule.FORCED, form.instruction, form.required)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.casefold().replace("’", "'"))


def _is_style(text: str) -> bool:
    if ZH_STYLE.fullmatch(text):
        return True
    words = _words(text)
    style = COMPARATIVES | ADJECTIVES
    return any(word in style for word in words) and all(word in style or word in FILLERS for word in words)


def _opens_like_a_request(text: str) -> bool:
    return OPENING.match(text.replace("’", "'")) is not None


def _speaks_of(text: str, draft: Draft) -> bool:
    return (
        any(draft.knows(term) or draft.is_foreign(term) for term in quoted_terms(text))
        or (_holds_words_of_the_draft(text, draft) and not _is_in_target_script(text, draft))
        or DRAFT_NAMED.search(text) is not None
        or _asks_for_degree(text)
        or _is_about_the_draft_alone(text, draft)
        or _says_what_is_missing(text, draft)
        or (draft.source_fixed and _is_in_another_language(text, draft))
    )


def _quotes_the_draft(text: str, draft: Draft) -> bool:
    """Whether what a line quotes stands in the draft, and not in the text that it translates."""
    quoted = quoted_terms(text)
    if not quoted or len(text) > _MAX_REMARK_LENGTH:
        return False
    return all(_is_telling(term) and draft.mentions(term) and not draft.is_about(term) for term in quoted)


def _is_telling(term: str) -> bool:
    """Whether a word is long enough not to stand in a draft by chance, as "a" and "on" do."""
    letters = sum(map(str.isalpha, term))
    return letters >= (_FEWEST_LETTERS if term.isascii() else 2)


def _holds_words_of_the_draft(text: str, draft: Draft) -> bool:
    """Whether a line that is not in the draft's language has words of it: by their script; where that is the Latin one,
    which is borrowed everywhere, by what stands in the draft alone.
    """
    if "LATIN" not in draft.own_scripts:
        return draft.is_foreign(text)
    words = re.findall(r"[A-Za-zÀ-ɏ]+", text)
    return any(draft.mentions(word) and not draft.is_about(word) for word in words)


def _is_about_the_draft_alone(text: str, draft: Draft) -> bool:
    """Whether a request to remove or keep something names words that only the draft has."""
    match = REMOVAL.fullmatch(text.replace("’", "'"))
    return match is not None and draft.mentions(match["what"]) and not draft.is_about(match["what"])


def _says_what_is_missing(text: str, draft: Draft) -> bool:
    """Whether a complaint names words of the source that the draft should have."""
    match = COMPLAINT.fullmatch(text)
    return match is not None and any(occurs(what, draft.source_text) for what in match.groupdict().values() if what)


def _asks_for_degree(text: str) -> bool:
    words = _words(text)
    return any(word in COMPARATIVES for word in words) or any(
        degree in DEGREES and word in ADJECTIVES for degree, word in itertools.pairwise(words)
    )


def _is_in_another_language(text: str, draft: Draft) -> bool:
    """Only the languages that feedback is written in compete: on a short line a wide choice is often wrong."""
    codes = {draft.source.code, draft.target.code, "en", "zh"}
    detected = detect_language(text, tuple(find_language(code) for code in sorted(codes)))
    return detected is not None and detected != draft.source


def _is_in_target_script(text: str, draft: Draft) -> bool:
    """A line of two words (two characters, where words are not spaced) or more, wholly outside the source's script."""
    own = language_scripts(draft.source)
    used = scripts(text) & KNOWN_SCRIPTS
    long_enough = len(text.split()) >= 2 or (not draft.target.spaced and sum(map(str.isalpha, text)) >= 2)
    return long_enough and bool(used) and used <= language_scripts(draft.target) - own


KNOWN_SCRIPTS = frozenset().union(*(language_scripts(language) for language in LANGUAGES))
