"""Training learns, resumes bit for bit, and leaves nothing half written."""

from __future__ import annotations

import dataclasses
import json
import shutil
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_loss_falls_and_the_log_tells(recipe: Recipe, prepared: Prepared, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    trainer = Trainer(at(recipe, steps=40), prepared, run, device=CPU)
    before = trainer.evaluate(prepared.development)
    shown: list[Progress] = []
    trainer.train(shown.append)
    assert trainer.evaluate(prepared.development) < before * 0.7
    steps = [progress.step for progress in shown]
    assert steps == sorted({*range(4, 41, 4), *range(10, 41, 10)}), "every tenth step, and every evaluation"
    assert shown[-1].tokens_per_second > 0
    logged = {(entry["kind"], entry["step"]) for entry in run.read_log()}
    assert {("train", 10), ("train", 40), ("development", 4), ("development", 40)} <= logged
    assert ("development", 10) not in logged
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


@pytest.mark.slow
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
    with pytest.raises(RecipeError, match="a model of another shape"):
        Trainer(wider, prepared, run, device=CPU)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over_and_all_damaged_is_said(
    recipe: Recipe, prepared: Prepared, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    Trainer(recipe, prepared, run, device=CPU).train(ignore)
    assert run.steps() == [8, 12]
    weights = run.step_folder(12) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert Trainer(recipe, prepared, run, device=CPU).step == 8
    (run.step_folder(8) / "optimizers.pt").write_bytes(b"")
    with pytest.raises(RecipeError, match="damaged, or of another version"):
        Trainer(recipe, prepared, run, device=CPU)


@pytest.mark.slow
def test_fewer_steps_than_were_taken_are_refused(recipe: Recipe, prepared: Prepared, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    Trainer(recipe, prepared, run, device=CPU).train(ignore)
    with pytest.raises(RecipeError, match="at step 12 already"):
        Trainer(at(recipe, steps=5), prepared, run, device=CPU)


def test_a_run_is_not_gone_on_with_other_data_or_another_tokenizer(
    recipe: Recipe, corpus_folder: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    Trainer(recipe, prepare(recipe, corpus_folder, run), run, device=CPU).save()
    other = dataclasses.replace(recipe, tokenizer=dataclasses.replace(recipe.tokenizer, character_coverage=0.99))
    with pytest.raises(RecipeError, match="another tokenizer"):
        prepare(other, corpus_folder, run)
    folder = shutil.copytree(corpus_folder, tmp_path / "other")
    with (folder / "mini.en-de.tsv").open("a", encoding="utf-8") as text:
        text.write("I sleep.\tIch schlafe.\n")
    with pytest.raises(RecipeError, match="other data"):
        prepare(recipe, folder, run)
    (run.path / "prepared.json").unlink()
    with pytest.raises(RecipeError, match="trained on other data"):
        Trainer(recipe, prepare(recipe, folder, run), run, device=CPU)


def test_prepared_data_serve_without_the_files_and_are_made_again_when_damaged(
    recipe: Recipe, corpus_folder: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    first = prepare(recipe, corpus_folder, run)
    said: list[str] = []
    again = prepare(recipe, tmp_path / "nowhere", run, say=said.append)
    assert again.fingerprint == first.fingerprint
    assert "not there" in said[0]
    (tmp_path / "train.npz").write_bytes(b"PK")
    repaired = prepare(recipe, corpus_folder, run, say=said.append)
    assert "damaged" in said[1]
    assert (repaired.train.ids == first.train.ids).all()


def test_evaluation_counts_every_dialogue_once(recipe: Recipe, prepared: Prepared, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    trainer = Trainer(recipe, prepared, run, device=CPU)
    losses = []
    for batch_tokens in (200, 700, 100_000):
        trainer.recipe = at(recipe, batch_tokens=batch_tokens)
        losses.append(trainer.evaluate(prepared.development))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] == pytest.approx(losses[2], rel=1e-5)


def test_a_log_line_that_was_cut_off_hides_no_other(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append_log({"kind": "train", "step": 10, "loss": 2.0})
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"kind": "train", "st')
    run.append_log({"kind": "train", "step": 20, "loss": 1.0})
    run.append_log({"kind": "train", "step": 30, "loss": 0.5})
    assert [entry["step"] for entry in run.read_log()] == [10, 20, 30]
    assert [entry["step"] for entry in run.read_log(up_to=20)] == [10, 20]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile warns of itself
def test_compiled_kernels_in_bfloat16_resume_bit_for_bit_too(
    recipe: Recipe, prepared: Prepared, tmp_path: Path
) -> None:
    fast = at(recipe, steps=6, precision="bf16", compile=True, checkpoint_every=3)
    weights = []
    for stops in ((6,), (3, 6)):
        run = RunFolder(tmp_path / f"run{len(stops)}")
        run.path.mkdir()
        for stop in stops:
            trainer = Trainer(fast, prepared, run, device=CPU)
            while trainer.step < stop:
                trainer.take_step()
            trainer.save()
        weights.append(trainer.model.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


@pytest.mark.slow
def test_a_second_stage_begins_with_the_weights_and_the_tokenizer_of_the_first(
    corpus_folder: Path, tmp_path: Path
) -> None:
    first = run_recipe(
        Job(corpus_folder / "mini.toml", run=tmp_path / "one", device="cpu"), say=lambda _: None, show=ignore
    )
    text = (corpus_folder / "mini.toml").read_text(encoding="utf-8")
    text = text.replace('name = "mini"', 'name = "second"\nbase = "one/checkpoint"').replace("vocab_size = 500", "")
    (tmp_path / "second.toml").write_text(text.replace("steps = 12", "steps = 1"), encoding="utf-8")
    job = Job(tmp_path / "second.toml", data=corpus_folder, run=tmp_path / "two", device="cpu")
    second = run_recipe(job, say=lambda _: None, show=ignore)
    assert (second / "tokenizer.model").read_bytes() == (first / "tokenizer.model").read_bytes()
    before, after = (load_file(folder / "model.safetensors") for folder in (first, second))
    for name, value in before.items():
        assert 0 < (value - after[name]).abs().max() < 0.1, name
    assert json.loads((second / "bayling.json").read_text())["base"] == "mini 0"
    card = (second / "README.md").read_text(encoding="utf-8")
    assert "1. `bayling finetune mini.toml --data DIR`: 12 steps" in card
    assert "2. `bayling finetune second.toml --data DIR`: 1 steps" in card
    with pytest.raises(RecipeError, match=r"has no model.safetensors.*--base"):
        run_recipe(dataclasses.replace(job, base=tmp_path), say=lambda _: None, show=ignore)


def test_the_schedule_warms_up_stays_and_ends_at_zero(recipe: Recipe) -> None:
    schedule = at(recipe, steps=100, warmup=10, decay=0.2).schedule
    assert learning_rate_factor(0, schedule) == pytest.approx(0.1)
    assert learning_rate_factor(9, schedule) == learning_rate_factor(79, schedule) == 1
    assert learning_rate_factor(90, schedule) == pytest.approx(0.5)
    assert learning_rate_factor(100, schedule) == 0


@pytest.mark.slow
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
