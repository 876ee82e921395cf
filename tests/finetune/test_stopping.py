"""Whatever ends a run, what was learnt up to the last checkpoint is there, and the message names it."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import pytest
import torch

from bayling_finetune.divergence import DivergenceWatch
from bayling_finetune.rundir import RunFolder
from bayling_finetune.stopping import (
    DeviceFailed,
    Stop,
    StopRequests,
    TrainingDiverged,
    TrainingInterrupted,
    TrainingTerminated,
)
from bayling_finetune.trainer import Options, Progress, Trainer
from bayling_lite.errors import OutputError, RecipeError
from tests.finetune.small_training import (
    changed,
    dataset,
    ignore,
    prepared,
    recipe,
    trainer,
    with_adapter,
    write_base,
)

pytestmark = pytest.mark.slow

LONG = recipe(steps=400)


class Sender:
    """A display that sends this process a signal when a step is shown."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.step, self.number = step, number

    def __call__(self, progress: Progress) -> None:
        if progress.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(
    ("number", "kind", "status"),
    [
        (signal.SIGINT, TrainingInterrupted, 130),
        (signal.SIGTERM, TrainingTerminated, 143),
        (signal.SIGUSR1, TrainingInterrupted, 130),
    ],
)
def test_a_signal_saves_and_stops(
    number: signal.Signals, kind: type[TrainingInterrupted], status: int, tmp_path: Path
) -> None:
    one = trainer(LONG, tmp_path)
    before = signal.getsignal(number)
    with pytest.raises(TrainingInterrupted, match="Stopped after step 5 of 400, saved") as stopped:
        one.train(Sender(4, number))
    assert type(stopped.value) is kind
    assert stopped.value.exit_status == status
    assert one.run.steps()[-1] == 5
    assert trainer(LONG, tmp_path).step == 5
    assert signal.getsignal(number) is before
    assert not list(tmp_path.glob("*.part"))


def test_a_second_signal_stops_at_once_but_not_the_echo_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    requests = StopRequests()
    with requests.listening():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # the launcher passes on what the terminal has sent already
        assert requests.asked is Stop.SIGINT
        now = 103.0
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_time_is_up(tmp_path: Path) -> None:
    one = trainer(LONG, tmp_path, options=Options(stop_after=0.0))
    with pytest.raises(TrainingInterrupted, match=r"The time is up. Stopped after step 1 of 400, saved.") as stopped:
        one.train(ignore)
    assert stopped.value.exit_status == 130
    assert one.run.steps() == [1]


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_what_is_not_a_number_is_not_learnt_and_the_last_good_checkpoint_is_named(broken: str, tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.take_step()
    one.save()
    if broken == "loss":
        with torch.no_grad():
            one.model.get_parameter("model.embed_tokens.weight")[:] = float("nan")
    else:
        spoiled = one.model.get_parameter("model.norm.weight")
        spoiled.register_hook(lambda gradient: gradient * float("inf"))  # type: ignore[no-untyped-call]
    kept = one.model.get_parameter("model.layers.0.mlp.up_proj.weight").clone()
    with pytest.raises(TrainingDiverged, match=rf"the {broken} of step 2 is not a number. .*step-00000001\.") as failed:
        one.train(ignore)
    assert failed.value.exit_status == 1
    assert torch.equal(one.model.get_parameter("model.layers.0.mlp.up_proj.weight"), kept)
    assert one.run.steps() == [1], "nothing bad was saved"


def test_a_loss_that_rises_and_stays_is_found_and_a_hard_batch_is_not() -> None:
    watch = DivergenceWatch()
    for loss in [8.0] * 5 + [2.0] * 60:
        watch.add(loss)
    assert not watch.suspect
    watch.add(12.0)
    watch.add(12.0)
    for _ in range(30):
        watch.add(2.0)
    assert not watch.suspect, "two hard batches pass"
    for number in range(70):
        watch.add(7.0)
        if number == 20:
            assert watch.suspect
            assert not watch.diverged
    assert watch.diverged


def test_a_run_that_has_left_its_valley_stops_and_keeps_the_checkpoint_before(tmp_path: Path) -> None:
    def spoiled(folder: Path, options: Options) -> Trainer:
        one = trainer(recipe(steps=100), folder, options=options)
        one.take_step()
        one.save()
        one._watch = DivergenceWatch(smoothed=9.0, lowest=0.5, count=40, steps=100)
        return one

    one = spoiled(tmp_path / "watched", Options())
    with pytest.raises(TrainingDiverged, match=r"risen to \d\.\d\d, after 0.50 at its lowest.*step-00000001"):
        one.train(ignore)
    assert one.step == 11
    assert one.run.steps() == [1], "no checkpoint of the bad steps took its place"
    kept_going = spoiled(tmp_path / "unwatched", Options(watch_divergence=False, stop_after=None))
    kept_going.steps = 14
    kept_going.train(ignore)
    assert kept_going.run.steps() == [12, 14], "whoever wants to go on wants checkpoints"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.AcceleratorError("CUDA error: device-side\nmore"), "The device cpu failed: CUDA error: device-side"),
        (RuntimeError("NVML: GPU is lost"), "The device cpu failed"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), r"memory of cpu is full. Lower schedule.batch_tokens"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "activation_checkpointing = true"),
        (MemoryError(), r"train an \[adapter\]"),
    ],
    ids=["vanished", "lost", "memory of the GPU", "memory of the CPU", "memory of Python"],
)
def test_a_device_that_fails_is_told_in_words(error: Exception, said: str, tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.take_step()
    one.save()

    def fail(_: object, __: object) -> None:
        raise error

    one.model.register_forward_pre_hook(fail)
    with pytest.raises(DeviceFailed, match=said) as failed:
        one.train(ignore)
    assert f"The last good checkpoint is {one.run.step_folder(1)}." in str(failed.value)
    assert "\n" not in str(failed.value)


def test_an_error_of_our_own_is_not_dressed_up(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)

    def fail(_: object, __: object) -> None:
        raise RuntimeError("the size of tensor a must match")

    one.model.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="the size of tensor a"):
        one.train(ignore)


def test_a_full_disk_leaves_the_older_checkpoints(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.take_step()
    one.save()
    one.take_step()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # any larger file cannot be finished
        with pytest.raises(OutputError, match=rf"checkpoint of step 2 .*{tmp_path}: .*step-00000001. Make room"):
            one.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert one.run.steps() == [1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000001"]
    one.save()
    assert one.run.steps() == [1, 2], "it goes on when there is room again"


def test_a_checkpoint_that_cannot_be_finished_leaves_the_older_ones(tmp_path: Path) -> None:
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


def test_a_run_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    trainer(recipe(), tmp_path).save()
    with pytest.raises(RecipeError, match="a model of another shape"):
        trainer(changed(recipe(), "model", hidden_size=128), tmp_path)
    with pytest.raises(RecipeError, match="with another optimizer"):
        trainer(changed(recipe(), "optimizer", kind="muon"), tmp_path)
    other = prepared(dataset(100))
    with pytest.raises(RecipeError, match="on other data"):
        trainer(recipe(), tmp_path, data=type(other)(other.tokenizer, other.train, other.development, "x", "y", []))


def test_a_damaged_checkpoint_is_passed_over_and_all_damaged_is_said(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.train(ignore)
    assert one.run.steps() == [8, 12]
    weights = one.run.step_folder(12) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    said: list[str] = []
    again = trainer(recipe(), tmp_path, say=said.append)
    assert again.step == 8
    assert said == [f"Damaged, so the one before is taken: {one.run.step_folder(12)}."]
    (one.run.step_folder(8) / "optimizers.pt").write_bytes(b"")
    with pytest.raises(RecipeError, match="damaged, or of another version"):
        trainer(recipe(), tmp_path)


def test_fewer_steps_than_were_taken_are_refused(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    while one.step < 6:
        one.take_step()
    one.save()
    with pytest.raises(RecipeError, match="at step 6 already, beyond the 5"):
        trainer(recipe(steps=5), tmp_path)


def test_a_damaged_checkpoint_takes_no_good_ones_place(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.train(ignore)
    (one.run.step_folder(12) / "model.safetensors").write_bytes(b"")
    again = trainer(changed(recipe(), "checkpoints", keep=1), tmp_path)
    again.take_step()
    again.save()
    assert again.run.steps() == [9]


def test_what_was_killed_while_it_was_written_is_cleared_away(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    left = tmp_path / "step-00000003.part"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    with run.writing_step(4, keep=2) as folder:
        (folder / "state.json").write_text("{}")
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000004"]


def test_whoever_may_read_the_run_may_read_its_weights(tmp_path: Path) -> None:
    one = trainer(recipe(), tmp_path)
    one.save()
    modes = {path.name: path.stat().st_mode & 0o777 for path in one.run.step_folder(0).iterdir()}
    assert set(modes.values()) == {modes["state.json"]}, modes


def test_a_stop_is_not_kept_waiting_by_an_evaluation(tmp_path: Path) -> None:
    of = changed(LONG, "evaluation", every=1)
    one = trainer(of, tmp_path, options=Options(stop_after=0.0))
    with pytest.raises(TrainingInterrupted):
        one.train(ignore)
    assert "development" not in (tmp_path / "log.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("model", {"heads": 2, "kv_heads": 1}, r"model.heads = 4, and the recipe says 2 now"),
        ("model", {"rope_theta": 5e5}, r"model.rope_theta = 10000.0, and the recipe says 500000.0 now"),
    ],
)
def test_what_would_make_another_model_of_the_weights_is_refused(
    table: str, values: dict[str, float], said: str, tmp_path: Path
) -> None:
    trainer(recipe(), tmp_path).save()
    with pytest.raises(RecipeError, match=said):
        trainer(changed(recipe(), table, **values), tmp_path)


def test_another_scale_of_the_adapter_is_refused_and_other_settings_are_said(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    run, base = tmp_path / "run", tmp_path / "base"
    trainer(with_adapter(recipe()), run, base=base).save()
    with pytest.raises(RecipeError, match=r"adapter.alpha = 32.0, and the recipe says 8.0 now"):
        trainer(with_adapter(recipe(), alpha=8.0), run, base=base)
    said: list[str] = []
    trainer(changed(with_adapter(recipe()), "optimizer", learning_rate=1e-4), run, base=base, say=said.append)
    assert said == ["The recipe has been changed since: optimizer.learning_rate was 0.003, is 0.0001."]


def test_fewer_passes_than_were_begun_are_refused(tmp_path: Path) -> None:
    one = trainer(recipe(steps=0, epochs=3.0), tmp_path)
    while one._position.epoch < 2:
        one.take_step()
    one.save()
    with pytest.raises(RecipeError, match="in pass 3 over the data already, beyond the 2 asked for"):
        trainer(recipe(steps=0, epochs=2.0), tmp_path)
