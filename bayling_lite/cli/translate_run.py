"""The work of ``bayling translate``: one document after the other, and what happens when something stops it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from bayling_lite.cli.files import write_whole
from bayling_lite.cli.opening import find_model, open_engine
from bayling_lite.cli.options import EngineFlags
from bayling_lite.cli.saying import say
from bayling_lite.cli.sectioned import typed_command
from bayling_lite.cli.stopping import INTERRUPTED, stoppable
from bayling_lite.cli.translate_estimate import show_estimate
from bayling_lite.cli.translate_means import Means, Opened, make_job, open_means, read_document
from bayling_lite.cli.translate_options import Options
from bayling_lite.cli.translate_output import Pieces, discard, show, write_file, write_pipe
from bayling_lite.cli.translate_plan import BINARY, Work, WorkPlan
from bayling_lite.cli.translate_progress import JobProgress
from bayling_lite.cli.translate_report import (
    FAILURES_SHOWN,
    Done,
    report_bytes,
    summary,
    tell,
    tell_of_more,
    write_record,
)
from bayling_lite.errors import BaylingError, InputError, UsageError
from bayling_lite.translate.formats import format_of, suffix_of
from bayling_lite.translate.job.naming import derived_name
from bayling_lite.translate.job.report import SegmentRecord
from bayling_lite.units import counted

_UNTRANSLATED = 3
_SKIPPED_SHOWN = 20


def carry_out(plan: WorkPlan, options: Options, flags: EngineFlags) -> int:
    """Do what was planned; gives the exit status."""
    _say_skipped(plan, options)
    if not plan.works:
        raise InputError(f"There is no document to translate in {', '.join(options.reading.files)}.")
    path, settings = find_model(flags)
    with stoppable(), contextlib.ExitStack() as stack:
        run: _Run | None = None
        try:
            engine = stack.enter_context(
                open_engine(path, settings, template=flags.template, quiet=options.writing.quiet)
            )
            means = open_means(stack, engine, settings, options)
            if options.dry_run:
                return show_estimate(plan.works, means, options)
            run = _Run(plan.works, means, options)
            return run.all()
        except KeyboardInterrupt:
            _say_interrupted(run, options)
            return INTERRUPTED


def _say_skipped(plan: WorkPlan, options: Options) -> None:
    for path, why in plan.skipped[:_SKIPPED_SHOWN]:
        options.writing.note(f"Skipped {path}: {why}.")
    if len(plan.skipped) > _SKIPPED_SHOWN:
        options.writing.note(f"Skipped {len(plan.skipped) - _SKIPPED_SHOWN:,} other files.")


def _say_interrupted(run: _Run | None, options: Options) -> None:
    finished = run.finished if run is not None else 0
    if not options.resume:
        kept = "Nothing is kept (--no-resume); this begins anew"
    elif finished:
        goes_on = "this asks for them again (--retranslate)" if options.retranslate else "this goes on"
        kept = f"{counted(finished, 'segment')} {'is' if finished == 1 else 'are'} kept; {goes_on}"
    else:
        kept = "Nothing was finished yet; this begins anew"
    again = ", with the same input" if any(name == "-" for name in options.reading.files) else ""
    # What this call has written will be in the way of the next one.
    force = ("--force",) if run is not None and run.wrote else ()
    say(f"Interrupted. {kept}{again}: {typed_command(click.get_current_context(), *force)}")


class _Run:
    """All inputs of one call, one after the other."""

    def __init__(self, works: Sequence[Work], means: Means, options: Options) -> None:
        self._works, self._means, self._options = works, means, options
        self._dones: list[Done] = []
        self._failures_shown = 0
        self._progress = JobProgress([work.input.size for work in works], shown=_shows_progress(works, options))

    @property
    def finished(self) -> int:
        """Translated segments so far."""
        return sum(done.report.ok for done in self._dones if done.report is not None)

    @property
    def wrote(self) -> bool:
        """Whether there are outputs already."""
        return any(done.output is not None for done in self._dones)

    def all(self) -> int:
        """Translate all inputs; gives the worst of their statuses."""
        interrupted = True
        statuses = [0]
        try:
            for number, work in enumerate(self._works):
                statuses.append(self._one(number, work))
            interrupted = False
        except KeyboardInterrupt:
            self._progress.end(interrupted=True)
            raise
        finally:
            self._progress.end()
            report, engine = self._options.writing.report, self._means.engine
            if report is not None:
                said = report_bytes(self._dones, engine.info.name, self._options, interrupted=interrupted)
                write_whole(report, said)
        failed = sum(done.report.failed for done in self._dones if done.report is not None)
        tell_of_more(failed, self._failures_shown, self._options)
        self._tell_unused_terms()
        if any(done.speaks for done in self._dones):
            self._options.writing.note(summary(self._dones))
        # Untranslated segments are the least of what can go wrong.
        return max(statuses, key=lambda status: (status != 0, status != _UNTRANSLATED, status))

    def _tell_unused_terms(self) -> None:
        """A glossary of which nothing occurs may be another one than was meant, or of the other direction."""
        terms, reports = self._options.asking.terms, [done.report for done in self._dones if done.report is not None]
        if terms and sum(report.ok for report in reports) and not any(report.terms_required for report in reports):
            said = "The term does not occur" if len(terms) == 1 else f"None of the {len(terms):,} terms occurs"
            self._options.writing.note(f"{said} in what was translated.")

    def _one(self, number: int, work: Work) -> int:
        """Translate an input; gives its status. What is wrong with one of several does not stop the others."""
        try:
            opened = read_document(work, self._means, self._options)
            self._progress.begin(number, work.input.name)
            self._translate(work, opened)
        except BaylingError as error:
            format_ = work.input.format
            self._dones.append(Done(work.input.name, format_.name if format_ else "", None, error=error))
            if len(self._works) == 1 or not isinstance(error, InputError | UsageError):
                raise
            self._progress.end()
            said = str(error)
            say(f"Error: {said}" if work.input.name in said else f"Error: {work.input.name}: {said}")
            return error.exit_status
        report = self._dones[-1].report
        return _UNTRANSLATED if report is not None and report.failed else 0

    def _translate(self, work: Work, opened: Opened) -> None:
        options = self._options
        name = work.input.name
        _check_output_kind(work, opened, options, several=len(self._works) > 1)
        if opened.document.form is not None and opened.document.form.guessed:
            options.writing.note(f"{name}: read as {opened.document.form.encoding}; --encoding names another.")
        done = Done(name, opened.format.name, work.output, empty=opened.empty)
        lines: list[str] = []

        def note(record: SegmentRecord) -> None:
            self._progress.update(job.done, job.total)
            if options.writing.as_json:
                write_record(name, record, job.source, options.asking.target)
            elif options.asking.alternatives:
                lines.append(_with_alternatives(record))

        job = make_job(opened.document, self._means, options, on_segment=note)
        self._progress.update(0, job.total)
        try:
            with contextlib.closing(job.run()) as pieces:
                _write(work, _instead(pieces, lines) if options.asking.alternatives else pieces, opened, options)
        except KeyboardInterrupt:
            self._dones.append(replace(done, output=None, report=job.report))
            raise
        self._progress.end()
        report = job.report
        self._dones.append(replace(done, report=report))
        room = FAILURES_SHOWN - self._failures_shown
        self._failures_shown += tell(self._dones[-1], report, options, output_named=work.named, room=room)


def _check_output_kind(work: Work, opened: Opened, options: Options, *, several: bool) -> None:
    """See whether the document can go where it is to go.

    Raises:
        UsageError: it cannot.
    """
    writing, label = options.writing, opened.format.label
    if options.asking.alternatives and not writing.as_json and (work.output is not None or opened.format.name != "txt"):
        raise UsageError(
            "Alternatives are shown of plain text on standard output, or with --json: "
            f"there is no place for them in {'a file' if work.output is not None else label}."
        )
    if work.output is not None and work.named:
        _check_name(work.output, opened, bilingual=writing.bilingual)
    if work.output is not None or writing.as_json or opened.document.form is not None:
        return
    if several:
        raise UsageError(f"{work.input.name} is {label}: several such documents need a folder to go to, with -o DIR/.")
    if sys.stdout.isatty():
        path = work.input.path or Path("translation")
        suggested = derived_name(path, options.asking.target, opened.document.suffix)
        raise UsageError(f"{label} cannot be shown on a terminal. Name a file for it: -o {suggested}")


def _check_name(output: Path, opened: Opened, *, bilingual: bool) -> None:
    """See to it that no other program is told by the name of a file to open what it cannot.

    Raises:
        UsageError: it would be.
    """
    suffix = suffix_of(opened.document, bilingual=bilingual)
    written, named = format_of(suffix), format_of(output.suffix)
    if named is None or written is None or named == written:
        return
    if opened.document.form is None or {named.name, written.name} & {"html", *BINARY}:
        raise UsageError(
            f"The translation of {opened.source.name} is {written.label}, not {named.label}: "
            f"name it {output.with_suffix(suffix)}."
        )


def _write(work: Work, pieces: Pieces, opened: Opened, options: Options) -> None:
    """Let the translation go where it is to go."""

    def note(text: str) -> None:
        say(f"{work.input.name}: {text}")

    form = opened.document.form
    if work.output is not None:
        write_file(work.output, pieces, form, note)
    elif options.writing.as_json:
        discard(pieces)
    elif sys.stdout.isatty():
        show(pieces)
    else:
        write_pipe(pieces, form, note)


def _instead(pieces: Pieces, lines: list[str]) -> Iterator[str]:
    """The lines that come to be while pieces of a document are made."""
    for _ in pieces:
        yield from lines
        lines.clear()
    yield from lines


def _shows_progress(works: Sequence[Work], options: Options) -> bool:
    """Text that appears on the terminal itself says how far it is."""
    writing = options.writing
    on_terminal = sys.stdout.isatty() and any(work.output is None for work in works)
    return writing.progress and not writing.quiet and not on_terminal


def _with_alternatives(record: SegmentRecord) -> str:
    lines = [record.target, *(f"  {number}. {text}" for number, text in enumerate(record.alternatives, 1))]
    return "".join(f"{line}\n" for line in lines)
