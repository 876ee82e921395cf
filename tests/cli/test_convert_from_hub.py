"""``bayling convert`` from a hub on this machine: what it fetches, what it leaves, and slips that cost nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from bayling_lite.gguf_file import read_header
from benchmarks.loopback_hub import LoopbackHub
from tests.cli.test_models_pull import checkpoint

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling ...`` in an empty folder: exit status and standard error."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)

    def call(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as exited:
            main(arguments)
        assert isinstance(exited.value.code, int)
        return exited.value.code, capsys.readouterr().err

    return call


def test_it_says_where_it_came_from_and_leaves_nothing_else(server: LoopbackHub, run: Run, tmp_path: Path) -> None:
    commit = server.add("some/tiny", checkpoint())
    status, said = run("convert", "hf://some/tiny", "--no-card")
    assert status == 0, said
    assert said.startswith(f"some/tiny at {commit[:12]}; licence: apache-2.0\nTo fetch: ")
    assert "To fetch" not in run("convert", "hf://some/tiny", "-o", "again.gguf", "--no-card", "-q")[1]
    Path("again.gguf").unlink()
    assert [path.name for path in Path().iterdir()] == ["tiny.Q4_K_M.gguf"]
    assert not (tmp_path / "shared-cache").exists()
    header = read_header(Path("tiny.Q4_K_M.gguf"))
    assert header.text("general.license") == "apache-2.0"
    assert commit in str(header.metadata)


@pytest.mark.slow
def test_what_is_read_twice_is_fetched_once_and_not_left_behind(server: LoopbackHub, run: Run, tmp_path: Path) -> None:
    files = checkpoint()
    server.add("some/tiny", files)
    assert run("convert", "hf://some/tiny", "-o", "once.gguf", "--no-card")[0] == 0
    once = server.sent["model.safetensors"]
    status, said = run("convert", "hf://some/tiny", "-o", "measured.gguf", "--no-card", "--imatrix", "auto")
    assert status == 0, said
    sent, size, header = server.sent["model.safetensors"] - once, len(files["model.safetensors"]), 1024 * 1024
    assert sent < 2 * size + 3 * header
    assert sorted(path.name for path in Path().iterdir()) == ["measured.gguf", "once.gguf"]
    assert not (tmp_path / "shared-cache").exists()


def test_what_is_kept_serves_offline(server: LoopbackHub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add("some/tiny", checkpoint())
    assert run("convert", "hf://some/tiny", "-o", "a.gguf", "--no-card", "--keep")[0] == 0
    monkeypatch.setenv("BAYLING_OFFLINE", "1")
    asked = len(server.seen)
    status, said = run("convert", "hf://some/tiny", "-o", "b.gguf", "--no-card")
    assert status == 0, said
    assert len(server.seen) == asked
    assert Path("a.gguf").read_bytes() == Path("b.gguf").read_bytes()
    assert run("convert", "hf://some/other")[0] == 4


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["hf://some/tiny", "-o", "."], 1, ". is a folder; name a file to write"),
        (["hf://some/tiny", "-o", "none/x.gguf"], 1, "The folder none does not exist"),
        (["hf://some/tiny:Q8_0"], 2, "a checkpoint has no quantization; leave :Q8_0 away"),
        (["hf://some"], 2, "write OWNER/NAME"),
        (["~nobody-of-that-name/x"], 1, "~nobody-of-that-name/x does not exist"),
        (["lora"], 2, "There is no folder lora here, and no model of that name"),
        (["baylin-2-7b"], 2, "Did you mean bayling-2-7b?"),
        (["bayling-tiny"], 2, "its checkpoint is not published"),
        (["hf://some/tiny", "-o", "-"], 2, "name a file with -o"),
    ],
)
def test_slips_are_told_before_anything_is_asked(
    server: LoopbackHub, run: Run, arguments: list[str], status: int, said: str
) -> None:
    got = run("convert", *arguments)
    assert (got[0], said in got[1]) == (status, True), got
    assert server.seen == []
    assert list(Path().iterdir()) == []


def test_a_checkpoint_is_named_alike_everywhere(server: LoopbackHub, run: Run) -> None:
    server.add("ICTNLP/bayling-2-7b", checkpoint())
    names = ("bayling-2-7b", "ICTNLP/bayling-2-7b@main", "hf://ICTNLP/bayling-2-7b")
    for name in names:
        status, said = run("convert", name, "--type", "F16", "--no-card", "--force")
        assert status == 0, said
    assert [path.name for path in Path().iterdir()] == ["bayling-2-7b.F16.gguf"]
    Path("bayling-2-7b").mkdir()
    asked = len(server.seen)
    assert "bayling-2-7b has no config.json" in run("convert", "bayling-2-7b")[1]
    assert len(server.seen) == asked
    status, said = run("convert", "some/none")
    assert status == 1
    assert "There is no folder some/none here. There is no repository" in said


def test_what_needs_no_converting(server: LoopbackHub, run: Run, random_model: Path) -> None:
    server.add("some/tiny-GGUF", {"tiny-Q8_0.gguf": random_model.read_bytes()})
    status, said = run("convert", "hf://some/tiny-GGUF")
    assert status == 1
    assert said.endswith("ready to be used: bayling models pull some/tiny-GGUF\n")
    shutil.copy(random_model, "model.gguf")
    status, said = run("convert", "model.gguf")
    assert status == 1
    assert "model.gguf is a GGUF file already" in said


def test_a_model_is_not_replaced_by_its_importances(run: Run, random_model: Path) -> None:
    shutil.copy(random_model, "model.gguf")
    status, said = run("imatrix", "model.gguf", "-o", "model.gguf", "--force")
    assert status == 2
    assert "would replace the model itself" in said
    assert Path("model.gguf").read_bytes() == random_model.read_bytes()
