"""Requests for one word, however they are put, in the two wordings that models are trained on.

``use 早安``, ``请使用“早安”``, ``verwende „Haus“`` become :func:`~bayling_lite.prompts.use_instruction`;
``A should be B``, ``replace A with B``, ``把A改成B``, ``A durch B ersetzen`` become
:func:`~bayling_lite.prompts.fix_instruction`. A small model has seen only those two; a big one understands both.
The word is then required of the answer, so a line that means something else ("use simpler words") must not pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.prompts import Wording, fix_instruction, use_instruction
from bayling_lite.translate.glossary import occurs


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one word: what the model is told, and the word, if it is certain that it is one."""

    instruction: str
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a line is read against: the last translation, and whether the user fixed the source language."""

    text: str
    source_text: str
    source: Language
    target: Language
    source_fixed: bool = False

    def mentions(self, term: str) -> bool:
        """Whether the translation holds the term, as whole words where words are separated by spaces."""
        return occurs(term, self.text)

    def knows(self, term: str) -> bool:
        """Whether the translation or its source text holds the term."""
        return self.mentions(term) or occurs(term, self.source_text)

    def is_foreign(self, text: str) -> bool:
        """Whether a text has letters of the translation's script that its source text's language does not use."""
        return bool(scripts(text) & (language_scripts(self.target) - language_scripts(self.source)))


def scripts(text: str) -> frozenset[str]:
    """The scripts of a text's letters by their Unicode names: LATIN, CJK, HIRAGANA, CYRILLIC, ..."""
    return frozenset(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())


def language_scripts(language: Language) -> frozenset[str]:
    """The scripts a language is written in. Its own name shows them, but for the kana of Japanese."""
    kana = {"HIRAGANA", "KATAKANA"} if language.code == "ja" else set()
    return scripts(language.own) | kana


def word_set(words: str) -> frozenset[str]:
    """The words of a list that is written as a text."""
    return frozenset(words.split())


_QUOTES = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "”": "”",
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
    "'": "'",
    "‘": "’",
    "‚": "‘’",
}
_QUOTE_MARKS = '"“”„«»「」『』'
QUOTED = re.compile(
    r"[\"“”„«»]\s*(?P<double>[^\"“”„«»]+?)\s*[\"“”«»]|[「『](?P<corner>[^」』]+)[」』]|(?<!\w)['‘](?P<single>[^'‘’]+)['‘’](?!\w)"
)


def quoted_terms(line: str) -> list[str]:
    """What stands in quotation marks of any kind."""
    return [next(group for group in match.groups() if group is not None) for match in QUOTED.finditer(line)]


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    quoted: bool


def _term(raw: str) -> _Term | None:
    """One word or expression, out of its quotation marks; None where there is none, or more than one."""
    text = raw.strip().rstrip(".!。！,，").strip()
    if len(text) > 2 and text[-1] in _QUOTES.get(text[0], ""):
        text = text[1:-1].strip()
        return _Term(text, quoted=True) if text and not any(mark in text for mark in _QUOTE_MARKS) else None
    return _Term(text, quoted=False) if text and not any(mark in text for mark in _QUOTE_MARKS) else None


def _patterns(wording: Wording, *sources: str) -> tuple[tuple[Wording, re.Pattern[str]], ...]:
    return tuple((wording, re.compile(source, re.IGNORECASE | re.VERBOSE)) for source in sources)


# In each pattern: `right` is wanted, `wrong` stands in the draft. `frame` ("the word") says that a word is meant.
_FIX = (
    *_patterns(
        Wording.CHINESE,
        r"(?:请|请你)? (?:改正|纠正|修改) (?P<wrong>.+?) [，,：:\s]* (?:应为|应该是|应该为|应改为|改成|改为)"
        r" (?P<right>.+)",
        r"(?:请|请你)? [把将] (?P<wrong>.+?) (?:改成|改为|换成|换为|替换成|替换为|译成|译为)"
        r" (?P<right>.+?) (?:吧|好吗)?",
        r"(?:请|请你)? (?:使用|改用|用) (?P<right>.+?) (?:代替|替换|替代|取代|而不是|，?不要用) (?P<wrong>.+?) (?:吧)?",
        r"(?P<wrong>.+?) (?:应为|应该是|应该为|应该改成|应该改为|应改为|应该译为|应译为) (?P<right>.+)",
    ),
    *_patterns(
        Wording.ENGLISH,
        r"(?:please\s+)? (?:fix|correct|change) \s+ (?P<wrong>.+?) \s*[:,;]\s* (?:it|that|this) \s+ should \s+"
        r" (?:be|read|say) \s+ (?P<right>.+)",
        r"(?:please\s+)? (?:replace|change|correct|fix|swap|exchange) \s+ (?P<wrong>.+?) \s+ (?:with|by|to|into|for)"
        r" \s+ (?P<right>.+?) (?:,?\s+please)?",
        r"(?:please\s+)? (?:(?:use|say|write|put) \s+)? (?P<right>.+?) \s+"
        r" (?:instead\s+of|rather\s+than|in\s+place\s+of) \s+ (?P<wrong>.+?) (?:,?\s+please)?",
        r"(?:please\s+)? (?:use|say|write) \s+ (?P<right>.+?) ,?\s+ not \s+ (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s+ should \s+ (?:be|read|say) \s+ (?P<right>.+)",
        # German and French; the models have only the English and the Chinese wording, so these become English.
        r"(?:bitte\s+)? (?:ersetzen?|ändern?|ändre|tauschen?|korrigieren?) (?:\s+Sie)? (?:\s+bitte)? \s+"
        r" (?P<wrong>.+?) \s+ (?:durch|gegen|in|zu) \s+ (?P<right>.+)",
        r"(?:bitte\s+)? (?P<wrong>.+?) \s+ durch \s+ (?P<right>.+?) \s+ ersetzen",
        r"(?:bitte\s+)? (?:(?:verwenden?|benutzen?|nutzen?|nimm|nehmen|schreiben?|sag) \s+ (?:Sie\s+)?)? "
        r" (?P<right>.+?) \s+ (?:anstelle\s+von|anstatt|statt) \s+ (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s+ soll(?:te)? \s+ (?P<right>.+?) \s+ (?:heißen|lauten|sein)",
        r"(?:remplacer?|remplacez|changer?|changez|corriger?|corrigez) \s+ (?P<wrong>.+?) \s+ (?:par|en) \s+"
        r" (?P<right>.+)",
        r"(?:(?:utiliser?|utilisez|employer|emploie|employez|mets|mettez) \s+)? (?P<right>.+?) \s+"
        r" (?:au\s+lieu\s+de|plutôt\s+que) \s+ (?P<wrong>.+)",
        r"(?P<wrong>.+?) \s+ devrait \s+ être \s+ (?P<right>.+)",
    ),
)
_USE = (
    *_patterns(
        Wording.CHINESE,
        r"(?:请|请你)? (?:使用|改用|采用|用) \s* (?P<frame>(?:词语?|单词) \s*)? (?P<right>.+?)"
        r" (?P<after> \s* (?:这个词语?|一词|这个说法|这个术语|这个单词))? (?:吧)?",
    ),
    *_patterns(
        Wording.ENGLISH,
        r"(?:please\s+)? (?:use|say|write) \s+ (?P<frame> (?:the|this) \s+ (?:words?|term|phrase|expression) \s+)?"
        r" (?P<right>.+?) (?:\s+(?:instead|here))? (?:,?\s+please)?",
        r"(?:bitte\s+)? (?:verwenden?|benutzen?|nutzen?|nimm|nehmen|schreiben?|sag) (?:\s+Sie)? (?:\s+bitte)? \s+"
        r" (?P<frame> (?:das|den|die) \s+ (?:Wort|Wörter|Begriff|Ausdruck) \s+)? (?P<right>.+?) (?:\s+bitte)?",
        r"(?:bitte\s+) (?P<frame> (?:das|den|die) \s+ (?:Wort|Wörter|Begriff|Ausdruck) \s+)? (?P<right>.+?) \s+"
        r" (?:verwenden|benutzen|nutzen|nehmen)",
        r"(?:utilise[rz]?|utilisez|emploie|employer|employez|mets|mettez) \s+ (?P<frame> (?:le|les|l['’]) \s*"
        r" (?:mots?|terme|expression) \s+)? (?P<right>.+?) (?:,?\s+s['’]il\s+(?:te|vous)\s+plaît|,?\s+svp)?",
    ),
)

# A noun phrase that begins so is part of a sentence ("use the back door"), not a word that is asked for.
_DETERMINERS = word_set("""
    the a an your my his her our their its this that these those it them more less another different some any all both
    der die das den dem ein eine einen einem mein meine dein deine ihr ihre ihren mehr weniger alle
    le la les un une des du ton ta tes votre vos mon ma mes notre plus moins ce cette ces
""")
# What a style is described with ("use simpler words", "用更正式的语气"), and hardly ever a word that is asked for.
_SPEECH = re.compile(
    r"""^(?:more|less|fewer|shorter|longer|simpler|better|other|different|proper|correct)\b
    |\b(?:words?|wording|language|tone|style|terms?|phrases?|expressions?|sentences?|vocabulary|grammar|spelling|
        punctuation|person|tense|voice|pronouns?|quotation\ marks|capitals?|letters?|
        worte|wörter|sprache|stil|ausdrücke|sätze|begriffe|anrede|
        mots?|langue|langage|ton|phrases|termes|vouvoiement|tutoiement)$
    |^(?:更|比较|稍|最)|(?:语气|语言|风格|词汇|词语|说法|表达|句子|句式|方式|口吻|形式|标点)$""",
    re.IGNORECASE | re.VERBOSE,
)
# The verbs that make an unquoted word a request. "Say hello" is a sentence as well, and Chinese does not show where a
# word ends: there it takes more.
_BARE = re.compile(r"(?:please\s+|bitte\s+)?(?:use|verwend|benutz|nutz|utilis|emplo)", re.IGNORECASE)
_MAX_BARE_WORDS = 3
_MAX_BARE_LETTERS = 40


def normalise(line: str, draft: Draft, *, certain: bool = False) -> Request | None:
    """The trained wording of a request for one word; None when the line is no such request.

    Without quotation marks a term must prove itself, for "Use the back door." may be the next sentence to translate:
    the wrong word stands in the draft, or the wanted one is in the draft's script, or it is announced as a word ("the
    word X"), or the line is just ``use`` and up to three words, no article and no full stop. ``certain`` waives the
    proof: the user has said that it is feedback. A word without a proof is asked for, but not required.
    """
    closed = line.strip().endswith((".", "!", "?", "。", "！", "？"))
    text = line.strip().rstrip(".!。！ ")
    for wording, pattern in _FIX:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        wrong, right = _term(match["wrong"]), _term(match["right"])
        if wrong is None or right is None:
            continue
        proven = _is_fix(wrong, right, draft, closed)
        if proven or certain:
            return Request(fix_instruction(wrong.text, right.text, wording=wording), (right.text,) if proven else ())
    for wording, pattern in _USE:
        match = pattern.fullmatch(text)
        term = _term(match["right"]) if match else None
        if match is None or term is None:
            continue
        framed = any(match.groupdict().get(name) for name in ("frame", "after"))
        bare = not closed and _BARE.match(text) is not None
        proven = framed or term.quoted or _is_word(term, draft, bare=bare)
        if proven or certain:
            return Request(use_instruction(term.text, wording=wording), (term.text,) if proven else ())
    return None


def _is_fix(wrong: _Term, right: _Term, draft: Draft, closed: bool) -> bool:
    if wrong.quoted or right.quoted:
        return (wrong.quoted and right.quoted) or draft.mentions(wrong.text)
    if not _is_short((wrong, right)) or closed or _SPEECH.search(right.text):
        return False
    return draft.mentions(wrong.text) or draft.is_foreign(right.text)


def _is_word(term: _Term, draft: Draft, *, bare: bool) -> bool:
    if not _is_short((term,)) or _SPEECH.search(term.text):
        return False
    return draft.is_foreign(term.text) or (bare and term.text.split()[0].casefold() not in _DETERMINERS)


def _is_short(terms: Iterable[_Term]) -> bool:
    return all(len(term.text.split()) <= _MAX_BARE_WORDS and len(term.text) <= _MAX_BARE_LETTERS for term in terms)
