"""``bayling evaluate report``: what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from bayling_lite.evaluate.results import ResultsFolder
from tests.evaluate.report.report_results import translated

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = ResultsFolder(tmp_path / "out")
    folder.write(translated("first", bleu=10.5))
    folder.write(translated("second", bleu=11.5))
    return folder.path


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Run:
    """Make a report as it is typed: exit status, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            main(["evaluate", "report", *map(str, arguments)])
        except SystemExit as ended:
            status = ended.code
        shown = capsys.readouterr()
        assert isinstance(status, int)
        return status, shown.out, shown.err

    return call


def test_the_page_stands_in_the_results_folder_and_is_named_on_standard_output(out: Path, report: Run) -> None:
    result = report("--out", out)
    assert result[0] == 0
    assert result[1] == f"{out / 'report.html'}\n"
    assert "10.50" in (out / "report.html").read_text(encoding="utf-8")
    # Made again, it takes the place of the old one, and is no result.
    assert report("--out", out)[0] == 0


def test_every_format_at_once(out: Path, tmp_path: Path, report: Run) -> None:
    paths = [tmp_path / "new" / f"a.{end}" for end in ("html", "md", "json")]
    result = report("--out", out, *(part for path in paths for part in ("-o", path)), "--title", "Mine")
    assert result[0] == 0
    assert all("Mine" in path.read_text(encoding="utf-8") for path in paths)


def test_systems_are_chosen_and_ordered_and_published_ones_left_out(out: Path, tmp_path: Path, report: Run) -> None:
    path = tmp_path / "r.json"
    assert report("--out", out, "-o", path, "--system", "second", "--system", "first", "--no-published")[0] == 0
    value = json.loads(path.read_text(encoding="utf-8"))
    assert [row["system"] for row in value["tables"][0]["rows"]] == ["second", "first"]
    assert report("--out", out, "-o", path, "--system", "first")[0] == 0
    assert json.loads(path.read_text(encoding="utf-8"))["systems"] == ["first"]


def test_an_unknown_system_is_an_error_that_names_the_known(out: Path, report: Run) -> None:
    result = report("--out", out, "--system", "third")
    assert result[0] == 2
    assert "first; second" in result[2]


def test_a_file_that_is_no_report_is_left_alone(out: Path, tmp_path: Path, report: Run) -> None:
    path = tmp_path / "paper.md"
    path.write_text("# my paper\n", encoding="utf-8")
    result = report("--out", out, "-o", path)
    assert result[0] == 2
    assert "--force" in result[2]
    assert path.read_text(encoding="utf-8") == "# my paper\n"
    assert report("--out", out, "-o", path, "--force")[0] == 0
    # Now it is one.
    assert report("--out", out, "-o", path)[0] == 0


def test_an_unknown_format_is_an_error_before_anything_is_read(tmp_path: Path, report: Run) -> None:
    result = report("--out", tmp_path / "none", "-o", tmp_path / "a.pdf")
    assert result[0] == 2
    assert ".html, .md or .json" in result[2]


def test_no_results_and_an_empty_folder_are_clear_errors(tmp_path: Path, report: Run) -> None:
    missing = report("--out", tmp_path / "none")
    assert missing[0] == 1
    assert "--out" in missing[2]
    (tmp_path / "empty").mkdir()
    empty = report("--out", tmp_path / "empty")
    assert empty[0] == 2
    assert "bayling evaluate wmt22" in empty[2]
    assert not list((tmp_path / "empty").iterdir())


def test_what_cannot_be_written_is_an_error(out: Path, tmp_path: Path, report: Run) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = report("--out", out, "-o", tmp_path / "file" / "r.html")
    assert result[0] == 1
    assert "cannot be written" in result[2]


def test_help_loads_neither_numpy_nor_sacrebleu() -> None:
    code = (
        "import sys\nfrom bayling_lite.cli import bayling\n"
        "bayling(['evaluate', 'report', '--help'], standalone_mode=False)\n"
        "print([name for name in ('numpy', 'sacrebleu', 'matplotlib', 'llama_cpp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
