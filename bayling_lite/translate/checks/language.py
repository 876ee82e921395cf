"""The language of a translation: its script, and for texts long enough its words."""

from __future__ import annotations

import itertools

from bayling_lite.languages import LANGUAGES, Language, rank_languages
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.function_words import is_small, own_function_words
from bayling_lite.translate.checks.pair import Pair, words
from bayling_lite.translate.checks.scripts import count_scripts, script_of, scripts_of

# Letters of a foreign script, and their share: a word here and there may be quoted.
_FOREIGN_LETTERS, _FOREIGN_SHARE = 3, 0.25
# Latin letters without any others, in the translation of three words and more, that are not in the source.
_LATIN_LETTERS = 5
# Letters that py3langid needs to be sure, and by how much the best language must beat the right one (nats).
# On translations into English, German and French the right one is beaten by more in 1 of 1,000; wrong ones of 15 to 30
# letters are found by this in four of five cases, those of 30 and more in 99 of 100.
_LETTERS_FOR_LANGUAGE = 15
_MARGIN = 16.0


def script(pair: Pair) -> list[Problem]:
    """Fatal where a good part of the letters are of a script that neither the language nor the source has there."""
    wanted = scripts_of(pair.target_language)
    own = _without(pair.target, pair.source_words)
    counts = count_scripts(own)
    foreign = {name: count for name, count in counts.items() if name not in wanted}
    if not foreign:
        return []
    name, count = max(foreign.items(), key=lambda item: item[1])
    share = sum(foreign.values()) / sum(count_scripts(pair.target).values())
    if name == "Latin":
        # Names and abbreviations stay in Latin letters in most languages.
        right = sum(count_scripts(pair.target)[script] for script in wanted)
        fatal = right == 0 and count >= _LATIN_LETTERS and len(pair.source_words) >= 3
        return [Problem(ProblemKind.SCRIPT, f"it is written in {name} letters")] if fatal else []
    if name in count_scripts(pair.source):
        return []  # left over from the source: another check tells how much
    if count >= _FOREIGN_LETTERS and share >= _FOREIGN_SHARE:
        return [Problem(ProblemKind.SCRIPT, f"it is written in {name} letters")]
    return [Problem(ProblemKind.SCRIPT, f"{count} {name} letters", fatal=False)]


def language(pair: Pair) -> list[Problem]:
    """Fatal where a text of some length is in another language for certain."""
    own = _own_words(pair)
    if sum(count_scripts(own).values()) < _LETTERS_FOR_LANGUAGE and not _wide(pair.target_language):
        return _by_small_words(pair)
    found = surely(own, pair.target_language)
    if found is None or found == pair.target_language:
        return []
    return [Problem(ProblemKind.LANGUAGE, f"it is {found.english}")]


def _own_words(pair: Pair) -> str:
    """The words of the target that cannot come from the source: names and terms stay as they are in any language, and
    titles with all their small words.
    """
    names = {word for word in pair.source_words if not is_small(word)}
    pairs = set(itertools.pairwise(pair.source_words))
    said = ["", *pair.target_words, ""]
    return " ".join(
        word
        for before, word, after in zip(said, said[1:], said[2:], strict=False)
        if script_of(word[0]) != "Latin" or not (word in names or (before, word) in pairs or (word, after) in pairs)
    )


def surely(text: str, expected: Language) -> Language | None:
    """The language of a text if it is another than expected for certain, else the expected one; None for no letters."""
    if _wide(expected):
        return None
    ranked = rank_languages(text)
    if not ranked:
        return None
    scores = dict(ranked)
    best, score = ranked[0]
    return best if score - scores.get(expected, score) >= _MARGIN else expected


def _by_small_words(pair: Pair) -> list[Problem]:
    """A short text: its small words are all of another language, and there are several."""
    counts = {
        other: own_function_words(pair.target_words, other, pair.target_language)
        for other in LANGUAGES
        if other != pair.target_language
    }
    other, count = max(counts.items(), key=lambda item: item[1])
    right = own_function_words(pair.target_words, pair.target_language, other)
    if count >= 3 and right == 0 and count * 3 >= len(pair.target_words):
        return [Problem(ProblemKind.LANGUAGE, f"it is {other.english}")]
    return []


def _without(text: str, known: list[str]) -> str:
    """A text without words that are known: names and terms stay as they are in any language."""
    seen = set(known)
    return " ".join(word for word in words(text) if word not in seen or script_of(word[0]) != "Latin")


def _wide(target: Language) -> bool:
    """Whether a language is known by its script alone."""
    return "Latin" not in scripts_of(target) and target.code not in ("ru", "uk")
