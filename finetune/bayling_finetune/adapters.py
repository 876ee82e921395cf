"""Low-rank matrices beside frozen weights: LoRA (arXiv 2106.09685), and beside weights in 4 bits (2305.14314)."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaForCausalLM

from bayling_finetune.config import Adapter
from bayling_lite.errors import RecipeError


def add_adapter(model: LlamaForCausalLM, adapter: Adapter, *, base: str, seed: int) -> PeftModel:
    """Freeze a model and put trainable matrices in float32 beside its layers; they change nothing at first.

    ``base`` is what the adapter's configuration says it belongs to.
    """
    torch.manual_seed(seed)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=list(adapter.targets),
        bias="none",
    )
    with warnings.catch_warnings():
        # peft asks transformers for a property by its former name.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        built = get_peft_model(model, config, autocast_adapter_dtype=True)
    for parameter in built.parameters():
        if parameter.requires_grad and parameter.dtype is not torch.float32:
            parameter.data = parameter.data.float()
    built.peft_config["default"].base_model_name_or_path = base
    return built


def four_bits(device: torch.device, dtype: torch.dtype) -> Any:
    """How frozen weights are held in 4 bits: NF4, its scales quantized again; computed with in ``dtype``.

    Raises:
        RecipeError: bitsandbytes is not installed, or the device is no CUDA device.
    """
    if device.type != "cuda":
        raise RecipeError(
            f'adapter.method = "qlora" needs a CUDA device, and this runs on {device}: take "lora", or name one with '
            "--device."
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise RecipeError('adapter.method = "qlora" needs bitsandbytes: pip install bitsandbytes, or take "lora".')
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
