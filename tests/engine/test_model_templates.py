"""Which template a file gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.engine.gguf_file import GGUFHeader
from bayling_lite.engine.templates import choose_template, context_size
from bayling_lite.errors import ModelUnreadable, UsageError
from bayling_lite.prompts import BAYLING, BAYLING_3


def header(*, file: str = "model.gguf", **values: str) -> GGUFHeader:
    return GGUFHeader(Path(file), {key.replace("__", "."): value for key, value in values.items()})


@pytest.mark.parametrize(
    ("says", "template"),
    [
        (header(bayling__template="bayling-3"), "bayling-3"),
        (header(tokenizer__chat_template=BAYLING_3.jinja), "bayling-3"),
        (header(tokenizer__chat_template=BAYLING.jinja), "bayling"),
        (header(general__name="bayling-2-llama-3-8b", tokenizer__ggml__model="gpt2"), "bayling-3"),
        (header(general__name="BayLing 2 8B", tokenizer__ggml__model="gpt2"), "bayling-3"),
        (header(general__name="bayling-13b-v1.1", tokenizer__ggml__model="llama"), "bayling"),
        (header(file="bayling-2-7b.Q4_K_M.gguf", tokenizer__ggml__model="llama"), "bayling"),
        (header(file="renamed.gguf", general__basename="BayLing"), "bayling"),
    ],
)
def test_a_bayling_is_recognised(says: GGUFHeader, template: str) -> None:
    assert choose_template(says).name == template


def test_others_are_refused_with_the_remedy_and_can_be_forced() -> None:
    other = header(general__name="Some Chat 7B", tokenizer__chat_template="{{ messages }}")
    with pytest.raises(ModelUnreadable, match="no BayLing template; name one with --template bayling"):
        choose_template(other)
    assert choose_template(other, "bayling-3") is BAYLING_3
    assert choose_template(header(bayling__template="bayling"), "bayling-3") is BAYLING_3
    with pytest.raises(ModelUnreadable, match="bayling-9"):
        choose_template(header(bayling__template="bayling-9"))
    with pytest.raises(UsageError, match="no template 'vicuna'"):
        choose_template(other, "vicuna")


def test_the_context_is_the_trained_one_up_to_a_limit() -> None:
    assert context_size(2048, None) == 2048
    assert context_size(131072, None) == 8192
    assert context_size(2048, 4096) == 4096
