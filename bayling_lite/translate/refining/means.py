"""What is needed to look for another text of a segment: how to ask, and how to tell a good one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bayling_lite.engine.base import MAX_BEAM_SIZE, GenerationRequest, Hypothesis, SearchParams
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate.asking.budget import TokenBudget, encodable
from bayling_lite.translate.asking.steps import Reply
from bayling_lite.translate.asking.values import ProblemKind
from bayling_lite.translate.checks.scripts import count_scripts, scripts_of
from bayling_lite.translate.formats.plain import on_one_line
from bayling_lite.translate.glossary import Term, occurs
from bayling_lite.translate.refining.terms import binding, words_of
from bayling_lite.translate.results import TranslatedSegment, Translation

# The same words, or at least two characters of Chinese, twice running.
_STUTTER = re.compile(r"\b([^\W\d_]+(?:\W[^\W\d_]+){0,2})(?:[^\w.!?]+\1)+\b|([\u3400-\u9fff]{2,})\2", re.IGNORECASE)
# What is not Latin is a word of its own beside what is.
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+|[^\W\d_A-Za-z\u00c0-\u024f]+")
# Letters of a word that two languages hardly share by chance.
_LEAST_COPIED = 4


@dataclass(frozen=True, slots=True)
class Means:
    """How a translator asks for other texts than a draft. ``wide`` where a search may cost many times a translation."""

    budget: TokenBudget
    wording: Wording
    beam_size: int
    can_search: bool
    wide: bool

    def request(
        self, conversation: Conversation, old: TranslatedSegment, words: Sequence[str], beam_size: int = 0
    ) -> GenerationRequest:
        """Ask for a text of a segment; with a ``beam_size``, for so many."""
        most = self.budget.most((old.source, old.text), words)
        search = None
        if beam_size and self.can_search:
            beam_size = min(MAX_BEAM_SIZE, max(self.beam_size, beam_size))
            search = SearchParams(beam_size, n_best=beam_size, required=tuple(words))
        return GenerationRequest(conversation, max_tokens=most, search=search, revises=search is None)

    def back(self, text: str, language: Language) -> Conversation:
        """Ask what a text means."""
        return user_turn(encodable(translation_instruction(text, language, wording=self.wording)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What another text of a segment of a draft must be: a translation of its source, with its words."""

    draft: Translation
    old: TranslatedSegment
    terms: tuple[Term, ...]
    words: tuple[str, ...]

    @classmethod
    def of(cls, draft: Translation, old: TranslatedSegment) -> Wanted:
        """What holds for a segment: its terms, and the words that refinements required, as far as it has them."""
        terms = tuple(
            term
            for term in binding(draft.terms, old.source, old.conversation, draft.required)
            if occurs(term[1], old.text)
        )
        words = (*(word for word in draft.wanted if occurs(word, old.text)), *words_of(terms))
        return cls(draft, old, terms, tuple(dict.fromkeys(words)))

    def found(self, reply: Reply) -> list[Hypothesis]:
        """The whole texts of a reply that may stand in the place of the old one, each once, best first."""
        if isinstance(reply, Exception):
            return []
        hypotheses = [one for one in reply.hypotheses if one.finished]
        if not reply.hypotheses and reply.finish_reason == "stop":
            hypotheses = [Hypothesis(reply.text, 0.0, 0.0, reply.n_generated, finished=True)]
        texts: dict[str, Hypothesis] = {}
        for one in hypotheses:
            texts.setdefault(said(one.text), one)
        texts.pop(said(self.old.text), None)
        return [one for one in texts.values() if self.allows(on_one_line(one.text))]

    def allows(self, text: str) -> bool:
        """Whether a text has no fault that can be seen, but for those that the old one has."""
        draft, old = self.draft, self.old
        if not said(text) or not all(occurs(word, text) for word in self.words):
            return False
        if stutters(text) and not stutters(old.text) and not stutters(old.source):
            return False
        if _untranslated(text, old, draft.target):
            return False
        return self._faults(text) <= self._faults(old.text)

    def _faults(self, text: str) -> set[ProblemKind]:
        """What is wrong with a text, and more than a matter of taste."""
        # Needed here alone, and the checks need a model of languages.
        from bayling_lite.translate.checks import Pair, check

        draft = self.draft
        problems = check(Pair(self.old.source, text, draft.target, draft.source, self.terms))
        return {problem.kind for problem in problems if problem.fatal or problem.kind is not ProblemKind.LENGTH}


def logprobs(reply: Reply) -> dict[str, float]:
    """The whole texts that a search has found, and their log-probabilities."""
    if isinstance(reply, Exception):
        return {}
    return {on_one_line(one.text): one.logprob for one in reply.hypotheses if one.finished}


def said(text: str) -> str:
    """What two texts have in common that differ in nothing worth choosing: their letters and figures."""
    return "".join(filter(str.isalnum, text.casefold()))


def stutters(text: str) -> bool:
    """Whether something stands in a text twice running that nobody says twice."""
    return _STUTTER.search(text) is not None


def _untranslated(text: str, old: TranslatedSegment, target: Language) -> set[str]:
    """Words that the old text has not, and that its language does not write or that are taken from the source; names,
    which look alike everywhere, do not count.
    """
    own, source = scripts_of(target), _words(old.source)
    names = {word.lower() for word in source if word != word.lower()}
    copied = {word for word in source if word.islower() and len(word) >= _LEAST_COPIED}
    new = {word.lower() for word in _words(text)} - {word.lower() for word in _words(old.text)} - names
    return {word for word in new if word in copied or not count_scripts(word).keys() <= own}


def _words(text: str) -> set[str]:
    """Words; what is written in another script is a word of its own (``高`` and ``way``)."""
    return set(_WORD.findall(text))
