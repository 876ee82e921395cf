"""What was not translated: all of the source, or a part of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayling_lite.languages import Language, detect_language
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.function_words import has_list, own_function_words
from bayling_lite.translate.checks.pair import Pair, words
from bayling_lite.translate.checks.scripts import script_of, scripts_of

# Words of the source in a row.
_RUN = 4
_LONG_RUN = 5
_QUOTED = re.compile(r"[\"“„«『「《〈(（\[【][^\"“”„»』」》〉)）\]】]*[\"”“»』」》〉)）\]】]")
# A word that no text has.
_BREAK = " ǂǂ "
# From a word's beginning only: a long one is not looked at again from each of its letters.
_NAME_IN_CODE = re.compile(r"(?<!\w)(?:\w+(?:(?:[._]|::)+\w+)+|\w+_+)")
_ENDS = re.compile(r"\w[.!?][\"'”’»)]*$")
_PLAIN_WORD = re.compile(r"(?<!\S)[^\W\d_]+(?=[\s,.;:!?]|$)")
_HAN_RUN = re.compile(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]+")


def echo(pair: Pair) -> list[Problem]:
    """Fatal where the source, in words of its own language, is the answer or begins it."""
    source, target = pair.source_words, pair.target_words
    if not source or len(target) < len(source) or target[: len(source)] != source:
        return []
    if not _needs_translation(source, pair):
        return []
    return [Problem(ProblemKind.ECHO)]


def leftover(pair: Pair) -> list[Problem]:
    """Words of the source's language in the translation: fatal where they are much of it."""
    if scripts_of(pair.target_language) & {"Latin"} and _is_han(pair.source):
        return _han_leftover(pair)
    target = words(_QUOTED.sub(_BREAK, _NAME_IN_CODE.sub(_BREAK, pair.target)))
    run = _longest_common_run(target, pair.source_words)
    foreign = bool(run) and script_of(run[0][0]) not in scripts_of(pair.target_language)
    if len(run) < _RUN or len(run) == len(pair.source_words):
        return []
    long = [word for word in run if len(word) > 1]
    small = own_function_words(long, _source_language(pair), pair.target_language)
    if small < (1 if foreign else 2) or _is_title(run, pair.target):
        return []
    much = foreign or len(run) >= _LONG_RUN or len(run) * 2 > len(pair.target_words)
    return [Problem(ProblemKind.LEFTOVER, f"“{' '.join(run)}”", fatal=much)]


def _needs_translation(source: Sequence[str], pair: Pair) -> bool:
    """Whether words cannot be the same in the target language: they have small words of their own language, or are of
    another script, and are no names.
    """
    language = _source_language(pair)
    if not has_list(language):
        foreign = sum(script_of(word[0]) not in scripts_of(pair.target_language) for word in source)
        return foreign >= 2
    small = own_function_words(source, language, pair.target_language)
    if script_of(source[0][0]) in scripts_of(pair.target_language):
        return small >= 1 and len(source) >= 3
    if small >= 2 and len(source) >= 4:
        return True
    # A sentence, though short: it ends like one, and goes on with a word that is no name.
    return bool(_ENDS.search(pair.source)) and any(word[0].islower() for word in _PLAIN_WORD.findall(pair.source)[1:])


def _source_language(pair: Pair) -> Language | None:
    if pair.source_language is not None:
        return pair.source_language
    return detect_language(pair.source)


def _is_title(run: Sequence[str], text: str) -> bool:
    """Whether words begin with capitals in a text, apart from small ones: the name of a book, of a company."""
    written = {word: word.lower() for word in re.findall(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*", text)}
    capitals = {lower for word, lower in written.items() if word[0].isupper()}
    long = [word for word in run if len(word) > 3]
    return bool(long) and sum(word in capitals for word in long) * 4 >= 3 * len(long)


def _is_han(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return sum(script_of(char) in ("Han", "Kana", "Hangul") for char in letters) * 3 > len(letters)


def _han_leftover(pair: Pair) -> list[Problem]:
    """Chinese, Japanese or Korean in a text in Latin letters; quoted, it may be what the text is about."""
    runs = _HAN_RUN.findall(_QUOTED.sub(" ", pair.target))
    total = sum(map(len, runs))
    if not total:
        return []
    letters = sum(map(str.isalpha, pair.target))
    longest = max(runs, key=len)
    much = total >= 3 and (total * 8 > letters or len(longest) >= 6)
    return [Problem(ProblemKind.LEFTOVER, f"“{longest}”", fatal=much)]


def _longest_common_run(target: Sequence[str], source: Sequence[str]) -> Sequence[str]:
    """The longest run of words that both have."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(source):
        places.setdefault(word, []).append(at)
    lengths: dict[int, int] = {}
    best, end = 0, 0
    for at, word in enumerate(target):
        lengths = {there: lengths.get(there - 1, 0) + 1 for there in places.get(word, ())}
        longest = max(lengths.values(), default=0)
        if longest > best:
            best, end = longest, at + 1
    return target[end - best : end]
