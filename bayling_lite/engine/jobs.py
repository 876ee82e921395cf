"""A request while it is served: its prompt is evaluated, then its answer is sampled token by token."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayling_lite.engine.answers import Answer, Answers
from bayling_lite.engine.base import Completion, FinishReason, TokenLogprob
from bayling_lite.engine.decoder import Decoder, Logits
from bayling_lite.engine.drafting import PromptLookup
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.sequences import Sequences, Slot
from bayling_lite.engine.tokens import Vocabulary
from bayling_lite.errors import EngineError


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all jobs of a scheduler work with. ``drafting`` is false where guessing ahead is switched off."""

    decoder: Decoder
    sequences: Sequences
    vocabulary: Vocabulary
    stop_ids: frozenset[int]
    answers: Answers
    drafting: bool

    def is_end(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return token in self.stop_ids or self.vocabulary.is_end(token)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one sequence of a job evaluates in the next step, with logits after the last ``n_logits`` tokens."""

    slot: Slot
    tokens: Sequence[int]
    n_logits: int


class Job:
    """One request being served. Only the worker thread uses it.

    Args:
        generation: where the text goes.
        prompt: its tokens.
        room: the most tokens that fit.
        answer: the text as it grows.
        place: what all jobs work with.
    """

    width = 1  # sequences it needs at once, at most

    def __init__(
        self, generation: StreamedGeneration, prompt: list[int], room: int, answer: Answer, place: Workplace
    ) -> None:
        self.generation = generation
        self.prompt = prompt
        self.room = room
        self.answer = answer
        self.slot: Slot | None = None  # none while it waits for room
        self.follows: tuple[Job, int] | None = None  # a job that is about to evaluate so much of the same prompt
        self.done = False
        self._place = place
        self._n_cached: int | None = None
        self._started = time.perf_counter()
        self._prompted: float | None = None

    @property
    def tokens(self) -> list[int]:
        """What is to be in memory before the next step."""
        raise NotImplementedError

    @property
    def reading(self) -> bool:
        """Whether more than the newest token has to be evaluated."""
        return self.slot is None or len(self.slot.tokens) < len(self.tokens) - 1

    @property
    def waiting(self) -> bool:
        """Whether it has no sequence to work with yet."""
        return self.slot is None

    @property
    def generating(self) -> bool:
        """Whether the prompt was read to its end."""
        return self._prompted is not None

    def start(self) -> bool:
        """Take a sequence for the tokens there are; false when none is free."""
        self.slot = self._place.sequences.place(self.tokens)
        if self.slot is not None and self._n_cached is None:
            self._n_cached = len(self.slot.tokens)
        return self.slot is not None

    def read(self, room: int, n_guesses: int) -> list[Plan]:
        """The next part of the tokens that are not in memory, at most ``room`` of them, and guesses of what follows."""
        del n_guesses
        if self.slot is None or room < 1:
            return []
        todo = self.tokens[len(self.slot.tokens) :]
        return [Plan(self.slot, todo[:room], int(len(todo) <= room))]

    def write(self, room: int) -> list[Plan]:
        """The next step of the answer; ``room`` is for tokens beyond the one that every sequence gets."""
        raise NotImplementedError

    def advance(self, plans: Sequence[Plan], first_row: int) -> None:
        """Go on from the logits of an evaluated plan, whose rows begin at ``first_row``."""
        raise NotImplementedError

    def suspend(self) -> None:
        """Give up the memory; :meth:`start` goes on later from the tokens there are."""
        if self.slot is not None:
            self._place.sequences.drop(self.slot)
            self.slot = None

    def finish(self, reason: FinishReason) -> None:
        """End with what there is."""
        raise NotImplementedError

    def fail(self, error: BaseException, *, intact: bool) -> None:
        """End with an error. Unless ``intact``, nobody may find this job's tokens in memory again."""
        if not intact:
            self.suspend()
        self._end()
        self.generation.fail(error)

    def _end(self) -> None:
        """Free everything but the tokens in memory."""
        self.done = True
        if self.slot is not None:
            self._place.sequences.release(self.slot)
            self.slot = None

    def _complete(self, reason: FinishReason, **more: object) -> None:
        """Hand the completion over, once everything is free for the next request."""
        text = self.answer.end(reason)
        if self.answer.stream.whole:
            self._place.answers.remember(self.prompt, text, self.answer.tokens)
        self._end()
        now = time.perf_counter()
        prompted = self._prompted or now
        self.generation.finish(
            Completion(
                text=text,
                finish_reason=reason,
                n_prompt=len(self.prompt),
                n_cached=self._n_cached or 0,
                n_generated=len(self.answer.tokens),
                prompt_seconds=prompted - self._started,
                generation_seconds=now - prompted,
                reasoning=self.answer.stream.reasoning,
                **more,  # type: ignore[arg-type]
            )
        )

    def _note_prompt(self) -> None:
        """The prompt is evaluated: from now on it is generating."""
        if self._prompted is None:
            self._prompted = time.perf_counter()


class SamplingJob(Job):
    """An answer of one token after another, several at a time where the text repeats itself."""

    def __init__(
        self, generation: StreamedGeneration, prompt: list[int], room: int, answer: Answer, place: Workplace
    ) -> None:
        super().__init__(generation, prompt, room, answer, place)
        self._tokens = list(prompt)
        self._sampler = place.decoder.sampler(generation.request.sampling)
        guesses = place.drafting and place.decoder.can_rewind
        self._drafter = PromptLookup(bold=generation.request.revises) if guesses else None
        self._n_drafted = 0
        self._n_thought = 0  # tokens that are no part of the answer: max_tokens does not count them
        self._logprobs: list[TokenLogprob] = []
        # Whoever revises this answer asks what else might have stood in it.
        self._rows: list[Logits] | None = None if self._sampler or generation.request.stop else []

    @property
    def tokens(self) -> list[int]:
        """The prompt and the answer so far."""
        return self._tokens

    def read(self, room: int, n_guesses: int) -> list[Plan]:
        """The next part of the tokens that are not in memory, and at its end guesses of what the answer begins with."""
        plans = super().read(room, n_guesses)
        if not plans or not plans[0].n_logits:
            return plans
        draft = self._draft(min(n_guesses, room - len(plans[0].tokens)))
        return [Plan(plans[0].slot, [*plans[0].tokens, *draft], 1 + len(draft))]

    def write(self, room: int) -> list[Plan]:
        """The newest token, and guesses of those after it."""
        assert self.slot is not None  # noqa: S101 - placed before it writes
        draft = self._draft(room)
        return [Plan(self.slot, [self._tokens[-1], *draft], 1 + len(draft))]

    def _draft(self, room: int) -> list[int]:
        if self._drafter is None:
            return []
        # The last token of an answer is never evaluated, and one comes out of every step without a guess.
        draft = self._drafter.propose(self._tokens, min(room, self._left - 1))
        ends = (at for at, token in enumerate(draft) if self._place.is_end(token))
        del draft[next(ends, len(draft)) + 1 :]  # what came after the end of an earlier answer never comes again
        return draft

    def advance(self, plans: Sequence[Plan], first_row: int) -> None:
        """Choose a token, and further ones as long as what was guessed is what is chosen."""
        (plan,) = plans
        if not plan.n_logits:
            return
        self._note_prompt()
        draft = plan.tokens[len(plan.tokens) - plan.n_logits + 1 :]
        accepted = 0
        reason: FinishReason | None = None
        for row in range(first_row, first_row + plan.n_logits):
            token, reason = self._next(row)
            if reason is not None or accepted == len(draft) or draft[accepted] != token:
                break
            accepted += 1
        if self._drafter and draft:
            self._drafter.learn(len(draft), accepted)
            self._n_drafted += accepted
        # All but the newest token are evaluated; guesses that were wrong are forgotten.
        self._place.sequences.trim(plan.slot, len(self._tokens) - (reason != "stop" or self.answer.stream.stopped))
        if reason is not None:
            self.finish(reason)

    def finish(self, reason: FinishReason) -> None:
        """End with what there is."""
        rows, whole = self._rows, self.answer.stream.whole and reason == "stop"
        self._complete(reason, n_drafted=self._n_drafted, logprobs=tuple(self._logprobs))
        if rows and whole:
            self._place.answers.remember_logits(self.prompt, self.generation.text, np.stack(rows))

    def _next(self, row: int) -> tuple[int, FinishReason | None]:
        """Choose the next token from a row of logits; with the reason, if it ends the answer."""
        logits = self._place.decoder.logits[row]
        token = self._sampler.sample(row) if self._sampler else int(logits.argmax())
        if not np.isfinite(logits[token]):
            raise EngineError("The model computes no numbers here: its file may be damaged. Fetch or convert it again.")
        if self._rows is not None:
            self._note(logits)
        if self._place.is_end(token):
            return token, "stop"
        self._tokens.append(token)
        if self.generation.request.logprobs is not None:
            self._logprobs.append(self._logprob(logits, token, self.generation.request.logprobs))
        if self.answer.add(token):
            return token, "stop"
        self._n_thought += self.answer.stream.thinking
        return token, None if self._left else "length"

    def _note(self, logits: Logits) -> None:
        """Keep a row of logits while there is room for it, else none of them."""
        if self._rows is not None and self._place.answers.note(logits.nbytes):
            self._rows.append(logits.copy())
        else:
            self._forget_rows()

    def _forget_rows(self) -> None:
        if self._rows:
            self._place.answers.note(-sum(row.nbytes for row in self._rows))
        self._rows = None

    @property
    def _left(self) -> int:
        """Tokens that may still come."""
        fit = self.room - len(self.answer.tokens)
        wanted = self.generation.request.max_tokens
        return fit if wanted is None else min(fit, wanted - len(self.answer.tokens) + self._n_thought)

    def _logprob(self, logits: Logits, token: int, n_top: int) -> TokenLogprob:
        peak = logits.max()
        total = peak + np.log(np.exp(logits - peak, dtype=np.float64).sum())
        best = np.argpartition(-logits, n_top)[:n_top] if n_top else np.empty(0, int)
        top = [(self._name(int(id_)), float(logits[id_] - total)) for id_ in best[np.argsort(-logits[best])]]
        return TokenLogprob(self._name(token), float(logits[token] - total), tuple(top))

    def _name(self, token: int) -> str:
        return self._place.vocabulary.piece(token).decode(errors="replace")

    def _end(self) -> None:
        if self._sampler and not self.done:
            self._sampler.close()
        self._forget_rows()
        super()._end()
