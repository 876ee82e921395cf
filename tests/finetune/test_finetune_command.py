"""``bayling finetune`` from the recipe to the checkpoint folder, and what it says on the way."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from bayling_finetune.config import Recipe
from bayling_finetune.estimate import estimate
from bayling_finetune.job import Job, find_recipe, shipped_recipes
from bayling_finetune.logbook import Logbook
from bayling_finetune.prepare import prepare
from bayling_finetune.rundir import RunFolder
from bayling_finetune.running import run_recipe
from bayling_finetune.stopping import TrainingInterrupted
from bayling_finetune.trainer import Progress
from bayling_lite.cli.finetune import command
from bayling_lite.errors import RecipeError
from tests.finetune.small_training import ignore

# peft asks transformers by an old name
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


def be_quiet(_: str) -> None:
    """Nothing is to be said."""


def train(job: Job) -> Path:
    return run_recipe(job, say=be_quiet, show=ignore)


@pytest.fixture(scope="session")
def trained(corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the miniature recipe; its result is in ``checkpoint/``."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("trained")
    train(Job(corpus_folder / "mini.toml", run=folder, device="cpu"))
    return folder


@pytest.mark.slow
def test_the_result_is_a_checkpoint_folder_that_transformers_reads(corpus_folder: Path, trained: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(trained / "checkpoint")
    weights = load_file(RunFolder(trained).step_folder(12) / "model.safetensors")
    for name, value in weights.items():
        assert torch.equal(model.state_dict()[name], value), name
    tokenizer = AutoTokenizer.from_pretrained(trained / "checkpoint")
    messages = [{"role": "user", "content": "Provide the German translation for this sentence: I drink tea."}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    recipe = Recipe.load(corpus_folder / "mini.toml")
    prefix = prepare(recipe, corpus_folder, RunFolder(trained)).train.prefix
    assert ids[: len(prefix)] == prefix.tolist()
    provenance = json.loads((trained / "checkpoint" / "bayling.json").read_text())
    assert provenance["recipe_sha256"] == recipe.digest()
    training = json.loads((trained / "checkpoint" / "training.json").read_text())
    assert training["steps"] == 12
    assert training["development_loss"] == next(
        entry["loss"] for entry in reversed(Logbook(RunFolder(trained)).entries()) if entry["kind"] == "development"
    )


@pytest.mark.slow
def test_a_finished_run_only_saves_again_and_more_steps_prolong_it(
    corpus_folder: Path, trained: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(trained, tmp_path / "run")
    shutil.rmtree(folder / "checkpoint")
    said: list[str] = []
    job = Job(corpus_folder / "mini.toml", run=folder, device="cpu")
    run_recipe(job, say=said.append, show=ignore)
    assert any("going on after step 12" in line for line in said)
    one, two = (load_file(place / "checkpoint" / "model.safetensors") for place in (trained, folder))
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    train(dataclasses.replace(job, steps=14))
    assert RunFolder(folder).steps()[-1] == 14


@pytest.mark.slow
def test_a_second_stage_begins_with_the_weights_and_the_tokenizer_of_the_first(
    corpus_folder: Path, trained: Path, tmp_path: Path
) -> None:
    text = (corpus_folder / "mini.toml").read_text(encoding="utf-8")
    start, end = text.index("[tokenizer]"), text.index("[schedule]")
    text = (text[:start] + text[end:]).replace('name = "mini"', 'name = "second"\nbase = "one"')
    (tmp_path / "second.toml").write_text(text.replace("steps = 12", "steps = 1"), encoding="utf-8")
    shutil.copytree(trained / "checkpoint", tmp_path / "one")
    job = Job(tmp_path / "second.toml", data=corpus_folder, run=tmp_path / "two", device="cpu")
    second = train(job)
    before, after = (load_file(folder / "model.safetensors") for folder in (tmp_path / "one", second))
    for name, value in before.items():
        assert 0 < (value - after[name]).abs().max() < 0.1, name
    assert json.loads((second / "bayling.json").read_text())["base"] == "mini 0"
    card = (second / "README.md").read_text(encoding="utf-8")
    assert "1. `bayling finetune mini.toml --data DIR`: 12 steps" in card
    assert "2. `bayling finetune second.toml --data DIR`: 1 steps" in card
    with pytest.raises(RecipeError, match=r"--base"):
        train(dataclasses.replace(job, base=corpus_folder))


@pytest.mark.slow
def test_an_adapter_is_saved_as_peft_reads_it(corpus_folder: Path, trained: Path, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM

    text = (corpus_folder / "mini.toml").read_text(encoding="utf-8")
    start, end = text.index("[tokenizer]"), text.index("[schedule]")
    text = (text[:start] + "[adapter]\nrank = 4\ndropout = 0.1\n\n" + text[end:]).replace("muon", "adamw")
    base = trained / "checkpoint"
    (tmp_path / "lora.toml").write_text(f'base = "{base}"\n{text}', encoding="utf-8")
    said: list[str] = []
    job = Job(tmp_path / "lora.toml", data=corpus_folder, run=tmp_path / "run", device="cpu")
    adapter = run_recipe(job, say=said.append, show=ignore)
    assert any("of them trained, on 1 CPU core" in line for line in said), said
    model = AutoPeftModelForCausalLM.from_pretrained(adapter)
    kept = load_file(RunFolder(tmp_path / "run").step_folder(12) / "model.safetensors")
    own = {name.replace(".default", ""): value for name, value in model.state_dict().items()}
    assert kept
    for name, value in kept.items():
        assert torch.equal(own[name.replace(".default", "")], value), name
    assert not (adapter / "model.safetensors").exists()


@pytest.mark.slow
def test_an_interrupted_run_is_saved_and_says_how_to_go_on(corpus_folder: Path, tmp_path: Path) -> None:
    job = Job(corpus_folder / "mini.toml", run=tmp_path / "run", steps=100, device="cpu")

    def interrupt(progress: Progress) -> None:
        if progress.step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(TrainingInterrupted, match=r"bayling finetune .*mini.toml --run .* --steps 100 --device cpu"):
        run_recipe(job, say=be_quiet, show=interrupt)
    assert RunFolder(tmp_path / "run").steps()[-1] == 11


def test_the_resuming_command_is_the_job(tmp_path: Path) -> None:
    job = Job("tiny", data=tmp_path, base="hf://O/N", stop_after=90.0, tensorboard=True, keep_going=True)
    said = f"finetune tiny --data {tmp_path} --base hf://O/N --stop-after 90s --tensorboard --keep-going"
    assert job.command() == f"bayling {said}"
    assert job.command(processes=4) == f"torchrun --nproc-per-node 4 -m bayling_lite.cli -- {said}"
    assert "--stop-after 1080000s" in Job("tiny", stop_after=300 * 3600.0).command(), "300h, as it is read again"
    assert job.public_command() == "bayling finetune tiny --data DIR --base hf://O/N"


def test_tensorboard_files_are_written_on_request(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with Logbook(run, tensorboard=True) as log:
        log.append({"kind": "train", "step": 10, "loss": 2.5})
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"train/loss" in events.read_bytes()


def test_without_tensorboard_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(RecipeError, match="pip install tensorboard"):
        Logbook(RunFolder(tmp_path), tensorboard=True)


def test_shipped_recipes_are_found_by_name_and_a_misspelt_one_is_guessed() -> None:
    assert find_recipe("lora-laptop") == shipped_recipes()["lora-laptop"]
    assert find_recipe(shipped_recipes()["tiny"]) == shipped_recipes()["tiny"]
    with pytest.raises(RecipeError, match=r"Did you mean lora-laptop\? Shipped .*: bayling-13b, "):
        find_recipe("lora-labtop")
    listed = CliRunner().invoke(command, ["--list-recipes"])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(shipped_recipes())


def test_a_dry_run_says_what_it_will_take_and_leaves_nothing(corpus_folder: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(command, [str(corpus_folder / "mini.toml"), "--dry-run", "--run", str(tmp_path / "run")])
    assert said.exit_code == 0, said.output
    assert "tokens a step      1,024 (1 row of 1,024)" in said.stdout
    assert "steps              12" in said.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_dry_run_knows_the_sizes_and_after_preparing_the_steps(
    corpus_folder: Path, trained: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    text = (corpus_folder / "mini.toml").read_text(encoding="utf-8").replace("steps = 12", "epochs = 2")
    (corpus_folder / "epochs.toml").write_text(text, encoding="utf-8")
    _, found = estimate(Job(corpus_folder / "epochs.toml", run=tmp_path / "none"))
    assert found.steps is None
    _, found = estimate(Job(corpus_folder / "epochs.toml", run=trained))
    assert found.steps is not None
    model = AutoModelForCausalLM.from_pretrained(trained / "checkpoint")
    assert found.parameters == found.trained == sum(value.numel() for value in model.parameters())
    assert found.memory > 300e6


@pytest.mark.parametrize(("text", "seconds"), [("3h50m", 13800.0), ("90m", 5400.0), ("1.5h", 5400.0), ("45s", 45.0)])
def test_durations(text: str, seconds: float) -> None:
    from bayling_lite.cli.finetune import _duration

    parameter = command.params[0]
    assert _duration(command.make_context("finetune", ["x", "--dry-run"]), parameter, text) == seconds


def test_a_duration_that_is_none_is_refused() -> None:
    refused = CliRunner().invoke(command, ["tiny", "--stop-after", "soon"])
    assert refused.exit_code == 2
    assert "Write it like 3h50m" in refused.stderr


def test_help_and_a_missing_recipe_need_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None\nfrom bayling_lite.cli import main\nmain(sys.argv[1:])\n"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(root / part) for part in (".", "finetune"))}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, "finetune", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--help").returncode == 0
    assert run("--list-recipes").returncode == 0
    missing = run("tiny")
    assert missing.returncode == 2
    assert "pip install 'bayling-lite[finetune]'" in missing.stderr
