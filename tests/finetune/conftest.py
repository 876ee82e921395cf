"""A miniature recipe on a miniature corpus, written by the tests: enough to train in seconds."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from bayling_finetune.config import Recipe

_SUBJECTS = {"I": ("ich", "我"), "we": ("wir", "我们"), "they": ("sie", "他们")}
_THINGS = {"water": ("Wasser", "水"), "tea": ("Tee", "茶"), "milk": ("Milch", "牛奶"), "soup": ("Suppe", "汤")}
_TIMES = {
    "today": ("heute", "今天"),
    "tomorrow": ("morgen", "明天"),
    "now": ("jetzt", "现在"),
    "often": ("oft", "经常"),
    "again": ("wieder", "又"),
}

RECIPE = """
name = "mini"
template = "bayling"
license = "cc0-1.0"

[data]
held_out = 0.1

[data.kinds]
constraint = 0.3
correction = 0.4
replacement = 0.3

[[data.parallel]]
path = "mini.en-de.tsv"
source = "en"
target = "de"
everyday = true
origin = "written for the tests"
license = "CC0"

[[data.parallel]]
path = "mini.en-zh.tsv"
source = "en"
target = "zh"
weight = 1.5
everyday = true

[tokenizer]
vocab_size = 500

[model]
hidden_size = 64
intermediate_size = 128
layers = 2
heads = 4
kv_heads = 2
context = 512

[schedule]
steps = 12
batch_tokens = 1024
warmup = 2

[optimizer]
kind = "muon"
learning_rate = 3e-3

[hardware]
precision = "fp32"
compile = false

[evaluation]
every = 4

[checkpoints]
every = 4
"""


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two TSV files with 60 grammatical sentences each, some with two translations, and the recipe beside them."""
    folder = tmp_path_factory.mktemp("corpus")
    german, chinese = [], []
    for (who, (wer, shui)), (what, (was, shenme)), (when, (wann, shihou)) in itertools.product(
        _SUBJECTS.items(), _THINGS.items(), _TIMES.items()
    ):
        english = f"{who} drink {what} {when}."
        german.append(f"{english}\t{wer} trinken {wann} {was}.")
        german.append(f"{english}\t{wann} trinken {wer} immer {was}.")
        chinese.append(f"{english}\t{shui}{shihou}喝{shenme}。")
    (folder / "mini.en-de.tsv").write_text("\n".join(german) + "\n", encoding="utf-8")
    (folder / "mini.en-zh.tsv").write_text("\n".join(chinese) + "\n", encoding="utf-8")
    (folder / "mini.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture
def recipe(corpus_folder: Path) -> Recipe:
    """The miniature recipe."""
    return Recipe.load(corpus_folder / "mini.toml")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """One thread: sums are taken in one order, so results agree bit for bit, and a busy machine costs less."""
    torch.set_num_threads(1)
