"""The worker thread that owns a llama context and serves many requests in one batch.

Requests come from any thread and join while others run. Each step evaluates one batch: the newest token of every
answer, and of the prompts that are still being read a part that is small enough to keep the answers flowing. A prompt
begins with whatever any sequence holds of it; where several begin alike, the first evaluates the common part and the
others copy it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bayling_lite.engine.answers import Answer, Answers
from bayling_lite.engine.batches import BLOCK, Composer, Work
from bayling_lite.engine.decoder import Chunk, Decoder, Outcome
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.jobs import Job, SamplingJob, Workplace
from bayling_lite.engine.native_log import logger
from bayling_lite.engine.response_tokens import ResponseTokens
from bayling_lite.engine.revision_job import RevisionJob
from bayling_lite.engine.search_job import SearchJob
from bayling_lite.engine.sequences import Sequences, common_prefix
from bayling_lite.engine.text import TextStream
from bayling_lite.engine.thinking import thinking_filter
from bayling_lite.engine.tokens import Tokenizer, Vocabulary
from bayling_lite.errors import BaylingError, ContextOverflow, EngineClosed, EngineError, UsageError
from bayling_lite.localization import _
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Template

# What another job is about to evaluate is worth waiting for from this many tokens on.
_WORTH_WAITING = 8
# Cells kept free for each running sequence when another one is let in.
_GROWTH = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scheduler keeps to.

    ``n_ctx`` is the most tokens of one request, ``n_parallel`` the most requests at once, ``n_mixed`` the most tokens
    of a step while answers are flowing. ``drafting`` is false where guessing ahead is switched off. ``exact``: nothing
    of a request that has ended is of use to the next one.
    """

    n_ctx: int
    n_parallel: int
    n_mixed: int
    drafting: bool = True
    exact: bool = False


class Scheduler:
    """Serves generations on one decoder.

    ``replacements`` are placeholders that the model writes, and what stands for them in the answers' texts.
    The worker closes the decoder when it ends, and calls ``free`` for what is below it (the model).
    """

    def __init__(
        self,
        decoder: Decoder,
        vocabulary: Vocabulary,
        template: Template,
        free: Callable[[], None],
        limits: Limits,
        replacements: Mapping[str, str] | None = None,
    ) -> None:
        self._decoder = decoder
        self._template = template
        self._tokenizer = Tokenizer(vocabulary, template)
        self._free = free
        self._limits = limits
        self._replacements = replacements
        self._place = Workplace(
            decoder,
            Sequences(decoder, keep=not limits.exact),
            vocabulary,
            self._tokenizer.stop_ids,
            Answers(keep=not limits.exact),
            limits.drafting,
        )
        self._jobs: list[Job] = []  # in the order they came; the worker's own
        self._composer = Composer(decoder.n_batch, limits.n_mixed, self._answering_for)
        self._full = False  # a job had to give its memory up; until another one ends, none may take any
        self._changed = threading.Condition()
        self._queue: deque[StreamedGeneration] = deque()
        self._interruptible: set[StreamedGeneration] = set()  # a running evaluation is worth ending for these
        self._closing = False
        # A daemon, so that a program which forgets to close the engine can still end.
        self._worker = threading.Thread(target=self._serve, name="bayling-engine", daemon=True)
        self._worker.start()

    # From any thread.

    def submit(self, generation: StreamedGeneration) -> None:
        """Queue a generation.

        Raises:
            EngineClosed: the scheduler was closed.
        """
        with self._changed:
            if self._closing:
                raise EngineClosed(_("The engine was closed."))
            self._queue.append(generation)
            self._changed.notify()

    def cancel(self, generation: StreamedGeneration) -> None:
        """Interrupt what is computed for this generation."""
        with self._changed:
            if generation in self._interruptible:
                self._decoder.interrupt(True)

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the rendered conversation."""
        with self._place.vocabulary.in_use():
            return len(self._tokenizer.encode(self._template.render(conversation)))

    def close(self) -> None:
        """Cancel what runs, fail what waits, free the model; returns when that is done. Idempotent."""
        with self._changed:
            self._closing = True
            waiting, self._queue = self._queue, deque()
            self._decoder.interrupt(True)
            self._changed.notify()
        for generation in waiting:
            generation.fail(EngineClosed(_("The engine was closed before this request was served.")))
        # The garbage collector may close an engine from any thread, the worker included.
        if threading.current_thread() is not self._worker:
            self._worker.join()

    # The worker thread.

    def _serve(self) -> None:
        try:
            while self._wait():
                self._admit()
                self._settle()
                self._step()
            for job in self._jobs:
                with self._answering_for(job):
                    job.generation.cancel()
                    job.finish("cancelled")
        finally:
            # Reached by close(), or by a fault of this class: then nobody may wait for a thread that is gone.
            with self._changed:
                self._closing = True
                left, self._queue = self._queue, deque()
            for generation in [*left, *(job.generation for job in self._jobs)]:
                generation.fail(EngineClosed(_("The engine was closed before this request was served.")))
            self._jobs.clear()
            self._decoder.close()
            self._free()

    def _wait(self) -> bool:
        """Wait for something to do; false when closing."""
        with self._changed:
            if not self._jobs:
                self._changed.wait_for(lambda: self._queue or self._closing)
            return not self._closing

    def _admit(self) -> None:
        """Let waiting requests in while there are sequences for them."""
        while True:
            rows = sum(job.width for job in self._jobs)
            if len(self._jobs) >= self._limits.n_parallel or rows >= max(self._limits.n_parallel, BLOCK):
                return
            # Whoever waits for room in memory stands before those in the queue.
            if any(job.waiting and not job.follows for job in self._jobs):
                return
            with self._changed:
                generation = self._queue.popleft() if self._queue else None
            if generation is None:
                return
            if generation.begin():
                self._prepare(generation)

    def _prepare(self, generation: StreamedGeneration) -> None:
        """Make a job of a request, or let its reader know why not."""
        try:
            job = self._job(generation)
        except Exception as error:  # noqa: BLE001 - whatever it is, its caller learns of it
            generation.fail(_failure(error))
            return
        if job.done:
            return  # it had nothing to evaluate
        found = self._place.sequences.reusable(job.prompt)
        for other in self._jobs if self._decoder.can_rewind else ():
            planned = common_prefix(other.prompt, job.prompt, len(job.prompt) - 1)
            if other.reading and planned >= found + _WORTH_WAITING:
                found, job.follows = planned, (other, planned)
        self._jobs.append(job)
        self._start(job)

    def _job(self, generation: StreamedGeneration) -> Job:
        request = generation.request
        if (request.search or request.revision) and not self._decoder.can_rewind:
            raise UsageError(
                _("A recurrent model cannot be searched: ask for its likeliest text, without required words.")
            )
        parts = self._template.render(request.conversation)
        prompt = self._tokenizer.encode(parts, self._place.answers.recall)
        room = self._limits.n_ctx - len(prompt)
        if room < 1:
            raise ContextOverflow(len(prompt), self._limits.n_ctx)

        def new_stream() -> TextStream:
            thinking = thinking_filter(self._template, parts)
            return TextStream(request.stop, replacements=self._replacements, thinking=thinking)

        answer = Answer(self._place.vocabulary, generation, new_stream())
        if request.search is not None:
            return SearchJob(generation, prompt, room, answer, self._place, new_stream)
        if request.revision is not None:
            recall = self._place.answers.recall
            tokens = ResponseTokens(self._tokenizer, self._place.vocabulary, parts, prompt, recall)
            return RevisionJob(generation, prompt, room, answer, self._place, new_stream, tokens)
        return SamplingJob(generation, prompt, room, answer, self._place)

    def _settle(self) -> None:
        """End what was cancelled; give those that wait a sequence, in the order they came."""
        for job in list(self._jobs):
            if job.generation.cancelled:
                with self._answering_for(job):
                    job.finish("cancelled")
        self._forget_done()
        for job in self._jobs:
            if job.waiting and not self._start(job) and not job.follows:
                break
        self._forget_done()

    def _start(self, job: Job) -> bool:
        """Give a waiting job a sequence; false when it has to wait on."""
        if self._is_following(job) or (self._full and any(not other.waiting for other in self._jobs)):
            return False
        with self._answering_for(job):
            return self._has_room(job) and job.start()
        return True  # it failed, and waits no more

    def _is_following(self, job: Job) -> bool:
        """Whether another job is still to evaluate what this one is going to copy."""
        if job.follows is None:
            return False
        leader, n_tokens = job.follows
        if leader.done or not leader.reading or (leader.slot is not None and len(leader.slot.tokens) >= n_tokens):
            job.follows = None
        return job.follows is not None

    def _has_room(self, job: Job) -> bool:
        running = [other for other in self._jobs if not other.waiting]
        new = len(job.tokens) - self._place.sequences.reusable(job.tokens)
        growth = _GROWTH * sum(other.width for other in (*running, job))
        return not running or self._place.sequences.n_busy_tokens + new + growth <= self._decoder.n_cells

    def _step(self) -> None:
        """Evaluate one batch and hand its logits out."""
        work = self._composer.compose(self._jobs)
        if not work:
            return
        outcome = self._evaluate(work)
        if outcome is Outcome.DONE:
            self._advance(work)
        else:
            self._restore(work)
            if outcome is Outcome.FULL:
                self._make_room()
        self._forget_done()

    def _evaluate(self, work: Work) -> Outcome:
        """Evaluate a batch, and count its tokens into their sequences."""
        plans = [plan for _, plans in work for plan in plans]
        with self._changed:
            # Ending a batch early costs the others a step, so one is ended only where it is long for this request, or
            # for nobody else; and a long one that an answer has to wait for.
            waited_for = work if not self._composer.aside else [(job, []) for job in self._jobs]
            self._interruptible = {
                job.generation
                for job, own in waited_for
                if len(work) == 1 or self._composer.aside or any(len(plan.tokens) > 1 for plan in own)
            }
            self._decoder.interrupt(self._closing or any(one.cancelled for one in self._interruptible))
        try:
            chunks = [Chunk(p.slot.number, len(p.slot.tokens), p.tokens, p.n_logits) for p in plans]
            outcome = self._decoder.decode(chunks)
        except Exception as error:  # noqa: BLE001 - whatever it is, their callers learn of it
            self._blame(work, _failure(error))
            return Outcome.INTERRUPTED
        finally:
            with self._changed:
                self._interruptible = set()
        if outcome is Outcome.DONE:
            for plan in plans:
                plan.slot.tokens += plan.tokens
        return outcome

    def _advance(self, work: Work) -> None:
        row = 0
        for job, plans in work:
            with self._answering_for(job):
                job.advance(plans, row)
            row += sum(plan.n_logits for plan in plans)

    def _restore(self, work: Work) -> None:
        """Bring the memory back to what it held before an evaluation that did not end."""
        for _work, plans in work:
            for plan in plans:
                self._place.sequences.restore(plan.slot)

    def _make_room(self) -> None:
        """The memory is full: forget what nobody uses, else let the youngest job wait, else end the only one."""
        if self._place.sequences.evict():
            return
        running = [job for job in self._jobs if not job.waiting]
        youngest = running[-1]
        with self._answering_for(youngest):
            if len(running) > 1:
                self._full = True
                youngest.suspend()
            elif not youngest.generating:
                raise EngineError(_("The memory of the context is full. Open the model with a larger context."))
            else:
                youngest.finish("length")

    def _blame(self, work: Work, error: BaylingError) -> None:
        """A batch failed. Of several jobs nobody knows whose fault it is: each goes on alone, or fails alone."""
        self._restore(work)
        for job, plans in work:
            with self._answering_for(job):
                if len(work) == 1:
                    raise error
                if self._evaluate([(job, plans)]) is Outcome.DONE:
                    job.advance(plans, 0)

    def _forget_done(self) -> None:
        left = [job for job in self._jobs if not job.done]
        if len(left) < len(self._jobs):
            self._full = False
        self._jobs = left

    @contextmanager
    def _answering_for(self, job: Job) -> Iterator[None]:
        """Whatever goes wrong reaches the job's reader, and leaves the others running."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, its caller learns of it
            if not isinstance(error, BaylingError):
                logger.exception("A request failed")
            job.fail(_failure(error), intact=False)


def _failure(error: Exception) -> BaylingError:
    if isinstance(error, BaylingError):
        return error
    failure = EngineError(_("Generating failed: {reason}.", reason=error))
    failure.__cause__ = error
    return failure
