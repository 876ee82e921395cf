"""Words that may take each other's place: what the corpus has seen side by side, and what its aligner has learnt."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from bayling_finetune.dialogues.alignment import AlignmentModel
from bayling_finetune.dialogues.kinds.length import say_the_same
from bayling_finetune.dialogues.kinds.replacement import ReplacementMaker
from bayling_finetune.dialogues.markup import code_spans
from bayling_finetune.dialogues.neighbours import Neighbours
from bayling_finetune.dialogues.spoiling import Reference
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Direction
from bayling_lite.languages import find_language
from bayling_lite.messages import Role

EN, DE, FR, ZH = (find_language(code) for code in ("en", "de", "fr", "zh"))

NOUNS = {"stone": "Stein", "nail": "Nagel", "pen": "Stift", "coin": "Taler"}
VERBS = {"sees": "sieht", "hears": "hört", "finds": "findet", "loves": "liebt"}


def corpus() -> list[Direction]:
    """Every child sees every animal; what is small is called so in two ways, one after the other."""
    found = []
    for number, name in enumerate(f"{first}{second}o" for first in "LMNPRST" for second in "aeiu"):
        for verb, (noun, german) in zip(VERBS, NOUNS.items(), strict=True):
            adjective = ("small", "little")[number % 2]
            source = f"{name.title()} {VERBS[verb]} die kleine {german} jetzt."
            found.append(Direction(source, f"{name.title()} {verb} the {adjective} {noun} now.", DE, EN))
    return found


@pytest.fixture(scope="module")
def lexicon() -> AlignmentModel:
    return AlignmentModel.train(corpus())


def test_words_fit_between_the_neighbours_they_were_seen_with() -> None:
    seen = Neighbours.seen(["I see an old house.", "It is a tree.", "We see a house."], EN)
    text = "We see a tree."
    assert seen.fits("house", text, (9, 13), EN)
    assert not seen.fits("see", text, (9, 13), EN)
    assert not seen.fits("old house", text, (9, 13), EN)  # an old house, but nobody saw "a old"
    assert not seen.fits("", text, (9, 13), EN)
    both = seen.joined(Neighbours.seen(["It was a old house."], EN))
    assert both.fits("old house", text, (9, 13), EN)


def test_another_translation_of_the_same_word(lexicon: AlignmentModel) -> None:
    direction = corpus()[0]
    found = {
        direction.reference[slice(*phrase.reference)]: lexicon.alternatives(direction, phrase)
        for phrase in lexicon.phrases(direction)
    }
    assert found["small"] == ["little"]
    assert found["stone"] == []


def test_a_saved_aligner_knows_the_same_alternatives(lexicon: AlignmentModel, tmp_path: Path) -> None:
    lexicon.save(tmp_path / "lexicon.npz")
    again = AlignmentModel.load(tmp_path / "lexicon.npz")
    for direction in corpus()[:8]:
        for phrase in lexicon.phrases(direction):
            assert again.alternatives(direction, phrase) == lexicon.alternatives(direction, phrase)
        assert again.fits(direction, (0, 3), "Xyz") is False
    assert again.pairs == lexicon.pairs


def test_a_replacement_says_the_same_where_that_is_known(lexicon: AlignmentModel) -> None:
    tools = Tools(lexicon, instructions={"en": 1.0})
    answers = set()
    for direction in corpus()[:8]:
        for seed in range(10):
            made = ReplacementMaker().make(direction, tools, Random(seed))
            if made is not None:
                said = [message.content for message in made.conversation if message.role is Role.ASSISTANT]
                answers |= {(direction.reference, answer) for answer in said[1:]}
    swapped = {"small": "little", "little": "small"}
    assert answers
    for reference, answer in answers:
        assert answer == " ".join(swapped.get(word, word) for word in reference.split())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Call `useState()` at the top.", ["`useState()`"]),
        ("用 %s 替换 {name} 与 $HOME", ["%s", "{name}", "$HOME"]),
        ("See https://example.org/a?b=c, then run it.", ["https://example.org/a?b=c"]),
        ("使用 --upgrade 选项和 sys.path", ["--upgrade", "sys.path"]),
        ("a <b>bold</b> move & 100% sure", ["<b>", "</b>"]),
        ("The max_length of fetch() in MyClass", ["max_length", "fetch()", "MyClass"]),
        ("We simply raise category(message), as (said) before.", ["category(message)"]),
        ("It costs 50% or $5 - well, e.g. an I/O error.", []),
        ("Mr. McDonald and I don't agree.", ["McDonald"]),
    ],
)
def test_code_within_a_text(text: str, code: list[str]) -> None:
    assert [text[start:stop] for start, stop in code_spans(text)] == code


@pytest.mark.slow
def test_code_is_read_in_linear_time() -> None:
    for piece in ("<a", "`", "{{", "a.", "_", "/x", "%(", "aB", "--", "A", "https://", "x@"):
        assert code_spans(piece * 20_000) is not None


def test_code_is_not_spoilt() -> None:
    direction = Direction("调用 render 函数。", "Then call the `render` function of react_dom now.", ZH, EN)
    reference = Reference(direction)
    texts = {reference.text[word.start : word.end] for word in reference.words}
    assert texts == {"Then", "call", "the", "function", "of", "now"}
    assert not any(reference.text[start:stop] in ("render", "react_dom") for start, stop in reference.expressions())


@pytest.mark.parametrize(
    ("one", "other", "language", "same"),
    [
        ("Could you repeat that, please?", "Would you be so kind as to repeat that?", EN, True),
        ("Update the local cache of tldr pages", "List all pages for the current platform and common", EN, False),
        ("Warum fährst du nicht mit dem Taxi?", "Warum nimmst du kein Taxi?", DE, True),
        ("Er kam um 8.", "Er kam endlich um 9 Uhr an.", DE, False),
        ("这张票三日有效。", "这张票的有效期是三天。", ZH, True),
        ("开启或关闭文件索引器", "从包的根文件生成文档", ZH, False),
        ("", "x", FR, False),
    ],
)
def test_two_translations_of_a_sentence_have_words_in_common(
    one: str, other: str, language: object, same: bool
) -> None:
    assert say_the_same(one, other, language) is same  # type: ignore[arg-type]
