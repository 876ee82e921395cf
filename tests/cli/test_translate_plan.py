"""Which documents are found, and where their translations go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from bayling_lite.cli.inputs import find_inputs
from bayling_lite.cli.sectioned import typed_command
from bayling_lite.cli.translate import translate
from bayling_lite.cli.translate_options import Options, checked
from bayling_lite.cli.translate_plan import WorkPlan, plan
from bayling_lite.cli.translate_report import report_bytes
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.languages import find_language

ZH, EN = find_language("zh"), find_language("en")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("Hello.\n", encoding="utf-8")


def planned(*arguments: str) -> WorkPlan:
    """What is planned for a line of arguments."""
    return plan(options(*arguments))


def options(*arguments: str) -> Options:
    context = translate.make_context("translate", ["--to", "zh", *arguments])
    given: dict[str, Any] = dict(context.params)
    return checked(given | {"quiet": True})


def outputs(*arguments: str) -> dict[str, str]:
    return {work.input.name: str(work.output) for work in planned(*arguments).works}


def test_a_folder_is_gone_through() -> None:
    make("d/b.md", "d/a.docx", "d/sub/c.txt", "d/sub.zh/c.txt", "d/x.zh/y.txt")
    make("d/.git/x.md", "d/.hidden.txt", "d/picture.png")
    Path("d/sub/loop").symlink_to("..")
    Path("d/nowhere.txt").symlink_to("missing")
    found = find_inputs(["d"], target=ZH)
    assert [document.name for document in found.documents] == ["d/a.docx", "d/b.md", "d/sub/c.txt", "d/x.zh/y.txt"]
    assert found.skipped == ((Path("d/picture.png"), "its format is not known"),)


@pytest.mark.parametrize(
    ("names", "source", "taken"),
    [
        (["a.md", "a.zh.md"], None, ["a.md"]),
        (["a.md", "a.de.md", "a.zh.md"], None, ["a.md"]),
        (["a.en.md", "a.zh.md"], None, ["a.en.md"]),
        (["a.en.md", "a.zh.md", "a.de.md"], EN, ["a.en.md"]),
        (["a.zh.md"], None, ["a.zh.md"]),
        (["a.pdf", "a.zh.txt"], None, ["a.pdf"]),
        (["a.v2.md", "a.md"], None, ["a.md", "a.v2.md"]),
    ],
)
def test_translations_of_earlier_runs_are_no_inputs(names: list[str], source: Any, taken: list[str]) -> None:
    make(*(f"d/{name}" for name in names))
    found = find_inputs(["d"], source=source, target=ZH)
    assert [document.name for document in found.documents] == [f"d/{name}" for name in taken]
    assert len(found.skipped) == len(names) - len(taken)


def test_what_is_named_itself_is_taken_whatever_it_is() -> None:
    make("a.zh.txt", ".hidden", "notes.log")
    assert len(find_inputs(["a.zh.txt", ".hidden", "notes.log"], target=ZH).documents) == 3


def test_a_folder_is_copied_beside_itself_or_into_another() -> None:
    make("d/a.md", "d/guide.en.md", "d/sub/p.pdf")
    assert outputs("d") == {"d/a.md": "d.zh/a.md", "d/guide.en.md": "d.zh/guide.zh.md", "d/sub/p.pdf": "d.zh/sub/p.txt"}
    assert outputs("d/", "-o", "out")["d/sub/p.pdf"] == "out/sub/p.txt"
    assert not Path("out").exists()
    assert not Path("d.zh").exists()
    Path("d").rename("d.en")
    assert outputs("d.en")["d.en/a.md"] == "d.zh/a.md"


def test_the_folder_one_is_in_has_a_name_too(tmp_path: Path) -> None:
    make("a.md")
    assert outputs(".") == {"a.md": str(tmp_path / "here.zh" / "a.md")}


def test_outputs_inside_the_folder_are_no_inputs() -> None:
    make("d/a.md", "d/out/a.md", "d/out/deep/b.md")
    assert outputs("d", "-o", "d/out/", "--force") == {"d/a.md": "d/out/a.md"}
    assert len(planned("d", "-o", "d/out", "--force").skipped) == 2


def test_files_have_the_language_in_their_names() -> None:
    make("a.txt", "b.en.docx", "p.pdf")
    names = ("a.txt", "b.en.docx", "p.pdf")
    assert list(outputs(*names).values()) == ["a.zh.txt", "b.zh.docx", "p.zh.txt"]
    assert list(outputs(*names, "--bilingual").values()) == ["a.zh.txt", "b.zh.docx", "p.zh.html"]
    assert list(outputs(*names, "-o", "out/").values()) == ["out/a.zh.txt", "out/b.zh.docx", "out/p.zh.txt"]
    assert outputs("a.txt") == {"a.txt": "None"}
    assert outputs("a.txt", "b.en.docx", "--json") == {"a.txt": "None", "b.en.docx": "None"}


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["a.txt", "missing.txt"], InputError, "no file missing.txt"),
        (["d", "e", "-o", "out/"], UsageError, "both be written to out/a.txt"),
        (["d", "-o", "d/"], OutputError, "is an input"),
        (["d", "-o", "a.txt/out"], OutputError, "cannot be made: a.txt is a file"),
        (["a.txt", "there.txt", "-o", "f/"], OutputError, "exists. --force"),
        (["-", "d", "-o", "f/"], UsageError, "no name"),
        (["a.txt", "-o", "b.txt", "--report", "b.txt"], UsageError, "would both be written to b.txt"),
        (["a.txt", "--report", "-"], UsageError, "--report wants a file"),
        (["a.txt", "--report", "a.txt"], OutputError, "is an input"),
        (["a.txt", "--report", "missing/report.json"], OutputError, "no folder missing. Make it first"),
        (["a.txt", "--report", "there.txt"], OutputError, "exists. --force"),
        (["a.txt", "-o", "terms.tsv", "--glossary", "terms.tsv", "--force"], OutputError, "is an input"),
        (["a.txt", "--report", "there.txt", "--context", "@there.txt", "--force"], OutputError, "is an input"),
        (["a.txt", "--dry-run", "--report", "report.json"], UsageError, "nothing that there could be a report of"),
        (["a.txt", "--json", "--bilingual"], UsageError, "name a file for it with -o"),
        (["a.txt", "d", "--keys", "title"], UsageError, "--keys is for JSON"),
        (["a.txt", "--columns", "1"], UsageError, "--columns is for tables"),
        (["w.docx", "--encoding", "utf-8"], UsageError, "--encoding is for documents of text"),
        (["d", "e", "--format", "md"], UsageError, "In a folder, their names say it"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(arguments: list[str], error: type[Exception], said: str) -> None:
    make("a.txt", "there.txt", "d/a.txt", "e/a.txt", "f/there.zh.txt", "w.docx")
    Path("terms.tsv").write_text("house\tHaus\n")
    with pytest.raises(error, match=said):
        planned(*arguments)


def test_a_report_is_written_over_an_older_one() -> None:
    make("a.txt")
    Path("report.json").write_bytes(report_bytes([], "tiny", options("a.txt"), interrupted=True))
    assert len(planned("a.txt", "--report", "report.json").works) == 1


def test_options_about_reading_are_for_those_whom_they_concern() -> None:
    make("a.txt", "b.json", "d/c.csv", "w.docx")
    names = ("a.txt", "b.json", "d", "w.docx")
    assert len(planned(*names, "--keys", "title", "--columns", "1", "--encoding", "utf-8").works) == 4
    assert len(planned("-", "--keys", "title", "--columns", "1", "--encoding", "utf-8").works) == 1
    assert len(planned("a.txt", "--format", "json", "--keys", "title").works) == 1


def test_a_link_that_leads_in_a_circle_is_no_output() -> None:
    make("a.txt")
    Path("loop").symlink_to("loop")
    with pytest.raises(OutputError, match="leads in a circle"):
        planned("a.txt", "-o", "loop")


def test_every_option_has_its_section() -> None:
    listed = [name for names in translate.sections.values() for name in names]
    options = [parameter.name for parameter in translate.params if isinstance(parameter, click.Option)]
    assert sorted(listed) == sorted(name for name in options if name)


def test_the_command_can_be_typed_again() -> None:
    arguments = ["a b.txt", "--to", "zh", "--style", "it's plain"]
    context = translate.make_context("bayling translate", list(arguments))
    assert typed_command(context) == """bayling translate 'a b.txt' --to zh --style 'it'"'"'s plain'"""
    arguments = ["--to", "zh", "--", "-a.txt"]
    context = translate.make_context("bayling translate", list(arguments))
    assert typed_command(context, "--force") == "bayling translate --force --to zh -- -a.txt"
