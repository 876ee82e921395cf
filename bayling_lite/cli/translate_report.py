"""What a user is told when a document is done, and what ``--json`` and ``--report`` say."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bayling_lite.cli.progress_line import clock
from bayling_lite.cli.saying import say
from bayling_lite.cli.translate_options import Options
from bayling_lite.errors import BaylingError
from bayling_lite.languages import Language
from bayling_lite.terminal import printable
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.job.report import Failure, JobReport, SegmentRecord
from bayling_lite.units import counted

FAILURES_SHOWN = 20
"""In all documents of a call."""
_TERMS_SHOWN = 10
_EXCERPT = 60
_FIRST_KEY = "model"
# A text of fewer segments speaks for itself.
_SMALL = 50


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one input: a report, or an error. ``output`` is the file that was written."""

    name: str
    format: str
    output: Path | None
    report: JobReport | None = None
    error: BaylingError | None = None
    empty: bool = False

    @property
    def speaks(self) -> bool:
        """Whether there is more to be said of it than that it is done: it is no short text, or is not quite right."""
        report = self.report
        if report is None:
            return False
        return self.format != "txt" or report.total > _SMALL or report.failed > 0 or bool(report.warnings)


def tell(done: Done, report: JobReport, options: Options, *, output_named: bool, room: int = FAILURES_SHOWN) -> int:
    """What the user should know about one document, and up to ``room`` of its failures; gives how many."""
    name, writing = done.name, options.writing
    if done.output is not None and not output_named:
        writing.note(f"Wrote {done.output}")
    if writing.show_detected_source:
        source = report.source
        say(f"{name}: source language {'unknown' if source is None else f'{source.english} ({source.code})'}")
    for remark in report.notes:
        say(f"{name}: {remark}")
    _tell_unchanged(done, report, options)
    if report.missing_terms:
        shown = ", ".join(f"{printable(term, keep='')}" for term, _ in report.missing_terms[:_TERMS_SHOWN])
        more = f" and {len(report.missing_terms) - _TERMS_SHOWN} more" * (len(report.missing_terms) > _TERMS_SHOWN)
        say(f"{name}: the model could not be made to use {shown}{more} in {counted(report.terms_missing, 'place')}.")
    if report.failed:
        said = f"{report.failed:,} of {report.total:,} segments could not be translated and stand as they were"
        say(f"{name}: {said}{':' if room else '.'}")
    for failure in report.failures[:room]:
        say(f"  {failure.place}: {_reasons(failure.problems)}: {_excerpt(failure.source)}")
    return min(room, report.failed)


def tell_of_more(failed: int, shown: int, options: Options) -> None:
    """Where the failures are that were not listed."""
    if failed > shown:
        where = f"in {options.writing.report}" if options.writing.report else "listed by --report FILE"
        say(f"The other {counted(failed - shown, 'failure')} {'is' if failed - shown == 1 else 'are'} {where}.")


def _tell_unchanged(done: Done, report: JobReport, options: Options) -> None:
    name, note = done.name, options.writing.note
    if report.total == 0 and options.reading.chosen.keys and not done.empty:
        note(f"{name}: there is no text where --keys looks; it is unchanged.")
    elif done.empty:
        note(f"{name} is empty: there is nothing to translate.")
    elif report.total == 0 or (report.source is None and not report.ok + report.failed):
        note(f"{name}: no words found to translate; the text is unchanged.")
    elif report.kept_language and not report.ok + report.failed:
        how = "is" if options.asking.source else "was taken for"
        note(
            f"{name} {how} {report.target.english} already; the text is unchanged."
            + ("" if options.asking.source else " If it is not, name its language with --from.")
        )


def summary(dones: Iterable[Done]) -> str:
    """One sentence about all of it: ``41 segments: 38 translated, 2 kept, 1 failed; 3 retries; 0:41, 0.9/s.``"""
    reports = [done.report for done in dones if done.report is not None]
    total = _sum(reports, "total")
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (_sum(reports, "from_model"), "translated"),
            (_sum(reports, "repeated"), "repeated"),
            (_sum(reports, "from_store"), "reused from the store"),
            (_sum(reports, "from_memory"), "from the translation memory"),
            (_sum(reports, "kept"), "kept"),
            (_sum(reports, "failed"), "failed"),
        )
        if count
    ]
    said = [counted(total, "segment") + (f": {', '.join(parts)}" if parts else "")]
    if retries := _sum(reports, "retries"):
        said.append(counted(retries, "retry", "retries"))
    if terms := _sum(reports, "terms_required"):
        missing = _sum(reports, "terms_missing")
        said.append(f"{terms - missing:,} of {terms:,} terms used")
    if warnings := sum((Counter(dict(report.warnings)) for report in reports), Counter[ProblemKind]()):
        kinds = ", ".join(f"{kind} in {count:,}" for kind, count in warnings.most_common())
        said.append(f"worth a look, listed by --json: {kinds}")
    seconds = sum(report.seconds for report in reports)
    done = sum(report.done for report in reports)
    said.append(clock(seconds) + (f", {done / seconds:,.1f} segments/s" if seconds > 0 and done else ""))
    return "; ".join(said) + "."


def _sum(reports: Iterable[JobReport], what: str) -> int:
    return sum(getattr(report, what) for report in reports)


def _reasons(problems: Iterable[Problem]) -> str:
    return ", ".join(str(problem) for problem in problems) or "no answer"


def _excerpt(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"


def write_record(name: str, record: SegmentRecord, source: Language | None, target: Language) -> None:
    """A line of JSON on standard output."""
    line = {
        "file": name,
        "index": record.index,
        "place": record.place,
        "source_language": source and source.code,
        "target_language": target.code,
        "source": record.source,
        "target": record.target,
        "status": record.status,
        "origin": record.origin,
        "attempts": record.attempts,
        "problems": [_problem(problem) for problem in record.problems],
        "alternatives": list(record.alternatives),
    }
    write_json_line(line)


def write_json_line(value: object) -> None:
    """A line of JSON on standard output; on a terminal, without what would steer it."""
    text = _dumped(value) + "\n"
    if sys.stdout.isatty():
        click.echo(printable(text), nl=False)
    else:
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()


def is_report(path: Path) -> bool:
    """Whether a file is a report of an earlier call, by how it begins."""
    try:
        if not path.is_file():  # a pipe would wait for who writes it
            return False
        with path.open("rb") as file:
            return file.read(100).startswith(f'{{\n  "{_FIRST_KEY}": '.encode())
    except OSError:
        return False


def report_bytes(dones: Iterable[Done], model: str, options: Options, *, interrupted: bool) -> bytes:
    """The whole report, as JSON."""
    dones = list(dones)
    report = {
        _FIRST_KEY: model,
        "target_language": options.asking.target.code,
        "interrupted": interrupted,
        "summary": summary(dones),
        "files": [_file(done) for done in dones],
    }
    return (_dumped(report, indent=2) + "\n").encode(errors="replace")


def _file(done: Done) -> dict[str, Any]:
    about: dict[str, Any] = {
        "file": done.name,
        "format": done.format,
        "output": None if done.output is None else str(done.output),
        "error": None if done.error is None else str(done.error),
    }
    report = done.report
    if report is None:
        return about
    counts = (
        *("total", "ok", "kept", "kept_language", "failed", "from_model", "from_store", "from_memory", "repeated"),
        *("attempts", "retried", "retries", "terms_required", "terms_missing", "n_generated"),
    )
    return about | {
        "source_language": report.source and report.source.code,
        "cancelled": report.cancelled,
        "seconds": round(report.seconds, 3),
        **{name: getattr(report, name) for name in counts},
        "missing_terms": dict(report.missing_terms),
        "notes": report.notes,
        "warnings": {str(kind): count for kind, count in report.warnings},
        "failures": [_failure(failure) for failure in report.failures],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    problems = [_problem(problem) for problem in failure.problems]
    return {"place": failure.place, "source": failure.source, "problems": problems}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"kind": str(problem.kind), "detail": problem.detail, "fatal": problem.fatal}


def _dumped(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
