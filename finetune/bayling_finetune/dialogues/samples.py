"""Expressions of a corpus, by language: what drafts are spoilt with, and what users ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayling_finetune.dialogues.hashes import hash64
from bayling_finetune.dialogues.tools import Lexicon
from bayling_finetune.dialogues.values import Direction

_LONGEST = 30  # characters: what a user would type rather than copy


def expressions(lexicon: Lexicon, pairs: Iterable[Direction], *, seed: int, limit: int) -> dict[str, list[str]]:
    """Content phrases that the aligner is sure of, one of each side of a pair, at most ``limit`` of a language.

    A frequent phrase is there often, so that choosing evenly from the list chooses as the language does.
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        for direction in (pair, pair.reversed()):
            phrases = found.setdefault(direction.target_language.code, [])
            if len(phrases) >= limit:
                continue
            own = _content(lexicon, direction)
            if own:
                phrases.append(own[hash64(direction.source, direction.reference, seed=seed) % len(own)])
    return {code: phrases for code, phrases in sorted(found.items()) if phrases}


def _content(lexicon: Lexicon, direction: Direction) -> Sequence[str]:
    texts = (direction.reference[slice(*phrase.reference)] for phrase in lexicon.phrases(direction) if phrase.content)
    return [text for text in texts if text.strip() and len(text) <= _LONGEST]
