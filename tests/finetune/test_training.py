"""Training learns, resumes bit for bit, and leaves nothing half written."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bayling_finetune.config import Recipe
from bayling_finetune.optimization import learning_rate_factor
from bayling_finetune.prepare import Prepared, prepare
from bayling_finetune.rundir import RunFolder
from bayling_finetune.running import Job, run_recipe
from bayling_finetune.trainer import Progress, Trainer, TrainingDiverged, TrainingInterrupted
from bayling_lite.errors import RecipeError

CPU = torch.device("cpu")


def ignore(_: Progress) -> None:
    """No display."""


@pytest.fixture
def prepared(recipe: Recipe, corpus_folder: Path, tmp_path: Path) -> Prepared:
    folder = RunFolder(tmp_path / "prepared")
    folder.path.mkdir()
    return prepare(recipe, corpus_folder, folder)


def at(recipe: Recipe, **changes: object) -> Recipe:
    return dataclasses.replace(recipe, schedule=dataclasses.replace(recipe.schedule, **changes))  # type: ignore[arg-type]


def test_resuming_gives_the_same_weights_bit_for_bit(recipe: Recipe, prepared: Prepared, tmp_path: Path) -> None:
    straight = Trainer(recipe, prepared, RunFolder(tmp_path / "straight"), device=CPU)
    straight.run.path.mkdir()
    straight.train(ignore)

    folder = RunFolder(tmp_path / "resumed")
    folder.path.mkdir()
    first = Trainer(recipe, prepared, folder, device=CPU)

    class KilledError(Exception):
        pass

    def kill_after_the_second_checkpoint() -> None:
        Trainer.save(first)
        if first.step == 8:
            raise KilledError

    first.save = kill_after_the_second_checkpoint  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        first.train(ignore)
    second = Trainer(recipe, prepared, folder, device=CPU)
    assert second.step == 8
    second.train(ignore)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
    final = [json.loads((run.step_folder(12) / "state.json").read_text()) for run in (straight.run, folder)]
    assert final[0]["position"] == final[1]["position"]


def test_the_loss_falls_and_the_log_tells(recipe: Recipe, prepared: Prepared, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    trainer = Trainer(at(recipe, steps=40), prepared, run, device=CPU)
    before = trainer.evaluate(prepared.development)
    shown: list[Progress] = []
    trainer.train(shown.append)
    assert trainer.evaluate(prepared.development) < before * 0.7
    assert [progress.step for progress in shown] == [10, 20, 30, 40]
    assert shown[-1].tokens_per_second > 0
    logged = {(entry["kind"], entry["step"]) for entry in run.read_log()}
    assert {("train", 10), ("train", 40), ("development", 20), ("development", 40)} <= logged
    assert run.steps() == [36, 40], "only the newest checkpoints are kept"


def test_a_loss_that_is_not_a_number_stops_and_names_the_last_good_checkpoint(
    recipe: Recipe, prepared: Prepared, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    trainer = Trainer(recipe, prepared, run, device=CPU)
    trainer.save()
    with torch.no_grad():
        trainer.model.model.embed_tokens.weight[:] = float("nan")
    with pytest.raises(TrainingDiverged, match="step-00000000"):
        trainer.train(ignore)


def test_an_interrupted_run_is_saved_and_says_how_to_go_on(corpus_folder: Path, tmp_path: Path) -> None:
    import os
    import signal

    job = Job(corpus_folder / "mini.toml", run=tmp_path / "run", steps=100, device="cpu")

    def interrupt(progress: Progress) -> None:
        if progress.step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(TrainingInterrupted, match=r"bayling finetune .*mini.toml --run .* --steps 100"):
        run_recipe(job, say=lambda _: None, show=interrupt)
    assert RunFolder(tmp_path / "run").steps()[-1] == 11
    assert not list((tmp_path / "run").glob("part-*"))


def test_a_checkpoint_that_cannot_be_finished_leaves_the_older_ones(recipe: Recipe, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with run.writing_step(4, keep=2) as folder:
        (folder / "state.json").write_text("{}")
    with pytest.raises(OSError, match="disk full"), run.writing_step(8, keep=2) as folder:
        _fill_the_disk(folder)
    assert run.steps() == [4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000004"]


def _fill_the_disk(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"half")
    raise OSError("disk full")


def test_two_processes_cannot_train_in_one_folder(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).locked(),
        pytest.raises(RecipeError, match="Another process"),
        RunFolder(tmp_path).locked(),
    ):
        pass


def test_a_run_folder_of_another_model_is_refused(recipe: Recipe, prepared: Prepared, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    Trainer(recipe, prepared, run, device=CPU).save()
    wider = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, hidden_size=128))
    with pytest.raises(RecipeError, match="another shape"):
        Trainer(wider, prepared, run, device=CPU)


def test_the_schedule_warms_up_stays_and_ends_at_zero(recipe: Recipe) -> None:
    schedule = at(recipe, steps=100, warmup=10, decay=0.2).schedule
    assert learning_rate_factor(0, schedule) == pytest.approx(0.1)
    assert learning_rate_factor(9, schedule) == learning_rate_factor(79, schedule) == 1
    assert learning_rate_factor(90, schedule) == pytest.approx(0.5)
    assert learning_rate_factor(100, schedule) == 0


def test_the_result_is_a_checkpoint_folder_that_transformers_reads(corpus_folder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    said: list[str] = []
    job = Job(corpus_folder / "mini.toml", run=tmp_path / "run", device="cpu")
    folder = run_recipe(job, say=said.append, show=ignore)
    model = AutoModelForCausalLM.from_pretrained(folder)
    trained = load_file(RunFolder(tmp_path / "run").step_folder(12) / "model.safetensors")
    for name, value in trained.items():
        assert torch.equal(model.state_dict()[name], value), name
    tokenizer = AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": "Provide the German translation for this sentence: I drink tea."}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    prefix = prepare(Recipe.load(job.recipe), corpus_folder, RunFolder(tmp_path / "run")).train.prefix
    assert ids[: len(prefix)] == prefix.tolist()
    provenance = json.loads((folder / "bayling.json").read_text())
    assert provenance["languages"] == ["en", "de", "zh"]
    assert provenance["recipe_sha256"] == Recipe.load(job.recipe).digest()
    assert len(provenance["data_sha256"]) == 64
    assert (tmp_path / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert any("parameters" in line for line in said)
