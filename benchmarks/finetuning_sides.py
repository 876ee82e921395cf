"""The sides of ``finetuning.py`` and ``loss_curves.py``: the same model and dialogues, each in a process of its own.

Run by the benchmark as ``python -m benchmarks.finetuning_sides SPECIFICATION.json``; prints one line of JSON.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bayling_finetune.attention import shares_prefix
from bayling_finetune.fused import Kernels
from bayling_finetune.kernels import install
from bayling_finetune.packing import Document, pack
from benchmarks.finetuning_data import Dialogues

LEARNING_RATE = 1e-3
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Specification:
    """What to train and how. ``step_tokens``: of the dialogues, each with its prefix; both sides take about as many.

    ``micro``: tokens (ours) or rows (TRL) at a time. ``options`` are SFTConfig's own; ``attention`` is
    named as each side names it. ``lora``: a rank, 0 for full.
    """

    side: str
    data: str
    model: dict[str, Any]
    device: str = "cpu"
    threads: int = 1
    steps: int = 8
    warmup: int = 3
    step_tokens: int = 8192
    micro: int = 2048
    share_prefix: bool = True
    compiled: bool = True
    checkpointing: bool = False
    precision: str = "bf16"
    attention: str = "auto"
    lora: int = 0
    seed: int = 1
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Measured:
    """``seconds`` and ``cpu_seconds`` of the steps after the warm-up, and the ``tokens`` of the dialogues in them.

    ``evaluated``: tokens that went through the model, padding included. ``peak``: bytes, of the process on a CPU, of
    the device's memory else. ``losses``: of every step.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    tokens: int = 0
    evaluated: int = 0
    targets: int = 0
    peak: int = 0
    imported: int = 0
    parameters: int = 0
    losses: list[float] = field(default_factory=list)


def make_model(specification: Specification) -> nn.Module:
    """A LLaMA of the shape asked for, the same weights on both sides."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(specification.seed)
    dtype = torch.bfloat16 if specification.lora else torch.float32
    theirs = specification.side == "trl" and specification.attention != "auto"
    attention = {"attn_implementation": specification.attention} if theirs else {}
    with torch.device(specification.device):
        model: nn.Module = LlamaForCausalLM(LlamaConfig(**specification.model, **attention)).to(dtype)
    return model


def peak_memory(device: str) -> int:
    """Bytes."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_steps(documents: Sequence[Document], prefix: int, tokens: int) -> Iterator[list[Document]]:
    """Documents in order, as many at a time as have ``tokens`` with their prefixes; over and over."""
    step: list[Document] = []
    room = tokens
    while True:
        for document in documents:
            if step and room < prefix + len(document.ids):
                yield step
                step, room = [], tokens
            step.append(document)
            room -= prefix + len(document.ids)


def ours(specification: Specification) -> Measured:
    """Packed rows through the kernels, as the trainer takes its steps."""
    device = torch.device(specification.device)
    data = Dialogues.load(Path(specification.data))
    measured = Measured(imported=peak_memory("cpu"))
    model = make_model(specification)
    if specification.lora:
        from peft import LoraConfig, get_peft_model

        adapter = LoraConfig(r=specification.lora, lora_alpha=2 * specification.lora, target_modules=list(TARGETS))
        model = get_peft_model(model, adapter)
    if specification.checkpointing:
        model.activation_checkpointing_enable()  # type: ignore[operator]
    model.train()
    dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[specification.precision]
    install(model, Kernels.load(compiled=specification.compiled), dtype, specification.attention)
    share = specification.share_prefix and shares_prefix(specification.attention, device, dtype)

    def losses(documents: list[Document]) -> Iterator[tuple[torch.Tensor, int, int]]:
        for row in _rows(documents, 0 if share else len(data.prefix), specification.micro):
            packed = pack(data.prefix, row, share_prefix=share).to(device)
            yield model(packed), packed.real_tokens, packed.layout.n_tokens

    return _learn(specification, data, model, losses, measured)


def padded(specification: Specification) -> Measured:
    """Every document alone in its row of a padded batch, by transformers' own forward pass: what packing must equal."""
    device = torch.device(specification.device)
    data = Dialogues.load(Path(specification.data))
    measured = Measured(imported=peak_memory("cpu"))
    model = make_model(specification).train()

    def losses(documents: list[Document]) -> Iterator[tuple[torch.Tensor, int, int]]:
        ordered = sorted(documents, key=lambda document: len(document.ids))
        for start in range(0, len(ordered), specification.micro):
            some = ordered[start : start + specification.micro]
            whole = [torch.from_numpy(np.concatenate((data.prefix, document.ids))).long() for document in some]
            targets = [np.concatenate((np.zeros(len(data.prefix), dtype=np.bool_), one.targets)) for one in some]
            ids = nn.utils.rnn.pad_sequence(whole, batch_first=True).to(device)
            mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in whole], batch_first=True).to(device)
            learnt = nn.utils.rnn.pad_sequence([torch.from_numpy(row) for row in targets], batch_first=True).to(device)
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
            loss = nn.functional.cross_entropy(logits[learnt[:, 1:]], ids[:, 1:][learnt[:, 1:]], reduction="sum")
            yield loss, int(mask.sum()), ids.numel()

    return _learn(specification, data, model, losses, measured)


def _learn(
    specification: Specification,
    data: Dialogues,
    model: nn.Module,
    losses: Callable[[list[Document]], Iterator[tuple[torch.Tensor, int, int]]],
    measured: Measured,
) -> Measured:
    """Take the steps. ``losses``: of a step's rows, summed over targets, with the tokens counted and evaluated."""
    device = torch.device(specification.device)
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    measured.parameters = sum(parameter.numel() for parameter in model.parameters())
    optimizer = torch.optim.AdamW(learnt, lr=LEARNING_RATE, betas=(0.9, 0.999), weight_decay=0.0, fused=True)
    documents = data.documents()
    random.Random(specification.seed).shuffle(documents)
    steps = in_steps(documents, len(data.prefix), specification.step_tokens)
    started = cpu_started = 0.0
    for number in range(specification.steps):
        if number == specification.warmup:
            started, cpu_started = _now(device), time.process_time()
            measured.tokens = measured.evaluated = measured.targets = 0
        step = next(steps)
        n_targets = sum(int(document.targets.sum()) for document in step)
        total = torch.zeros((), device=device)
        for loss, tokens, evaluated in losses(step):
            (loss / n_targets).backward()  # type: ignore[no-untyped-call]
            total += loss.detach() / n_targets
            measured.tokens += tokens
            measured.evaluated += evaluated
        measured.targets += n_targets
        nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        measured.losses.append(total.item())
    measured.seconds, measured.cpu_seconds = _now(device) - started, time.process_time() - cpu_started
    measured.peak = peak_memory(specification.device)
    return measured


def _rows(documents: list[Document], own: int, tokens: int) -> list[list[Document]]:
    """A step's documents in rows of about one size, each of documents of like length."""
    size = sum(own + len(document.ids) for document in documents)
    count = max(1, round(size / tokens))
    rows: list[list[Document]] = []
    room = 0.0
    for document in sorted(documents, key=lambda document: len(document.ids)):
        if room <= 0 and len(rows) < count:
            rows.append([])
            room += size / count
        rows[-1].append(document)
        room -= own + len(document.ids)
    return rows


def trl(specification: Specification) -> Measured:
    """TRL's SFTTrainer with the options given."""
    try:
        from datasets import Dataset
        from datasets.utils.logging import disable_progress_bar
        from transformers import PreTrainedTokenizerFast, TrainerCallback
        from trl import SFTConfig, SFTTrainer
    except ImportError as error:
        raise SystemExit(f"{error}\nThis side needs TRL: pip install trl") from error
    from tokenizers import Tokenizer, models

    disable_progress_bar()
    measured = Measured(imported=peak_memory("cpu"))
    data = Dialogues.load(Path(specification.data))
    device = torch.device(specification.device)
    whole = [
        {
            "input_ids": np.concatenate((data.prefix, document.ids)).tolist(),
            "labels": [-100] * len(data.prefix) + np.where(document.targets, document.ids, -100).tolist(),
        }
        for document in data.documents()
    ]
    vocabulary = {"</s>": 0} | {f"<{number}>": number for number in range(1, specification.model["vocab_size"])}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, "</s>")), eos_token="</s>", pad_token="</s>"
    )
    model = make_model(specification)
    measured.parameters = sum(parameter.numel() for parameter in model.parameters())

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Times the steps after the warm-up."""

        def on_step_begin(self, arguments: Any, state: Any, control: Any, **_: Any) -> None:
            del arguments, control
            if state.global_step == specification.warmup:
                measured.tokens = measured.evaluated = measured.targets = 0
                self.started, self.cpu_started = _now(device), time.process_time()

        def on_log(self, arguments: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            del arguments, state, control
            if "loss" in logs:
                measured.losses.append(float(logs["loss"]))

        def on_train_end(self, arguments: Any, state: Any, control: Any, **_: Any) -> None:
            del arguments, state, control
            measured.seconds = _now(device) - self.started
            measured.cpu_seconds = time.process_time() - self.cpu_started

    class Counting(SFTTrainer):  # type: ignore[misc]
        """Counts real tokens: where there is a mask, those it lets in."""

        def training_step(self, model: Any, inputs: Any, *arguments: Any, **more: Any) -> Any:
            mask = inputs.get("attention_mask")
            measured.evaluated += inputs["input_ids"].numel()
            measured.tokens += int(mask.sum()) if mask is not None else inputs["input_ids"].numel()
            measured.targets += int((inputs["labels"] != -100).sum())
            return super().training_step(model, inputs, *arguments, **more)

    adapter = None
    if specification.lora:
        from peft import LoraConfig

        adapter = LoraConfig(r=specification.lora, lora_alpha=2 * specification.lora, target_modules=list(TARGETS))
    arguments = SFTConfig(
        output_dir=str(Path(specification.data) / "trl"),
        use_cpu=specification.device == "cpu",
        bf16=specification.precision == "bf16",
        max_steps=specification.steps,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant",
        warmup_steps=0,
        weight_decay=0.0,
        max_grad_norm=1.0,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        per_device_train_batch_size=specification.micro,
        gradient_checkpointing=specification.checkpointing,
        torch_compile=specification.compiled,
        seed=specification.seed,
        **{"optim": "adamw_torch_fused"} | specification.options,
    )
    trainer = Counting(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(whole),
        processing_class=tokenizer,
        callbacks=[Clock()],
        peft_config=adapter,
    )
    trainer.train()
    measured.peak = peak_memory(specification.device)
    return measured


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    """Run one side."""
    specification = Specification(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    torch.set_num_threads(specification.threads)
    measured = {"ours": ours, "trl": trl, "padded": padded}[specification.side](specification)
    sys.stdout.write("\n" + json.dumps(asdict(measured)) + "\n")


if __name__ == "__main__":
    main()
