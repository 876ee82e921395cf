"""What is said when a document is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.cli.translate import translate
from bayling_lite.cli.translate_options import Options, checked
from bayling_lite.cli.translate_report import Done, report_bytes, summary, tell, tell_of_more
from bayling_lite.errors import InputError
from bayling_lite.languages import find_language
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.job.report import Failure, JobReport

EN, ZH = find_language("en"), find_language("zh")


def typed(*arguments: str) -> Options:
    given: dict[str, Any] = dict(translate.make_context("translate", ["a.txt", "--to", "zh", *arguments]).params)
    return checked(given | {"quiet": False})


def report(**counts: Any) -> JobReport:
    return JobReport(EN, ZH, **counts)


def done(report: JobReport, **about: Any) -> Done:
    return Done("a.txt", "txt", None, report, **about)


def said(capsys: pytest.CaptureFixture[str], report: JobReport, *arguments: str, **about: Any) -> str:
    tell(done(report, **about), report, typed(*arguments), output_named=True)
    return capsys.readouterr().err


def failures(count: int) -> tuple[Failure, ...]:
    problem = Problem(ProblemKind.NUMBERS, "3 is missing")
    return tuple(Failure(f"line {number}", "words " * 30, (problem,)) for number in range(1, count + 1))


def test_a_text_that_is_translated_needs_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, report(total=3, ok=2, kept=1)) == ""
    assert not done(report(total=3, ok=3)).speaks
    assert done(report(total=3, ok=2, failed=1)).speaks
    assert done(report(total=300, ok=300)).speaks


@pytest.mark.parametrize(
    ("counts", "arguments", "words"),
    [
        ({}, (), "no words found"),
        ({"total": 2, "kept": 2, "kept_language": 2}, (), "was taken for Chinese already; the text is unchanged. If"),
        ({"total": 2, "kept": 2, "kept_language": 2}, ("--from", "zh"), "a.txt is Chinese already"),
        ({"total": 2, "ok": 2}, ("--show-detected-source",), "source language English (en)"),
        ({}, ("--format", "json", "--keys", "title"), "there is no text where --keys looks"),
        (
            {"total": 2, "ok": 2, "terms_required": 2, "terms_missing": 1, "missing_terms": (("a → b", 1),)},
            (),
            "the model could not be made to use a → b in 1 place.",
        ),
    ],
)
def test_what_a_user_should_know(
    capsys: pytest.CaptureFixture[str], counts: dict[str, Any], arguments: tuple[str, ...], words: str
) -> None:
    assert words in said(capsys, report(**counts), *arguments)


def test_only_the_first_failures_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    failed = report(total=30, ok=5, failed=25, failures=failures(25))
    assert tell(done(failed), failed, typed(), output_named=True) == 20
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "a.txt: 25 of 30 segments could not be translated and stand as they were:"
    assert len(lines) == 21
    assert lines[1].startswith("  line 1: numbers: 3 is missing: words words ")
    assert lines[1].endswith("…")
    assert tell(done(failed), failed, typed(), output_named=True, room=0) == 0
    assert capsys.readouterr().err.splitlines() == [f"{lines[0][:-1]}."]
    tell_of_more(25, 20, typed())
    tell_of_more(21, 20, typed("--report", "report.json"))
    tell_of_more(20, 20, typed())
    assert capsys.readouterr().err.splitlines() == [
        "The other 5 failures are listed by --report FILE.",
        "The other 1 failure is in report.json.",
    ]


def test_the_summary_counts_all_documents() -> None:
    one = report(
        total=3, ok=3, from_model=2, repeated=1, attempts=3, retries=1, terms_required=2, terms_missing=1, seconds=2.0
    )
    two = report(total=2, ok=1, failed=1, from_store=1, attempts=4, retries=3, seconds=0.5)
    assert summary([done(one), done(two)]) == (
        "5 segments: 2 translated, 1 repeated, 1 reused from the store, 1 failed; 4 retries; 1 of 2 terms used; "
        "0:02, 2.0 segments/s."
    )


def test_what_a_person_should_look_at_is_summed_up() -> None:
    one = report(total=3, ok=3, warnings=((ProblemKind.LENGTH, 1), (ProblemKind.NUMBERS, 2)))
    assert done(one).speaks
    assert summary([done(one), done(one)]).startswith(
        "6 segments; worth a look, listed by --json: numbers in 4, length in 2; 0:00"
    )


def test_the_report_holds_everything() -> None:
    failed = report(total=2, ok=1, failed=1, failures=failures(1), warnings=((ProblemKind.LENGTH, 1),))
    broken = Done("b.docx", "docx", None, error=InputError("b.docx is damaged."))
    dones = [Done("a.txt", "txt", Path("a.zh.txt"), failed), broken]
    written = json.loads(report_bytes(dones, "tiny", typed(), interrupted=False))
    assert (written["model"], written["target_language"], written["interrupted"]) == ("tiny", "zh", False)
    first, second = written["files"]
    assert (first["output"], first["source_language"], first["failed"]) == ("a.zh.txt", "en", 1)
    assert first["warnings"] == {"length": 1}
    assert first["failures"][0]["problems"] == [{"kind": "numbers", "detail": "3 is missing", "fatal": True}]
    assert second == {"file": "b.docx", "format": "docx", "output": None, "error": "b.docx is damaged."}
