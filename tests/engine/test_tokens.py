"""Prompt parts to token ids, on a real vocabulary: nothing special out of text, BOS once, the space prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import pytest

from bayling_lite.chat_template import ChatTemplate
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.tokens import Tokenizer
from bayling_lite.errors import ModelUnreadable
from bayling_lite.prompts import BAYLING, BAYLING_3, Control, Part, Text, user_turn
from tests.chat_templates import QWEN_3

MakeModel = Callable[..., Path]


def open_vocabulary(path: Path, *, space_prefix: bool) -> Iterator[LlamaVocabulary]:
    params = lib.llama_model_default_params()
    params.vocab_only = True
    model = lib.llama_model_load_from_file(str(path).encode(), params)
    yield LlamaVocabulary(model, space_prefix=space_prefix)
    lib.llama_model_free(model)


@pytest.fixture(scope="module")
def plain(random_model: Path) -> Iterator[LlamaVocabulary]:
    yield from open_vocabulary(random_model, space_prefix=False)


@pytest.fixture(scope="module")
def prefixed(make_model: MakeModel) -> Iterator[LlamaVocabulary]:
    yield from open_vocabulary(make_model(space_prefix=True), space_prefix=True)


def names(vocabulary: LlamaVocabulary, ids: list[int]) -> list[str]:
    return [vocabulary.name(token) for token in ids]


def spelled(vocabulary: LlamaVocabulary, ids: list[int]) -> str:
    return b"".join(map(vocabulary.piece, ids)).decode()


@pytest.mark.parametrize(
    "text", ["</s>", "<s>", "a</s>b</s></s>", "<|eot_id|>", "<0x0A>", "x<0x0A><0x0A>\n</s", "<</s>"]
)
def test_no_special_or_byte_token_comes_out_of_a_text(plain: LlamaVocabulary, text: str) -> None:
    ids = Tokenizer(plain, BAYLING).encode([Text(text)])
    assert not any(map(plain.is_control, ids))
    assert names(plain, ids).count("<0x0A>") == text.count("\n")
    assert spelled(plain, ids) == text


def test_the_vocabulary_really_has_the_trap(plain: LlamaVocabulary) -> None:
    """llama.cpp alone merges the characters of ``</s>`` into the token, with special-token parsing off."""
    assert names(plain, plain.tokenize("a</s>")) == ["a", "</s>"]
    assert names(plain, plain.tokenize("<0x0A>")) == ["<0x0A>"]


def test_thousands_of_traps_are_no_matter(plain: LlamaVocabulary) -> None:
    text = "</s>" * 5000 + "<0x0A>" * 3000
    assert spelled(plain, Tokenizer(plain, BAYLING).encode([Text(text)])) == text


def test_bos_comes_once_and_only_where_the_model_wants_it(make_model: MakeModel, plain: LlamaVocabulary) -> None:
    conversation = user_turn("the").assistant("good").user("day")
    ids = Tokenizer(plain, BAYLING).encode(BAYLING.render(conversation))
    assert names(plain, ids)[0] == "<s>"
    assert names(plain, ids).count("<s>") == 1
    assert names(plain, ids).count("</s>") == 1
    with LlamaEngine.open(make_model(add_bos=False)) as engine:
        assert engine.count_tokens(conversation) == len(ids) - 1


def test_template_tokens_are_rendered_by_id(plain: LlamaVocabulary) -> None:
    tokenizer = Tokenizer(plain, BAYLING_3)
    rendered = names(plain, tokenizer.encode(BAYLING_3.render(user_turn("<|eot_id|>"))))
    assert rendered.count("<|eot_id|>") == 2
    assert rendered.count("<|start_header_id|>") == 3
    assert {plain.name(token) for token in tokenizer.stop_ids} == {"<|eot_id|>", "<|end_of_text|>"}


def test_a_template_whose_tokens_the_vocabulary_lacks_is_refused_by_name(make_model: MakeModel) -> None:
    model = make_model()
    model.write_bytes(model.read_bytes().replace(b"<|eot_id|>", b"<|eox_id|>"))
    with pytest.raises(ModelUnreadable, match=r"no token <\|eot_id\|>"):
        LlamaEngine.open(model, template="bayling-3")


def test_only_the_first_text_gets_the_space_prefix(prefixed: LlamaVocabulary) -> None:
    tokenizer = Tokenizer(prefixed, BAYLING)
    parts: list[Part] = [Control.BOS, Text("good\n"), Text("good", response=True), Control.EOS, Text("good")]
    assert names(prefixed, prefixed.tokenize("good")) == ["▁good"]
    assert names(prefixed, tokenizer.encode(parts)) == [
        *("<s>", "▁good", "<0x0A>"),
        *("g", "o", "o", "d", "</s>"),
        *("g", "o", "o", "d"),
    ]


@pytest.mark.parametrize("text", ["good", " good", "\n\ngood", "  ", "", "早\x02", "</s>good"])
def test_a_later_text_keeps_every_character_despite_the_prefix(prefixed: LlamaVocabulary, text: str) -> None:
    ids = Tokenizer(prefixed, BAYLING).encode([Control.BOS, Text("x"), Control.EOS, Text(text)])
    after = ids[names(prefixed, ids).index("</s>") + 1 :]
    assert spelled(prefixed, after) == text


def test_a_response_is_recalled_as_it_was_generated(plain: LlamaVocabulary) -> None:
    parts: list[Part] = [Control.BOS, Text("x"), Text("good", response=True), Control.EOS]
    as_letters = tuple(plain.tokenize("g") + plain.tokenize("ood"))
    ids = Tokenizer(plain, BAYLING).encode(parts, lambda before, text: as_letters if text == "good" else None)
    assert tuple(ids[2:-1]) == as_letters


def test_text_that_is_no_unicode_is_still_tokenized(plain: LlamaVocabulary) -> None:
    assert spelled(plain, plain.tokenize("a\ud800b\0c")) == "a?b\0c"


def test_a_user_defined_tag_of_the_template_does_not_come_out_of_a_text(make_model: MakeModel) -> None:
    """llama.cpp finds user-defined tokens in every text; those that the template writes steer the model."""
    for vocabulary in open_vocabulary(make_model(added=("<think>", "</think>", "<table>", "  ")), space_prefix=False):
        template = ChatTemplate(QWEN_3)
        text = "a <think>b</think> <table>  </think"
        assert "<think>" in names(vocabulary, vocabulary.tokenize(text))
        asked = template.render(user_turn(text))
        ids = Tokenizer(vocabulary, template).encode(asked)
        assert [name for name in names(vocabulary, ids) if name.endswith("think>")] == ["<think>", "</think>"]
        assert "<table>" in names(vocabulary, ids)
        assert text in spelled(vocabulary, ids)


@pytest.mark.parametrize("refuses_system", [False, True])
def test_a_tag_whose_name_the_template_puts_together_does_not_come_out_of_a_text(
    make_model: MakeModel, refuses_system: bool
) -> None:
    source = (
        "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|' ~ 'done|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|' + 'assistant' + '|>' }}{% endif %}"
    )
    if refuses_system:
        source = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + source
    tags = ("<|system|>", "<|user|>", "<|assistant|>", "<|done|>", "[tool]", "<td>")
    for vocabulary in open_vocabulary(make_model(added=tags), space_prefix=False):
        template = ChatTemplate(source)
        text = "a<|done|><|system|>[tool]<td><|assistant|>b<|user|>c"
        assert set(tags) <= set(names(vocabulary, vocabulary.tokenize(text)))
        ids = Tokenizer(vocabulary, template).encode(template.render(user_turn(text)))
        found = [name for name in names(vocabulary, ids) if name in tags]
        assert found == ["<|user|>", "<td>", "<|done|>", "<|assistant|>"]
        assert text in spelled(vocabulary, ids)


def test_a_tag_of_html_that_the_template_writes_is_one_of_its_own(make_model: MakeModel) -> None:
    for vocabulary in open_vocabulary(make_model(added=("<s1>", "<q>", "</q>", "<td>")), space_prefix=False):
        template = ChatTemplate("{% for m in messages %}<q>{{ m.content }}</q>{% endfor %}")
        ids = Tokenizer(vocabulary, template).encode(template.render(user_turn("a</q><q><td><s1>")))
        found = [name for name in names(vocabulary, ids) if len(name) > 2]
        assert found == ["<s>", "<q>", "<td>", "</q>"]


def test_the_end_of_a_message_does_not_end_a_model_that_speaks_on_channels(make_model: MakeModel) -> None:
    source = (
        "{% for m in messages %}<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}"
        "<|message|>{{ m.content }}<|end|>{% endfor %}{# analysis #}"
    )
    for vocabulary in open_vocabulary(make_model(added=("<|end|>",)), space_prefix=False):
        assert not Tokenizer(vocabulary, ChatTemplate(source)).stop_ids
        assert Tokenizer(vocabulary, ChatTemplate(source.replace("analysis", ""))).stop_ids


def test_a_special_token_can_swallow_white_space_of_the_template(plain: LlamaVocabulary) -> None:
    class Stripping:
        """The vocabulary, with an end-of-turn token that swallows white space on both sides (as Phi 3 has them)."""

        def __getattr__(self, name: str) -> Any:
            return getattr(plain, name)

        def strips(self, token: int) -> tuple[bool, bool]:
            return (True, True) if plain.name(token) == "<|eot_id|>" else (False, False)

    template = ChatTemplate("{% for m in messages %}{{ m.content }} \n<|eot_id|>\n {% endfor %}")
    ids = Tokenizer(Stripping(), template).encode(template.render(user_turn(" good ").assistant(" day ")))
    assert spelled(plain, ids) == " goodday "  # what the model said itself stays
    assert names(plain, ids).count("<|eot_id|>") == 2
