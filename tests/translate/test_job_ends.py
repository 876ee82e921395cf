"""Document jobs: every way in which one can end before its time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, EngineError, JobCancelled, UsageError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.translate.job.document_job import DocumentJob
from bayling_lite.translate.job.report import SegmentRecord
from bayling_lite.translate.store import Store
from tests.translate.pretending import SMALL, asked_text, chinese, chinese_text
from tests.translate.running_jobs import NAMES, asked, job_of, sentences, text_of

ENGLISH, CHINESE, GERMAN = (find_language(code) for code in ("en", "zh", "de"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "translations.sqlite") as opened:
        yield opened


def slow(texts: list[str], **options: object) -> tuple[DocumentJob, ScriptedEngine]:
    engine = ScriptedEngine(chinese, delay=0.01, info=SMALL)
    return job_of(texts, engine, **options), engine


def test_cancelling_ends_within_the_time_of_a_token(store: Store) -> None:
    texts = sentences(300)
    job, engine = slow(texts, store=store)
    pieces = job.run()
    first = next(pieces)
    at = [0.0]

    def cancel() -> None:
        at[0] = time.monotonic()
        job.cancel()

    threading.Timer(0.1, cancel).start()
    with pytest.raises(JobCancelled):
        list(pieces)
    assert time.monotonic() - at[0] < 0.5
    assert first == chinese_text(texts[0]) + "\n"
    assert job.report.cancelled
    kept = sum(count.segments for count in store.counts())
    assert job.report.ok == job.done == kept < 300
    assert len(engine.requests) - kept <= 4  # those under way, no more


def test_jobs_cancelled_at_any_moment_do_nothing_twice(store: Store) -> None:
    texts = sentences(60)
    cancels = 0
    for attempt in range(100):
        known = {segment.source for segment in store.segments()}
        engine = ScriptedEngine(chinese, delay=0.0005, info=SMALL)
        job = job_of(texts, engine, store=store)
        timer = threading.Timer(0.004 * (attempt + 1), job.cancel)
        timer.start()
        try:
            assert text_of(job) == "".join(chinese_text(text) + "\n" for text in texts)
            break
        except JobCancelled:
            cancels += 1
        finally:
            timer.cancel()
            assert not known & set(asked(engine))
            finished = {segment.source for segment in store.segments()} - known
            assert finished <= set(asked(engine))
            assert len(finished) == job.report.from_model
    assert cancels > 2
    assert sum(count.segments for count in store.counts()) == 60


def test_ctrl_c_keeps_what_is_finished_and_goes_on_up(store: Store) -> None:
    job, engine = slow(sentences(300), store=store)

    def interrupt() -> None:
        while not store.counts():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        text_of(job)
    kept = sum(count.segments for count in store.counts())
    assert 0 < kept == job.report.ok < 300
    assert not job.report.cancelled
    n_requests = len(engine.requests)
    time.sleep(0.05)
    assert len(engine.requests) == n_requests  # nothing goes on


def test_an_error_of_the_engine_ends_the_job_and_keeps_what_is_finished(store: Store) -> None:
    def script(conversation: Conversation) -> str:
        if "number 23" in asked_text(conversation):
            raise EngineError("The server is gone.")
        return chinese(conversation)

    job = job_of(sentences(300), ScriptedEngine(script, info=SMALL), store=store)
    with pytest.raises(EngineError, match="The server is gone"):
        text_of(job)
    assert job.report.ok == sum(count.segments for count in store.counts()) >= 20
    assert job.report.done < 60


def test_an_error_of_the_store_ends_the_job(store: Store) -> None:
    job = job_of(sentences(50), store=store, on_segment=lambda record: store.close() if record.index == 9 else None)
    with pytest.raises(UsageError, match="store was closed"):
        text_of(job)


def test_an_error_of_whoever_is_told_of_segments_ends_the_job(store: Store) -> None:
    def told(record: SegmentRecord) -> None:
        if record.index == 3:
            raise ZeroDivisionError

    job, engine = slow(sentences(300), store=store, on_segment=told)
    with pytest.raises(ZeroDivisionError):
        text_of(job)
    n_requests = len(engine.requests)
    time.sleep(0.05)
    assert len(engine.requests) == n_requests < 60
    assert job.report.from_model == sum(count.segments for count in store.counts()) >= 3


def test_an_engine_that_is_closed_ends_the_job(store: Store) -> None:
    # One sentence again and again: those who wait for the first of them must hear of its end, too.
    job, engine = slow(["Anna is here.", *[f"Good morning, {', '.join(NAMES)} and all the others."] * 100], store=store)
    pieces = job.run()
    next(pieces)
    engine.close()
    with pytest.raises(EngineClosed):
        list(pieces)
    assert job.report.ok == sum(count.segments for count in store.counts()) >= 1


def test_who_stops_reading_ends_the_job(store: Store) -> None:
    job, engine = slow(sentences(300), store=store)
    pieces = job.run()
    next(pieces)
    pieces.close()
    n_requests = len(engine.requests)
    time.sleep(0.05)
    assert len(engine.requests) == n_requests < 20
    assert job.report.ok == sum(count.segments for count in store.counts()) >= 1


def test_a_job_runs_once() -> None:
    job = job_of(["Hello."])
    text_of(job)
    with pytest.raises(UsageError, match="runs once"):
        text_of(job)
