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
    assert lines[0].endswith("COMET 50.00  (6 items, 1 empty)")
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
    assert len(run("compare", "--set", "translation/news.en-de", "--metric", "bleu", "--json")[1]) == 1
    status, _, said = run("compare", "--set", "new.en-de")
    assert (status, "There are some on: translation/news.en-de." in said) == (2, True)
    status, _, said = run("compare", "--metric", "BLUE")
    assert (status, "There are some by: BLEU, chrF++, COMET." in said) == (2, True)


def test_results_that_others_take_the_place_of_are_told_of(run: Run) -> None:
    for name, translations in (("a", ROUGH), ("b", GERMAN)):
        write_lines(Path(name) / "hyp.txt", translations)
    outputs = ("--outputs", "a/hyp.txt")
    run(*GIVEN, *outputs)
    assert "Warning" not in run(*GIVEN, *outputs)[2]
    said = " ".join(run(*GIVEN, "--outputs", "b/hyp.txt")[2].split())
    assert "held the result of other outputs that were called hyp as well. It is replaced; --name keeps" in said
    write_lines(Path("news.de"), [*GERMAN[:5], "Etwas anderes."])
    assert "on another test set that was called news.en-de as well" in " ".join(run(*GIVEN, *outputs)[2].split())


def test_ranks_of_several_systems_and_tables_to_paste(run: Run) -> None:
    for name, translations in (("a|b", ROUGH), ("right", GERMAN), ("same", GERMAN)):
        write_lines(Path("out.txt"), translations)
        run(*GIVEN, "--outputs", "out.txt", "--name", name, "-q")
    _, lines, said = run("compare", "--metric", "bleu")
    assert lines[0].split() == ["SET", "METRIC", "ITEMS", "RANKS", "SYSTEM", "SCORE"]
    assert [line.split()[4:] for line in lines[1:]] == [
        ["1-2", "right", "100.00"],
        ["1-2", "same", "100.00"],
        ["3", "a|b", lines[-1].split()[-1]],
    ]
    assert "Each of the 3 comparisons is tested by itself" in " ".join(said.split())
    assert "BLEU: nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:" in "".join(said.split("\n"))
    _, lines, said = run("compare", "--pairs", "--markdown")
    assert said == ""
    assert lines[1] == "|" + "---|" * 10
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 3 * 2
    assert "| a\\|b | " in table[2]
    assert any(line.startswith("- BLEU: nrefs:1|bs:1000") for line in lines)
    _, lines, _ = run("compare", "--tsv", "--baseline", "right")
    header, *rows = (line.split("\t") for line in lines)
    assert {len(row) for row in rows} == {len(header)}
    assert [row[header.index("system")] for row in rows] == ["a|b", "same"] * 2


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
        ((*GIVEN, "--outputs", "long.txt"), 1, "long.txt has 8 lines, news.de has 6: those after line 6 are empty"),
        ((*GIVEN, "--outputs", "mac.txt"), 1, "mac.txt has 1 line, news.de has 6: it ends its lines by carriage"),
        ((*GIVEN, "--outputs", "short.txt", "--limit", "3"), 1, "short.txt has 2 lines, news.de has 3"),
        ((*GIVEN, "--outputs", "rough.txt", "--beam", "4"), 2, "--beam says how a model translates"),
        ((*GIVEN, "--outputs", "rough.txt", "--tokenize", "words"), 2, "no tokenizer 'words'"),
        ((*GIVEN, "--outputs", "rough.txt", "--comet-scores", "absent"), 1, "no COMET scores at absent"),
        ((*GIVEN, "--outputs", "rough.txt", "--comet", "--comet-scores", "x"), 2, "give one of them"),
        ((*GIVEN, "--outputs", "rough.txt", "--comet", "--comet-program", "./absent"), 2, "pip install unbabel-comet"),
    ],
)
def test_slips(run: Run, arguments: tuple[str, ...], status: int, words: str) -> None:
    write_lines(Path("short.txt"), ROUGH[:2])
    write_lines(Path("long.txt"), (*ROUGH, "", " "))
    Path("mac.txt").write_text("\r".join(ROUGH), encoding="utf-8", newline="")
    found, lines, said = run(*arguments)
    assert (found, lines) == (status, [])
    assert words in " ".join(said.split())
    assert not Path("evaluation").exists()


def test_outputs_of_the_first_lines_only(run: Run) -> None:
    write_lines(Path("part.txt"), GERMAN[:2])
    for name in ("part.txt", "right.txt"):
        _, lines, said = run(*GIVEN, "--outputs", name, "--limit", "2")
        assert lines == ["news.en-de  BLEU 100.00  chrF++ 100.00  (2 of 6 items)"]
        assert "the translations are the reference itself" in " ".join(said.split())


def test_outputs_that_lie_with_the_data_are_scored_as_is_said(run: Run) -> None:
    write_lines(Path("data/reference/ende.src"), ENGLISH)
    write_lines(Path("data/reference/ende.ref"), GERMAN)
    write_lines(Path("data/mine/en-de.hypo"), ROUGH)
    made = write_comet_json(Path("en-de.json"), ROUGH, [0.5] * len(ROUGH))
    scored = ("score", "wmt22", "--data", "data", "--comet-scores", str(made))
    status, lines, _ = run(*scored, "--tokenize", "intl", "--lines", "lines")
    assert (status, lines[0]) == (0, "mine: wmt22")
    assert lines[1].endswith("COMET 50.00  (6 items, 1 empty)")
    kept = json.loads(Path("evaluation/mine/wmt22/en-de.json").read_bytes())
    assert "|tok:intl|" in kept["scores"][0]["signature"]
    assert Path("lines/mine/en-de.hypo").read_text(encoding="utf-8").splitlines() == list(ROUGH)
    write_lines(Path("data/theirs/en-de.hypo"), ROUGH)
    status, _, said = run(*scored)
    assert (status, "are those of one system, and there are outputs of several: mine, theirs" in said) == (2, True)
    status, _, said = run("score", "exams", "--data", "data", "--tokenize", "intl")
    assert (status, "--tokenize is for translations" in said) == (2, True)


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
