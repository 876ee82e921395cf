"""What is trained, how long, and how it is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bayling_finetune.config.checks import choice, require

_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """SentencePiece BPE with byte fallback, for a model from scratch."""

    vocab_size: int = 8000
    character_coverage: float = 0.9995
    lines: int = 400_000

    def __post_init__(self) -> None:
        require(self.vocab_size >= 300, "tokenizer.vocab_size must be 300 or more: 256 bytes, 3 special tokens, text.")
        require(0.9 <= self.character_coverage <= 1, "tokenizer.character_coverage must be from 0.9 to 1.")
        require(self.lines >= 1, "tokenizer.lines must be 1 or more.")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of a LLaMA model with tied embeddings, from scratch."""

    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    context: int = 1024
    rope_theta: float = 10_000.0

    def __post_init__(self) -> None:
        for name in ("hidden_size", "intermediate_size", "layers", "heads", "kv_heads", "context"):
            require(getattr(self, name) >= 1, f"model.{name} must be 1 or more.")
        require(self.hidden_size % (2 * self.heads) == 0, "model.hidden_size must be a multiple of twice model.heads.")
        require(self.heads % self.kv_heads == 0, "model.heads must be a multiple of model.kv_heads.")
        require(1 < self.rope_theta < math.inf, "model.rope_theta must be above 1.")


@dataclass(frozen=True, slots=True)
class Adapter:
    """Low-rank matrices beside frozen weights (LoRA, arXiv 2106.09685), these in 4 bits for ``qlora`` (2305.14314).

    The update is ``alpha / rank`` times the product; ``targets`` are the names of the layers they stand beside.
    """

    method: str = "lora"
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: tuple[str, ...] = _LAYERS

    def __post_init__(self) -> None:
        choice("adapter.method", self.method, ("lora", "qlora"))
        require(1 <= self.rank <= 4096, "adapter.rank must be from 1 to 4096.")
        require(0 < self.alpha < math.inf, "adapter.alpha must be above 0.")
        require(0 <= self.dropout < 1, "adapter.dropout must be 0 or more and below 1.")
        require(bool(self.targets), "adapter.targets names no layer.")
        for name in self.targets:
            choice("adapter.targets", name, _LAYERS)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long, and how much at a time.

    Either ``steps`` or ``epochs`` (passes over the data). ``batch_tokens`` counts the tokens of one packed row,
    ``rows`` the rows of one step over all processes: with more rows than processes, gradients are accumulated.
    The learning rate rises over ``warmup``: so many steps, or, below 1, that share of all. Then, by ``shape``:
    ``plateau`` stays and falls linearly to zero over the last ``decay`` of the steps (until then the number of steps
    can be changed and a run resumed), ``cosine`` and ``linear`` fall to zero from there on.
    """

    steps: int = 0
    epochs: float = 0.0
    batch_tokens: int = 8192
    rows: int = 1
    warmup: float = 100.0
    shape: str = "plateau"
    decay: float = 0.25
    seed: int = 1

    def __post_init__(self) -> None:
        choice("schedule.shape", self.shape, ("plateau", "cosine", "linear"))
        require(self.steps >= 0 and 0 <= self.epochs < math.inf, "schedule.steps and schedule.epochs must be above 0.")
        require(
            (self.steps > 0) != (self.epochs > 0),
            "schedule.steps and schedule.epochs conflict: the recipe must name one of them, and only one.",
        )
        require(0 <= self.decay <= 1, "schedule.decay must be from 0 to 1.")
        require(0 <= self.warmup < math.inf, "schedule.warmup must be 0 or more.")
        require(
            self.warmup < 1 or self.warmup == int(self.warmup),
            "schedule.warmup must be a whole number of steps, or below 1, a share of them.",
        )
        require(0 <= self.seed < 2**31, "schedule.seed must be from 0 to 2147483647.")
        for name in ("batch_tokens", "rows"):
            require(getattr(self, name) >= 1, f"schedule.{name} must be 1 or more.")

    @classmethod
    def check_named(cls, named: set[str], *, shape: str = "plateau") -> None:
        """Refuse keys that would do nothing.

        Raises:
            RecipeError: ``decay`` stands beside a shape that has none.
        """
        require(
            "decay" not in named or shape == "plateau",
            f'schedule.decay conflicts with schedule.shape = "{shape}": only a plateau ends with a decay.',
        )

    def warmup_steps(self, steps: int) -> int:
        """Over how many of ``steps`` the learning rate rises."""
        return round(self.warmup * steps) if self.warmup < 1 else int(self.warmup)

    @property
    def step_tokens(self) -> int:
        """The tokens of one step, over all rows and processes, at most."""
        return self.batch_tokens * self.rows


@dataclass(frozen=True, slots=True)
class Optimizer:
    """AdamW (arXiv 1711.05101) for all, or ``muon`` for the matrices with AdamW for embeddings and norms.

    ``muon_learning_rate`` counts with ``muon`` only. ``clip``: the largest norm of a step's gradient.
    """

    kind: str = "adamw"
    learning_rate: float = 2e-5
    muon_learning_rate: float = 0.02
    betas: tuple[float, ...] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 1.0

    def __post_init__(self) -> None:
        choice("optimizer.kind", self.kind, ("adamw", "muon"))
        for name in ("learning_rate", "muon_learning_rate", "eps", "clip"):
            require(0 < getattr(self, name) < math.inf, f"optimizer.{name} must be above 0.")
        pair = len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas)
        require(pair, "optimizer.betas must be two numbers from 0 to below 1.")
        require(0 <= self.weight_decay < math.inf, "optimizer.weight_decay must be 0 or more.")

    @classmethod
    def check_named(cls, named: set[str], *, kind: str = "adamw") -> None:
        """Refuse keys that would do nothing.

        Raises:
            RecipeError: ``muon_learning_rate`` stands beside another kind.
        """
        require(
            "muon_learning_rate" not in named or kind == "muon",
            f'optimizer.muon_learning_rate conflicts with optimizer.kind = "{kind}": it counts with muon only.',
        )


@dataclass(frozen=True, slots=True)
class Hardware:
    """How it is computed; none of this changes what is learnt beyond rounding.

    ``precision``: ``fp32``; ``bf16``, matrix products in bfloat16 over weights in float32 (those that an adapter leaves
    frozen in bfloat16); ``bf16-pure``, weights in bfloat16, too (half the memory; small updates can be lost).
    ``attention``: ``auto`` takes the fastest there is; ``grouped`` (ours, anywhere), ``sdpa`` (one call a dialogue,
    anywhere), ``varlen`` and ``flex`` (PyTorch's, CUDA), ``flash`` (flash-attn).
    ``activation_checkpointing`` keeps one activation a layer and computes the rest again.
    """

    precision: str = "bf16"
    compile: bool = True
    attention: str = "auto"
    activation_checkpointing: bool = False

    def __post_init__(self) -> None:
        choice("hardware.precision", self.precision, ("bf16", "fp32", "bf16-pure"))
        choice("hardware.attention", self.attention, ("auto", "grouped", "sdpa", "varlen", "flex", "flash"))
        require(
            self.precision != "fp32" or self.attention not in ("varlen", "flash"),
            f'hardware.attention = "{self.attention}" conflicts with hardware.precision = "fp32": it computes in '
            "16 bits only.",
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every ``every`` steps: the loss on the development dialogues, and BLEU and chrF of ``generate`` translations."""

    every: int = 250
    generate: int = 0
    max_new_tokens: int = 128

    def __post_init__(self) -> None:
        for name in ("every", "max_new_tokens"):
            require(getattr(self, name) >= 1, f"evaluation.{name} must be 1 or more.")
        require(self.generate >= 0, "evaluation.generate must be 0 or more.")


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A checkpoint to go on from every ``every`` steps; the newest ``keep`` stay."""

    every: int = 250
    keep: int = 2

    def __post_init__(self) -> None:
        require(self.every >= 1, "checkpoints.every must be 1 or more.")
        require(self.keep >= 1, "checkpoints.keep must be 1 or more.")
