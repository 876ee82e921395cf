"""``bayling models`` without a network: what is listed, shown, verified and removed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from bayling_lite.cli import main
from bayling_lite.cli.tables import table
from bayling_lite.registry import Record, file_sha256, record_path, write_record
from tests.conftest import MAKE_MODEL


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The models folder."""
    place = tmp_path / "models"
    place.mkdir()
    monkeypatch.setenv("BAYLING_MODELS", str(place))
    return place


def put(folder: Path, name: str, model: Path, *, pulled: bool = False) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, path)
    if pulled:
        record = Record(
            source="hf://some/model",
            revision="0123456789" * 4,
            sha256=file_sha256(path),
            size=path.stat().st_size,
            type="F32",
            pulled="2026-01-01T00:00:00+00:00",
            bayling="0.1.0",
            licence="apache-2.0",
        )
        write_record(path, record)
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(["models", *arguments])
    assert isinstance(exited.value.code, int)
    return exited.value.code


def test_list_says_what_is_here_and_what_can_be_had(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, "bayling-2-7b.Q4_K_M.gguf", random_model, pulled=True)
    put(folder, "own.gguf", random_model)
    (folder / "broken.gguf").write_bytes(b"GGUF")
    assert run("list") == 0
    here, _, there = capsys.readouterr().out.partition("\n\n")
    assert [line.split()[0] for line in here.splitlines()] == ["NAME", "bayling-tiny", "bayling-2-7b", "broken", "own"]
    for said in ("ships with bayling-lite", "hf://some/model", "your own file", "CANNOT BE USED"):
        assert here.count(said) == 1
    assert "bayling-2-13b" in there
    assert "~26.0 GB" in there
    assert "bayling-2-7b " not in there
    assert "\x1b" not in here


def test_list_for_scripts(folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(folder, "some/model/model.F32.gguf", random_model, pulled=True)
    assert run("list", "--json") == 0
    models = {said["name"]: said for said in map(json.loads, capsys.readouterr().out.splitlines())}
    assert models["some/model"]["path"] == str(path)
    assert models["some/model"]["record"]["revision"] == "0123456789" * 4
    assert [models[name]["here"] for name in ("bayling-tiny", "some/model", "bayling-2-13b")] == [True, True, False]
    assert models["bayling-7b"]["base"] == "LLaMA-7B"


def test_list_fits_a_narrow_terminal(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "翻译模型一号.gguf", random_model)
    monkeypatch.setenv("COLUMNS", "44")
    assert run("list") == 0
    shown = capsys.readouterr().out.splitlines()
    assert "翻译模型一号" in shown
    assert "  type ?" in shown[shown.index("翻译模型一号") + 1]
    titles = [line for line in shown if line.startswith("To be had")]
    assert max(len(line) for line in shown if line not in titles) <= 44


def test_names_cannot_steer_the_terminal(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    put(folder, "evil\x1b[2J\x1b]0;title\x07.gguf", random_model)
    for arguments in (
        ["list"],
        ["verify"],
        ["show", "evil\x1b[2J\x1b]0;title\x07"],
        ["path", "evil\x1b[2J\x1b]0;title\x07"],
    ):
        assert run(*arguments) == 0
    captured = capsys.readouterr()
    assert "evil" in captured.out
    assert "\x1b" not in captured.out + captured.err


def test_what_no_encoding_takes_is_listed(
    folder: Path, random_model: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    put(folder, os.fsdecode(b"\xff.Q8_0.gguf"), random_model)
    for arguments in (["list"], ["list", "--json"], ["show", os.fsdecode(b"\xff"), "--json"]):
        assert run(*arguments) == 0
        lines = capsysbinary.readouterr().out.decode("ascii").splitlines()
        if "--json" in arguments:
            assert any(json.loads(line)["name"] == os.fsdecode(b"\xff") for line in lines)


def test_many_languages_are_counted(folder: Path, make_model: MAKE_MODEL, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [f"x{number}" for number in range(30)]
    put(folder, "own.gguf", make_model(metadata={"general.languages": codes}))
    assert run("list") == 0
    assert " x7 +22  your own file" in capsys.readouterr().out
    assert run("show", "own") == 0
    assert " ".join(codes) in capsys.readouterr().out


def test_a_table_counts_cells_not_characters() -> None:
    rows = [("翻译", "one"), ("ab", "两个")]
    assert table(("NAME", "TYPE"), rows, None) == ["NAME  TYPE", "翻译  one", "ab    两个"]
    assert table(("NAME", "TYPE"), rows, 10) == table(("NAME", "TYPE"), rows, None)
    assert table(("NAME", "TYPE"), rows, 9) == ["翻译", "  type one", "ab", "  type 两个"]


def test_show_tells_all_of_a_model(folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(folder, "some/model/model.F32.gguf", random_model, pulled=True)
    assert run("show", "some/model") == 0
    shown = capsys.readouterr().out
    for said in (
        str(path),
        "hf://some/model",
        "0123456789" * 4,
        "apache-2.0",
        file_sha256(path),
        "512 tokens",
        "bayling",
    ):
        assert said in shown
    assert run("show", "some/model", "--json") == 0
    assert json.loads(capsys.readouterr().out)["record"]["sha256"] == file_sha256(path)


def test_show_tells_how_to_get_what_is_not_here(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "bayling-2-8b") == 0
    shown = capsys.readouterr().out
    assert "Meta Llama 3 Community License" in shown
    assert "bayling models pull bayling-2-llama-3-8b " in shown
    assert run("show", "nonsense") == 4


def test_show_of_a_damaged_file_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.gguf").write_bytes(b"GGUF")
    assert run("show", "broken") == 0
    assert "truncated" in capsys.readouterr().out


def test_path_prints_the_path_only(folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(folder, "own.Q8_0.gguf", random_model)
    assert run("path", "own:Q8_0") == 0
    assert capsys.readouterr() == (f"{path}\n", "")
    assert run("path", "bayling-2-13b") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "bayling models pull bayling-2-13b" in captured.err


def test_verify_names_what_is_wrong(folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(folder, "some/model/model.F32.gguf", random_model, pulled=True)
    put(folder, "own.gguf", random_model)
    assert run("verify") == 0
    assert capsys.readouterr().out.splitlines() == [
        "bayling-tiny: right (header; it came with bayling-lite)",
        "own: right (header; nothing is on record of it)",
        "some/model: right (size, SHA-256 and header)",
    ]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert run("verify", "-q") == 5
    (wrong,) = capsys.readouterr().out.splitlines()
    assert wrong.startswith("some/model: WRONG: ")
    assert run("verify", "own") == 0
    (folder / "own.gguf").write_bytes(b"GGUF")
    assert run("verify", "own") == 1
    assert run("verify", "nonsense") == 4


def test_rm_removes_the_file_and_its_record(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, "some/model/model.F32.gguf", random_model, pulled=True)
    put(folder, "bayling-2-llama-3-8b.Q4_K_M.gguf", random_model, pulled=True)
    assert run("rm", "hf://some/model", "bayling-2-8b", "--yes") == 0
    assert list(folder.iterdir()) == []
    assert capsys.readouterr().err == "Removed some/model.\nRemoved bayling-2-llama-3-8b.\n"


def test_what_an_interrupted_pull_left_is_listed_and_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ICTNLP--bayling-2-7b", "some--model"):
        (folder / ".pull" / name / "Q4_K_M").mkdir(parents=True)
        (folder / ".pull" / name / "Q4_K_M" / "half.part").write_bytes(b"x")
    assert run("list") == 0
    shown = capsys.readouterr().out
    assert "\nbayling-2-7b:Q4_K_M " in shown
    assert "\nsome/model:Q4_K_M " in shown
    assert run("list", "--json") == 0
    said = map(json.loads, capsys.readouterr().out.splitlines())
    assert [model["name"] for model in said if model.get("interrupted")] == ["bayling-2-7b", "some/model"]
    assert run("rm", "-y", "bayling-2-7b", "some/model:Q4_K_M") == 0
    assert list(folder.iterdir()) == []
    assert run("rm", "bayling-2-7b") == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bayling-tiny", "ships with the package"),
        ("twice", "say which, or --all. twice:Q4_K_M, twice:Q8_0"),
        ("{outside}", "not in the models folder"),
    ],
)
def test_rm_refuses(folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    put(folder, "good.gguf", random_model)
    put(folder, "twice.Q4_K_M.gguf", random_model)
    put(folder, "twice.Q8_0.gguf", random_model)
    outside = put(folder.parent, "outside.gguf", random_model)
    # Of several names, a wrong one keeps all.
    assert run("rm", "good", name.format(outside=outside)) == 2
    assert said in capsys.readouterr().err
    assert len([*folder.iterdir(), outside]) == 4
    assert outside.exists()


def test_rm_asks_in_a_terminal(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(folder, "own.gguf", random_model)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: "n")
    assert run("rm", "own") == 130
    assert path.exists()
    assert f"own: {path}" in capsys.readouterr().err
    assert run("rm", "own", "--yes") == 0
    assert not record_path(path).exists()
    assert not path.exists()


def test_a_program_gets_a_path_byte_for_byte(
    folder: Path, random_model: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = put(folder, os.fsdecode(b"\xff\x1b[2J.gguf"), random_model)
    assert run("path", os.fsdecode(b"\xff\x1b[2J")) == 0
    assert capsysbinary.readouterr().out == os.fsencode(path) + b"\n"


def test_what_is_missing_is_listed_verified_and_removed(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, "some/model/model.F32.gguf", random_model, pulled=True).unlink()
    (folder / "own.gguf").symlink_to(folder / "nowhere.gguf")
    assert run("list") == 0
    assert capsys.readouterr().out.count("missing") == 2
    assert run("verify") == 5
    tiny, own, pulled = capsys.readouterr().out.splitlines()
    assert tiny.startswith("bayling-tiny: right")
    assert "own.gguf leads to a file that is missing" in own
    assert "the file is missing. Fetch it again: bayling models pull hf://some/model --revision 0123" in pulled
    assert run("verify", "own") == run("verify", "some/model:F32") == 5
    assert run("path", "own") == run("path", "some/model") == 4
    assert run("rm", "own", "some/model", "--yes") == 0
    assert list(folder.iterdir()) == []


def test_a_damaged_record_is_no_file_of_ones_own(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(folder, "some/model/model.F32.gguf", random_model, pulled=True)
    record_path(path).write_text("{", encoding="ascii")
    assert run("verify", "some/model") == 5
    assert f"Its record {record_path(path)} cannot be read" in capsys.readouterr().out
    assert run("list") == 0
    listed = capsys.readouterr().out
    assert "RECORD DAMAGED" in listed
    assert "your own file" not in listed


def test_a_bare_name_means_one_of_several_types(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("Q8_0", "Q4_K_M"):
        put(folder, f"own.{kind}.gguf", random_model)
    assert run("list") == 0
    assert "\nown alone means own:Q4_K_M.\n" in capsys.readouterr().out
    assert run("rm", "own", "--all", "--yes") == 0
    assert list(folder.iterdir()) == []


def test_nothing_is_removed_unasked(folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(folder, "own.gguf", random_model)
    assert run("rm", "own") == 2
    assert "--yes says that it is meant" in capsys.readouterr().err
    assert path.exists()


def test_an_adapter_is_said_to_be_one(folder: Path, make_model: MAKE_MODEL, capsys: pytest.CaptureFixture[str]) -> None:
    adapter = make_model(metadata={"general.type": "adapter", "general.base_model.0.name": "bayling-2-7b"})
    put(folder, "lora.F16.gguf", adapter)
    assert run("show", "lora") == 0
    shown = capsys.readouterr().out
    assert "a LoRA adapter\n" in shown
    assert "is a LoRA adapter for bayling-2-7b, not a model: merge" in shown
    assert run("list") == 0
    assert "a LoRA adapter, for bayling convert" in capsys.readouterr().out


def test_numbers_are_for_people(folder: Path, make_model: MAKE_MODEL, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "own.gguf", make_model(metadata={"general.size_label": "7.2M"}), pulled=True)
    assert run("show", "own") == 0
    shown = capsys.readouterr().out
    assert "about 7.2 M\n" in shown
    assert "2026-01-01 00:00 UTC by bayling-lite" in shown
    assert run("show", "own", "--json") == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 7_200_000


def test_a_slip_of_the_hand_is_understood(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lst") == 2
    assert "Did you mean list?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exited:
        main(["model", "list"])
    assert exited.value.code == 2
    assert "Did you mean models?" in capsys.readouterr().err


def test_a_type_that_nobody_has_is_not_offered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("bayling-2-7b:Q9", "bayling-7b:Q9"):
        assert run("path", name) == 4
        said = capsys.readouterr().err
        assert "only as Q4_K_M, Q5_K_M" in said
        assert "models pull" not in said


def test_a_narrow_list_reads_well(
    folder: Path, random_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "own.gguf", random_model)
    monkeypatch.setenv("COLUMNS", "50")
    assert run("list") == 0
    shown = capsys.readouterr().out
    assert "  your own file" in shown
    assert "from your own" not in shown
    assert "as Q4_K_M ~4.1 GB" in shown
    assert max(map(len, shown.splitlines())) <= 50
