"""Which template a file gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.engine.templates import choose_template, placeholders
from bayling_lite.errors import ModelUnreadable, UsageError
from bayling_lite.gguf_file import GGUFHeader, read_header
from bayling_lite.prompts import BAYLING, BAYLING_3, V1_PLACEHOLDERS
from tests.chat_templates import CHATML


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


def test_a_template_can_be_named() -> None:
    other = header(general__name="Some Chat 7B", tokenizer__chat_template=CHATML)
    assert choose_template(other, "bayling-3") is BAYLING_3
    assert choose_template(header(bayling__template="bayling"), "bayling-3") is BAYLING_3
    with pytest.raises(ModelUnreadable, match="bayling-9"):
        choose_template(header(bayling__template="bayling-9"))
    with pytest.raises(UsageError, match=r"no template 'vicuna'.*bayling, bayling-3, jinja"):
        choose_template(other, "vicuna")


def test_others_are_talked_to_in_their_own_template() -> None:
    template = choose_template(header(general__name="Some Chat 7B", tokenizer__chat_template=CHATML))
    assert (template.name, template.jinja) == ("jinja", CHATML)
    both = header(bayling__template="bayling", tokenizer__chat_template=CHATML)
    assert choose_template(both) is BAYLING
    assert choose_template(both, "jinja").jinja == CHATML


def test_a_model_without_a_template_is_refused_with_the_remedy() -> None:
    for name in (None, "jinja"):
        with pytest.raises(ModelUnreadable, match=r"base\.gguf has no chat template.*--template: bayling"):
            choose_template(header(file="base.gguf"), name)


def test_a_template_that_cannot_be_used_names_its_file_and_the_remedy() -> None:
    with pytest.raises(ModelUnreadable, match=r"chat template of odd\.gguf.*leaves out.*--template"):
        choose_template(header(file="odd.gguf", tokenizer__chat_template="hello"))


def test_a_template_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.jinja"
    path.write_text(CHATML, encoding="utf-8")
    chosen = choose_template(header(bayling__template="bayling"), str(path))
    assert (chosen.name, chosen.jinja) == ("mine", CHATML)
    path.write_text(CHATML, encoding="utf-8-sig")  # as editors on Windows do
    assert choose_template(header(), str(path)).jinja == CHATML
    with pytest.raises(UsageError, match=r"other\.jinja cannot be read: No such file"):
        choose_template(header(), str(tmp_path / "other.jinja"))
    path.write_bytes(b"\xff\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        choose_template(header(), str(path))


def test_placeholders_are_read_as_they_stand(make_model: Callable[..., Path]) -> None:
    said = [text for pair in V1_PLACEHOLDERS.items() for text in pair]
    path = make_model(metadata={"bayling.placeholders": said})
    assert placeholders(read_header(path)) == V1_PLACEHOLDERS
    assert placeholders(header()) == {}


@pytest.mark.parametrize("said", ["[NAME]", ["[NAME]"], ["", "x"], ["[NAME]", 1], 7])
def test_placeholders_that_are_no_list_of_pairs_are_refused(said: Any) -> None:
    with pytest.raises(ModelUnreadable, match=r"odd\.gguf: bayling\.placeholders"):
        placeholders(GGUFHeader(Path("odd.gguf"), {"bayling.placeholders": said}))
