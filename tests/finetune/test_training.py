"""Training learns, counts every target the same, and resumes bit for bit."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import LlamaForCausalLM

from bayling_finetune.config import Optimizer, Recipe
from bayling_finetune.distributed import Processes
from bayling_finetune.logbook import Logbook
from bayling_finetune.optimization import Optimizers, learning_rate_factor
from bayling_finetune.rows import count_steps
from bayling_finetune.rundir import RunFolder
from bayling_finetune.trainer import Progress, Trainer, check_processes
from bayling_lite.errors import RecipeError
from tests.finetune.small_training import (
    CPU,
    changed,
    dataset,
    ignore,
    model_of,
    prepared,
    recipe,
    trainer,
    with_adapter,
    write_base,
)

# peft asks transformers by an old name
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


class KilledError(Exception):
    """Stands for a machine that is switched off."""


def weights(of: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in of.model.named_parameters()}


def run_killed_after(step: int, of: Recipe, folder: Path, base: Path | None = None) -> None:
    """Train, and end without a word once the checkpoint of a step is written."""
    killed = trainer(of, folder, base=base)
    save = killed.save

    def save_and_die() -> None:
        save()
        if killed.step == step:
            raise KilledError

    killed.save = save_and_die  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        killed.train(ignore)


MUON = Optimizer(kind="muon", learning_rate=3e-3)
WAYS = {
    "AdamW, cosine, accumulation": recipe(),
    "Muon, plateau": dataclasses.replace(recipe(shape="plateau", rows=1), optimizer=MUON),
    "activation checkpointing": changed(recipe(), "hardware", activation_checkpointing=True),
    "linear, middle of an epoch": recipe(shape="linear", rows=2, batch_tokens=200, seed=5),
    "epochs": recipe(steps=0, epochs=2.5),
    "LoRA with dropout": with_adapter(recipe(), dropout=0.2),
    "bf16": changed(recipe(), "hardware", precision="bf16"),
    "bf16-pure": changed(recipe(), "hardware", precision="bf16-pure"),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_resuming_gives_the_same_weights_bit_for_bit(way: str, tmp_path: Path) -> None:
    of = WAYS[way]
    base = tmp_path / "base" if of.adapter else None
    if base is not None:
        write_base(base)
    straight = trainer(of, tmp_path / "straight", base=base)
    straight.train(ignore)
    run_killed_after(8, of, tmp_path / "resumed", base)
    second = trainer(of, tmp_path / "resumed", base=base)
    assert second.step == 8
    assert second.steps == straight.steps
    second.train(ignore)
    expected = weights(straight)
    assert expected.keys() == weights(second).keys()
    for name, value in weights(second).items():
        assert torch.equal(value, expected[name]), name
    states = [
        json.loads((run.step_folder(straight.steps) / "state.json").read_text()) for run in (straight.run, second.run)
    ]
    assert [{**state, "seconds": 0} for state in states[:1]] == [{**state, "seconds": 0} for state in states[1:]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile warns of itself
def test_compiled_kernels_in_bfloat16_resume_bit_for_bit_too(tmp_path: Path) -> None:
    fast = changed(recipe(steps=6), "hardware", precision="bf16", compile=True)
    ends = []
    for stops in ((6,), (3, 6)):
        for stop in stops:
            one = trainer(fast, tmp_path / f"run{len(stops)}")
            while one.step < stop:
                one.take_step()
            one.save()
        ends.append(weights(one))
    for name, value in ends[0].items():
        assert torch.equal(value, ends[1][name]), name


@pytest.mark.slow
def test_the_loss_falls_and_the_log_tells(tmp_path: Path) -> None:
    learner = trainer(recipe(steps=40), tmp_path)
    development = prepared().development
    before = learner.evaluate(development)
    shown: list[Progress] = []
    learner.train(shown.append)
    assert learner.evaluate(development) < before * 0.7
    steps = [progress.step for progress in shown]
    assert steps == sorted({*range(4, 41, 4), *range(10, 41, 10)}), "every tenth step, and every evaluation"
    assert shown[-1].pace.tokens_per_second > 0
    assert shown[-1].development_loss == pytest.approx(learner.evaluate(development))
    log = Logbook(learner.run).entries()
    logged = {(entry["kind"], entry["step"]) for entry in log}
    assert {("train", 10), ("train", 40), ("development", 4), ("development", 40)} <= logged
    assert ("development", 10) not in logged
    last = next(entry for entry in reversed(log) if entry["kind"] == "train")
    assert last["peak_memory"] > 1e6
    assert last["gradient_norm"] > 0
    assert learner.run.steps() == [36, 40], "only the newest checkpoints are kept"
    for name in ("loss.png", "learning-rate.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "bleu.png").exists()


@pytest.mark.slow
def test_rows_added_up_are_one_large_row(tmp_path: Path) -> None:
    """The loss is that of all targets of the step, and the gradient is its gradient, whoever computed which row."""
    few = trainer(recipe(rows=8), tmp_path / "few")
    step = few._feed.next()
    assert step is not None
    planned = step.planned
    model = model_of(recipe())
    losses, count = torch.zeros(()), 0
    assert isinstance(model, LlamaForCausalLM)
    for number in (int(number) for row in planned.rows for number in row):
        document = prepared().train.document(number)
        ids = torch.tensor([*range(3, 13), *document.ids.tolist()])
        labels = torch.tensor([*[-100] * 10, *(i if t else -100 for i, t in zip(document.ids, document.targets))])  # noqa: B905
        logits = model(ids[None]).logits[0, :-1]
        losses = losses + nn.functional.cross_entropy(logits, labels[1:], reduction="sum", ignore_index=-100)
        count += int(document.targets.sum())
    (losses / count).backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])

    result = trainer(recipe(rows=8), tmp_path / "again").take_step()
    assert count == planned.targets
    assert result.loss == pytest.approx(losses.item() / count, rel=1e-5)
    assert result.norm == pytest.approx(norm.item(), rel=1e-4)


@pytest.mark.slow
def test_activation_checkpointing_changes_no_bit(tmp_path: Path) -> None:
    ends = []
    for checkpointing in (False, True):
        of = changed(with_adapter(recipe(steps=4), dropout=0.1), "hardware", activation_checkpointing=checkpointing)
        write_base(tmp_path / "base")
        one = trainer(of, tmp_path / str(checkpointing), base=tmp_path / "base")
        one.train(ignore)
        ends.append(weights(one))
    for name, value in ends[0].items():
        assert torch.equal(value, ends[1][name]), name


@pytest.mark.slow
def test_epochs_end_with_their_last_dialogue(tmp_path: Path) -> None:
    of = recipe(steps=0, epochs=1.0, batch_tokens=512)
    data = prepared(dataset(90))
    one = trainer(of, tmp_path, data=data)
    assert one.steps == count_steps(data.train, of.schedule)
    one.train(ignore)
    assert one.step == one.steps
    with pytest.raises(RecipeError, match="are done"):
        one.take_step()
    assert one.tokens >= len(data.train.ids), "every dialogue was in a row"


def test_only_the_adapter_is_trained_and_kept(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    write_base(tmp_path / "base")
    one = trainer(with_adapter(recipe(), dropout=0.1), tmp_path / "run", base=tmp_path / "base")
    before = weights(one)
    for _ in range(3):
        one.take_step()
    one.save()
    moved = {name for name, value in weights(one).items() if not torch.equal(value, before[name])}
    assert moved
    assert all(".lora_" in name for name in moved)
    assert load_file(one.run.step_folder(3) / "model.safetensors").keys() == moved


def test_dropout_depends_on_step_and_row_alone(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    of = with_adapter(recipe(), dropout=0.5)
    one, two = (trainer(of, tmp_path / name, base=tmp_path / "base") for name in ("one", "two"))
    torch.manual_seed(1)
    losses = [one.take_step().loss for _ in range(3)]
    torch.manual_seed(2)
    torch.rand(7)
    assert losses == [two.take_step().loss for _ in range(3)]


def test_evaluation_counts_every_dialogue_once(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    losses = []
    for batch_tokens in (64, 700, 100_000):
        one.recipe = recipe(batch_tokens=batch_tokens)
        losses.append(one.evaluate(prepared().development))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] == pytest.approx(losses[2], rel=1e-5)
    assert one.model.training, "evaluating leaves the model as it was"


def test_the_schedule_warms_up_stays_and_ends_at_zero() -> None:
    schedule = recipe(steps=100, warmup=10.0, decay=0.2, shape="plateau").schedule
    assert learning_rate_factor(0, 100, schedule) == pytest.approx(0.1)
    assert learning_rate_factor(9, 100, schedule) == learning_rate_factor(79, 100, schedule) == 1
    assert learning_rate_factor(90, 100, schedule) == pytest.approx(0.5)
    assert learning_rate_factor(100, 100, schedule) == 0


@pytest.mark.parametrize(("shape", "middle"), [("linear", 0.5), ("cosine", 0.5)])
def test_linear_and_cosine_fall_to_zero(shape: str, middle: float) -> None:
    schedule = recipe(steps=110, warmup=10.0, shape=shape).schedule
    factors = [learning_rate_factor(number, 110, schedule) for number in range(111)]
    assert factors[4] == pytest.approx(0.5)
    assert factors[10] == 1
    assert factors[60] == pytest.approx(middle)
    assert factors[110] == pytest.approx(0, abs=1e-12)
    assert all(one >= two for one, two in itertools.pairwise(factors[10:]))
    quarter = factors[35]
    assert quarter == pytest.approx(0.75 if shape == "linear" else 0.5 + math.sqrt(0.125))


def test_weights_decay_in_matrices_alone() -> None:
    model = model_of(recipe())
    (adamw,) = Optimizers.build(model, Optimizer(weight_decay=0.1)).optimizers
    decays = {id(parameter): group["weight_decay"] for group in adamw.param_groups for parameter in group["params"]}
    for name, parameter in model.named_parameters():
        assert decays[id(parameter)] == (0.0 if "norm" in name else 0.1), name


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (recipe(rows=3), "schedule.rows is 3, which cannot be dealt evenly to 2 processes"),
        (dataclasses.replace(recipe(), optimizer=MUON), "several processes divide"),
        (with_adapter(recipe(), method="qlora"), "qlora"),
    ],
    ids=["rows", "muon", "qlora"],
)
def test_what_two_processes_cannot_do_is_refused(of: Recipe, said: str) -> None:
    check_processes(of, Processes(CPU))
    with pytest.raises(RecipeError, match=said):
        check_processes(of, Processes(CPU, rank=1, count=2))


def test_a_log_line_that_was_cut_off_hides_no_other(tmp_path: Path) -> None:
    log = Logbook(RunFolder(tmp_path))
    log.append({"kind": "train", "step": 10, "loss": 2.0})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"kind": "train", "st')
    log.append({"kind": "train", "step": 20, "loss": 1.0})
    log.append({"kind": "train", "step": 30, "loss": 0.5})
    assert [entry["step"] for entry in log.entries()] == [10, 20, 30]
    assert [entry["step"] for entry in log.entries(up_to=20)] == [10, 20]


def test_what_the_recipe_says_of_the_optimizer_counts_after_resuming_too(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.take_step()
    one.save()
    two = trainer(changed(recipe(), "optimizer", weight_decay=0.3, betas=(0.5, 0.6)), tmp_path)
    assert two.step == 1
    (adamw,) = two._optimizers.optimizers
    assert adamw.param_groups[0]["weight_decay"] == 0.3
    assert adamw.param_groups[1]["weight_decay"] == 0.0
    assert adamw.param_groups[0]["betas"] == (0.5, 0.6)
    assert all(float(state["step"]) == 1 for state in adamw.state.values())


def test_epochs_of_which_no_step_comes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"schedule\.epochs is 1e-06: .* Raise it"):
        trainer(recipe(steps=0, epochs=1e-6), tmp_path / "run")
