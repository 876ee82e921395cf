"""Is a line the next text to translate, or feedback on the last draft?

The rules, in the order they are tried; the first that applies decides. A line is

1. **new** when there is no draft, when it has several lines, or when it is longer than 160 characters;
2. **feedback** when it asks for a word in a recognised form (``use "X"``, ``A should be B``, ``把A改成B``;
   :mod:`~bayling_lite.chat.reading.instructions` has them all, and what an unquoted word needs to count);
3. **feedback** when it consists of words of style alone (``shorter``, ``a bit more formal, please``, ``更正式一点``);
4. **feedback** when it opens like a request (``make``, ``please``, ``don't``, ``bitte``, ``remplace``, ``把``) *and*
   shows that it speaks of the draft: it quotes or holds words of the draft, names it ("the translation", "the tone"),
   asks for more or less of a style, or is not in the source language that the user fixed;
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

from bayling_lite.chat.reading.instructions import Draft, language_scripts, normalise, quoted_terms, scripts, word_set
from bayling_lite.languages import LANGUAGES, detect_language, find_language


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
    if _is_style(text):
        return Reading(True, Rule.STYLE, text)
    if _opens_like_a_request(text) and _speaks_of(text, draft):
        return Reading(True, Rule.REQUEST, text)
    if _is_in_target_script(text, draft):
        return Reading(True, Rule.SCRIPT, text)
    return Reading(False, Rule.PLAIN, text)


def forced_feedback(line: str, draft: Draft) -> Reading:
    """The user has said that the line is feedback; recognised forms still get the trained wording."""
    text = line.strip()
    form = normalise(text, draft, certain=True)
    if form is None:
        return Reading(True, Rule.FORCED, text)
    return Reading(True, Rule.FORCED, form.instruction, form.required)


# Comparatives ask by themselves; the plain adjectives need "more", "less" or "too", or a line of style words only.
_COMPARATIVES = word_set("""
    shorter longer simpler politer clearer friendlier warmer softer looser briefer smoother plainer
    formeller förmlicher höflicher kürzer länger einfacher natürlicher freundlicher informeller lockerer wörtlicher
    knapper klarer genauer flüssiger kürzere einfachere höflichere formellere natürlichere klarere
""")
_ADJECTIVES = word_set("""
    formal informal casual polite friendly natural literal simple clear concise brief colloquial fluent idiomatic
    short long wordy stiff precise
    formell förmlich höflich kurz lang einfach natürlich freundlich informell locker wörtlich knapp klar genau flüssig
    formel formelle soutenu soutenue familier familière poli polie court courte long longue simple naturel naturelle
    littéral littérale clair claire concis concise bref brève précis précise
""")
_DEGREES = word_set("more less too zu plus moins trop weniger mehr")
_FILLERS = _DEGREES | word_set("""
    much very a bit little so as not it this be make please can could you and but or sound keep slightly even still
    again in tone style way try rather the text translation sentence draft use language words wording sentences
    bitte mach mache machen sie es das ein etwas bisschen viel noch nicht so und aber den die der satz klingen
    übersetzung verwende benutze sprache worte wörter sätze
    un peu très rends rendez le la les fais faites s'il te vous plaît svp et mais pas texte phrase traduction encore
    utilise utilisez mots phrases langage langue
""")
_ZH_STYLE = re.compile(
    r"(?:请|麻烦)?[你您]?(?:把它|让它|将其|语气|译文|翻译|句子|这句话?)?"
    r"(?:再|更|太|要|稍微|稍|尽量|不要太|别太|不够|改得|写得|说得|译得|翻得|翻译得|变得|改|使用|用)*"
    r"(?:正式|口语|礼貌|客气|简短|简洁|简单|短|长|自然|通俗|书面|随意|准确|地道|流畅|直白|委婉|友好)(?:化|的)?"
    r"(?:一点儿?|一些|点儿?|些|语气|说法|表达)?[了吧]?[。！.!]?"
)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.casefold().replace("’", "'"))


def _is_style(text: str) -> bool:
    if _ZH_STYLE.fullmatch(text):
        return True
    words = _words(text)
    style = _COMPARATIVES | _ADJECTIVES
    return any(word in style for word in words) and all(word in style or word in _FILLERS for word in words)


_OPENING = re.compile(
    r"""(?:(?:please|can\ you|could\ you|would\ you|now|but|no,?)\s+)*
    (?:use|make|fix|change|replace|rewrite|rephrase|reword|shorten|lengthen|simplify|translate|correct|keep|leave|avoid|remove|
       drop|delete|add|say|write|put|try|please|can\ you|could\ you|would\ you|do\ not|don't|instead\ of|more|less)\b
    |(?:bitte\s+|kannst\ du\s+|könnten\ sie\s+)*
     (?:bitte|kannst\ du|könnten\ sie|verwende|benutze|nutze|nimm|mach|ändere|ersetze|korrigiere|kürze|schreib|
        formulier|übersetz|lass|behalte|vermeide|streiche|entferne|füge|statt|mehr|weniger)\w*\b
    |(?:s'il\ (?:te|vous)\ plaît,?\s+|peux-tu\s+|pouvez-vous\s+)*
     (?:peux-tu|pouvez-vous|utilis|emplo[iy]|rend|fai[st]|chang|remplac|corrig|raccourci|tradui|reformul|gard|évit|supprim|
        ajout|met|n'utilis|au\ lieu|plus|moins)\w*\b
    |(?:请|麻烦|能不能|可以)?(?:你|您)?(?:请|用|使用|改|把|将|换|不要|别|保留|删|去掉|加|重写|重新|翻译|译|缩短|精简|更)""",
    re.IGNORECASE | re.VERBOSE,
)
_DRAFT_NAMED = re.compile(
    r"""\b(?:the|this|that|your|last|first|second)\s+(?:whole\s+|last\s+|first\s+|second\s+)?
        (?:translation|draft|sentence|wording|phrasing|words?|tone|style|expression|verb|noun|comma|punctuation|term|version|
           phrase|paragraph)\b
    |\b(?:übersetzung|satz|sätze|wort|wörter|wortwahl|(?:der|den|dem|im)\s+ton|tonfall|stil|ausdruck|begriff|formulierung|entwurf|anrede|höflichkeitsform)\b
    |\b(?:traduction|phrase|mot|mots|(?:le|du|au)\s+ton|style|expression|terme|formulation|tournure|vouvoiement|tutoiement)\b
    |译文|翻译|语气|这句|那句|这个词|那个词|措辞|说法|原文|句子|标点""",
    re.IGNORECASE | re.VERBOSE,
)


def _opens_like_a_request(text: str) -> bool:
    return _OPENING.match(text.replace("’", "'")) is not None


def _speaks_of(text: str, draft: Draft) -> bool:
    return (
        any(draft.knows(term) or draft.is_foreign(term) for term in quoted_terms(text))
        or (draft.is_foreign(text) and not _is_in_target_script(text, draft))
        or _DRAFT_NAMED.search(text) is not None
        or _asks_for_degree(text)
        or (draft.source_fixed and _is_in_another_language(text, draft))
    )


def _asks_for_degree(text: str) -> bool:
    words = _words(text)
    return any(word in _COMPARATIVES for word in words) or any(
        degree in _DEGREES and word in _ADJECTIVES for degree, word in itertools.pairwise(words)
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
