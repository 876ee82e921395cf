"""Where the translation of a segment comes from: a translation memory, the store, the same segment before, the model.

Safe to use from many threads. What a document says several times is asked of the model once, where it stands first:
the model may see what stands around it there, so which one is asked must not depend on which thread is the faster.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayling_lite.translate.asking.values import Origin, Problem, ProblemKind, SegmentOutcome, SegmentRequest
from bayling_lite.translate.glossary import occurs
from bayling_lite.translate.markup import Marked, MarkupLost, tagged
from bayling_lite.translate.store import Store, StoredSegment

if TYPE_CHECKING:
    from bayling_lite.translate.asking.segment_translator import SegmentTranslator
    from bayling_lite.translate.memory import TranslationMemory

# Segments remembered besides the store, for documents that say a thing twice: some megabytes.
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of a request, for others with the same fingerprint: texts with tags, since their codes differ."""

    outcome: SegmentOutcome
    source: str
    target: str
    alternatives: tuple[str, ...]

    @classmethod
    def of(cls, request: SegmentRequest, outcome: SegmentOutcome) -> _Done:
        tags = tagged(request.source)
        target, *alternatives = (tags.spelled(text.text) for text in (outcome.target, *outcome.alternatives))
        return cls(outcome, tags.text, target, tuple(alternatives))


@dataclass(frozen=True, slots=True)
class Place:
    """A segment's place in the order of a document. ``first`` is its own or, ``ours`` being False, that of an equal
    segment before it, whose translation is under way.
    """

    request: SegmentRequest
    key: str
    first: Future[_Done]
    ours: bool


class Answers:
    """Gives translations of segments for one job: each gets a place, in order, then an answer, from any thread.

    What came well from the model is in the store when :meth:`answer` returns; what failed is not, so that another job
    tries again. With ``retranslate``, what is in the store from before is not used but replaced.
    """

    def __init__(
        self,
        translator: SegmentTranslator,
        *,
        store: Store | None = None,
        memory: TranslationMemory | None = None,
        retranslate: bool = False,
    ) -> None:
        self._translator = translator
        self._store = store
        self._memory = memory
        self._retranslate = retranslate
        self._lock = threading.Lock()
        self._running: dict[str, Future[_Done]] = {}
        self._recent: OrderedDict[str, _Done] = OrderedDict()

    def place(self, request: SegmentRequest) -> Place:
        """A place for a segment; whoever gets one asks for its answer, in whatever order."""
        key = self._translator.fingerprint(request)
        with self._lock:
            running = self._running.get(key)
            first = self._running[key] = running or Future()
        return Place(request, key, first, running is None)

    def answer(self, place: Place, cancelled: threading.Event) -> SegmentOutcome:
        """The translation of a segment; waits for it, and for an equal one before it.

        Raises:
            EngineError: generating failed.
            OutputError: the store cannot be written.
        """
        if place.ours:
            with self._told(place):
                outcome = self._asked(place, cancelled)
                place.first.set_result(_Done.of(place.request, outcome))
            return outcome
        # Nobody may come to the first place any more.
        if cancelled.is_set():
            return _cancelled(place.request)
        return _repeated(place.first.result(), place.request) or self._asked(place, cancelled)

    def from_memory(self, request: SegmentRequest) -> SegmentOutcome | None:
        """The translation of a segment in the memory, if it is there."""
        if self._memory is None or request.source_language is None:
            return None
        target = self._memory.exact(request.source, request.source_language, request.target)
        if target is None or sorted(target.used) != sorted(request.source.used):
            return None
        missing = tuple(
            Problem(ProblemKind.TERMS, f"{word} → {wanted}", fatal=False)
            for word, wanted in request.terms
            if not occurs(wanted, target.reads)
        )
        return SegmentOutcome(target, "ok", missing, origin="memory")

    def with_examples(self, request: SegmentRequest) -> SegmentRequest:
        """The request with translations of similar segments from the memory."""
        if self._memory is None or request.source_language is None:
            return request
        similar = self._memory.similar(request.source, request.source_language, request.target)
        examples = tuple((source, target) for source, target, _ in reversed(similar))
        return replace(request, examples=examples) if examples else request

    def stored(self, key: str, request: SegmentRequest) -> SegmentOutcome | None:
        """The translation of a segment in the store, if it is there and to be used."""
        if self._store is None or self._retranslate:
            return None
        segment = self._store.get(key)
        if segment is None:
            return None
        restored = _restored(request.source, (segment.target, *segment.alternatives))
        if restored is None:
            return None
        return SegmentOutcome(restored[0], "ok", segment.problems, alternatives=restored[1:], origin="store")

    @contextmanager
    def _told(self, place: Place) -> Iterator[None]:
        """See to it that those who wait for the same segment hear of it, also of an error."""
        try:
            yield
        except BaseException as error:
            place.first.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[place.key]

    def _asked(self, place: Place, cancelled: threading.Event) -> SegmentOutcome:
        """What the memory has of a segment, what came of an equal one before, what the store has, or the model says."""
        if cancelled.is_set():
            return _cancelled(place.request)
        found = self.from_memory(place.request) or self._repeated_recently(place)
        if found is not None:
            return found
        request = self.with_examples(place.request)
        key = self._translator.fingerprint(request) if request.examples else place.key
        return self.stored(key, request) or self._translated(place, key, request, cancelled)

    def _repeated_recently(self, place: Place) -> SegmentOutcome | None:
        with self._lock:
            recent = self._recent.get(place.key)
            if recent is not None:
                self._recent.move_to_end(place.key)
        return None if recent is None else _repeated(recent, place.request)

    def _translated(
        self, place: Place, key: str, request: SegmentRequest, cancelled: threading.Event
    ) -> SegmentOutcome:
        """What the model makes of a segment; in the store under ``key`` if it is good."""
        outcome = _with_codes_kept(self._translator.translate(request, cancelled), request.source)
        done = _Done.of(request, outcome)
        if outcome.status == "ok" and self._store is not None:
            source, target = request.source_language, request.target
            name = self._translator.engine.info.name
            languages = "" if source is None else source.code, target.code
            self._store.put(
                StoredSegment(key, done.source, done.target, *languages, name, done.alternatives, outcome.problems)
            )
        if outcome.status != "cancelled":
            with self._lock:
                self._recent[place.key] = done
                if len(self._recent) > _REMEMBERED:
                    self._recent.popitem(last=False)
        return outcome


def _cancelled(request: SegmentRequest) -> SegmentOutcome:
    return SegmentOutcome(request.source, "cancelled", origin="source")


def _repeated(done: _Done, request: SegmentRequest) -> SegmentOutcome | None:
    """The outcome of a request with the same fingerprint, with this one's codes; None where they cannot be found."""
    outcome = replace(done.outcome, attempts=0, n_generated=0)
    if outcome.status != "ok":
        return replace(outcome, target=request.source)
    restored = _restored(request.source, (done.target, *done.alternatives))
    if restored is None:
        return None
    origin: Origin = "repeated" if outcome.origin == "model" else outcome.origin
    return replace(outcome, target=restored[0], alternatives=restored[1:], origin=origin)


def _restored(source: Marked, texts: tuple[str, ...]) -> tuple[Marked, ...] | None:
    """Texts with the source's codes for their tags; None where one cannot have them."""
    tags = tagged(source)
    try:
        return tuple(source.replaced(tags.restore(text)) for text in texts)
    except (MarkupLost, ValueError):
        return None


def _with_codes_kept(outcome: SegmentOutcome, source: Marked) -> SegmentOutcome:
    """The outcome, failed if a code of the source is missing in it or there twice: the document would be damaged."""
    if outcome.status == "cancelled" or sorted(outcome.target.used) == sorted(source.used):
        return outcome
    problem = Problem(ProblemKind.MARKUP, "codes are missing or there twice")
    return replace(outcome, target=source, status="failed", problems=(*outcome.problems, problem), alternatives=())
