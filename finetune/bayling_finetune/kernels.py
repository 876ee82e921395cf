"""Let a LLaMA model compute packed rows with fused functions, and give it back to transformers.

:func:`install` replaces the ``forward`` of one model's own modules; nothing in transformers is changed for anybody
else. The model then takes a :class:`~bayling_finetune.packing.PackedBatch` and gives the summed cross-entropy of its
targets. It is called as any module is, so that hooks (FSDP2's above all) run; linear layers are called as modules, too,
so that they may be low-rank adapters or quantized.
"""

from __future__ import annotations

import contextlib
import functools
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaForCausalLM, LlamaRMSNorm

from bayling_finetune.attention import Attention, backend
from bayling_finetune.cross_entropy import linear_cross_entropy
from bayling_finetune.fused import Kernels
from bayling_finetune.packing import Layout, PackedBatch
from bayling_finetune.recompute import Recomputing
from bayling_lite.errors import RecipeError

__all__ = ["Kernels", "as_transformers", "install", "linear_cross_entropy", "uninstall"]


@dataclass(frozen=True, slots=True)
class _Way:
    """How an installed model computes."""

    kernels: Kernels
    dtype: torch.dtype
    attend: Attention


@dataclass(slots=True)
class _Installed:
    arguments: tuple[Kernels, torch.dtype, str]
    modules: list[nn.Module]
    casting: list[nn.Module]


_INSTALLED: weakref.WeakKeyDictionary[nn.Module, _Installed] = weakref.WeakKeyDictionary()


def install(model: nn.Module, kernels: Kernels, dtype: torch.dtype, attention: str) -> None:
    """Make ``model(batch: PackedBatch)`` the summed cross-entropy of the batch's targets, a float32 scalar in nats.

    The full logits are never held. ``model`` is a ``LlamaForCausalLM``, or a peft model around one; matrix products
    run in ``dtype`` (bfloat16 by autocast, over weights of any float type), norms, softmax and sums in float32.
    ``attention`` is named as ``hardware.attention`` is, and decides how rows are to be packed: see
    :func:`bayling_finetune.attention.shares_prefix`. Activation checkpointing counts as transformers or peft set it
    (``model.activation_checkpointing_enable()``), before or after.

    Raises:
        RecipeError: the model is of another architecture, or its shape or the attention cannot be used here.
    """
    if model in _INSTALLED:
        uninstall(model)
    inner = _llama(model)
    attend = backend(attention, kernels, next(inner.parameters()).device, dtype)
    way = _Way(kernels, dtype, attend)
    changed: list[nn.Module] = []

    def replace(module: nn.Module, forward: Callable[..., Any]) -> None:
        module.forward = types.MethodType(forward, module)
        changed.append(module)

    if inner is not model:
        replace(model, lambda _, batch: inner(batch))
    replace(inner, functools.partial(_causal_lm, way=way))
    for layer in inner.model.layers:
        replace(layer, functools.partial(_decoder_layer, way=way))
    # peft's layers would first widen every input to their own weights' type, which autocast then narrows again.
    casting = [module for module in inner.modules() if getattr(module, "cast_input_dtype_enabled", False)]
    for module in casting:
        module.cast_input_dtype_enabled = False
    _INSTALLED[model] = _Installed((kernels, dtype, attention), changed, casting)


def uninstall(model: nn.Module) -> None:
    """Give the model its own ``forward`` back; without :func:`install` before, nothing happens."""
    installed = _INSTALLED.pop(model, None)
    if installed is None:
        return
    for module in installed.modules:
        del module.forward
    for module in installed.casting:
        module.cast_input_dtype_enabled = True  # type: ignore[assignment]


@contextlib.contextmanager
def as_transformers(model: nn.Module) -> Iterator[None]:
    """While inside, the model is transformers' (or peft's) own: for generating and saving."""
    installed = _INSTALLED.get(model)
    uninstall(model)
    try:
        yield
    finally:
        if installed is not None:
            install(model, *installed.arguments)


def _llama(model: nn.Module) -> LlamaForCausalLM:
    """The LlamaForCausalLM in a model, checked.

    Raises:
        RecipeError: there is none, or one that computes other than these functions do.
    """
    inner = cast(Any, model).get_base_model() if hasattr(model, "get_base_model") else model
    if not isinstance(inner, LlamaForCausalLM):
        raise RecipeError(f"{type(inner).__name__} cannot be trained: the base must be a LLaMA (LlamaForCausalLM).")
    config = inner.config
    if config.hidden_act != "silu":
        raise RecipeError(f"The base has hidden_act = {config.hidden_act!r} in its config.json; LLaMA has silu.")
    if config.attention_dropout:
        raise RecipeError("The base has attention_dropout in its config.json; set it to 0 to train it.")
    if not isinstance(inner.lm_head, nn.Linear) or hasattr(inner.lm_head, "base_layer"):
        raise RecipeError("adapter.targets names lm_head, whose logits are never held: leave it out.")
    return inner


def _causal_lm(model: Any, batch: PackedBatch, *, way: _Way) -> Tensor:
    """LlamaForCausalLM: embeddings, layers, norm, and the loss of the targets."""
    with torch.autocast(batch.input_ids.device.type, way.dtype, enabled=way.dtype is not torch.float32):
        hidden = model.model.embed_tokens(batch.input_ids)[0]  # (N, d)
        # The argument says in which type: float32, whatever the weights have, for positions far behind.
        cos, sin = model.model.rotary_emb(torch.empty(0, device=hidden.device), position_ids=batch.position_ids)
        for layer in model.model.layers:
            hidden = layer(hidden, (cos[0], sin[0]), batch.layout)
        # Only tokens before a target need the last norm; the others take no part in the loss.
        states = _norm(model.model.norm, hidden.index_select(0, batch.predict_from), way)
        return linear_cross_entropy(states, model.lm_head.weight, batch.predict_ids, way.kernels)


def _norm(norm: nn.Module, hidden: Tensor, way: _Way) -> Tensor:
    if isinstance(norm, LlamaRMSNorm):
        return way.kernels.rms_norm(hidden, norm.weight, norm.variance_epsilon, way.dtype)
    wrapped: Tensor = norm(hidden)  # by an adapter that trains it as well
    return wrapped.to(way.dtype)


def _decoder_layer(
    layer: LlamaDecoderLayer, hidden: Tensor, rotary: tuple[Tensor, Tensor], layout: Layout, *, way: _Way
) -> Tensor:
    """LlamaDecoderLayer. hidden: (N, d); rotary: cos and sin, each (N, head_dim)."""
    if layer.gradient_checkpointing and layer.training and torch.is_grad_enabled():
        run = functools.partial(_compute_layer, layer, again=_keep, way=way)
        states: Tensor = checkpoint(run, hidden, rotary, layout, use_reentrant=False)
        return states
    with Recomputing() as recomputing:
        return _compute_layer(layer, hidden, rotary, layout, again=recomputing.again, way=way)


def _keep(tensor: Tensor, _make: Callable[[], Tensor]) -> Tensor:
    """Checkpointing makes everything again anyway."""
    return tensor


def _compute_layer(
    layer: Any,
    hidden: Tensor,
    rotary: tuple[Tensor, Tensor],
    layout: Layout,
    *,
    again: Callable[[Tensor, Callable[[], Tensor]], Tensor],
    way: _Way,
) -> Tensor:
    kernels, attention, mlp = way.kernels, layer.self_attn, layer.mlp

    def normed(norm: nn.Module, states: Tensor) -> Tensor:
        kept = states.detach()
        return again(_norm(norm, states, way), lambda: _norm(norm, kept, way))

    states = normed(layer.input_layernorm, hidden)
    query, key, value = (
        projection(states).unflatten(-1, (-1, attention.head_dim))  # (N, heads, head_dim)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = (kernels.rotate(heads, *rotary) for heads in (query, key))
    mixed = way.attend(query, key, value, layout, attention.scaling)
    hidden = hidden + attention.o_proj(mixed.flatten(1))

    states = normed(layer.post_attention_layernorm, hidden)
    gate, up = mlp.gate_proj(states), mlp.up_proj(states)
    kept_gate, kept_up = gate.detach(), up.detach()
    product = again(kernels.swiglu(gate, up), lambda: kernels.swiglu(kept_gate, kept_up))
    added: Tensor = mlp.down_proj(product)
    return hidden + added
