"""The result: others load it, conversion takes it as it is, and llama.cpp says with it what the trained model says."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoTokenizer, GenerationConfig, LlamaForCausalLM

from bayling_convert import convert
from bayling_convert.proof.scoring import Scorer
from bayling_finetune.base import Base, open_base
from bayling_finetune.card import Training, model_card
from bayling_finetune.config import Adapter, Hardware, Recipe
from bayling_finetune.model import make_model
from bayling_finetune.saving import save_checkpoint
from bayling_finetune.sentencepiece_tokenizer import SentencePieceTokenizer
from bayling_finetune.tokenizer import encode_parts, load_tokenizer, stop_ids
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.prompts import BAYLING, BAYLING_3, TEMPLATES
from tests.convert.small_checkpoints import train_tokenizer
from tests.finetune.bases_made_here import disturb, make_base, recipe_on
from tests.finetune.test_tokenizers import conversation

CPU = torch.device("cpu")
LORA = Adapter(rank=4, alpha=8)
TALK = conversation("Provide the German translation: </s> <|eot_id|> 12 books", "Zwölf Bücher", "shorter", "12 Bücher")


def save(recipe: Recipe, base: Base | None, folder: Path) -> torch.nn.Module:
    """Train as it were, and save."""
    tokenizer = load_tokenizer(base.folder) if base is not None else SentencePieceTokenizer(train_tokenizer())
    model = make_model(recipe, vocab_size=tokenizer.vocab_size, base=base, device=CPU)
    disturb(model)
    folder.mkdir()
    save_checkpoint(model, tokenizer, recipe, folder, data_sha256="d" * 64, steps=3, base=base)
    return model


def read(path: Path) -> dict[str, object]:
    said: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return said


def test_a_model_from_scratch(recipe: Recipe, tmp_path: Path) -> None:
    model = save(recipe, None, tmp_path / "made")
    again = LlamaForCausalLM.from_pretrained(tmp_path / "made")
    assert again.dtype is torch.float32
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    assert again.lm_head.weight is again.model.embed_tokens.weight
    assert (again.generation_config.bos_token_id, again.generation_config.eos_token_id) == (1, 2)
    said = read(tmp_path / "made" / "bayling.json")
    assert (said["name"], said["template"], said["base"], said["steps"]) == ("mini", "bayling", None, 3)
    assert said["languages"] == ["en", "de", "zh"]
    assert said["datasets"] == ["written for the tests (CC0)"]
    assert said["recipe_sha256"] == recipe.digest()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "made")
    shown = tokenizer.apply_chat_template(TALK.to_list(), tokenize=False)
    assert shown == BAYLING.text(TALK, bos="<s>", eos="</s>")


@pytest.mark.parametrize("kind", ["ours", "llama", "llama as json", "llama 3"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_a_whole_model_from_a_base(kind: str, dtype: torch.dtype, tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", kind, dtype=dtype)
    template = "bayling-3" if kind == "llama 3" else "bayling"
    recipe = recipe_on(base, template=template)
    model = save(recipe, base, tmp_path / "made")
    again = LlamaForCausalLM.from_pretrained(tmp_path / "made")
    assert again.dtype is dtype, "as its base"
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name].to(dtype)), name
    for name in ("tokenizer.model", "tokenizer.json", "tokenizer_config.json"):
        mine, theirs = tmp_path / "made" / name, base.folder / name
        assert mine.exists() == theirs.exists()
        assert not theirs.exists() or mine.read_bytes() == theirs.read_bytes()
    assert (tmp_path / "made" / "chat_template.jinja").read_text(encoding="utf-8") == TEMPLATES[template].jinja
    stops = stop_ids(load_tokenizer(tmp_path / "made"), TEMPLATES[template])
    said = GenerationConfig.from_pretrained(tmp_path / "made").eos_token_id
    assert (said if isinstance(said, list) else [said]) == list(stops)
    assert len(stops) == (2 if template == "bayling-3" else 1)
    assert read(tmp_path / "made" / "bayling.json")["base"] == "base"
    # what was made is a base again
    assert open_base(tmp_path / "made", "made").name == "made-here 0"


def test_the_chat_template_of_the_base_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", "llama 3")
    config = read(base.folder / "tokenizer_config.json")
    (base.folder / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": "{{ 'theirs' }}"}))
    (base.folder / "chat_template.jinja").write_text("{{ 'theirs' }}")
    save(recipe_on(base, template="bayling-3"), base, tmp_path / "made")
    assert read(tmp_path / "made" / "tokenizer_config.json") == config
    assert AutoTokenizer.from_pretrained(tmp_path / "made").chat_template == BAYLING_3.jinja


def test_an_adapter(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", "llama 3", dtype=torch.bfloat16)
    recipe = recipe_on(base, template="bayling-3", adapter=LORA, hardware=Hardware(precision="bf16", compile=False))
    model = save(recipe, base, tmp_path / "made")
    weights = load_file(tmp_path / "made" / "adapter_model.safetensors")
    assert len(weights) == 2 * 2 * 7
    assert all(value.dtype is torch.float32 for value in weights.values())
    config = read(tmp_path / "made" / "adapter_config.json")
    assert config["base_model_name_or_path"] == str(base.folder.resolve())
    assert (config["r"], config["lora_alpha"], config["inference_mode"]) == (4, 8, True)
    assert not (tmp_path / "made" / "config.json").exists()
    under = LlamaForCausalLM.from_pretrained(base.folder, dtype=torch.bfloat16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's own
        again = PeftModel.from_pretrained(under, tmp_path / "made")
    ids = torch.arange(12)[None]
    model.eval()
    with torch.no_grad():
        assert torch.equal(again(input_ids=ids).logits, model(input_ids=ids).logits)
    assert read(tmp_path / "made" / "bayling.json")["template"] == "bayling-3"


def test_weights_that_were_gathered_elsewhere(tmp_path: Path) -> None:
    for number, adapter in enumerate((None, LORA)):
        base = make_base(tmp_path / f"base{number}")
        recipe = recipe_on(base, adapter=adapter)
        model = save(recipe, base, tmp_path / f"one{number}")
        weights = {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        (tmp_path / f"two{number}").mkdir()
        tokenizer = load_tokenizer(base.folder)
        save_checkpoint(
            model,
            tokenizer,
            recipe,
            tmp_path / f"two{number}",
            data_sha256="d" * 64,
            steps=3,
            base=base,
            weights=weights,
        )
        for path in (tmp_path / f"one{number}").iterdir():
            assert path.read_bytes() == (tmp_path / f"two{number}" / path.name).read_bytes(), path.name


def test_a_repository_is_named_as_everybody_finds_it(tmp_path: Path) -> None:
    base = dataclasses.replace(make_base(tmp_path / "base"), place="hf://owner/name@abc")
    save(recipe_on(base, adapter=LORA), base, tmp_path / "made")
    assert read(tmp_path / "made" / "adapter_config.json")["base_model_name_or_path"] == "owner/name"
    assert read(tmp_path / "made" / "bayling.json")["base"] == "owner/name@abc"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ours", "llama", "llama as json", "llama 3"])
@pytest.mark.parametrize("adapter", [None, LORA], ids=["full", "adapter"])
def test_llama_cpp_says_the_same_with_what_conversion_makes_of_it(
    kind: str, adapter: Adapter | None, tmp_path: Path
) -> None:
    base = make_base(tmp_path / "base", kind, shards=True)
    template = TEMPLATES["bayling-3" if kind == "llama 3" else "bayling"]
    model = save(recipe_on(base, template=template.name, adapter=adapter), base, tmp_path / "made").eval()
    convert(tmp_path / "made", tmp_path / "made.gguf", "F32", base=base.folder if adapter else None)

    parts = template.render(TALK)
    ((ids, _),) = encode_parts(load_tokenizer(base.folder), [parts])
    with torch.no_grad():
        expected = model(input_ids=torch.tensor(ids, dtype=torch.int64)[None]).logits[0].numpy()
    with Scorer(tmp_path / "made.gguf", n_ctx=512, n_threads=1) as scorer:
        assert np.abs(scorer.logits(ids.tolist()) - expected).max() < 2e-3

    with LlamaEngine.open(tmp_path / "made.gguf", n_ctx=512, n_threads=1) as engine:
        assert engine.info.template == template.name
        assert [language.code for language in engine.info.languages] == ["en", "zh"]
        tokenizer = engine._scheduler._tokenizer
        assert tokenizer.encode(parts) == ids.tolist(), "what was trained on is what the model gets"
        assert set(stop_ids(load_tokenizer(base.folder), template)) <= tokenizer.stop_ids


def training(**values: object) -> Training:
    known = {
        "steps": 3,
        "tokens": 5_000_000,
        "seconds": 60.0,
        "parameters": 1_100_000_000,
        "recipe_sha256": "r" * 64,
        "data_sha256": "d" * 64,
        "development_loss": 1.5,
        "hardware": "a machine",
        "command": "bayling finetune made-here --data DIR",
    }
    return Training(**(known | values))  # type: ignore[arg-type]


def test_the_card_of_a_model_from_scratch(recipe: Recipe) -> None:
    card = model_card(recipe, training())
    assert "trained from scratch to translate between English and German, Chinese" in card
    assert "2 layers, 64 wide, feed-forward 128, 4 heads, tied embeddings of 500 SentencePiece" in card
    assert "Muon for the matrices, AdamW for the rest; learning rate 0.02 and 0.003 at most (plateau); 12 steps" in card
    assert "| mini.en-zh.tsv | en–zh | 1.5 | 24 |" in card
    assert "base_model" not in card


def test_the_card_of_a_model_from_a_base(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    card = model_card(recipe_on(base), training(base="owner/name"))
    assert card.startswith(
        "---\nlicense: cc0-1.0\nlanguage:\n- en\n- zh\nbase_model: owner/name\nbase_model_relation: fin"
    )
    assert "A LLaMA model of 1,100.0 million parameters, trained on from owner/name" in card
    assert "All weights of the base, with its own tokenizer. AdamW; learning rate 2e-05 at most" in card
    assert "| d.jsonl | en, zh | 1 | made here | CC0 |" in card
    assert "Parallel text" not in card
    assert "Tatoeba" not in card


def test_the_card_of_an_adapter(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    card = model_card(recipe_on(base, adapter=LORA), training(base="owner/name"))
    assert "base_model_relation: adapter\n" in card
    assert "library_name: peft" in card
    assert "A LoRA adapter for owner/name, trained to translate" in card
    assert "LoRA of rank 4, alpha 8, dropout 0 beside `q_proj`" in card
    assert "`--base`" in card


def test_conversion_takes_what_an_adapter_says_of_itself(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", "llama 3")
    (base.folder / "bayling.json").write_text('{"name": "under", "version": "1", "demonstrator": true}')
    recipe = recipe_on(base, template="bayling-3", adapter=LORA)
    save(recipe, base, tmp_path / "made")
    converted = convert(tmp_path / "made", tmp_path / "made.gguf", "F16", base=base.folder)
    assert converted.template == "bayling-3"
    assert set(converted.stop) == {"<|eot_id|>", "<|end_of_text|>"}
    said = converted.provenance
    assert (said.name, said.base, said.languages) == ("made-here", "under 1", ("en", "zh"))
    assert (said.recipe_sha256, said.data_sha256) == (recipe.digest(), "d" * 64)
