"""``bayling translate --dry-run``: what there is to do, and how long it will take, measured on the first of it."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.progress_line import clock
from bayling_lite.cli.saying import say
from bayling_lite.cli.tables import output_width, table
from bayling_lite.cli.translate_means import Means, make_job, read_document
from bayling_lite.cli.translate_options import Options
from bayling_lite.cli.translate_output import discard
from bayling_lite.cli.translate_plan import Work
from bayling_lite.cli.translate_report import write_json_line
from bayling_lite.errors import InputError, JobCancelled, UsageError
from bayling_lite.terminal import printable
from bayling_lite.translate.job.report import SegmentRecord
from bayling_lite.translate.job.survey import Plan
from bayling_lite.units import counted

if TYPE_CHECKING:
    from bayling_lite.translate.formats import Document

_SHORTEST, _LONGEST = 2.0, 20.0
"""Seconds of a probe: at least, where there is enough to do, and until it gives up."""
_HEADER = ("FILE", "FORMAT", "FROM", "SEGMENTS", "DISTINCT", "STORED", "LEFT", "TOKENS")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What there is to do in one document. ``characters`` is about how many the model would translate."""

    name: str
    format: str
    plan: Plan

    @property
    def characters(self) -> int:
        """Of what the model would be asked for: its share of all that needs a translation."""
        survey = self.plan.survey
        return round(survey.characters * self.plan.to_translate / survey.translatable) if survey.translatable else 0


def show_estimate(works: Sequence[Work], means: Means, options: Options) -> int:
    """Print what there is to do; gives the exit status."""
    estimates: list[Estimate] = []
    status, speed = 0, 0.0
    for work in works:
        try:
            opened = read_document(work, means, options)
            plan = make_job(opened.document, means, options).plan()
        except (InputError, UsageError) as error:
            if len(works) == 1:
                raise
            say(f"Error: {error}")
            status = error.exit_status
            continue
        estimates.append(Estimate(work.input.name, opened.format.name, plan))
        if plan.to_translate and not speed:
            speed = _speed(opened.document, means, options)
    characters = sum(estimate.characters for estimate in estimates)
    seconds = math.ceil(characters / speed) if speed else None if characters else 0
    if options.writing.as_json:
        _print_json(estimates, seconds)
    else:
        _print(estimates, seconds, means)
    return status


def _speed(document: Document, means: Means, options: Options) -> float:
    """Characters in a second, measured by translating the beginning of a document, of which nothing is kept."""
    enough = 2 * means.engine.info.n_parallel
    began = ended = time.monotonic()
    translated = characters = 0

    def count(record: SegmentRecord) -> None:
        nonlocal began, ended, translated, characters
        if not record.attempts:
            return
        if translated == 1:  # before the first was there, much was done that is done once only
            began, characters = ended, 0
        ended = time.monotonic()
        translated += 1
        characters += len(record.source)
        # Some formats give nothing before everything is translated.
        if translated > enough and ended - began > _SHORTEST:
            job.cancel()

    job = make_job(document, replace(means, store=None, memory=None), options, on_segment=count)
    # One segment may take longer than all the time there is.
    given_up = threading.Timer(_LONGEST, job.cancel)
    given_up.start()
    try:
        with contextlib.suppress(JobCancelled):
            discard(job.run())
    finally:
        given_up.cancel()
    return characters / (ended - began) if ended > began else 0.0


def _print(estimates: Sequence[Estimate], seconds: int | None, means: Means) -> None:
    rows = [_row(estimate) for estimate in estimates]
    for line in table(_HEADER, rows, output_width()):
        click.echo(line)
    if memory := sum(estimate.plan.from_memory for estimate in estimates):
        click.echo(f"{counted(memory, 'segment')} from the translation memory.")
    total = sum(estimate.plan.to_translate for estimate in estimates)
    asked = f"{counted(total, 'segment')} to translate with {printable(means.engine.info.name, keep='')}"
    if not total:
        click.echo("Nothing is left to translate.")
    elif seconds is None:
        click.echo(f"{asked}; it took too long to measure how fast that is.")
    else:
        click.echo(f"{asked}: about {_duration(seconds)}.")


def _row(estimate: Estimate) -> tuple[str, ...]:
    plan = estimate.plan
    source = plan.survey.source
    counts = (
        plan.survey.segments,
        plan.distinct,
        plan.stored,
        plan.to_translate,
        plan.prompt_tokens,
    )
    return (estimate.name, estimate.format, source.code if source else "-", *(f"{count:,}" for count in counts))


def _print_json(estimates: Sequence[Estimate], seconds: int | None) -> None:
    """One object for all: a program wants the sum."""
    files = [
        {
            "file": estimate.name,
            "format": estimate.format,
            "source_language": estimate.plan.survey.source and estimate.plan.survey.source.code,
            "segments": estimate.plan.survey.segments,
            "distinct": estimate.plan.distinct,
            "stored": estimate.plan.stored,
            "from_memory": estimate.plan.from_memory,
            "to_translate": estimate.plan.to_translate,
            "prompt_tokens": estimate.plan.prompt_tokens,
        }
        for estimate in estimates
    ]
    write_json_line({"files": files, "seconds": seconds})


def _duration(seconds: int) -> str:
    """``8 seconds``, ``1:25 minutes``, ``2:00:05 hours``."""
    if seconds < 60:
        return counted(seconds, "second")
    return f"{clock(seconds)} {'minutes' if seconds < 3600 else 'hours'}"
