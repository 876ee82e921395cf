"""What ``bayling models pull`` makes of what is asked for beyond a name: files, paths, bases, adapters."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from bayling_lite.gguf_file import read_header
from bayling_lite.registry import read_record
from benchmarks.loopback_hub import LoopbackHub
from tests.cli.conftest import Run
from tests.cli.test_models_pull import SMALL, checkpoint, contents
from tests.convert.small_checkpoints import random_tensors

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The models folder, which does not exist yet; the working folder is another, empty one."""
    monkeypatch.setenv("BAYLING_MODELS", str(tmp_path / "models"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "models"


@pytest.fixture
def interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, interrupted just before the model is put in its place."""

    def call(*arguments: str) -> tuple[int, str, str]:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("bayling_lite.pulling.work._put_in_place", stop)
            return run(*arguments)

    return call


def adapter(rank: int = 2) -> dict[str, bytes]:
    """The files of a LoRA adapter for :func:`checkpoint`, as peft saves them."""
    weight = random_tensors(SMALL)["model.layers.0.self_attn.q_proj.weight"]
    start = "base_model.model.model.layers.0.self_attn.q_proj.lora"
    tensors = {f"{start}_A.weight": torch.ones(rank, weight.shape[1]), f"{start}_B.weight": weight[:, :rank].clone()}
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 2, "bias": "none", "base_model_name_or_path": "some/base"}
    return {"adapter_config.json": json.dumps(config).encode(), "adapter_model.safetensors": save(tensors)}


def test_a_half_done_pull_says_what_goes_on_and_what_drops_it(
    server: LoopbackHub, folder: Path, run: Run, interrupted: Run, random_model: Path
) -> None:
    model = random_model.read_bytes()
    server.add("some/big-GGUF", {"big-Q8_0.gguf": model})
    assert run("pull", "some/big-GGUF:Q8_0")[0] == 0
    command = ["pull", "some/big-GGUF:Q8_0", "--revision", "main", "--force"]
    assert interrupted(*command)[0] == 130
    path = folder / "some" / "big-GGUF" / "big-Q8_0.gguf"
    for shown in (run("list")[1], run("show", "some/big-GGUF")[1]):
        assert shlex.join(["bayling", "models", *command]) in shown
    assert "bayling models rm --partial NAME" in run("list")[1]
    (half,) = (said for said in map(json.loads, run("list", "--json")[1].splitlines()) if "interrupted" in said)
    assert half["command"] == ["bayling", "models", *command]
    # What finishes it is that very command.
    assert run(*command)[0] == 0
    assert "Not finished" not in run("list")[1]

    assert interrupted(*command)[0] == 130
    assert run("rm", "--partial", "some/big-GGUF:Q8_0", "--yes")[0] == 0
    assert path.read_bytes() == model
    assert "Not finished" not in run("list")[1]
    assert run("rm", "--partial", "some/big-GGUF:Q8_0", "--yes")[0] == 4
    assert interrupted(*command)[0] == 130
    said = run("rm", "some/big-GGUF")[2]
    assert f"{path} (" in said
    assert "and what an interrupted pull left (" in said
    assert run("rm", "some/big-GGUF", "--yes")[0] == 0
    assert contents(folder) == []


def test_what_goes_on_says_how_much_is_done(
    server: LoopbackHub, folder: Path, run: Run, interrupted: Run, random_model: Path
) -> None:
    server.add("some/big-GGUF", {"big-Q8_0.gguf": random_model.read_bytes()})
    assert "To fetch: 498.1 kB" in interrupted("pull", "some/big-GGUF")[2]
    said = run("pull", "some/big-GGUF")[2]
    assert "Going on: about 498.1 kB of 498.1 kB are done, 0 bytes to fetch" in said
    server.add("some/tiny", checkpoint())
    interrupted("pull", "some/tiny")
    assert "Going on: about 1.4 MB of 1.4 MB are done" in run("pull", "some/tiny")[2]


def test_nothing_is_left_where_nothing_has_come(
    server: LoopbackHub, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    server.add("some/tiny", checkpoint())
    monkeypatch.setattr("bayling_convert.output.Part.write", full)
    assert run("pull", "some/tiny")[0] == 1
    assert "Not finished" not in run("list")[1]


@pytest.mark.parametrize("base", ["some/base", "hf://some/base@main", "{folder}"])
def test_an_adapter_is_merged_into_its_base(
    server: LoopbackHub, folder: Path, run: Run, tmp_path: Path, base: str
) -> None:
    files = checkpoint() | {"config.json": json.dumps(SMALL | {"dtype": "float16"}).encode()}
    commit = server.add("some/base", files)
    server.add("some/lora", adapter())
    status, _, said = run("pull", "some/lora")
    assert status == 2
    assert "is a LoRA adapter" in said
    assert said.endswith("--base some/base\n")
    local = tmp_path / "local-base"
    local.mkdir()
    for name, content in files.items():
        (local / name).write_bytes(content)
    status, _, said = run("pull", "some/lora:F16", "--base", base.format(folder=local))
    assert status == 0, said
    assert "some/lora: a LoRA adapter of some/lora at " in said
    # The result has the size of the base, not of the adapter.
    (path,) = folder.rglob("*.gguf")
    assert 0.5 < len(files["model.safetensors"]) / path.stat().st_size < 2
    assert f"about {len(files['model.safetensors']) / 1e6:.1f} MB here as F16" in said
    if "some/base" in base:
        assert f"Base: some/base at {commit[:12]}" in said
        assert "Licence of the base: apache-2.0" in said
        total = len(files["model.safetensors"]) + len(adapter()["adapter_model.safetensors"])
        assert f"To fetch: {total / 1e6:.1f} MB" in said


def test_another_base_makes_another_model(server: LoopbackHub, folder: Path, run: Run) -> None:
    for name in ("some/base", "some/other"):
        server.add(name, checkpoint())
    server.add("some/lora", adapter())
    assert run("pull", "some/lora", "--base", "some/base")[0] == 0
    assert "is here already" in run("pull", "some/lora", "--base", "hf://some/base")[2]
    status, _, said = run("pull", "some/lora", "--base", "some/other")
    assert status == 2
    assert "made with another base, hf://some/base@" in said
    assert run("pull", "some/lora", "--base", "some/other", "--force")[0] == 0
    (path,) = folder.rglob("*.gguf")
    record = read_record(path)
    assert record is not None
    assert str(record.base).startswith("hf://some/other@")


def test_a_merged_difference_has_the_name_of_the_model(server: LoopbackHub, folder: Path, run: Run) -> None:
    base = {name: tensor.to(torch.float16) for name, tensor in random_tensors(SMALL).items()}
    server.add("ICTNLP/bayling-7b-diff", checkpoint({name: tensor * 0.01 for name, tensor in base.items()}))
    server.add("ICTNLP/bayling-2-7b", checkpoint(base))
    # A base is named as every checkpoint is; whether it is the right one is told by the difference.
    status, _, said = run("pull", "bayling-7b-diff:F16", "--base", "bayling-2-7b")
    assert status == 0, said
    assert "bayling-7b: a difference to a base of ICTNLP/bayling-7b-diff" in said
    assert contents(folder) == ["bayling-7b.F16.gguf", "bayling-7b.F16.gguf.json"]
    assert read_header(folder / "bayling-7b.F16.gguf").text("general.name") == "bayling-7b"


def test_one_of_several_models_is_named_by_its_file(
    server: LoopbackHub, folder: Path, run: Run, random_model: Path
) -> None:
    model = random_model.read_bytes()
    server.add("some/two-GGUF", {"a-Q4_K_M.gguf": model, "b-Q4_K_M.gguf": model + b"b", "sub/c-Q8_0.gguf": model})
    status, _, said = run("pull", "some/two-GGUF")
    assert status == 2
    assert "bayling models pull some/two-GGUF:a-Q4_K_M.gguf" in said
    assert "bayling models pull some/two-GGUF:a-Q4_K_M.gguf" in run("pull", "some/two-GGUF:Q2_K")[2]
    for name in ("b-Q4_K_M.gguf", "A-q4_k_m.gguf", "sub/c-Q8_0.gguf"):
        status, _, said = run("pull", f"some/two-GGUF:{name}")
        assert status == 0, said
    assert (folder / "some" / "two-GGUF" / "b-Q4_K_M.gguf").read_bytes().endswith(b"b")
    assert run("path", "some/two-GGUF/b-Q4_K_M.gguf")[0] == 0
    assert "is here already" in run("pull", "some/two-GGUF:b-Q4_K_M.gguf")[2]
    assert "has no model d.gguf. It has: a-Q4_K_M.gguf, b-" in run("pull", "some/two-GGUF:d.gguf")[2]
    path = folder / "some" / "two-GGUF" / "b-Q4_K_M.gguf"
    path.write_bytes(model)
    remedy = shlex.split(run("verify")[1].partition("Fetch it again: bayling models ")[2].splitlines()[0])
    assert run(*remedy)[0] == run("verify")[0] == 0


def test_what_is_on_this_machine_is_not_pulled(server: LoopbackHub, folder: Path, run: Run) -> None:
    Path("src/base").mkdir(parents=True)
    Path("src/x.gguf").touch()
    for name, said in (
        (
            "./src/base",
            "A checkpoint in it is converted with: bayling convert ./src/base.",
        ),
        ("src/base", "The hub's repository of that name is hf://src/base."),
        ("src/x.gguf", "is used with --model src/x.gguf"),
        ("./none", "is a path where nothing is"),
    ):
        got = run("pull", name)
        assert (got[0], said in got[2]) == (2, True), got
    assert server.seen == []
    server.add("src/base", checkpoint())
    assert run("pull", "hf://src/base")[0] == 0


def test_a_base_that_is_not_there(server: LoopbackHub, folder: Path, run: Run) -> None:
    server.add("ICTNLP/bayling-7b-diff", checkpoint())
    status, _, said = run("pull", "bayling-7b", "--base", "llama-7b")
    assert status == 2
    assert "There is no folder llama-7b here, and no model of that name in the catalogue" in said
    assert not folder.exists()
