"""``bayling evaluate wmt22``, ``translation`` and ``compare`` as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from tests.evaluate.translation.translated_sets import ENGLISH, GERMAN, ROUGH, write_comet_json, write_lines

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling evaluate ...`` in an empty folder: exit status, lines of standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    write_lines(Path("news.en"), ENGLISH)
    write_lines(Path("news.de"), GERMAN)
    write_lines(Path("rough.txt"), ROUGH)
    write_lines(Path("right.txt"), GERMAN)

    def call(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as exited:
            main(["evaluate", *arguments])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    return call


GIVEN = ("translation", "--source", "news.en", "--reference", "news.de", "--from", "en", "--to", "de")


def test_a_model_translates_files_of_the_users(run: Run, morning_model: Path) -> None:
    status, lines, said = run(*GIVEN, "--model", str(morning_model), "--greedy", "--limit", "4", "--lines", "lines")
    assert (status, lines) == (0, ["news.en-de  BLEU 0.00  chrF++ 0.00  (4 of 6 items)"])
    assert "4 answers in" in said
    assert "Results are in evaluation." in said
    (plain,) = Path("lines").glob("*/news.en-de.hypo")
    assert plain.read_text(encoding="utf-8") == "早\n" * 4
    status, lines, said = run(*GIVEN, "--model", str(morning_model), "--greedy")
    assert lines == ["news.en-de  BLEU 0.00  chrF++ 0.00  (6 items)"]
    assert "2 answers in" in said
    assert "4 answers were kept" in said


def test_a_direction_of_wmt22(run: Run, morning_model: Path) -> None:
    write_lines(Path("data/reference/enzh.src"), ENGLISH[:2])
    write_lines(Path("data/reference/enzh.ref"), ["早", "早安，你好吗"])
    status, lines, _ = run("wmt22", "--data", "data", "--model", str(morning_model), "--wording", "zh")
    assert status == 0
    assert lines[0].startswith("en-zh  BLEU ")
    (kept,) = Path("evaluation").glob("*/wmt22/en-zh.json")
    found = json.loads(kept.read_bytes())
    assert [output["said"] for output in found["outputs"]] == [["早"], ["早"]]
    assert found["run"]["prompt"] == "提供这句话的中文翻译：…"
    assert "|tok:zh|" in found["scores"][0]["signature"]


def test_translations_made_elsewhere_are_scored_and_compared(run: Run) -> None:
    made = write_comet_json(Path("rough.json"), ROUGH, [0.5] * len(ROUGH))
    status, lines, _ = run(*GIVEN, "--outputs", "rough.txt", "--comet-scores", str(made), "-q")
    assert (status, len(lines)) == (0, 1)
    assert lines[0].endswith("COMET 50.00  (6 items, 1 with problems)")
    assert run(*GIVEN, "--outputs", "right.txt", "--name", "my model")[0] == 0
    status, lines, said = run("compare", "rough", "my model")
    assert status == 0
    assert lines[0].split()[:6] == ["SET", "METRIC", "ITEMS", "SYSTEM", "SCORE", "AGAINST"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["translation", "news.en-de", "BLEU"],
        ["translation", "news.en-de", "chrF++"],
    ]
    assert "my model" in lines[1]
    assert "100.00" in lines[1]
    assert "samples:1000" in said
    status, lines, _ = run("compare", "--baseline", "my model", "--metric", "BLEU", "--set", "news.en-de", "--json")
    (one,) = (json.loads(line) for line in lines)
    assert (one["baseline"], one["system"], one["n_items"]) == ("my model", "rough", 6)
    assert one["difference"] < 0
    assert run("compare", "--metric", "COMET")[1] == []


def test_slips_of_a_comparison(run: Run) -> None:
    status, _, said = run("compare")
    assert (status, "no results folder evaluation" in said) == (1, True)
    run(*GIVEN, "--outputs", "rough.txt")
    status, _, said = run("compare")
    assert (status, "takes two systems, and here is rough" in said) == (2, True)
    status, _, said = run("compare", "rough", "other")
    assert (status, "no results of 'other'. There are some of: rough" in said) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("wmt22", "en-xx"), 2, "no direction 'en-xx' here. There are: zh-en, en-zh"),
        (("wmt22", "en-de"), 2, "--data"),
        (("translation",), 2, "There is nothing to translate"),
        (("translation", "--source", "news.en", "--reference", "news.de"), 2, "--from en --to zh"),
        (("translation", "--source", "news.en", "--from", "en", "--to", "de"), 2, "--reference"),
        ((*GIVEN[:-1], "klingon"), 2, "Unknown language 'klingon'. Known: en (English)"),
        ((*GIVEN, "--pair", "en-de"), 2, "--pair is for --testset"),
        ((*GIVEN, "--testset", "wmt21"), 2, "--testset brings its own"),
        (("translation", "--testset", "wmt21"), 2, "--testset needs --pair"),
        ((*GIVEN, "--outputs", "short.txt"), 1, "short.txt has 2 lines, news.de has 6"),
        ((*GIVEN, "--outputs", "absent.txt"), 1, "absent.txt cannot be read"),
        ((*GIVEN, "--outputs", "rough.txt", "--tokenize", "words"), 2, "no tokenizer 'words'"),
        ((*GIVEN, "--outputs", "rough.txt", "--comet-scores", "absent"), 1, "no COMET scores at absent"),
        ((*GIVEN, "--outputs", "rough.txt", "--comet", "--comet-scores", "x"), 2, "give one of them"),
        ((*GIVEN, "--outputs", "rough.txt", "--comet", "--comet-program", "./absent"), 2, "pip install unbabel-comet"),
    ],
)
def test_slips(run: Run, arguments: tuple[str, ...], status: int, words: str) -> None:
    write_lines(Path("short.txt"), ROUGH[:2])
    found, lines, said = run(*arguments)
    assert (found, lines) == (status, [])
    assert words in " ".join(said.split())
    assert not Path("evaluation").exists()


def test_empty_references_are_warned_of(run: Run) -> None:
    write_lines(Path("news.de"), (*GERMAN[:5], ""))
    _, _, said = run(*GIVEN, "--outputs", "rough.txt")
    assert "Warning: news.de: reference line 6 is empty: nothing can be right there." in " ".join(said.split())
    assert run(*GIVEN, "--outputs", "rough.txt", "-q")[2] == ""


@pytest.mark.parametrize("name", ["wmt22", "translation", "compare"])
def test_help_loads_nothing_heavy(name: str) -> None:
    code = (
        "import sys\n"
        "from bayling_lite.cli import main\n"
        "try:\n    main(['evaluate', sys.argv[1], '--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        "heavy = {'numpy', 'sacrebleu', 'llama_cpp', 'MeCab', 'lxml'}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & heavy))"
    )
    root = Path(__file__).parents[3]
    shown = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True, cwd=root)
    assert shown.stdout.splitlines()[-1] == "[]"
