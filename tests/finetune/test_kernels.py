"""The fused functions compute what transformers and torch compute, and a model they are installed in as well."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, MistralConfig, MistralForCausalLM
from transformers.models.llama.modeling_llama import LlamaRMSNorm, LlamaRotaryEmbedding, apply_rotary_pos_emb

from bayling_finetune import fused
from bayling_finetune.cross_entropy import linear_cross_entropy
from bayling_finetune.kernels import Kernels, as_transformers, install, uninstall
from bayling_finetune.packing import pack
from bayling_finetune.recompute import Recomputing
from bayling_lite.errors import RecipeError
from tests.finetune.rows import (
    COMPILING,
    PREFIX,
    SHAPES,
    VOCABULARY,
    alone,
    assert_same,
    gradients,
    small_model,
    some_documents,
)

PLAIN = Kernels.load(compiled=False)


class Watching(TorchDispatchMode):
    """Which operations run while it is entered, and how large their largest result is, in numbers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []
        self.largest = 0

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        self.names.append(str(function))
        if isinstance(made, torch.Tensor):
            self.largest = max(self.largest, made.numel())
        return made


def mean_error(found: dict[str, torch.Tensor], exact: dict[str, torch.Tensor]) -> float:
    """Of gradients, each relative to its size."""
    errors = [float((found[name] - wanted).norm() / wanted.norm()) for name, wanted in exact.items()]
    return sum(errors) / len(errors)


def low_rank(
    model: nn.Module, *, dropout: float = 0.0, targets: tuple[str, ...] = ("q_proj", "down_proj")
) -> nn.Module:
    torch.manual_seed(9)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=list(targets))
    with warnings.catch_warnings():
        # peft still asks transformers by a name of before
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        adapted: nn.Module = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:  # zero at the beginning: nothing would show
            nn.init.normal_(parameter, std=0.1)
    return adapted


def test_rms_norm_and_rotary_embedding_equal_those_of_transformers() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(11, 32)
    norm = LlamaRMSNorm(32, eps=1e-5)
    nn.init.normal_(norm.weight)
    torch.testing.assert_close(fused.rms_norm(hidden, norm.weight, 1e-5, torch.float32), norm(hidden))
    rotary = LlamaRotaryEmbedding(LlamaConfig(hidden_size=32, num_attention_heads=4, num_key_value_heads=2))
    cos, sin = rotary(hidden, torch.arange(11)[None])
    query, key = torch.randn(1, 4, 11, 8), torch.randn(1, 2, 11, 8)
    for states, expected in zip((query, key), apply_rotary_pos_emb(query, key, cos, sin), strict=True):
        turned = fused.rotate(states[0].transpose(0, 1), cos[0], sin[0])
        torch.testing.assert_close(turned, expected[0].transpose(0, 1))


def test_the_pointwise_parts_of_attention_are_those_of_softmax_and_autograd() -> None:
    torch.manual_seed(0)
    scores, values = torch.randn(3, 2, 5, 7, requires_grad=True), torch.randn(3, 2, 7, 4)
    bias = torch.where(torch.rand(5, 7) < 0.7, 0.0, -1e30)
    bias[:, 0] = 0
    expected = torch.softmax(scores * 0.4 + bias, -1)
    given = torch.randn(3, 2, 5, 4)
    output = expected @ values
    (gradient,) = torch.autograd.grad(output, scores, given)
    with torch.no_grad():
        weights, sums, normalizers = fused.exponentials(scores, bias, 0.4)
        torch.testing.assert_close(weights / sums, expected)
        again, found = fused.attention_gradient(
            scores, bias, normalizers, given @ values.mT, fused.products(given, output), 0.4
        )
    torch.testing.assert_close(again, expected)
    torch.testing.assert_close(found, gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 1000, None])
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=[pytest.mark.slow, COMPILING])])
def test_chunked_cross_entropy_equals_that_of_torch(chunk: int | None, compiled: bool) -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(23, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(50, (23,))
    expected = functional.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    expected_gradients = torch.autograd.grad(expected * 3, (hidden, weight))
    loss = linear_cross_entropy(hidden, weight, targets, Kernels.load(compiled=compiled), chunk=chunk)
    torch.testing.assert_close(loss, expected)
    for gradient, wanted in zip(torch.autograd.grad(loss * 3, (hidden, weight)), expected_gradients, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_a_frozen_head_gets_no_gradient_and_evaluation_makes_none() -> None:
    torch.manual_seed(0)
    hidden, weight, targets = torch.randn(8, 16, requires_grad=True), torch.randn(50, 16), torch.randint(50, (8,))
    loss = linear_cross_entropy(hidden, weight, targets, PLAIN)
    (gradient,) = torch.autograd.grad(loss, hidden)
    expected = functional.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, hidden)[0], rtol=1e-4, atol=1e-5)
    with torch.no_grad(), Watching() as watching:
        assert not linear_cross_entropy(hidden, weight, targets, PLAIN, chunk=4).requires_grad
    assert len([name for name in watching.names if "mm" in name]) == 2, "only the logits of two chunks were wanted"


def test_logits_are_never_held_whole() -> None:
    """The largest tensor of the whole step has at most a chunk's logits."""
    hidden, weight = torch.randn(64, 8, requires_grad=True), torch.randn(500, 8, requires_grad=True)
    with Watching() as watching:
        linear_cross_entropy(hidden, weight, torch.randint(500, (64,)), PLAIN, chunk=16).backward()  # type: ignore[no-untyped-call]
    assert watching.largest == 16 * 500


def test_what_is_made_again_is_not_kept() -> None:
    """An input of two linear layers, made of kept tensors: made once for both, with the same gradients."""
    torch.manual_seed(0)
    first, second = nn.Linear(8, 4), nn.Linear(8, 4)
    start = torch.randn(6, 8, requires_grad=True)
    made = 0

    def make() -> torch.Tensor:
        nonlocal made
        made += 1
        return start.detach().tanh()

    def run(recomputing: Recomputing | None) -> dict[str, torch.Tensor]:
        states = start.tanh()
        if recomputing is not None:
            states = recomputing.again(states, make)
        (first(states) * second(states)).sum().backward()
        return gradients(nn.ModuleList((first, second)))

    expected = run(None)
    with Recomputing() as recomputing:
        found = run(recomputing)
    assert made == 1
    assert_same(found, expected, tolerance=0)


@pytest.mark.slow
@COMPILING
@pytest.mark.parametrize("shape", SHAPES)
def test_compiled_kernels_equal_plain_ones(shape: str) -> None:
    documents = some_documents()
    expected_loss, expected = alone(small_model(shape), documents)
    model = small_model(shape)
    install(model, Kernels.load(compiled=True), torch.float32, "grouped")
    loss = model(pack(PREFIX, documents))
    loss.backward()
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    assert_same(gradients(model), expected)


def test_in_bfloat16_it_is_as_near_as_transformers_is() -> None:
    """Against float32, our error is of the size that transformers' own has under autocast."""
    documents = some_documents()
    exact_loss, exact = alone(small_model(), documents)
    with torch.autocast("cpu", torch.bfloat16):
        theirs_loss, theirs = alone(small_model(), documents)
    model = small_model()
    install(model, PLAIN, torch.bfloat16, "auto")
    loss = model(pack(PREFIX, documents))
    loss.backward()
    assert loss.dtype is torch.float32
    assert abs(loss.item() - exact_loss) < 2 * abs(theirs_loss - exact_loss) + 1e-3 * exact_loss
    assert mean_error(gradients(model), exact) < 1.3 * mean_error(theirs, exact)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_weights_in_bfloat16_train_as_well(checkpointing: bool) -> None:
    model = small_model().to(torch.bfloat16)
    if checkpointing:
        model.activation_checkpointing_enable()
        model.train()
    install(model, PLAIN, torch.bfloat16, "auto")
    loss = model(pack(PREFIX, some_documents()))
    loss.backward()
    exact_loss, _ = alone(small_model(), some_documents())
    assert loss.item() == pytest.approx(exact_loss, rel=0.05)
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("share", [True, False])
def test_a_low_rank_adapter_learns_exactly_what_it_would_alone(share: bool, checkpointing: bool) -> None:
    documents = some_documents()
    expected_loss, expected = alone(low_rank(small_model()), documents)
    model = low_rank(small_model())
    if checkpointing:
        model.activation_checkpointing_enable()  # type: ignore[operator]
        model.train()
    install(model, PLAIN, torch.float32, "auto")
    loss = model(pack(PREFIX, documents, share_prefix=share))
    loss.backward()
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    found = gradients(model)
    assert found
    assert all("lora_" in name for name in found)
    assert_same(found, expected)


def test_an_adapter_is_given_back_to_peft_as_it_was() -> None:
    ids = torch.randint(1, VOCABULARY, (1, 9))
    model = low_rank(small_model())
    before = model(input_ids=ids).logits
    install(model, PLAIN, torch.bfloat16, "auto")
    inside = model(pack(PREFIX, some_documents()))
    with as_transformers(model):
        torch.testing.assert_close(model(input_ids=ids).logits, before)
    torch.testing.assert_close(model(pack(PREFIX, some_documents())), inside)
    uninstall(model)
    torch.testing.assert_close(model(input_ids=ids).logits, before)
    uninstall(model)  # a second time does nothing


def test_a_model_given_back_generates_and_is_installed_again() -> None:
    ids = torch.randint(1, VOCABULARY, (1, 9))
    model = small_model()
    before = model.generate(ids, max_new_tokens=5, do_sample=False)
    install(model, PLAIN, torch.float32, "auto")
    with pytest.raises((TypeError, AttributeError)):
        model(input_ids=ids)
    with as_transformers(model):
        assert torch.equal(model.generate(ids, max_new_tokens=5, do_sample=False), before)
    with pytest.raises(IndexError), as_transformers(model):
        model(input_ids=ids + VOCABULARY)
    assert model(pack(PREFIX, some_documents())).ndim == 0
    assert model.state_dict().keys() == small_model().state_dict().keys()


def test_other_architectures_and_shapes_are_refused() -> None:
    sizes = {"vocab_size": 97, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 1}
    for other in (
        MistralForCausalLM(MistralConfig(**sizes, num_attention_heads=4, num_key_value_heads=2)),
        GPT2LMHeadModel(GPT2Config(vocab_size=97, n_embd=48, n_layer=1, n_head=4, bos_token_id=1, eos_token_id=2)),
    ):
        with pytest.raises(RecipeError, match="must be a LLaMA"):
            install(other, PLAIN, torch.float32, "auto")
    with pytest.raises(RecipeError, match="hidden_act"):
        install(small_model(hidden_act="gelu"), PLAIN, torch.float32, "auto")
    with pytest.raises(RecipeError, match="attention_dropout"):
        install(small_model(attention_dropout=0.1), PLAIN, torch.float32, "auto")
    with pytest.raises(RecipeError, match="lm_head"):
        install(low_rank(small_model("MHA"), targets=("lm_head",)), PLAIN, torch.float32, "auto")


def test_without_a_compiler_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import cpp_builder
    from torch._inductor.exc import InvalidCxxCompiler

    def none_here() -> str:
        raise InvalidCxxCompiler

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", none_here)
    with pytest.raises(RecipeError, match="compile = false"):
        Kernels.load(compiled=True)
