"""The threads that have segments translated for a job."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from bayling_lite.errors import EngineClosed, JobCancelled
from bayling_lite.translate.asking.values import SegmentOutcome, SegmentRequest
from bayling_lite.translate.job.answers import Answers, Place

_CANCELLED = (
    "The translation was cancelled. What is finished is in the store, if there is one: the same job goes on from there."
)
_CLOSED = "The engine was closed before the document was finished. What is finished is in the store, if there is one."


class Workers:
    """Some threads, each of which waits for one segment at a time. The first error stops them all.

    :meth:`cancel` may be called from any thread at any time; the rest is for the thread that runs the job.
    """

    def __init__(self, answers: Answers, count: int) -> None:
        self._answers = answers
        self._pool = ThreadPoolExecutor(count, "document-job")
        self._halted = threading.Event()  # nothing more is to be asked, for whatever reason
        self._error: BaseException | None = None
        self.cancelled = False

    def submit(self, request: SegmentRequest) -> Future[SegmentOutcome]:
        """Have a segment translated; segments come in the order of the document."""
        return self._pool.submit(self._answer, self._answers.place(request))

    def wait(self, future: Future[SegmentOutcome]) -> SegmentOutcome:
        """What came of a segment.

        Raises:
            JobCancelled: it was cancelled.
            EngineError: generating failed, or the engine was closed.
            OutputError: the store cannot be written.
        """
        outcome = future.result()
        if outcome.status != "cancelled":
            return outcome
        self.check()
        raise self._error or EngineClosed(_CLOSED)

    def check(self) -> None:
        """See whether the job was cancelled.

        Raises:
            JobCancelled: it was.
        """
        if self.cancelled:
            raise JobCancelled(_CANCELLED)

    def cancel(self) -> None:
        """Stop what is under way, within the time of about one token."""
        self.cancelled = True
        self._halted.set()

    def close(self) -> None:
        """Stop what is under way, and wait until what was finished is kept. Idempotent."""
        self._halted.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, place: Place) -> SegmentOutcome:
        try:
            return self._answers.answer(place, self._halted)
        except BaseException as error:
            self._error = self._error or error
            self._halted.set()
            raise


def finished(future: Future[SegmentOutcome]) -> SegmentOutcome | None:
    """What came of a segment, after the workers were closed; None where nothing did."""
    if not future.done() or future.cancelled() or future.exception() is not None:
        return None
    outcome = future.result()
    return None if outcome.status == "cancelled" else outcome
