"""Beam search as pure logic: it is given logits and says which tokens to evaluate next. It never touches a model.

Without required phrases it is the beam search of transformers (``num_beams``, ``early_stopping=False``): the same
candidates, scores and stopping rule. With them it is dynamic beam allocation (Post and Vilar 2018, arXiv 1804.06609,
after the grid beam search of Hokamp and Liu 2017, arXiv 1704.07138): the rows are shared out among *banks* of
hypotheses that have equally many phrases, so that those which pay for a phrase early do not lose to those which put it
off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayling_lite.engine.base import SearchParams
from bayling_lite.engine.constraints import Phrases, State, Vocabulary
from bayling_lite.engine.ranking import Candidate, Logits, Numbers, Ranking
from bayling_lite.errors import PhrasesDoNotFit

# Tried on 300 development sentences: fewer rows cost BLEU, more rows gain none.
_ROWS_PER_BANK = 2
_MOST_ROWS = 16
_TOKENS_PER_PHRASE = 2
"""Ways to begin or go on with a phrase that are looked at in each row."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A hypothesis to go on with: a row of the last list (0 at the start) and the token to evaluate after it."""

    parent: int
    token: int


@dataclass(frozen=True, slots=True)
class Found:
    """One result: tokens without the end token, score and log-probability with it; ``finished`` if there was one."""

    tokens: tuple[int, ...]
    score: float
    logprob: float
    finished: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Tokens as a chain: hypotheses share their beginnings."""

    before: _Path | None
    token: int

    def __iter__(self) -> Iterator[int]:
        path: _Path | None = self
        while path is not None:
            yield path.token
            path = path.before


@dataclass(slots=True, eq=False)
class _Hypothesis:
    """A text being written.

    ``parent`` is its row before the last token. Its bank sorts by ``rank``: the log-probability, but while a phrase is
    being written that of its first token. Otherwise those which have just begun would always push out those which paid
    for the rest, and no long phrase would come to its end. ``late``: the model would have ended the text before, but
    phrases were missing. What comes after is rubbish, or the text once again.
    """

    path: _Path | None
    logprob: float
    state: State
    parent: int = 0
    rank: float = 0.0
    late: bool = False


class BeamSearch:
    """The hypotheses of one search.

    :meth:`start` with the logits after the prompt, then :meth:`step` with those of every branch it gave, until it gives
    none. It may be left at any moment: :meth:`results` then holds the best there is. ``width`` is the most branches it
    ever asks for.

    Raises:
        PhrasesDoNotFit: the required phrases take more than ``max_tokens``, or the vocabulary cannot spell them.
    """

    def __init__(self, params: SearchParams, vocabulary: Vocabulary, stop_ids: frozenset[int], max_tokens: int) -> None:
        self._params = params
        self._vocabulary = vocabulary
        self._ends = dict.fromkeys(stop_ids, True)
        self._max_tokens = max_tokens
        self._phrases = Phrases(params.required, vocabulary)
        state = self._phrases.start
        if state.need > max_tokens:
            raise PhrasesDoNotFit(
                f"The required phrases take {state.need} tokens, but the answer may have {max_tokens}. "
                "Require fewer of them, or allow a longer answer."
            )
        banks = 2 * len(self._phrases) + 1
        self.width = max(params.beam_size, min(_MOST_ROWS, _ROWS_PER_BANK * banks) if self._phrases else 1)
        self._live = [_Hypothesis(None, 0.0, state)]
        self._length = 0
        self._pool: list[tuple[float, bool, _Hypothesis]] = []
        """The best whole ones, at most ``beam_size``, best first: score, whether it ended by itself, hypothesis."""

    def start(self, logits: Logits) -> list[Branch]:
        """Begin with the logits after the prompt, shape (n_vocab,)."""
        return self.step(logits[None])

    def step(self, logits: Logits) -> list[Branch]:
        """Go on with the logits after each branch, shape (number of branches, n_vocab). No branches: it is over.

        Raises:
            EngineError: the logits are not numbers.
        """
        if len(logits) != len(self._live):
            raise ValueError(f"{len(logits)} rows of logits for {len(self._live)} hypotheses")
        ranking = Ranking(logits)
        self._length += 1
        self._live = self._extend_with_phrases(ranking) if self._phrases else self._extend(ranking)
        if self._length == self._max_tokens or self._settled():
            self._live = []
        return [Branch(hypothesis.parent, hypothesis.path.token) for hypothesis in self._live if hypothesis.path]

    def results(self) -> list[Found]:
        """The best ``n_best``, best first (fewer where there are no more). A text that was cut short by leaving the
        search comes after all those with more of the phrases.
        """
        pool = self._pool + [(self._score(live.logprob), False, live) for live in self._live if live.path]
        pool.sort(key=lambda entry: (self._phrases.missing(entry[2].state), -entry[0]))
        return [
            Found(tuple(hypothesis.path or ())[::-1], score, hypothesis.logprob, finished)
            for score, finished, hypothesis in pool[: self._params.n_best]
        ]

    def _extend(self, ranking: Ranking) -> list[_Hypothesis]:
        """One step without phrases: those of the best ``beam_size`` candidates that end, end; the best others go on."""
        beam_size, count = self._params.beam_size, 2 * self._params.beam_size
        going_on: list[Candidate] = []
        while True:
            best = ranking.best(self._logprobs(), count)
            going_on = [candidate for candidate in best if not self._is_end(candidate.token)][:beam_size]
            if len(going_on) == beam_size or len(best) < count:
                break
            count *= 2
        state = self._phrases.start
        for candidate in best[:beam_size]:
            if self._is_end(candidate.token):
                self._finish(candidate)
            elif self._length == self._max_tokens:
                self._collect(self._grown(candidate, state), finished=False)
        return [self._grown(candidate, state) for candidate in going_on]

    def _extend_with_phrases(self, ranking: Ranking) -> list[_Hypothesis]:
        """One step of dynamic beam allocation."""
        left = self._max_tokens - self._length
        banks: dict[int, list[_Hypothesis]] = {}
        n_whole = 0
        for candidate in self._candidates(ranking):
            before = self._live[candidate.row].state
            if self._is_end(candidate.token):
                if before.need == 0 and n_whole < self._params.beam_size:
                    self._finish(candidate)
                    n_whole += 1
                continue
            state = self._phrases.after(before, self._vocabulary.piece(candidate.token))
            if state.need <= left:  # else what is missing could no longer be written
                bank = 2 * self._phrases.missing(state) - (state.begun is not None)
                banks.setdefault(bank, []).append(self._grown(candidate, state))
                n_whole += bank == 0
        if left == 0 or not banks:
            # Without a bank, every token would have spoiled a whole text. Then it is cut before that token.
            whole = banks.get(0, []) if banks else [live for live in self._live if live.state.need == 0]
            for hypothesis in whole:
                self._collect(hypothesis, finished=False)
        return _share_out(banks, self.width)

    def _candidates(self, ranking: Ranking) -> list[Candidate]:
        """The best of all rows, the best two of each, and the tokens that go on with a phrase or begin one; best first,
        late ones last.
        """
        logprobs = self._logprobs()
        candidates = ranking.best_of_each(logprobs, 2)
        for first in {candidate.row: candidate for candidate in reversed(candidates)}.values():
            live = self._live[first.row]
            live.late = live.late or (live.state.need > 0 and self._is_end(first.token))
        candidates += ranking.best(logprobs, 2 * self._params.beam_size)
        left = self._max_tokens - self._length
        for row, live in enumerate(self._live):
            wanted = self._phrases.following(live.state)
            if live.state.need > left:  # no token to spare
                wanted.append(np.array([self._phrases.shortest(live.state)]))
            for tokens in wanted:
                totals = ranking.logprobs(row, tokens) + live.logprob
                for at in np.argsort(-totals)[:_TOKENS_PER_PHRASE].tolist():
                    candidates.append(Candidate(float(totals[at]), row, int(tokens[at])))
        unique = {(candidate.row, candidate.token): candidate for candidate in candidates}
        return sorted(unique.values(), key=lambda candidate: (self._live[candidate.row].late, -candidate.total))

    def _grown(self, candidate: Candidate, state: State) -> _Hypothesis:
        """The hypothesis that a candidate makes of its row."""
        before = self._live[candidate.row]
        rank = candidate.total
        if state.begun and before.state.begun and state.need < before.state.need:
            rank = before.rank
        path = _Path(before.path, candidate.token)
        return _Hypothesis(path, candidate.total, state, candidate.row, rank, before.late)

    def _finish(self, candidate: Candidate) -> None:
        """Collect the text of a row that ends with this candidate."""
        before = self._live[candidate.row]
        self._collect(_Hypothesis(before.path, candidate.total, before.state), finished=True)

    def _collect(self, hypothesis: _Hypothesis, *, finished: bool) -> None:
        self._pool.append((self._score(hypothesis.logprob), finished, hypothesis))
        self._pool.sort(key=lambda entry: -entry[0])
        del self._pool[self._params.beam_size :]

    def _score(self, logprob: float) -> float:
        """As transformers: over the tokens, the end token included, to the power of the length penalty."""
        return float(logprob / max(1, self._length) ** self._params.length_penalty)

    def _logprobs(self) -> Numbers:
        return np.array([hypothesis.logprob for hypothesis in self._live])

    def _settled(self) -> bool:
        """Whether the search may stop because nothing better can be expected.

        Without phrases by transformers' rule: there are ``beam_size`` whole texts and the best live one, at its present
        length, is no better than the worst of them. Hypotheses that wait for a phrase would keep that going with
        repetitions, which the model finds likely. So with phrases ``beam_size`` whole texts are enough, and fewer when
        no live one is better than the best, by score or by log-probability.
        """
        full = len(self._pool) >= self._params.beam_size
        best = max((hypothesis.logprob for hypothesis in self._live), default=-np.inf)
        if not self._phrases:
            return full and self._score(best) <= self._pool[-1][0]
        if full or len(self._pool) < self._params.n_best:
            return full
        score, _, hypothesis = self._pool[0]
        return self._score(best) <= score or best <= hypothesis.logprob

    def _is_end(self, token: int) -> bool:
        known = self._ends.get(token)
        if known is None:
            known = self._ends[token] = self._vocabulary.is_end(token)
        return known


def _share_out(banks: dict[int, list[_Hypothesis]], width: int) -> list[_Hypothesis]:
    """The hypotheses that go on: equally many of every bank, and the best of the others where banks are small.

    Late ones go on only where there are no others.
    """
    prompt = {bank: [member for member in members if not member.late] for bank, members in banks.items()}
    banks = {bank: members for bank, members in prompt.items() if members} or banks
    if not banks:
        return []
    share = max(1, width // len(banks))
    kept: list[_Hypothesis] = []
    others: list[_Hypothesis] = []
    for bank in sorted(banks):  # those with most phrases first
        members = sorted(banks[bank], key=lambda member: -member.rank)
        kept += members[:share]
        others += members[share:]
    others.sort(key=lambda member: -member.rank)
    return (kept + others)[:width]
