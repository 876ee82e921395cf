"""Words with their places in a text, for every language we know.

Languages with spaces: runs of letters and digits, with inner apostrophes, hyphens and dots (``don't``, ``week-end``,
``torch.nn``, ``3.5``, ``1,000``); French and Italian elisions stand alone (``l'`` + ``arbre``). Chinese: the words of
rjieba (jieba's dictionary, in Rust; without the guesses of its hidden Markov model, which often cross the borders
of words: single characters do less harm). Japanese and Thai have no segmenter here: runs of one
script stand for words, which is too coarse to be right often, and never wrong about where a text begins and ends.

A word's *form* is what words are compared by: compatibility characters unified (NFKC), case folded, typographic
apostrophes plain, numbers without separators of thousands and with a decimal point, an English genitive's ``'s``
dropped.
"""

from __future__ import annotations

import functools
import importlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bayling_finetune.dialogues.function_words import FUNCTION_WORDS, NEGATIONS
from bayling_lite.errors import RecipeError
from bayling_lite.languages import Language


class Word(NamedTuple):
    """A word: half-open span in characters, and the form it is compared by."""

    start: int
    end: int
    form: str


_HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_KANA = r"\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
_THAI = r"\u0e01-\u0e3a\u0e40-\u0e4e"
_MARKS = r"\u0300-\u036f\u064b-\u065f\u0670"  # of Latin, Cyrillic and Arabic; Python's \w leaves them out
_LETTERS = rf"(?:[^\W{_HAN}{_KANA}{_THAI}][{_MARKS}]*)+"
_WORD = re.compile(
    rf"(?P<letters>{_LETTERS}(?:(?:['’.\-‐‑]|(?<=\d)[,:](?=\d)){_LETTERS})*)"
    rf"|(?P<han>[{_HAN}]+)|(?P<run>[\u3041-\u309f]+|[\u30a1-\u30fa\u30fc-\u30ff]+|[{_THAI}]+)"
)
_SENTENCE = 1000  # characters; longer texts are not kept in memory
_HAN_RUN = re.compile(rf"[{_HAN}]{{2,}}")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?!\d))")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|un|dell|nell|sull|all|dall)['’]", re.I)
_ELIDING = frozenset({"fr", "it"})


def words(text: str, language: Language) -> list[Word]:
    """The words of a text, in order; punctuation and symbols are none.

    Raises:
        RecipeError: a Chinese text, and rjieba is not installed.
    """
    # One maker after the other looks at the same sentence, and at drafts of it turn by turn.
    return list(_sentence_words(text, language)) if len(text) <= _SENTENCE else _words(text, language)


@functools.lru_cache(maxsize=256)
def _sentence_words(text: str, language: Language) -> tuple[Word, ...]:
    return tuple(_words(text, language))


def _words(text: str, language: Language) -> list[Word]:
    cut = _segmenter(guessing=False) if language.code == "zh" else None
    found: list[Word] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        if match.lastgroup == "letters":
            if language.code in _ELIDING:
                while elision := _ELISION.match(text, start, end):
                    if elision.end() == end:
                        break
                    found.append(Word(start, elision.end(), form(elision.group())))
                    start = elision.end()
            found.append(Word(start, end, form(text[start:end])))
        elif cut is not None and match.lastgroup == "han" and end - start > 1:
            found.extend(Word(start + first, start + last, form(word)) for word, first, last in cut(match.group()))
        else:
            found.append(Word(start, end, form(match.group())))
    return found


@functools.lru_cache(maxsize=1 << 16)
def form(word: str) -> str:
    """What a word is compared by; see above."""
    plain = unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("‐", "-").replace("‑", "-")
    if _NUMBER.fullmatch(plain):
        return _THOUSANDS.sub("", plain).replace(",", ".")
    return plain.removesuffix("'s") or plain


def is_content(word: Word, language: Language) -> bool:
    """Whether a word means something by itself, as far as a short list of function words can tell.

    Languages without a list take words of four letters and more for content, and everything that is not spaced.
    """
    listed = FUNCTION_WORDS.get(language.code)
    if listed is not None:
        return word.form not in listed and (len(word.form) > 1 or not language.spaced or word.form.isdecimal())
    return not language.spaced or len(word.form) >= 4 or word.form[0].isdigit()


def is_negation(word: Word, language: Language) -> bool:
    """Whether a word turns the meaning of another round, as far as is listed."""
    return word.form in NEGATIONS.get(language.code, ())


def doubtful_borders(text: str, language: Language) -> set[int]:
    """Places in a text that might be within a word, though :func:`words` may have cut there: Chinese only."""
    if language.code != "zh":
        return set()
    cut = _segmenter(guessing=True)
    return {
        place
        for run in _HAN_RUN.finditer(text)
        for _, start, end in cut(run.group())
        for place in range(run.start() + start + 1, run.start() + end)
    }


@functools.cache
def _segmenter(*, guessing: bool) -> Callable[[str], Iterable[tuple[str, int, int]]]:
    try:
        rjieba: Any = importlib.import_module("rjieba")
    except ModuleNotFoundError:
        raise RecipeError(
            "Chinese text is cut into words by rjieba, which is not installed: pip install 'bayling-lite[finetune]'."
        ) from None
    return functools.partial(rjieba.tokenize, mode="default", hmm=guessing)
