"""Differences between a draft and a reference: exact, of whole words, and rightly named."""

from __future__ import annotations

import itertools
import random

import pytest

from bayling_finetune.dialogues.changes import Change
from bayling_finetune.dialogues.differences import Edit, applied, difference, tokens
from bayling_finetune.dialogues.numerals import number
from bayling_lite.languages import find_language

SENTENCES = {
    "en": (
        "He bought 3 tickets for the 10:30 train, didn't he?",
        "He has bought three tickets for the train at 10:30.",
        "The old man's dog barked at the postman all morning.",
        "The dog of the old man was barking at us the whole morning!",
        'She said: "I\'ll be back by 5 p.m." — and she was.',
        "She said she would be back by 5 pm, and so she was.",
        "A tensor has a shape, a dtype and a device (see torch.nn).",
    ),
    "zh": (
        "他昨天在图书馆借了三本书。",
        "昨天，他从图书馆里借走了3本书！",
        "这个函数返回一个列表，其中包含 5 个 Python 对象。",
        "该函数返回包含5个Python对象的列表。",
        "请你把盐递给我，好吗？",
        "我们在机场为她送行。",
    ),
    "de": (
        "Der alte Mann hat gestern drei Bücher gekauft.",
        "Gestern kaufte der alte Mann 3 Bücher.",
        "Ich weiß nicht, ob er morgen kommt, aber ich hoffe es.",
        "Ob er morgen kommen wird, weiß ich nicht; hoffentlich!",
    ),
    "fr": (
        "L'homme que j'ai vu hier n'est pas venu aujourd'hui.",
        "L’homme que nous avons vu hier n’est plus là aujourd’hui !",
        "Elle a acheté deux pommes à 1,50 € au marché.",
        "Elle achète 2 pommes au marché pour 1,50 €.",
    ),
}


def pairs(code: str, count: int) -> list[tuple[str, str]]:
    """Every two of the sentences, and sentences with pieces of others in random places."""
    chance = random.Random(code)
    sentences = SENTENCES[code]
    found = list(itertools.product(sentences, sentences))
    while len(found) < count:
        text, other = chance.choice(sentences), chance.choice(sentences)
        for _ in range(chance.randint(1, 4)):
            start = chance.randint(0, len(text))
            stop = min(len(text), start + chance.choice((0, 0, 2, 7)))
            cut = chance.randint(0, len(other))
            piece = other[cut : cut + chance.choice((0, 1, 5, 12))] + chance.choice(("", " ", "  ", "\n", ", "))
            text = text[:start] + piece + text[stop:]
        found.append((text, chance.choice(sentences)))
    return found


@pytest.mark.parametrize("code", SENTENCES)
def test_all_edits_give_the_reference_and_any_of_them_a_version_between(code: str) -> None:
    language, chance = find_language(code), random.Random(7)
    for draft, reference in pairs(code, 400):
        compared = difference(draft, reference, language)
        assert compared.apply(compared.edits) == reference
        assert compared.apply(()) == draft
        assert all(edit.old != edit.new for edit in compared.edits)
        some = [edit for edit in compared.edits if chance.random() < 0.5]
        rest = [edit for edit in compared.edits if edit not in some]
        # The other edits, moved to where they are then, lead on to the reference: in any order.
        assert applied(compared.apply(some), [moved(edit, some) for edit in rest]) == reference


def moved(edit: Edit, done: list[Edit]) -> Edit:
    shift = sum(
        len(other.new) - len(other.old) for other in done if (other.start, other.place) < (edit.start, edit.place)
    )
    return Edit(edit.start + shift, edit.old, edit.new, edit.place, edit.change)


@pytest.mark.parametrize("code", SENTENCES)
def test_no_word_is_cut(code: str) -> None:
    language = find_language(code)
    for draft, reference in pairs(code, 200):
        inside = [
            {place for token in tokens(text, language) for place in range(token.start + 1, token.stop)}
            for text in (draft, reference)
        ]
        for edit in difference(draft, reference, language).edits:
            assert not {edit.start, edit.stop} & inside[0], (draft, edit)
            assert not {edit.place, edit.place + len(edit.new)} & inside[1], (reference, edit)


@pytest.mark.parametrize("code", SENTENCES)
def test_equal_texts_have_no_edits(code: str) -> None:
    for text in SENTENCES[code]:
        compared = difference(text, text, find_language(code))
        assert (compared.edits, compared.similarity) == ((), 1.0)


def test_similarity_counts_the_words_that_stay() -> None:
    english = find_language("en")
    assert difference("a b c d", "a b c x", english).similarity == 0.75
    assert difference("a b", "x y z", english).similarity == 0.0
    assert difference("", "x", english).similarity == 0.0
    assert difference("!", "?", english).similarity == 0.0


CASES = [
    # draft, reference, the edits
    ("en", "I like tea.", "I like coffee.", [("tea", "coffee", Change.WRONG)]),
    ("en", "I like tea.", "I really like tea.", [("", "really ", Change.MISSING)]),
    ("en", "I really like tea.", "I like tea.", [("really ", "", Change.EXTRA)]),
    ("en", "I saw 3 men.", "I saw 5 men.", [("3", "5", Change.NUMBER)]),
    ("en", "I saw two men.", "I saw 5 men.", [("two", "5", Change.NUMBER)]),
    ("en", "I saw three men.", "I saw 3 men.", [("three", "3", Change.WRONG)]),
    ("en", "He go home.", "He goes home.", [("go", "goes", Change.GRAMMAR)]),
    ("en", "He walk home.", "He walked home.", [("walk", "walked", Change.GRAMMAR)]),
    ("en", "He stop here.", "He stopped here.", [("stop", "stopped", Change.GRAMMAR)]),
    ("en", "He did go home.", "He went home.", [("did go", "went", Change.GRAMMAR)]),
    ("en", "He has a apple.", "He has an apple.", [("a", "an", Change.GRAMMAR)]),
    ("en", "He has dog.", "He has a dog.", [("", "a ", Change.GRAMMAR)]),
    ("en", "He always is late.", "He is always late.", [("always is", "is always", Change.GRAMMAR)]),
    ("en", "A house.", "A horse.", [("house", "horse", Change.WRONG)]),
    ("en", "In paris.", "In Paris.", [("paris", "Paris", Change.CASE)]),
    ("en", "Stop it.", "Stop it!", [(".", "!", Change.PUNCTUATION)]),
    ("en", "Stop  it.", "Stop it.", [(" ", "", Change.PUNCTUATION)]),
    ("en", "I like cats.", "I like dogs!", [("cats", "dogs", Change.WRONG), (".", "!", Change.PUNCTUATION)]),
    ("en", "Stop!", "Stop that.", [("", " that", Change.MISSING), ("!", ".", Change.PUNCTUATION)]),
    ("de", "Ich sehe den Frau.", "Ich sehe die Frau.", [("den", "die", Change.GRAMMAR)]),
    ("de", "Ich sehen ein Haus.", "Ich sehe ein Haus.", [("sehen", "sehe", Change.GRAMMAR)]),
    (
        "de",
        "Ich habe gesehen ihn gestern.",
        "Ich habe ihn gestern gesehen.",
        [("gesehen ihn gestern", "ihn gestern gesehen", Change.GRAMMAR)],
    ),
    ("en", "I like cats.", "I like, yes, dogs.", [(" cats", ", yes, dogs", Change.WRONG)]),
    (
        "en",
        "I like the cats.",
        "I really like the big dogs.",
        [("", "really ", Change.MISSING), ("cats", "big dogs", Change.WRONG)],
    ),
    ("de", "Tom war der einzige.", "Tom war zu der Zeit die einzige.", [("der", "zu der Zeit die", Change.WRONG)]),
    ("zh", "时间和问题。", "时间，解决了问题。", [("和", "，解决了", Change.WRONG)]),
    ("de", "Er kam, ich weiß.", "Er kam, wie ich weiß.", [("", "wie ", Change.MISSING)]),
    ("fr", "Je vois le maison.", "Je vois la maison.", [("le", "la", Change.GRAMMAR)]),
    ("fr", "Il mange l'orange.", "Il mange l'abricot.", [("orange", "abricot", Change.WRONG)]),
    ("zh", "我喜欢茶。", "我喜欢咖啡。", [("茶", "咖啡", Change.WRONG)]),
    ("zh", "他吃饭。", "他吃饭了。", [("", "了", Change.GRAMMAR)]),
    ("zh", "他跑的很快。", "他跑得很快。", [("的", "得", Change.GRAMMAR)]),
    ("zh", "我有一本狗。", "我有一只狗。", [("一本", "一只", Change.GRAMMAR)]),
    ("zh", "他买了三本书。", "他买了两本书。", [("三本书", "两本书", Change.NUMBER)]),
    ("zh", "他用 Python 编程。", "他用 Rust 编程。", [("Python", "Rust", Change.WRONG)]),
    ("zh", "这把刀很 sharp。", "这把刀很锋利。", [(" sharp", "锋利", Change.WRONG)]),
    ("zh", "你好,汤姆。", "你好，汤姆。", [(",", "，", Change.PUNCTUATION)]),
]


@pytest.mark.parametrize(("code", "draft", "reference", "expected"), CASES, ids=lambda value: str(value)[:30])
def test_edits_and_their_kinds(code: str, draft: str, reference: str, expected: list[tuple[str, str, Change]]) -> None:
    compared = difference(draft, reference, find_language(code))
    assert [(edit.old, edit.new, edit.change) for edit in compared.edits] == expected


def test_edits_of_another_draft_are_refused() -> None:
    english = find_language("en")
    edits = difference("I like tea.", "I like coffee.", english).edits
    with pytest.raises(ValueError, match="does not fit"):
        applied("I like milk.", edits)


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("1,000", "en", 1000),
        ("3.5", "de", "3.5"),
        ("十二", "zh", 12),
        ("一百零五", "zh", 105),
        ("两万", "zh", 20_000),
        ("三本", "zh", None),
        ("Zwölf", "de", 12),
        ("deux", "fr", 2),
        ("word", "en", None),
        ("", "zh", None),
    ],
)
def test_numbers_are_read(text: str, code: str, value: object) -> None:
    assert number(text, code) == value
