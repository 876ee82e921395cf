"""What training begins from: a shape, a base, or a base with an adapter; alone or divided between processes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from bayling_finetune.base import Base, find_base, open_base
from bayling_finetune.config import Adapter, Hardware, Recipe
from bayling_finetune.loading import load_weights
from bayling_finetune.model import llama, make_model, trainable, weight_dtype
from bayling_lite.errors import HubError, RecipeError
from tests.finetune.bases_made_here import make_base, recipe_on

CPU, META = torch.device("cpu"), torch.device("meta")
LORA = Adapter(rank=4, targets=("q_proj", "down_proj"))


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return make_base(tmp_path / "base")


def stored(base: Base) -> dict[str, torch.Tensor]:
    return {name: value for path in base.weights for name, value in load_file(path).items()}


def rows(base: Base) -> int:
    return int(base.config["vocab_size"])


def test_from_scratch_every_layer_begins_as_the_identity(recipe: Recipe) -> None:
    model = make_model(recipe, vocab_size=500, base=None, device=CPU)
    again = make_model(recipe, vocab_size=500, base=None, device=CPU)
    for (name, value), other in zip(model.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(value, other)
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            assert not value.any()
    assert llama(model).lm_head.weight is llama(model).model.embed_tokens.weight
    assert "lm_head.weight" not in trainable(model)
    assert sum(value.numel() for value in trainable(model).values()) == sum(p.numel() for p in model.parameters())
    seeded = dataclasses.replace(recipe, schedule=dataclasses.replace(recipe.schedule, seed=2))
    other = make_model(seeded, vocab_size=500, base=None, device=CPU)
    assert not torch.equal(llama(other).model.embed_tokens.weight, llama(model).model.embed_tokens.weight)


@pytest.mark.parametrize("shards", [False, True])
def test_a_base_keeps_its_weights_and_rows(shards: bool, tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", dtype=torch.bfloat16, shards=shards)
    assert (len(base.weights) > 1) == shards
    model = make_model(recipe_on(base), vocab_size=600, base=base, device=CPU)
    weights = stored(base)
    assert set(weights) == set(model.state_dict())
    for name, value in model.state_dict().items():
        assert value.dtype is torch.float32
        assert torch.equal(value, weights[name].float())
    assert set(trainable(model)) == set(weights)


@pytest.mark.parametrize(
    ("precision", "adapter", "dtype"),
    [
        ("fp32", None, torch.float32),
        ("bf16", None, torch.float32),
        ("bf16-pure", None, torch.bfloat16),
        ("fp32", LORA, torch.float32),
        ("bf16", LORA, torch.bfloat16),
    ],
)
def test_types(precision: str, adapter: Adapter | None, dtype: torch.dtype, base: Base) -> None:
    recipe = recipe_on(base, adapter=adapter, hardware=Hardware(precision=precision))
    assert weight_dtype(recipe) is dtype
    model = make_model(recipe, vocab_size=600, base=base, device=CPU)
    trained = trainable(model)
    for name, parameter in model.named_parameters():
        wanted = torch.float32 if adapter and name in trained else dtype
        assert parameter.dtype is wanted, name


def test_an_adapter_stands_beside_its_targets_alone_and_changes_nothing_yet(base: Base) -> None:
    plain = make_model(recipe_on(base), vocab_size=600, base=base, device=CPU)
    model = make_model(recipe_on(base, adapter=LORA), vocab_size=600, base=base, device=CPU)
    assert isinstance(model, PeftModel)
    names = set(trainable(model))
    assert len(names) == 2 * 2 * 2
    assert all(".lora_" in name and ("q_proj" in name or "down_proj" in name) for name in names)
    ids = torch.arange(10)[None]
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, plain(input_ids=ids).logits)


@pytest.mark.parametrize("adapter", [None, LORA])
def test_weights_for_a_model_made_without_memory(adapter: Adapter | None, tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", shards=True)
    recipe = recipe_on(base, adapter=adapter)
    model = make_model(recipe, vocab_size=600, base=base, device=META)
    assert all(parameter.is_meta for parameter in model.parameters())
    model.to_empty(device=CPU)
    load_weights(model, recipe, base)
    compare(model, make_model(recipe, vocab_size=600, base=base, device=CPU), ignored=".lora_A")


def test_weights_from_scratch_for_a_model_made_without_memory(recipe: Recipe) -> None:
    model = make_model(recipe, vocab_size=500, base=None, device=META)
    model.to_empty(device=CPU)
    load_weights(model, recipe, None)
    compare(model, make_model(recipe, vocab_size=500, base=None, device=CPU))
    assert llama(model).lm_head.weight is llama(model).model.embed_tokens.weight


def compare(model: torch.nn.Module, other: torch.nn.Module, *, ignored: str = "-") -> None:
    values, others = model.state_dict(), other.state_dict()
    assert values.keys() == others.keys()
    for name, value in values.items():
        assert torch.equal(value, others[name]) or ignored in name, name
    ids = torch.arange(10)[None]
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, other(input_ids=ids).logits)


_DIVIDED = """
import os, sys
from pathlib import Path
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from bayling_finetune.base import open_base
from bayling_finetune.config import Adapter
from bayling_finetune.loading import load_weights
from bayling_finetune.model import llama, make_model
from tests.finetune.bases_made_here import recipe_on

folder, adapted, rank = Path(sys.argv[1]), sys.argv[2] == "adapter", int(os.environ["RANK"])
torch.set_num_threads(1)
dist.init_process_group("gloo")
base = open_base(folder, str(folder))
recipe = recipe_on(base, adapter=Adapter(rank=4) if adapted else None)
model = make_model(recipe, vocab_size=600, base=base, device=torch.device("meta"))
mesh = init_device_mesh("cpu", (2,))
for layer in llama(model).model.layers:
    fully_shard(layer, mesh=mesh)
fully_shard(llama(model), mesh=mesh)
model.to_empty(device="cpu")
load_weights(model, recipe, base)
whole = make_model(recipe, vocab_size=600, base=base, device=torch.device("cpu"))
for (name, value), other in zip(model.named_parameters(), whole.parameters(), strict=True):
    full = value.full_tensor()
    assert value.to_local().numel() < full.numel()
    assert torch.equal(full, other) or ".lora_A" in name, name
ids = torch.arange(10)[None]
with torch.no_grad():
    assert torch.equal(model(input_ids=ids).logits, whole(input_ids=ids).logits)
dist.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["full", "adapter"])
def test_weights_for_a_model_divided_between_processes(kind: str, tmp_path: Path) -> None:
    make_base(tmp_path / "base", shards=True)
    (tmp_path / "divided.py").write_text(_DIVIDED)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29631"]
    done = subprocess.run(
        [*command, str(tmp_path / "divided.py"), str(tmp_path / "base"), kind],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "", "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def drop_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def narrow_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"][:32].clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def cut_off(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("damage", [drop_weight, narrow_weight, cut_off])
def test_a_damaged_base(damage: Callable[[Path], None], base: Base) -> None:
    damage(base.folder)
    recipe = recipe_on(base)
    with pytest.raises(RecipeError, match=r"cannot be loaded|lacks the weights"):
        make_model(recipe, vocab_size=600, base=base, device=CPU)
    model = make_model(recipe, vocab_size=600, base=base, device=META).to_empty(device=CPU)
    with pytest.raises(RecipeError, match=r"cannot be read|lacks the weights|have the shape"):
        load_weights(model, recipe, base)


def configure(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: configure(folder, architectures=["MistralForCausalLM"]), "is MistralForCausalLM; only Llama"),
        (lambda folder: configure(folder, architectures=None, model_type="gemma3"), "is gemma3; only LlamaForCausalLM"),
        (lambda folder: configure(folder, quantization_config={"bits": 4}), "is quantized already"),
        (lambda folder: (folder / "config.json").unlink(), "it has no config.json.*--base"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no model.safetensors.*save_pretrained"),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text(
                '{"weight_map": {"a": "b.safetensors"}}'
            ),
            "lacks b.safetensors, which its index names",
        ),
        (lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": 3}'), "is damaged"),
    ],
)
def test_a_base_that_cannot_be_used(change: Callable[[Path], object], message: str, base: Base) -> None:
    change(base.folder)
    with pytest.raises(RecipeError, match=message):
        open_base(base.folder, "it")


def test_an_old_configuration_names_no_architecture(base: Base) -> None:
    configure(base.folder, architectures=None)
    assert open_base(base.folder, "it").weights


def test_a_tokenizer_with_more_tokens_than_the_model_has_rows(base: Base) -> None:
    with pytest.raises(RecipeError, match="do not belong together"):
        make_model(recipe_on(base), vocab_size=rows(base) + 1, base=base, device=CPU)


def test_four_bits_need_a_gpu(base: Base) -> None:
    recipe = recipe_on(base, adapter=Adapter(method="qlora"))
    with pytest.raises(RecipeError, match=r'"qlora" needs a CUDA device, and this runs on cpu'):
        make_model(recipe, vocab_size=600, base=base, device=CPU)


def test_the_recipes_base_is_beside_it_and_that_of_the_command_here(
    base: Base, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = dataclasses.replace(recipe_on(base), base="base", folder=tmp_path)
    found = find_base(on)
    assert found is not None
    assert (found.folder, found.name) == (tmp_path / "base", "base")
    (tmp_path / "elsewhere").mkdir()
    other = make_base(tmp_path / "elsewhere" / "other", "llama 3")
    monkeypatch.chdir(tmp_path / "elsewhere")
    given = find_base(on, "other")
    assert given is not None
    assert given.fingerprint() == other.fingerprint() != found.fingerprint()
    assert find_base(recipe) is None
    with pytest.raises(RecipeError, match=r"--base conflicts with \[model\]"):
        find_base(recipe, "other")


def test_a_base_says_its_own_name(base: Base) -> None:
    (base.folder / "bayling.json").write_text('{"name": "bayling-x", "version": "2"}')
    assert base.name == "bayling-x 2"
    assert dataclasses.replace(base, folder=Path("/none"), place="hf://a/b").name == "a/b"


def test_a_repository_that_cannot_be_had(base: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    recipe = dataclasses.replace(recipe_on(base), base="hf://nobody/nothing")
    with pytest.raises(HubError, match=r"hf://nobody/nothing is not on this machine.*--base"):
        find_base(recipe)
