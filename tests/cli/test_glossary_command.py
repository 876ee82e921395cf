"""``bayling glossary check`` as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Check terms.tsv with some text in it; exit status, lines of standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(text: str, *arguments: str) -> tuple[int, list[str], str]:
        Path("terms.tsv").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as exited:
            main(["glossary", "check", "terms.tsv", *arguments])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    return call


def test_a_good_glossary(check: Run) -> None:
    assert check("en\tde\nbank\tBank\n") == (0, [], "terms.tsv: 1 term from English to German: nothing to say.\n")
    assert check("bank\tBank\n", "-q") == (0, [], "")


def test_contradictions_make_the_status_1(check: Run) -> None:
    text = "bank\tBank\nriver\tFluss\nbank\tUfer\nriver\tFluss\n"
    contradiction = "terms.tsv:3: contradiction: 'bank' is 'Ufer' here, 'Bank' on line 1"
    status, lines, said = check(text)
    assert (status, lines[0], lines[1]) == (
        1,
        contradiction,
        "terms.tsv:4: duplicate: 'river' = 'Fluss', as on line 2",
    )
    assert said == "terms.tsv: 4 terms: contradiction 1, duplicate 1.\n"
    assert check(text, "-q") == (1, [contradiction], "")


def test_a_look_at_documents(check: Run) -> None:
    Path("help").mkdir()
    Path("help/a.txt").write_text("The river.\n", encoding="utf-8")
    Path("b.txt").write_text("A bank.\n", encoding="utf-8")
    text = "bank\tBank\nriver\tFluss\ntree\tBaum\n"
    assert check(text, "--against", "help", "--against", "b.txt")[:2] == (0, ["terms.tsv:3: never occurs: 'tree'"])
    assert check(text, "--against", "missing.txt") == (1, [], "Error: There is no file missing.txt.\n")


def test_nothing_in_a_glossary_steers_a_terminal(check: Run) -> None:
    status, lines, _ = check("a\x1b[31m\tx\na\x1b[31m\ty\n")
    assert status == 1
    assert "\x1b" not in "".join(lines)
