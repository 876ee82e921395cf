"""A request answered by a former answer with a phrase in it: what stays of it is evaluated many tokens at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bayling_lite.engine.answers import Answer, shown
from bayling_lite.engine.base import FinishReason
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.jobs import Job, Plan, Workplace
from bayling_lite.engine.phrase_places import Place, Placing, Trial
from bayling_lite.engine.ranking import Logits
from bayling_lite.engine.response_tokens import ResponseTokens
from bayling_lite.engine.revising import FormerAnswer, Reviser, Scripted, script
from bayling_lite.engine.sequences import common_prefix
from bayling_lite.engine.text import TextStream
from bayling_lite.engine.variants import Variants
from bayling_lite.engine.words import occurs
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit


class RevisionJob(Job):
    """One sequence: the former answer is read for the place of the phrase if that is not given, then written anew.

    A trial reads the former answer, then the phrase in its place; where that is known already, it is done at once.

    ``new_stream`` makes a text from tokens, ``tokens`` tokenizes for this prompt.

    Raises:
        ContextOverflow: the former answer does not fit the context.
        PhrasesDoNotFit: the model thinks before it answers, the new answer is longer than it may be, or there is no
            place for the phrase as a word of its own.
    """

    def __init__(
        self,
        generation: StreamedGeneration,
        prompt: list[int],
        room: int,
        answer: Answer,
        place: Workplace,
        new_stream: Callable[[], TextStream],
        tokens: ResponseTokens,
    ) -> None:
        super().__init__(generation, prompt, room, answer, place)
        assert generation.request.revision is not None  # noqa: S101 - else it is not a revision
        self._revision = generation.request.revision
        self._new_stream = new_stream
        self._tokenize = tokens.piece
        if answer.stream.thinking:
            raise PhrasesDoNotFit("This model thinks first: the phrase would be put into its thoughts.")
        self._former = FormerAnswer(self._revision.text, tokens.whole(self._revision.text), place.vocabulary)
        if len(self._former.ids) > room:
            raise ContextOverflow(len(prompt) + len(self._former.ids), len(prompt) + room)
        self._most = min(room, generation.request.max_tokens or room)
        self._placing: Placing | None = None  # while the place is looked for
        self._rows: list[Logits] = []  # read for it
        self._fit: float | None = None  # what came of a trial
        self._trial: Trial | None = None  # from then on, in a trial
        self._reviser: Reviser | None = None  # from then on
        self._variants: Variants | None = None  # while the likeliest of them is looked for
        if self._revision.variants:
            self._variants = self._compare()
            self.width = self._variants.width
        elif self._revision.places:
            self._reviser = self._revise((), self._script(self._revision.phrase))
        else:
            self._placing = self._look()
            known = place.answers.recall_logits(prompt, self._revision.text, len(self._former.ids))
            if known is not None:
                self._placing.take(known)
                self._go_on(self._placing)

    @property
    def tokens(self) -> list[int]:
        """The prompt, and what is decided of the answer; of the former one, what was read."""
        if self._reviser:
            return self.prompt + self._reviser.tokens
        if self._variants:
            return self.prompt + self._variants.lead
        if self._trial:
            return self.prompt + self._trial.read(self._former)
        return self.prompt + self._former.ids[: self._n_read]

    def read(self, room: int, n_guesses: int) -> list[Plan]:
        """The next part of the tokens that are not in memory, and at its end those that are expected to follow."""
        plans = super().read(room, n_guesses)
        if not plans or not plans[0].n_logits:
            return plans
        return [self._guessing(plans[0].tokens, min(n_guesses, room - len(plans[0].tokens)))]

    def write(self, room: int) -> list[Plan]:
        """The newest token, and those that are expected after it; of variants, all at once."""
        if self._variants and self._variants.forked:
            return self._variants.plans()
        return [self._guessing(self.tokens[-1:], room)]

    def _guessing(self, tokens: Sequence[int], room: int) -> Plan:
        assert self.slot is not None  # noqa: S101 - placed before it writes
        room = 0 if self._variants else max(0, room)
        following = self._reviser or self._trial
        expected = following.guess(room) if following else self._former.ids[self._n_read :][:room]
        return Plan(self.slot, [*tokens, *expected], 1 + len(expected))

    def advance(self, plans: Sequence[Plan], first_row: int) -> None:
        """Learn from what was evaluated how the answer goes on."""
        n_rows = sum(plan.n_logits for plan in plans)
        if not n_rows or self.slot is None:
            return
        self._note_prompt()
        rows = self._place.decoder.logits[first_row : first_row + n_rows]
        if self._variants:
            self._try(self._variants, rows)
            if self._variants:
                return
        elif self._reviser:
            self._reviser.judge(rows, plans[0].tokens[len(plans[0].tokens) - n_rows + 1 :])
        elif self._trial:
            self._trial.take(rows)
            self._rate(self._trial)
        elif self._placing:
            self._placing.take(rows)
            self._rows.append(rows.copy())
            if self._placing.done:
                known = np.concatenate(self._rows)
                self._place.answers.remember_logits(self.prompt, self._revision.text, known)
                self._go_on(self._placing)
        if self.done:
            return
        tokens = self.tokens
        self._place.sequences.trim(self.slot, common_prefix(self.slot.tokens, tokens, len(tokens) - 1))
        if self._reviser and self._reviser.done:
            self.finish("stop")
        elif self._reviser and len(self._reviser.tokens) >= self._most:
            self.finish("length")

    def suspend(self) -> None:
        """Give up the memory. A place or a variant is looked for from the beginning."""
        self._drop_variants()
        super().suspend()
        if self._placing:
            self._placing, self._rows = self._look(), []

    def finish(self, reason: FinishReason) -> None:
        """End with the new answer; cancelled, with none."""
        tokens = self._reviser.tokens if self._reviser and reason != "cancelled" else []
        if reason != "cancelled" and not self._revision.trial:
            text = shown(self._new_stream(), tokens, self._place.vocabulary, cut=reason == "length")
            if not any(occurs(phrase, text) for phrase in (self._revision.phrase, *self._revision.variants)):
                raise PhrasesDoNotFit(
                    f"The answer lacks {self._revision.phrase!r}: it is longer than it may be, or the phrase stands "
                    "where it is not shown."
                )
        for token in tokens:
            if self.answer.add(token):
                break
        # Reading and writing are one: where nothing changes, the whole answer comes of the step that reads the prompt.
        self._prompted = self._started
        self._complete(reason, fit=self._fit)

    @property
    def _n_read(self) -> int:
        """Tokens of the former answer that were read or are the next to be."""
        return self._placing.n_read if self._placing else 0

    def _look(self) -> Placing:
        return Placing(self._former, self._revision, self._tokenize)

    def _compare(self) -> Variants:
        scripts = [self._script(phrase) for phrase in (self._revision.phrase, *self._revision.variants)]
        return Variants(scripts, self._place.sequences)

    def _script(self, phrase: str) -> list[Scripted]:
        return script(self._former, replace(self._revision, phrase=phrase), self._tokenize)

    def _try(self, variants: Variants, rows: Logits) -> None:
        """Go on with the variants, or with the best of them."""
        assert self.slot is not None  # noqa: S101 - its logits were given
        if variants.forked:
            variants.judge(rows)
        else:
            variants.begin(self.slot, rows[-1])
            if variants.plans():
                return
        variants.drop()
        self._variants, self.width = None, 1
        self._reviser = self._revise((), variants.best)

    def _drop_variants(self) -> None:
        if self._variants:
            self._variants.drop()
            self._variants = self._compare()

    def _end(self) -> None:
        if self._variants:
            self._variants.drop()
        super()._end()

    def _go_on(self, placing: Placing) -> None:
        """The place is found."""
        self._rows, self._placing, best = [], None, placing.best
        if best is None:
            raise PhrasesDoNotFit(f"{self._revision.phrase!r} cannot stand in the answer as a word of its own.")
        if not self._revision.trial:
            self._reviser = self._put(best)
        elif best.count + len(best.ids) > self.room:
            raise PhrasesDoNotFit(f"With {self._revision.phrase!r} the answer does not fit the context.")
        else:
            self._trial = Trial(best, placing.fit)
            self._rate(self._trial)

    def _rate(self, trial: Trial) -> None:
        """A trial ends when the whole phrase is rated."""
        if trial.done:
            self._fit = trial.fit
            self.finish("stop")

    def _put(self, best: Place) -> Reviser:
        """The phrase in the place that was found; the answer goes on behind the word there, or near it."""
        begun = [*self._former.ids[: best.count], *best.ids]
        reviser = self._revise(begun, self._former.scripted(self._revision.kept)[best.count :])
        reviser.leave(best.resume - best.count)
        return reviser

    def _revise(self, tokens: Sequence[int], scripted: Sequence[Scripted]) -> Reviser:
        place = self._place
        if len(tokens) + len(scripted) > self._most:
            raise PhrasesDoNotFit(
                f"With the phrase the answer has {len(tokens) + len(scripted)} tokens, but it may have {self._most}."
            )
        eos = place.vocabulary.eos
        ends = sorted(place.stop_ids | (set() if eos is None else {eos}))
        return Reviser(tokens, scripted, self._revision, place.vocabulary, ends, place.is_end)
