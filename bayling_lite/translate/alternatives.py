"""Other translations of a text than the one there is, to choose from."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bayling_lite.engine.base import Engine, GenerationRequest, SamplingParams
from bayling_lite.errors import ContextOverflow
from bayling_lite.messages import Conversation
from bayling_lite.translate.asking.steps import SteppedWork, Steps
from bayling_lite.translate.formats.plain import on_one_line
from bayling_lite.translate.refining.means import Means, Wanted, logprobs, said
from bayling_lite.translate.refining.terms import missing_terms
from bayling_lite.translate.refining.weighing import weigh
from bayling_lite.translate.results import TranslatedSegment, Translation

# Segments whose other texts are looked for at once.
_AHEAD = 4
# Hypotheses of a search, at least, and for each alternative: many differ in a comma only.
_FEWEST_BEAMS, _BEAMS_EACH = 8, 2
_MOST_BEAMS = 16
# Texts that are weighed beyond those that are wanted; with a demonstrator, which is soon done, all.
_WEIGHED_MORE = 2
# Where the engine cannot search, so many samples for each alternative; some come twice.
_SAMPLES_EACH = 2
_ANOTHER = SamplingParams(temperature=0.8, top_p=0.95)
_SEED = 20230616
# How much less of the source may be found in a text than in the draft, in nats: of the whole, and per token of the
# source, of which the greater counts. More than a word is missing then.
_BACK, _BACK_PER_TOKEN = 5.0, 0.3
_WORTH = 0.7


class AlternativesStream:
    """Other translations being looked for. Ask for the :meth:`result`; :meth:`cancel` from any thread.

    ``done`` and ``total`` count segments.
    """

    def __init__(self, engine: Engine, draft: Translation, count: int, means: Means) -> None:
        self._engine = engine
        self._draft = draft
        self._count = count
        self._means = means
        self._lock = threading.Lock()  # of the running ones
        self._running: deque[SteppedWork[list[str]]] = deque()
        self._found: list[list[str]] = []
        self._cancelled = threading.Event()
        self._ended = False
        self._error: Exception | None = None
        self._result: tuple[Translation, ...] | None = None

    @property
    def total(self) -> int:
        """The number of segments."""
        return len(self._draft.segments)

    @property
    def done(self) -> int:
        """The number of segments finished."""
        return len(self._found)

    def result(self) -> tuple[Translation, ...]:
        """At most as many translations as were asked for, each another than the draft, the best first.

        After :meth:`cancel`, those found until then.

        Raises:
            EngineError: generating failed.
        """
        if not self._ended:
            with self._ending():
                for work in self._works():
                    self._found.append(work.wait() or [])
        return self._outcome()

    async def aresult(self) -> tuple[Translation, ...]:
        """:meth:`result` for asynchronous programs."""
        if not self._ended:
            with self._ending():
                for work in self._works():
                    self._found.append(await work.await_outcome() or [])
        return self._outcome()

    def cancel(self) -> None:
        """Stop as soon as possible; what was found stays."""
        self._cancelled.set()
        self._stop()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """However reading ends, by Ctrl-C as well, nothing runs on, and what was found is the result."""
        try:
            yield
        except Exception as error:
            self._error = error
            raise
        finally:
            self._ended = True
            self.cancel()

    def _outcome(self) -> tuple[Translation, ...]:
        if self._error is not None:
            raise self._error
        if self._result is None:
            self._result = self._combined()
        return self._result

    def _works(self) -> Iterator[SteppedWork[list[str]]]:
        """The work at each segment, in order; that at the next ones has begun."""
        waiting = deque(self._draft.segments)
        while not self._cancelled.is_set():
            with self._lock:
                while waiting and len(self._running) < _AHEAD and not self._cancelled.is_set():
                    steps = _other_texts(self._draft, waiting.popleft(), self._count, self._means)
                    self._running.append(SteppedWork(self._engine, steps))
                if not self._running:
                    return
                current = self._running[0]
            yield current
            with self._lock:
                self._running.popleft()

    def _stop(self) -> None:
        with self._lock:
            running = list(self._running)
        for work in running:
            work.cancel()

    def _combined(self) -> tuple[Translation, ...]:
        """Whole texts: the best other text of every segment, then the second best, and so on."""
        most = min(self._count, max(map(len, self._found), default=0))
        return tuple(
            _with_texts(self._draft, [texts[number] if number < len(texts) else "" for texts in self._found])
            for number in range(most)
        )


def _other_texts(draft: Translation, old: TranslatedSegment, count: int, means: Means) -> Steps[list[str]]:
    """At most ``count`` other answers to the request that a segment answers, the best first."""
    if old.status == "kept":
        return []
    wanted, asked = Wanted.of(draft, old), Conversation(old.conversation.messages[:-1])
    if means.can_search:
        beam_size = min(_MOST_BEAMS, max(_FEWEST_BEAMS, _BEAMS_EACH * count))
        (reply,) = yield (means.request(asked, old, wanted.words, beam_size),)
        if not isinstance(reply, Exception):
            found = [on_one_line(one.text) for one in wanted.found(reply)]
            found = found[: beam_size if means.wide else count + _WEIGHED_MORE]
            if not found or draft.source is None:
                return found[:count]
            texts = [old.text, *found]
            first, *others = yield from weigh(texts, asked, old.source, draft.source, means, logprobs(reply))
            least = first.back - max(_BACK, _BACK_PER_TOKEN * means.budget.tokens(old.source))
            good = [one for one in others if one.back >= least and one.back > float("-inf")]
            good.sort(key=lambda one: -(one.there + _WORTH * one.back))
            return [one.text for one in good[:count]]
        if isinstance(reply, ContextOverflow):
            return []
    request = means.request(asked, old, wanted.words)
    replies = yield [_sampled(request, number) for number in range(_SAMPLES_EACH * count)]
    drawn: dict[str, str] = {}
    for one in [one for reply in replies for one in wanted.found(reply)]:
        drawn.setdefault(said(one.text), on_one_line(one.text))
    return list(drawn.values())[:count]


def _sampled(request: GenerationRequest, number: int) -> GenerationRequest:
    return replace(request, sampling=replace(_ANOTHER, seed=_SEED + number), revises=False)


def _with_texts(draft: Translation, texts: Sequence[str]) -> Translation:
    """A draft with other texts in its first segments; where one is empty, the draft's own."""
    texts = [*texts, *([""] * (len(draft.segments) - len(texts)))]
    segments = tuple(
        replace(old, text=text, status="ok", conversation=_answered(old.conversation, text)) if text else old
        for old, text in zip(draft.segments, texts, strict=True)
    )
    writer = draft.document.writer(draft.target)
    text = "".join(writer.end(segment.text) for segment in segments)
    if len(segments) == len(draft.document.segments):
        text += writer.finish()
    conversation = segments[0].conversation if len(segments) == 1 else _answered(draft.conversation, text.strip())
    return replace(
        draft,
        text=text,
        conversation=conversation,
        segments=segments,
        unchanged=False,
        missing_terms=missing_terms(segments, draft.terms),
        missing_words=draft.lacking(text),
    )


def _answered(conversation: Conversation, answer: str) -> Conversation:
    """A conversation with another answer at its end."""
    return Conversation(conversation.messages[:-1]).assistant(answer)
