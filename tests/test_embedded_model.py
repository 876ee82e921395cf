"""bayling-tiny as it ships: what the file says of itself is true, and the card agrees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_lite import LlamaEngine, Translator, detect_language, find_language
from bayling_lite.prompts import BAYLING


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    from bayling_lite.catalogue import embedded_model

    reader = GGUFReader(embedded_model())
    return {name: field.contents() for name, field in reader.fields.items()}


@pytest.fixture(scope="module")
def card() -> str:
    from bayling_lite.catalogue import embedded_model

    return (embedded_model().parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.load(Path(bayling_finetune.__file__).parent / "recipes" / "tiny-refine.toml")


def test_the_file_says_how_to_talk_to_it_and_where_it_comes_from(metadata: dict[str, Any], recipe: Recipe) -> None:
    assert metadata["general.name"] == "bayling-tiny"
    assert metadata["general.license"] == "cc-by-sa-4.0"
    assert metadata["bayling.template"] == BAYLING.name
    assert metadata["tokenizer.chat_template"] == BAYLING.jinja
    assert metadata["bayling.languages"] == list(recipe.languages)
    assert metadata["bayling.demonstrator"] is True
    assert re.fullmatch("[0-9a-f]{64}", metadata["bayling.recipe_sha256"])
    assert re.fullmatch("[0-9a-f]{64}", metadata["bayling.data_sha256"])


def test_the_card_names_data_licences_and_digests(card: str, metadata: dict[str, Any], recipe: Recipe) -> None:
    for text in recipe.data.parallel:
        assert text.path in card
        assert text.origin in card
        assert text.license in card
    assert metadata["bayling.recipe_sha256"] in card
    same = metadata["bayling.recipe_sha256"] == recipe.digest()
    assert same != ("The shipped recipes are of a later form" in card), (
        "the card says whether the recipe is the shipped one"
    )
    assert metadata["bayling.data_sha256"] in card
    directions = re.findall(
        r"^\| (\w\w-\w\w) \| \d+ \| ([\d.]+) \| ([\d.]+) \| ([\d.]+)% \|$", card, flags=re.MULTILINE
    )
    assert {direction for direction, *_ in directions} == {"en-de", "de-en", "en-fr", "fr-en", "en-zh", "zh-en"}
    assert "| Q4_K_M |" in card


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Good morning. How are you?", "zh"),
        ("I have a dog and two cats.", "zh"),
        ("I have a dog and two cats.", "de"),
        ("The children are playing in the garden.", "fr"),
        ("你今天好吗？我很高兴。", "en"),
        ("Ich habe heute keine Zeit.", "en"),
        ("Je suis très content de te voir.", "en"),
    ],
)
def test_it_answers_in_the_language_asked_for(tiny_model: Path, text: str, target: str) -> None:
    with LlamaEngine.open(tiny_model) as engine:
        translation = Translator(engine).translate(text, target)
        assert detect_language(translation.text, engine.info.languages) == find_language(target)
        assert translation.failed == translation.truncated == 0
        assert translation.text.strip() != text
