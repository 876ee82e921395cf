"""Two processes that divide the weights between them learn what one learns, stop together, and hand over to one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bayling_finetune.job import Job
from bayling_finetune.rundir import RunFolder
from bayling_finetune.running import run_recipe
from tests.finetune.small_training import ignore, write_base
from tests.finetune.two_processes import learn

pytestmark = pytest.mark.slow

WAYS = ("full", "lora", "epochs")

_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(_ROOT / part) for part in (".", "finetune", "convert")),
    "OMP_NUM_THREADS": "1",
}


def command(processes: int, *words: str) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    return [sys.executable, *launcher, "-m", *words]


def run(processes: int, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(processes, *words), env=_ENVIRONMENT, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )


def assert_same_losses(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert len(one["losses"]) == len(two["losses"])
    for (loss, norm, tokens), (other_loss, other_norm, other_tokens) in zip(one["losses"], two["losses"], strict=True):
        assert other_loss == pytest.approx(loss, abs=1e-4)
        assert other_norm == pytest.approx(norm, rel=1e-3)
        assert other_tokens == tokens
    assert two["development"] == pytest.approx(one["development"], abs=1e-4)


@dataclass(frozen=True)
class Trained:
    """What :func:`trained` has made: ``base`` is a checkpoint folder; ``one`` what one process learnt, by way."""

    folder: Path
    base: Path
    one: dict[str, dict[str, Any]]


def lose_the_last_checkpoint(run: Path) -> None:
    """As if the run had been killed before its end."""
    assert RunFolder(run).steps() == [8, 12]
    shutil.rmtree(RunFolder(run).step_folder(12))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Each way in one process, here, and in two: these start once for all that is looked at below."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("trained")
    base = folder / "base"
    write_base(base)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        one = {way: learn(way, folder / f"one-{way}", base) for way in WAYS}
    shutil.copytree(folder / "one-full", folder / "one-then-two")
    lose_the_last_checkpoint(folder / "one-then-two")
    jobs = [f"{way}={folder / f'two-{way}'}" for way in WAYS]
    done = run(2, "tests.finetune.two_processes", str(base), *jobs, f"full={folder / 'one-then-two'}", cwd=_ROOT)
    assert done.returncode == 0, done.stderr
    return Trained(folder, base, one)


def losses_of(run: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((run / "losses.json").read_text())
    return said


@pytest.mark.parametrize("way", WAYS)
def test_two_processes_see_the_loss_of_one(way: str, trained: Trained) -> None:
    one = trained.one[way]
    assert len(one["losses"]) >= 12
    assert one["losses"][-1][0] < one["losses"][0][0], "it learns"
    assert_same_losses(one, losses_of(trained.folder / f"two-{way}"))


def test_a_run_goes_on_with_another_number_of_processes(trained: Trained) -> None:
    straight = trained.one["full"]
    rest = {"one then two": losses_of(trained.folder / "one-then-two")}
    folder = shutil.copytree(trained.folder / "two-full", trained.folder / "two-then-one")
    lose_the_last_checkpoint(folder)
    rest["two then one"] = learn("full", folder, trained.base)
    for name, after in rest.items():
        assert len(after["losses"]) == 4, name
        assert_same_losses(straight, {**after, "losses": straight["losses"][:8] + after["losses"]})


def be_quiet(_: str) -> None:
    """Nothing is to be said."""


@pytest.fixture
def recipe_file(corpus_folder: Path) -> Path:
    """The miniature recipe for two processes: AdamW, two rows a step, translations at each evaluation."""
    text = (corpus_folder / "mini.toml").read_text(encoding="utf-8")
    text = text.replace('kind = "muon"', 'kind = "adamw"').replace("steps = 12", "steps = 12\nrows = 2")
    text = text.replace("[evaluation]", "[evaluation]\ngenerate = 6\nmax_new_tokens = 8")
    path = corpus_folder / "two.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_in_two_processes_saves_what_it_saves_in_one(recipe_file: Path, tmp_path: Path) -> None:
    words = ("bayling_lite.cli", "--", "finetune", str(recipe_file), "--threads", "1", "--device", "cpu", "--run")
    logs = []
    run_recipe(Job(recipe_file, run=tmp_path / "1", device="cpu", threads=1), say=be_quiet, show=ignore)
    done = run(2, *words, str(tmp_path / "2"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / '2'}/checkpoint\n", "one process speaks"
    assert done.stderr.count("Preparing the data") == 1
    for processes in (1, 2):
        lines = (tmp_path / str(processes) / "log.jsonl").read_text().splitlines()
        logs.append({(entry["kind"], entry["step"]): entry for entry in map(json.loads, lines)})
        assert len(logs[-1]) == len(lines), "one process logs"
    assert logs[0].keys() == logs[1].keys()
    assert ("translation", 12) in logs[0]
    for key, entry in logs[0].items():
        for number in {"loss", "bleu", "chrf"} & entry.keys():
            assert logs[1][key][number] == pytest.approx(entry[number], abs=1e-4), key
    one, two = (load_file(tmp_path / n / "checkpoint" / "model.safetensors") for n in ("1", "2"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=1e-2), name
    assert json.loads((tmp_path / "2" / "checkpoint" / "training.json").read_text())["hardware"] == "2 × 1 CPU core"


def test_a_job_that_is_preempted_saves_in_all_processes_and_is_resumed_by_one(
    recipe_file: Path, tmp_path: Path
) -> None:
    words = [
        "finetune",
        str(recipe_file),
        "--threads",
        "1",
        "--device",
        "cpu",
        "--run",
        str(tmp_path),
        "--steps",
        "300",
    ]
    with subprocess.Popen(
        command(2, "bayling_lite.cli", "--", *words), env=_ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as job:
        until = time.monotonic() + 120
        while not RunFolder(tmp_path).steps() and time.monotonic() < until:
            time.sleep(0.2)
        job.send_signal(signal.SIGTERM)
        said = job.communicate(timeout=180)[1]
    assert job.returncode != 0
    assert said.count("saved. Go on with: torchrun --nproc-per-node 2 -m bayling_lite.cli -- finetune") == 1, said
    stopped = RunFolder(tmp_path).steps()[-1]
    assert f"Stopped after step {stopped} of 300" in said
    job_of_one = Job(recipe_file, run=tmp_path, device="cpu", threads=1, steps=stopped + 2)
    told: list[str] = []
    run_recipe(job_of_one, say=told.append, show=ignore)
    assert any(f"going on after step {stopped}." in line for line in told), told


def test_rows_that_cannot_be_dealt_out_are_refused_by_one_voice(corpus_folder: Path, tmp_path: Path) -> None:
    done = run(
        2, "bayling_lite.cli", "--", "finetune", str(corpus_folder / "mini.toml"), "--run", str(tmp_path / "run")
    )
    assert done.returncode != 0
    assert done.stderr.count("schedule.rows is 1, which cannot be dealt evenly to 2 processes") == 1
    assert "Traceback" not in done.stderr.split("torch/distributed/elastic")[0]
