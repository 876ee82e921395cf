"""Requests for one word, however they are put, in the two wordings that models are trained on.

``use 早安``, ``请使用“早安”``, ``verwende „Haus“`` become :func:`~bayling_lite.prompts.use_instruction`;
``A should be B``, ``replace A with B``, ``把A改成B``, ``A durch B ersetzen`` become
:func:`~bayling_lite.prompts.fix_instruction`. A small model has seen only those two; a big one understands both.
The word is then required of the answer, so a line that means something else ("use simpler words") must not pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bayling_lite.chat.reading.draft import Draft
from bayling_lite.chat.reading.forms import FIX, KEEP, LOOSE_FIX, LOOSE_USE, OPENER, PAIR, USE, Forms, compiled
from bayling_lite.prompts import Wording, fix_instruction, use_instruction
from bayling_lite.translate.glossary import Term, occurs


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one word: what the model is told, and the word, if it is certain that it is one.

    ``pair`` is the word of the source and the one that is to stand for it, where the line names both.
    """

    instruction: str
    required: tuple[str, ...]
    pair: Term | None = None


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


# A noun phrase that begins so is part of a sentence ("use the back door"), not a word that is asked for.
_DETERMINERS = word_set("""
    the a an your my his her our their its this that these those it them more less another different some any all both
    der die das den dem ein eine einen einem mein meine dein deine ihr ihre ihren mehr weniger alle
    le la les un une des du ton ta tes votre vos mon ma mes notre plus moins ce cette ces
""")
# What stands for the draft itself, and so is no word of it: "it should be 词元".
_PRONOUNS = word_set("it this that es das dies ça cela ce 它 这 这个 那个")
# How readers are addressed: words that are asked for by themselves, whatever else they are in other languages.
_ADDRESS = word_set("du sie ihr tu vous on man you")
_JOINING = word_set("""
    for with in on at to of as by from and or when if while
    für mit in im auf an am zu zum von vom als und oder wenn bei
    pour avec dans sur à au de du en et ou si par
""")
# What a style is described with ("use simpler words", "用更正式的语气"), and hardly ever a word that is asked for.
_SPEECH = re.compile(
    r"""^(?:more|less|fewer|shorter|longer|simpler|better|other|different|proper|correct|formal|informal|polite)\b
    |\b(?:words?|wording|language|tone|style|terms?|phrases?|expressions?|sentences?|vocabulary|grammar|spelling|
        punctuation|person|tense|voice|pronouns?|quotation\ marks|capitals?|letters?|address|forms?|contractions?|
        worte|wörter|sprache|stil|ausdrücke|sätze|begriffe|anrede|
        mots?|langue|langage|ton|phrases|termes|vouvoiement|tutoiement)$
    |^(?:更|比较|稍|最)|(?:语气|语言|风格|词汇|词语|说法|表达|句子|句式|方式|口吻|形式|标点)$""",
    re.IGNORECASE | re.VERBOSE,
)
# The verbs that make an unquoted word a request. "Say hello" is a sentence as well, and Chinese does not show where a
# word ends: there it takes more.
_BARE = re.compile(r"(?:please\s+|bitte\s+)?(?:use|verwend|benutz|nutz|utilis|emplo)", re.IGNORECASE)
_MAX_BARE_WORDS = 3
# A longer line says more than which word is wanted.
_LONGEST_REQUEST = 400
_MAX_BARE_LETTERS = 40


def normalise(line: str, draft: Draft, *, certain: bool = False) -> Request | None:
    """The trained wording of a request for one word; None when the line is no such request.

    Without quotation marks a term must prove itself, for "Use the back door." may be the next sentence to translate:
    the wrong word stands in the draft, the word to be translated so in its source, or the wanted one is in the draft's
    script, or it is announced as a word ("the word X"), or the line is just ``use`` and up to three words, no article
    and no full stop. ``certain`` waives the proof: the user has said that it is feedback. A word without a proof is
    asked for, but not required.
    """
    unproven: Request | None = None
    for request, proven in _requests(line, draft):
        if proven:
            return request
        unproven = unproven or replace(request, required=())
    return unproven if certain else None


def named_pair(line: str, draft: Draft) -> Term | None:
    """The word of the source and the one that is to stand for it, where a line names both and wants this one."""
    return next((request.pair for request, proven in _requests(line, draft) if proven and request.required), None)


def _requests(line: str, draft: Draft) -> Iterator[tuple[Request, bool]]:
    """What a line may ask for, and whether that is proven; the likeliest first."""
    closed = line.strip().endswith((".", "!", "?", "。", "！", "？"))
    if len(line) > _LONGEST_REQUEST:
        return
    said = line.strip().rstrip(".!?。！？ ")
    for text in dict.fromkeys((said, OPENER.sub("", said, count=1))):
        yield from _pairs(text, draft, closed)
        yield from _left_alone(text, draft)
        yield from _fixes(text, draft, closed)
        yield from _uses(text, draft, closed)


def _matches(forms: Forms, text: str, *groups: str) -> Iterator[tuple[Wording, re.Match[str], list[_Term]]]:
    """Where a text has one of the forms, with a term in each of the groups."""
    for wording, pattern in compiled(forms):
        match = pattern.fullmatch(text)
        terms = [_term(match[group]) for group in groups] if match is not None else []
        if match is not None and all(terms):
            yield wording, match, [term for term in terms if term is not None]


def _pairs(text: str, draft: Draft, closed: bool) -> Iterator[tuple[Request, bool]]:
    for wording, match, (of, right) in _matches(PAIR, text, "of", "right"):
        # What stands in the draft is to be replaced there: that is another form.
        if draft.mentions(of.text) or not _is_pair(of, right, draft, closed, weak="weak" in _named(match)):
            continue
        required = (right.text,) if draft.is_about(of.text) else ()
        # In the wording for a wrong word, so that the sentence with the one of the source is known to be meant.
        told = fix_instruction if required else _use
        yield (
            Request(told(_in_place_of(of, right, draft), right.text, wording=wording), required, (of.text, right.text)),
            True,
        )


def _in_place_of(of: _Term, right: _Term, draft: Draft) -> str:
    """The word that is wrong: the one of the source, unless the user said before what stands for it."""
    named = draft.named_for(of.text)
    return of.text if named is None or named == right.text else named


def _use(_of: str, right: str, *, wording: Wording) -> str:
    return use_instruction(right, wording=wording)


def _left_alone(text: str, draft: Draft) -> Iterator[tuple[Request, bool]]:
    for wording, _, (right,) in _matches(KEEP, text, "right"):
        if occurs(right.text, draft.source_text) and (right.quoted or (_is_short((right,)) and not _is_phrase(right))):
            wrong = _in_place_of(right, right, draft)
            told = use_instruction(right.text, wording=wording)
            if wrong != right.text:
                told = fix_instruction(wrong, right.text, wording=wording)
            yield Request(told, (right.text,), (right.text, right.text)), True


def _fixes(text: str, draft: Draft, closed: bool) -> Iterator[tuple[Request, bool]]:
    for forms in (FIX, LOOSE_FIX):
        for wording, _, (wrong, right) in _matches(forms, text, "wrong", "right"):
            if wrong.text.casefold() in _PRONOUNS and not _is_phrase(right):
                continue
            proven = _is_fix(wrong, right, draft, closed) and (forms is FIX or draft.mentions(wrong.text))
            if proven or forms is FIX:
                there = draft.as_written(wrong.text)
                wanted = _begun_alike(right.text, wrong.text, there, draft)
                yield Request(fix_instruction(there, wanted, wording=wording), (wanted,)), proven


def _begun_alike(right: str, wrong: str, there: str, draft: Draft) -> str:
    """The wanted word with a capital, where the wrong one has it for standing first."""
    first = draft.text.lstrip().startswith(there) and there[0].isupper() and wrong[0].islower()
    return right[0].upper() + right[1:] if first and right[0].islower() else right


def _uses(text: str, draft: Draft, closed: bool) -> Iterator[tuple[Request, bool]]:
    for wording, match, (right,) in _matches(USE, text, "right"):
        bare = not closed and _BARE.match(text) is not None
        framed = bool(_named(match) & {"frame", "after"})
        proven = framed or right.quoted or _is_word(right, draft, bare=bare)
        yield Request(use_instruction(right.text, wording=wording), (right.text,)), proven
    for wording, _, (right,) in _matches(LOOSE_USE, text, "right"):
        if right.quoted or (_is_short((right,)) and draft.is_wholly_foreign(right.text)):
            yield Request(use_instruction(right.text, wording=wording), (right.text,)), True


def _named(match: re.Match[str]) -> set[str]:
    """The groups that have something."""
    return {name for name, found in match.groupdict().items() if found}


def _is_pair(of: _Term, right: _Term, draft: Draft, closed: bool, *, weak: bool) -> bool:
    if of.quoted and right.quoted:
        return True
    if not _is_short((of, right)) or _SPEECH.search(right.text):
        return False
    known = draft.is_about(of.text)
    if draft.has_own_script:
        return draft.is_foreign_word(right.text) and not draft.is_foreign(of.text) and (known or not (weak or closed))
    return known and not weak and not closed and not _is_phrase(right) and not _is_phrase(of)


def _is_fix(wrong: _Term, right: _Term, draft: Draft, closed: bool) -> bool:
    if wrong.quoted or right.quoted:
        return (wrong.quoted and right.quoted) or draft.mentions(wrong.text)
    if not _is_short((wrong, right)) or closed or _SPEECH.search(right.text):
        return False
    return draft.mentions(wrong.text) or draft.is_foreign_word(right.text) or (_addresses(wrong) and _addresses(right))


def _is_word(term: _Term, draft: Draft, *, bare: bool) -> bool:
    if not _is_short((term,)) or _SPEECH.search(term.text):
        return False
    return draft.is_foreign_word(term.text) or (bare and not _is_phrase(term) and not _is_clause(term))


def _is_phrase(term: _Term) -> bool:
    """Whether it begins like a part of a sentence."""
    return not term.quoted and not _addresses(term) and term.text.split()[0].casefold() in _DETERMINERS


def _is_clause(term: _Term) -> bool:
    """Whether a word in it joins others to a sentence: "use salt for cooking"."""
    return not _addresses(term) and any(word in _JOINING for word in term.text.casefold().split())


def _addresses(term: _Term) -> bool:
    return term.text.casefold() in _ADDRESS


def _is_short(terms: Iterable[_Term]) -> bool:
    return all(len(term.text.split()) <= _MAX_BARE_WORDS and len(term.text) <= _MAX_BARE_LETTERS for term in terms)
