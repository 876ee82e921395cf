"""Over 500 documents that are damaged or made to harm: a clear error or a right result, never anything else."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.errors import InputError
from tests.translate.formats.malformed import ARCHIVES, TEXTS, long_lines, malformed
from tests.translate.formats.rewriting import opened, same, swapped, written
from tests.translate.formats.samples import MAKERS, Sample

SECONDS = 60
MOST_MEMORY = 750_000_000


def memory(what: str) -> int:
    """Bytes of this process in memory: now (``VmRSS``) or at most (``VmHWM``); 0 where Linux does not say it."""
    with contextlib.suppress(OSError):
        found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        return int(found[1]) * 1024 if found else 0
    return 0


def forget_the_peak() -> None:
    """What tests before this one took does not count (proc(5), clear_refs)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


@contextlib.contextmanager
def guarded(what: str) -> Iterator[None]:
    """Nothing may take longer than anybody would wait."""

    def hang(*_: object) -> None:
        raise TimeoutError(f"{what} hangs")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(sample: Sample) -> str:
    """``refused``, or ``same`` for a document that is read and comes back as it was when nothing is changed in it."""
    try:
        document = opened(sample.data, sample.format, encoding=sample.encoding)
    except InputError as error:
        message = str(error)
        assert sample.format in message or "document" in message, message
        assert re.search(r"[.!?)]$|documents\]\"$", message), message
        return "refused"
    written(document, swapped)
    if sample.format == "pdf":
        assert written(document, same) == written(document, same)
    else:
        assert written(document, same) == sample.data
    return "same"


def test_there_are_at_least_500() -> None:
    assert sum(len(list(malformed(name))) for name in MAKERS if name not in ARCHIVES) >= 500


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_malformed_documents(name: str) -> None:
    forget_the_peak()
    before = memory("VmRSS")
    outcomes = {}
    for sample in malformed(name):
        with guarded(sample.name):
            outcomes[sample.name] = outcome(sample)
    assert len(outcomes) >= 20
    for what, came in outcomes.items():
        if re.search("bomb|laughs|quadratic|evil|many parts|encrypted|external entity|parameter entity", what):
            assert came == "refused" or name in ("html", "epub"), what
        if re.search(" with nothing$", what) and name in (*ARCHIVES, "pdf", "xliff"):
            assert came == "refused", what
    assert memory("VmHWM") < before + MOST_MEMORY


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_documents_in_one_line(name: str) -> None:
    for sample in long_lines(name):
        with guarded(sample.name):
            assert outcome(sample) in ("same", "refused")
