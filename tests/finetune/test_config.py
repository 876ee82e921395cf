"""Recipes: every shipped one loads, and every mistake is named by its key."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import bayling_finetune
from bayling_finetune.config import Adapter, Recipe, Schedule
from bayling_lite.errors import RecipeError
from tests.finetune.conftest import RECIPE

RECIPES = {path.stem: path for path in (Path(bayling_finetune.__file__).parent / "recipes").glob("*.toml")}
ON_A_BASE = """
name = "on"
base = "somewhere"

[data]
max_tokens = 512

[[data.dialogues]]
path = "dialogues.jsonl"

[adapter]
rank = 8

[schedule]
epochs = 2
"""


def load(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "mini.toml"
    path.write_text(text, encoding="utf-8")
    return Recipe.load(path)


@pytest.mark.parametrize(
    ("name", "tokens_a_step"),
    [
        ("tiny", 8192),
        ("tiny-refine", 8192),
        # 128 dialogues of at most 2,048 tokens; packed, these are 1,024 on average
        ("bayling-7b", 128 * 1024),
        ("bayling-13b", 128 * 1024),
        ("bayling-2-8b", 128 * 1024),
        ("lora-laptop", 8192),
    ],
)
def test_a_shipped_recipe(name: str, tokens_a_step: int) -> None:
    recipe = Recipe.load(RECIPES[name])
    assert recipe.schedule.step_tokens == tokens_a_step
    assert recipe.schedule.step_tokens % recipe.schedule.batch_tokens == 0
    assert recipe.schedule.batch_tokens >= recipe.data.max_tokens
    assert set(recipe.languages) == {"en", "zh", "de", "fr"}
    assert recipe.license
    for text in recipe.data.parallel:
        assert text.origin
        assert text.license
    for file in recipe.data.dialogues:
        assert file.origin


def test_no_recipe_is_untested() -> None:
    assert set(RECIPES) == {"tiny", "tiny-refine", "bayling-7b", "bayling-13b", "bayling-2-8b", "lora-laptop"}


def test_the_papers_recipes() -> None:
    for name in ("bayling-7b", "bayling-13b"):
        recipe = Recipe.load(RECIPES[name])
        assert (recipe.template, recipe.data.max_tokens, recipe.schedule.epochs) == ("bayling", 2048, 3)
        assert (recipe.optimizer.learning_rate, recipe.optimizer.weight_decay) == (2e-5, 0)
        assert (recipe.schedule.shape, recipe.schedule.warmup_steps(1000)) == ("cosine", 30)
        assert recipe.adapter is None
    assert Recipe.load(RECIPES["bayling-2-8b"]).template == "bayling-3"
    assert Recipe.load(RECIPES["lora-laptop"]).adapter is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # misspelt or missing keys
        ("steps = 12|step = 12", "mini.toml: schedule: unknown key 'step'. Did you mean 'steps'?"),
        ('name = "mini"|nam = "mini"', "mini.toml: unknown key 'nam'. Did you mean 'name'?"),
        ('source = "en"|sorce = "en"', "mini.toml: data.parallel[0]: unknown key 'sorce'. Did you mean 'source'?"),
        ("weight = 1.5|wieght = 1.5", "mini.toml: data.parallel[1]: unknown key 'wieght'. Did you mean 'weight'?"),
        (
            "correction = 0.4|corection = 0.4",
            "mini.toml: data.kinds: unknown key 'corection'. Did you mean 'correction'",
        ),
        ("[checkpoints]|[checkpoint]", "mini.toml: unknown key 'checkpoint'. Did you mean 'checkpoints'?"),
        ("hidden_size = 64\n|", "mini.toml: model: the key 'hidden_size' is missing."),
        ('target = "zh"\n|', "mini.toml: data.parallel[1]: the key 'target' is missing."),
        ("[schedule]|[schedule", "cannot be read"),
        # wrong types
        ('steps = 12|steps = "many"', "mini.toml: schedule.steps must be a whole number, not 'many'."),
        ("steps = 12|steps = true", "mini.toml: schedule.steps must be a whole number, not True."),
        ("steps = 12|steps = 1.5", "mini.toml: schedule.steps must be a whole number, not 1.5."),
        ("compile = false|compile = 0", "mini.toml: hardware.compile must be true or false, not 0."),
        ("weight = 1.5|weight = '2'", "mini.toml: data.parallel[1].weight must be a number, not '2'."),
        ('[optimizer]|[optimizer]\nbetas = [0.9, "x"]', "mini.toml: optimizer.betas[1] must be a number, not 'x'."),
        ("[optimizer]|[optimizer]\nbetas = 0.9", "mini.toml: optimizer.betas must be a list, not 0.9."),
        ("[data]|[data]\ndialogues = ['a.jsonl']", "mini.toml: data.dialogues[0] must be a table"),
        # values that cannot be
        ('template = "bayling"|template = "vicuna"', "template must be one of bayling, bayling-3, not 'vicuna'."),
        ("held_out = 0.1|held_out = 0.9", "data.held_out must be"),
        ('precision = "fp32"|precision = "fp8"', "hardware.precision must be one of bf16, fp32, bf16-pure, not 'fp8'."),
        ("heads = 4|heads = 5", "multiple of twice model.heads"),
        ("kv_heads = 2|kv_heads = 3", "multiple of model.kv_heads"),
        ("kv_heads = 2|kv_heads = 0", "model.kv_heads must be 1"),
        ("vocab_size = 500|vocab_size = 200", "tokenizer.vocab_size must be 300"),
        ("weight = 1.5|weight = nan", "data.parallel (mini.en-zh.tsv): weight must be above 0"),
        ("weight = 1.5|weight = inf", "weight must be above 0"),
        ('source = "en"|source = "Klingon"', "data.parallel (mini.en-de.tsv): source:"),
        ('target = "zh"|target = "English"', "data.parallel (mini.en-zh.tsv): source and target are the same"),
        ("constraint = 0.3|constraint = 1.5", "data.kinds.constraint must be from 0 to 1."),
        ("[evaluation]\nevery = 4|[evaluation]\nevery = 0", "evaluation.every must be 1"),
        ("[checkpoints]\nevery = 4|[checkpoints]\nkeep = 0", "checkpoints.keep must be 1"),
        ("learning_rate = 3e-3|clip = 0", "optimizer.clip must be above 0"),
        ("learning_rate = 3e-3|muon_learning_rate = -0.1", "optimizer.muon_learning_rate must be above 0"),
        ("learning_rate = 3e-3|betas = [0.9]", "optimizer.betas must be two numbers"),
        ("warmup = 2|seed = -1", "schedule.seed must be from 0 to 2147483647"),
        ("warmup = 2|warmup = 2.5", "schedule.warmup must be a whole number of steps, or below 1"),
        ('kind = "muon"|kind = "moun"', "optimizer.kind must be one of adamw, muon, not 'moun'. Did you mean 'muon'?"),
        ('name = "mini"|name = "../mini"', "name: '../mini' should be"),
        ("[data]|[data]\nmax_tokens = 3", "data.max_tokens must be 16"),
        # conflicts
        ("steps = 12|steps = 12\nepochs = 3", "schedule.steps and schedule.epochs conflict"),
        ("steps = 12|", "schedule.steps and schedule.epochs conflict"),
        (
            "held_out = 0.1|held_out = 0.1\nmax_tokens = 2000",
            "schedule.batch_tokens is 1024, which conflicts with data.max_",
        ),
        (
            "held_out = 0.1|held_out = 0.1\nmax_tokens = 600",
            "model.context is 512, which conflicts with data.max_tokens",
        ),
        ('name = "mini"|name = "mini"\nbase = "there"', "base and [model] conflict"),
        ('template = "bayling"|template = "bayling-3"', 'template = "bayling-3" conflicts with [model]'),
        ("[evaluation]|[adapter]\nrank = 4\n[evaluation]", "[adapter] needs a base"),
        ('kind = "muon"|muon_learning_rate = 0.1', 'muon_learning_rate conflicts with optimizer.kind = "adamw"'),
        ("warmup = 2|shape = 'cosine'\ndecay = 0.1", 'schedule.decay conflicts with schedule.shape = "cosine"'),
        (
            'precision = "fp32"|precision = "fp32"\nattention = "flash"',
            'attention = "flash" conflicts with hardware.prec',
        ),
        ("mini.en-zh.tsv|mini.en-de.tsv", "data.parallel names mini.en-de.tsv 2 times"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: str, message: str) -> None:
    old, new = change.split("|")
    assert old in RECIPE
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, RECIPE.replace(old, new))
    assert message in str(caught.value)
    assert "mini.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('base = "somewhere"|base = "x"\nevaluation = 3', "mini.toml: evaluation must be a table, [evaluation], not 3"),
        (
            "[[data.dialogues]]|[data.dialogues]",
            "mini.toml: data.dialogues must be a list of tables, [[data.dialogues]]",
        ),
        ('base = "somewhere"\n|', "base and [model] conflict"),
        ('base = "somewhere"|base = "hf://only-a-name"', "base: 'hf://only-a-name' is no repository"),
        ("[adapter]|[tokenizer]\n[adapter]", "[tokenizer] conflicts with base"),
        ("[adapter]|[optimizer]\nkind = 'muon'\n[adapter]", '[adapter] conflicts with optimizer.kind = "muon"'),
        ("[adapter]|[hardware]\nprecision = 'bf16-pure'\n[adapter]", "[adapter] conflicts with hardware.precision"),
        ("rank = 8|targets = ['q_porj']", "adapter.targets must be one of"),
        ("rank = 8|targets = ['q_porj']", "Did you mean 'q_proj'?"),
        ("rank = 8|targets = []", "adapter.targets names no layer."),
        ("rank = 8|method = 'lorra'", "adapter.method must be one of lora, qlora, not 'lorra'. Did you mean 'lora'?"),
        ("rank = 8|dropout = 1.0", "adapter.dropout must be"),
        ("max_tokens = 512|max_pairs = 100", "data.max_pairs is about [[data.parallel]]"),
        ("max_tokens = 512|[data.kinds]\nstyle = 0.5", "data.kinds is about [[data.parallel]]"),
        ('[[data.dialogues]]\npath = "dialogues.jsonl"|', "The recipe names no data"),
        (
            'path = "dialogues.jsonl"|path = "dialogues.jsonl"\nlanguages = ["xx1"]',
            "data.dialogues (dialogues.jsonl): lang",
        ),
        ('path = "dialogues.jsonl"|path = "a"\nweight = 0', "data.dialogues (a): weight must be above 0"),
    ],
)
def test_a_mistake_in_a_recipe_with_a_base_is_named(tmp_path: Path, change: str, message: str) -> None:
    old, new = change.split("|")
    assert old in ON_A_BASE
    load(tmp_path, ON_A_BASE)
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, ON_A_BASE.replace(old, new))
    assert message in str(caught.value)


def test_a_recipe_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe"):
        Recipe.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(RecipeError, match=r"bytes\.toml cannot be read"):
        Recipe.load(tmp_path / "bytes.toml")


def test_every_value_counts_in_the_digest_and_the_folder_does_not(recipe: Recipe, tmp_path: Path) -> None:
    changed = [
        dataclasses.replace(recipe, version="1"),
        dataclasses.replace(recipe, hardware=dataclasses.replace(recipe.hardware, precision="bf16")),
        dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, held_out=0.2)),
    ]
    assert len({recipe.digest(), *(other.digest() for other in changed)}) == 4
    assert dataclasses.replace(recipe, folder=tmp_path).digest() == recipe.digest()


def test_languages_are_codes_however_they_are_called(tmp_path: Path) -> None:
    text = RECIPE.replace('source = "en"', 'source = "English"', 1).replace('target = "de"', 'target = "德文"')
    assert load(tmp_path, text).languages == ("en", "de", "zh")


def test_warmup_is_steps_or_a_share() -> None:
    assert Schedule(steps=10, warmup=3).warmup_steps(1000) == 3
    assert Schedule(steps=10, warmup=0.03).warmup_steps(1000) == 30
    assert Schedule(steps=10, warmup=0).warmup_steps(1000) == 0


def test_the_layers_of_an_adapter_are_all_linear_ones() -> None:
    assert len(Adapter().targets) == 7
