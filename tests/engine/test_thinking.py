"""What a model thinks is kept from the reader, and nothing else is."""

from __future__ import annotations

import random

import pytest

from bayling_lite.chat_template import ChatTemplate
from bayling_lite.engine.thinking import Block, Blocks, Channels, Thinking, thinking_filter
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, BAYLING_3, user_turn
from tests.chat_templates import CHATML, DEEPSEEK, FAMILIES, QWEN_3

THINK = Block("<think>", "</think>")


def read(thinking: Thinking, text: str, seed: int = 0) -> tuple[str, str, bool]:
    """The visible text, the reasoning and whether anything was hidden, the text cut by chance."""
    chance, visible = random.Random(seed), ""
    while text:
        size = chance.randint(1, 5)
        visible += thinking.feed(text[:size])
        text = text[size:]
    visible += thinking.finish()
    return visible, thinking.reasoning, thinking.hid


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("text", "visible", "reasoning"),
    [
        ("<think>\na < b\n</think>\n\n  Hello\n", "  Hello\n", "a < b"),
        ("<think>a</think>Hello", "Hello", "a"),
        ("<think></think>\n\nHello", "Hello", ""),
        ("\n <think>a</think> Hello", " Hello", "a"),
        ("<think>a</think>\n<think>b</think>\nHello <think>c</think>", "Hello <think>c</think>", "ab"),
        ("<think>never closed </thin", "", "never closed </thin"),
        ("<think>a</think>\n\n", "", "a"),
        ("<think", "<think", ""),
        ("<thinking> of it", "<thinking> of it", ""),
        ("Use <think> and </think>.", "Use <think> and </think>.", ""),
        ("\n\n  Hello", "\n\n  Hello", ""),
        (" \n", " \n", ""),
        ("", "", ""),
        ("</think>Hello", "</think>Hello", ""),
    ],
)
def test_a_block_before_the_answer_is_hidden(text: str, visible: str, reasoning: str, seed: int) -> None:
    assert read(Blocks(THINK), text, seed) == (visible, reasoning, text.lstrip().startswith("<think>"))


@pytest.mark.parametrize("seed", range(10))
def test_a_block_that_the_prompt_has_opened(seed: int) -> None:
    assert read(Blocks(THINK, opened=True), "so </b>\n</think>\n\nHello", seed) == ("Hello", "so </b>", True)
    assert read(Blocks(THINK, opened=True), "so", seed) == ("", "so", True)
    assert read(Blocks(THINK, opened=True), "</think>Hello", seed)[0] == "Hello"


def test_text_comes_as_soon_as_it_is_certain() -> None:
    thinking = Blocks(THINK)
    pieces = ["<thi", "nk>a<", "/think>\n", "\n", "H", "<think>"]
    assert [thinking.feed(piece) for piece in pieces] == ["", "", "", "", "H", "<think>"]
    assert thinking.feed(" x") == " x"


def test_what_may_become_the_marker_of_a_thought_is_no_answer_yet() -> None:
    thinking = Blocks(THINK)
    pieces = ["\n", "<", "thi", "nk>", "a", "</think>", "H"]
    inside = []
    for piece in pieces:
        thinking.feed(piece)
        inside.append(thinking.inside)
    assert inside == [False, True, True, True, True, False, False]
    answer = Blocks(THINK)
    assert (answer.feed("<"), answer.inside) == ("", True)
    assert (answer.feed("p>"), answer.inside) == ("<p>", False)
    short = Blocks(THINK)
    assert short.feed("<th") + short.finish() == "<th"
    assert not short.inside


def test_markers_that_are_control_tokens() -> None:
    thinking = Blocks(Block("[THINK]", "[/THINK]"))
    said = [("", "[THINK]"), ("a [/", None), ("b", "[/THINK]"), ("\nHello", None), (" x", "[THINK]"), (" y", None)]
    assert "".join(thinking.feed(*step) for step in said) + thinking.finish() == "Hello x y"
    assert thinking.reasoning == "a [/b"
    assert thinking.hid


def test_other_control_tokens_change_nothing() -> None:
    thinking = Blocks(THINK)
    assert thinking.feed("", "<|x|>") + thinking.feed("a", "</think>") + thinking.feed("b", "<think>") == "ab"
    assert not thinking.hid


def test_a_heading_is_left_out_of_the_reasoning() -> None:
    thinking = Blocks(Block("<|channel>", "<channel|>", heading="thought"))
    assert read(thinking, "<|channel>thought\nhm<channel|>Hello") == ("Hello", "hm", True)


def test_a_block_whose_markers_are_sentences() -> None:
    opening, closing = "Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"
    source = "{# " + closing + " #}" + CHATML.replace("assistant\\n'", f"assistant\\n{opening}\\n'")
    template = ChatTemplate(source)
    thinking = thinking_filter(template, template.render(user_turn("a")))
    assert thinking is not None
    assert read(thinking, f"one, two\n{closing}\nHello") == ("Hello", "one, two", True)


def test_an_answer_that_begins_with_a_token_of_its_own() -> None:
    thinking = Blocks(Block("<|think|>", "<|end|>", resume="<|content|>"))
    said = [("", "<|think|>"), ("hm", "<|end|>"), ("", "<|begin|>"), ("assistant", "<|content|>"), ("Hello", None)]
    assert "".join(thinking.feed(*step) for step in said) == "Hello"
    direct = Blocks(Block("<|think|>", "<|end|>", resume="<|content|>"))
    assert direct.feed("", "<|content|>") + direct.feed("Hello") == "Hello"
    assert not direct.hid


HARMONY = [
    ("", "<|channel|>"),
    ("analysis", "<|message|>"),
    ("hm", None),
    (" so", "<|end|>"),
    ("", "<|start|>"),
    ("assistant", "<|channel|>"),
    ("final", "<|message|>"),
    ("Hello <", None),
    ("b>", "<|return|>"),
]


def test_channels() -> None:
    thinking = Channels(opened="<|start|>assistant")
    assert "".join(thinking.feed(*step) for step in HARMONY) + thinking.finish() == "Hello <b>"
    assert (thinking.reasoning, thinking.hid) == ("hm so", True)


def test_a_channel_that_never_ends_is_all_thought() -> None:
    thinking = Channels(opened="<|start|>assistant")
    assert "".join(thinking.feed(*step) for step in HARMONY[:3]) + thinking.finish() == ""
    assert thinking.reasoning == "hm"


def test_a_channel_that_the_prompt_has_opened() -> None:
    thinking = Channels(opened="<|end|><|start|>assistant<|channel|>final<|message|>")
    assert thinking.feed("Hello") + thinking.finish() == "Hello"
    assert not thinking.hid


def test_an_answer_without_channels_is_not_lost() -> None:
    thinking = Channels(opened="<|start|>assistant")
    assert thinking.feed("Hello") + thinking.finish() == "Hello"
    thinking = Channels(opened="<|start|>assistant")
    assert thinking.feed("", "<|message|>") + thinking.feed("Hello") == "Hello"


@pytest.mark.parametrize("template", [BAYLING, BAYLING_3, *map(ChatTemplate, FAMILIES.values())])
def test_models_without_thoughts_are_not_filtered(template: ChatTemplate) -> None:
    thinks = template.jinja in (DEEPSEEK, QWEN_3)
    assert (thinking_filter(template, template.render(user_turn("<think>"))) is not None) == thinks


def test_the_prompt_says_whether_the_block_is_open() -> None:
    for source, visible in ((DEEPSEEK, "Hello"), (QWEN_3, "a</think>\nHello")):
        template = ChatTemplate(source)
        told = Conversation().user("x").assistant("<think>").user("</think> <think>")
        thinking = thinking_filter(template, template.render(told))
        assert thinking is not None
        assert read(thinking, "a</think>\nHello")[0] == visible


def test_gpt_oss_is_recognised_by_its_channels() -> None:
    source = (
        "{%- for m in messages %}{{ '<|start|>' + m.role + ('<|channel|>final' if m.role == 'assistant' else '') }}"
        "{{ '<|message|>' + m.content + '<|end|>' }}{% endfor %}{# analysis #}"
        "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
    )
    template = ChatTemplate(source)
    thinking = thinking_filter(template, template.render(user_turn("a")))
    assert isinstance(thinking, Channels)
    assert "".join(thinking.feed(*step) for step in HARMONY) == "Hello <b>"
    assert thinking_filter(ChatTemplate(CHATML), ()) is None
