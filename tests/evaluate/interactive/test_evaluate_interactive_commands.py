"""``bayling evaluate constrained`` and ``bayling evaluate refinement`` as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from tests.conftest import MAKE_MODEL
from tests.evaluate.interactive.small_sets import SENTENCES, write_constrained, write_lines

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def model(make_model: MAKE_MODEL) -> Path:
    """Answers ``B`` to everything."""
    return make_model(chain=("<0x0A>", "B", "</s>"))


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: Path) -> Run:
    """Run a command of ``bayling evaluate``: exit status, lines of standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(command: str, *arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as exited:
            main(["evaluate", command, *arguments, "--model", str(model), "--name", "mine"])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    return call


def wish(*turns: object) -> dict[str, object]:
    return {"from": "en", "to": "de", "text": "Good night.", "turns": list(turns)}


def test_constrained(tmp_path: Path, evaluate: Run) -> None:
    letters = [{**sentence, "constraint": ["B", "b"]} for sentence in SENTENCES]
    write_constrained(tmp_path / "public", letters)
    status, lines, said = evaluate("constrained", "--data", "public", "--any-case", "--beam", "2")
    assert status == 0
    assert len(lines) == 1
    assert lines[0].startswith("en-de  phrase rate 50.00  all satisfied 0.00  BLEU 0.00  phrase rate (any case) 100.00")
    assert lines[0].endswith("all satisfied (any case) 100.00  (4 items)")
    assert "4 answers in" in said
    result = json.loads(Path("evaluation/mine/constrained/en-de.json").read_text(encoding="utf-8"))
    assert (result["run"]["decoding"], result["outputs"][0]["said"]) == ("beam 2", ["B"])


def test_refinement(tmp_path: Path, evaluate: Run) -> None:
    lines = [wish({"contains": ["A"]}, {"say": "Ein B!", "contains": ["B"], "always": True}), wish({"contains": ["B"]})]
    write_lines(tmp_path / "mine.jsonl", lines)
    status, shown, _ = evaluate("refinement", "mine.jsonl")
    assert status == 0
    scores = "instruction followed 50.00  rest kept 100.00  nothing added 100.00  all turns followed 0.00"
    assert shown == [
        f"mine  {scores}  wishes fulfilled 66.67  turns said 2  (2 items)",
        "  TURNS   SAID  INSTRUCTION FOLLOWED  REST KEPT  NOTHING ADDED",
        "  word    2     50.00                 100.00     100.00",
        "  turn 1  1     0.00                  -          -",
        "  turn 2  1     100.00                100.00     100.00",
    ]


def test_a_set_is_made_and_measured(tmp_path: Path, evaluate: Run) -> None:
    write_constrained(tmp_path / "public")
    status, lines, said = evaluate(
        "refinement", "en-de", "--data", "public", "--make", "refinement.mine.jsonl", "--count", "2"
    )
    assert (status, lines) == (0, [])
    assert said == (
        "refinement.mine.jsonl: 2 dialogues. Measured by: bayling evaluate refinement refinement.mine.jsonl\n"
    )
    assert evaluate("refinement", "refinement.mine.jsonl")[1][0].startswith("mine  instruction followed 0.00")
    status, _, said = evaluate("refinement", "en-de", "--data", "public", "--make", "refinement.mine.jsonl")
    assert (status, said.splitlines()[0]) == (
        1,
        "Error: refinement.mine.jsonl is there already. Remove it, or name another file with --make.",
    )


def test_a_set_is_made_of_two_files(tmp_path: Path, evaluate: Run) -> None:
    for name, key in (("a.en", "src"), ("a.de", "tgt")):
        (tmp_path / name).write_text("".join(f"{sentence[key]}\n" for sentence in SENTENCES), encoding="utf-8")
    files = ("--source", "a.en", "--reference", "a.de", "--from", "en", "--to", "de")
    assert evaluate("refinement", *files, "--make", "made.jsonl")[0] == 0
    made = [json.loads(line) for line in Path("made.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [[turn["contains"][0] for turn in one["turns"]] for one in made] == [
        ["Guten", "Morgen"],
        ["Bank"],
        ["Gute", "Nacht"],
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("mine.jsonl",), 1, "mine.jsonl, line 1: turn 1: a turn has no 'contain'"),
        (("other.jsonl",), 1, "other.jsonl cannot be read"),
        (("mine.jsonl", "refinement.mine.jsonl"), 2, "Two of the files have the same name"),
        (("en-de", "--count", "3"), 2, "go with --make"),
        (("en-de", "--limit", "3", "--make", "x.jsonl"), 2, "--count says"),
        (("--make", "x.jsonl"), 2, "A set is made of one set of constrained translation"),
        (("--make", "x.jsonl", "--source", "mine.jsonl"), 2, "give --source, --reference, --from and --to"),
        (("en-de",), 2, "--data"),
        (("en-fr", "--data", "public"), 2, "There is no set en-fr of refinement in public. There are: en-de"),
        (("en-fr", "--data", "public", "--make", "x.jsonl"), 2, "no set 'en-fr' of constrained translation"),
        (("en-de", "--data", "public", "--make", "public"), 1, "public is there already"),
    ],
)
def test_slips(tmp_path: Path, evaluate: Run, arguments: tuple[str, ...], status: int, message: str) -> None:
    write_constrained(tmp_path / "public")
    write_lines(tmp_path / "mine.jsonl", [wish({"contain": ["A"]})])
    found, lines, said = evaluate("refinement", *arguments)
    assert (found, lines) == (status, [])
    assert message in said


def test_a_broken_set_is_told_before_anything_is_asked(tmp_path: Path, evaluate: Run) -> None:
    write_constrained(tmp_path / "public")
    write_constrained(tmp_path / "public", [{**SENTENCES[0], "constraint": "Morgen"}], name="mine.en-fr")
    status, lines, said = evaluate("constrained", "--data", "public")
    assert (status, lines) == (1, [])
    assert 'item 1: "constraint" should be a list' in said
    assert not Path("evaluation").exists()


@pytest.mark.parametrize("command", ["constrained", "refinement"])
def test_help_says_how_a_set_is_written(command: str, evaluate: Run) -> None:
    status, lines, _ = evaluate(command, "--help")
    text = "\n".join(lines)
    assert status == 0
    assert max(map(len, lines)) <= 100
    for name in ("contains", "absent", "shorter", "longer", "language", "formality", "keep", "kind", "always"):
        assert command == "constrained" or f"\n    {name} " in text
