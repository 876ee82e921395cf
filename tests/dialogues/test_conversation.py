"""Back and forth: every answer is the version that was asked for, and undo is exact."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from random import Random

import pytest

from bayling_finetune.dialogues.interchangeable import OF_THE_SAME_KIND, SYNONYMS
from bayling_finetune.dialogues.kinds.conversation import ConversationMaker
from bayling_finetune.dialogues.places import fits, only_place, single_replacement
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction
from bayling_finetune.dialogues.wording import LANGUAGES, Intent, wordings
from bayling_lite.languages import find_language
from bayling_lite.messages import Role
from tests.dialogues.small_corpus import NoLexicon


def direction(source: str, reference: str, pair: str) -> Direction:
    first, second = pair.split("-")
    return Direction(source, reference, find_language(first), find_language(second))


HOUSE = direction(
    "他们常常买三本书，然后立刻开始。", "They often buy three books and don't begin immediately.", "zh-en"
)
DOG = direction("Do you often see the big dog?", "Siehst du den großen Hund oft?", "en-de")
TIME = direction("Do you often have time?", "你经常有时间吗？", "en-zh")
CAR = direction("You often have a car.", "Tu as souvent une voiture.", "en-fr")
OTHERS = {
    DOG.key(): ("Sehen Sie den großen Hund oft?", "Siehst du den riesigen Hund oft?"),
    CAR.key(): ("Vous avez souvent une voiture.",),
}


def made(about: Direction, seeds: int = 200, spoken: Mapping[str, float] | None = None) -> list[Dialogue]:
    tools = Tools(NoLexicon(), others=OTHERS, instructions=spoken or dict.fromkeys(LANGUAGES, 1.0))
    found = [ConversationMaker().make(about, tools, Random(seed)) for seed in range(seeds)]
    return [dialogue for dialogue in found if dialogue is not None]


def normal(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


@cache
def ways_to_say(*intents: Intent) -> frozenset[str]:
    return frozenset(normal(words) for intent in intents for code in LANGUAGES for words in wordings(intent, code))


def turns(dialogue: Dialogue) -> Iterator[tuple[Intent, str, str]]:
    """What the user wants after the request to translate, in their words, with the answer."""
    texts = [message.content for message in dialogue.conversation]
    for wish, answer in zip(texts[2::2], texts[3::2], strict=True):
        for intents in ((Intent.UNDO, Intent.BACK), (Intent.AGAIN,), (Intent.THANKS,)):
            if normal(wish) in ways_to_say(*intents):
                yield intents[0], wish, answer
                break
        else:
            yield Intent.REPLACE, wish, answer


ALL = pytest.mark.parametrize("about", [HOUSE, DOG, TIME, CAR], ids=["en", "de", "zh", "fr"])


@pytest.mark.slow
@ALL
def test_answers_follow_from_what_was_said(about: Direction) -> None:
    seen: Counter[Intent] = Counter()
    for dialogue in made(about):
        versions = [about.reference]
        undone = False
        for intent, _, answer in turns(dialogue):
            seen[intent] += 1
            if intent is Intent.UNDO:
                # Only once, and only where there is something to take back: otherwise nobody knows what is meant.
                assert len(versions) > 1
                assert not undone
                versions.pop()
                undone = True
            elif intent is Intent.REPLACE:
                assert answer != versions[-1]
                versions.append(answer)
                undone = False
            expected = ways_to_say(Intent.WELCOME) if intent is Intent.THANKS else {normal(versions[-1])}
            assert normal(answer) in expected
            assert intent is Intent.THANKS or answer == versions[-1]
    assert all(seen[intent] >= 5 for intent in (Intent.UNDO, Intent.REPLACE, Intent.AGAIN, Intent.THANKS)), seen


@ALL
def test_conversations_have_two_to_six_turns(about: Direction) -> None:
    dialogues = made(about)
    assert len(dialogues) == 200
    lengths = Counter(dialogue.turns for dialogue in dialogues)
    assert set(lengths) <= {2, 3, 4, 5, 6}
    assert lengths[3] + lengths[4] + lengths[5] > 50
    for dialogue in dialogues:
        messages = list(dialogue.conversation)
        assert [message.role for message in messages] == [Role.USER, Role.ASSISTANT] * dialogue.turns
        assert messages[0].content.count(about.source) == 1
        assert messages[1].content == about.reference
        assert all(dialogue.learnt)


@pytest.mark.slow
@ALL
def test_one_change_at_a_time(about: Direction) -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[\w']+", text) if about.target_language.spaced else list(text)

    for dialogue in made(about):
        answers = [about.reference, *(answer for intent, _, answer in turns(dialogue) if intent is not Intent.THANKS)]
        for before, after in pairwise(answers):
            one, other = words(before), words(after)
            head = next(
                (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
            )
            back = zip(reversed(one), reversed(other), strict=False)
            tail = next((n for n, (a, b) in enumerate(back) if a != b), min(len(one), len(other)))
            assert max(len(one), len(other)) - head - tail <= 4, (before, after)


def test_a_word_that_is_wanted_comes_and_is_named() -> None:
    english = {"en": 1.0}
    listed = {there for lists in (SYNONYMS, OF_THE_SAME_KIND) for there in lists["en"]}
    changed = 0
    for dialogue in made(HOUSE, spoken=english):
        before = HOUSE.reference
        for intent, wish, answer in turns(dialogue):
            if intent is Intent.THANKS:
                continue
            new = set(re.findall(r"\w+", answer)) - set(re.findall(r"\w+", before))
            if intent is Intent.REPLACE and len(new) == 1 and new <= listed:
                assert new.pop() in wish
                changed += 1
            before = answer
    assert changed > 50


def test_conversations_are_pure() -> None:
    for about in (HOUSE, DOG, TIME, CAR):
        assert made(about, 40) == made(about, 40)
    assert len({dialogue.key() for dialogue in made(HOUSE)}) > 190


def test_nothing_to_change_gives_nothing() -> None:
    assert made(direction("Hallo.", "Hello.", "de-en")) == []
    assert made(direction("x", "I don't know. " * 40, "de-en")) == []


def test_hostile_text_stays_as_it_is() -> None:
    about = direction("{x} %s\n“a” \\n", "They often {x} %s\n“a” \\n </s>", "zh-en")
    dialogues = made(about)
    assert dialogues
    for dialogue in dialogues:
        texts = [message.content for message in dialogue.conversation]
        assert about.source in texts[0]
        assert texts[1] == about.reference
        assert all("{x} %s\n" in answer for intent, _, answer in turns(dialogue) if intent is not Intent.THANKS)


@pytest.mark.parametrize("lists", [SYNONYMS, OF_THE_SAME_KIND])
def test_words_that_take_each_others_place(lists: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    assert set(lists) == {"en", "de", "fr", "zh"}
    for words in lists.values():
        assert len(words) > 30
        for word, others in words.items():
            assert others
            assert word not in others
            assert all(word in words[other] for other in others)
            assert all(there[0].isupper() == word[0].isupper() for there in others)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("I saw this film.", "I saw this movie.", ((11, 15), "movie")),
        ("Il y a un gros souci.", "Il y a un problème.", ((10, 20), "problème")),
        ("Film is nice.", "Movie is nice.", None),
        ("I saw this film.", "I saw this film", None),
        ("I saw this film.", "I saw that movie, too.", None),
        ("I saw it.", "I really saw it.", None),
        ("I saw a red film.", "I saw the film.", None),
        ("Same.", "Same.", None),
        ("", "Some.", None),
    ],
)
def test_the_only_difference(one: str, other: str, expected: tuple[tuple[int, int], str] | None) -> None:
    assert single_replacement(one, other, find_language("fr" if "problème" in other else "en")) == expected


@pytest.mark.parametrize(
    ("code", "text", "word", "good"),
    [
        ("en", "It is an error.", "error", True),
        ("en", "It is a error.", "error", False),
        ("en", "It is an mistake.", "mistake", False),
        ("en", "It is a unit.", "unit", False),
        ("fr", "Il voit le ami.", "ami", False),
        ("fr", "Il voit l'voisin.", "voisin", False),
        ("fr", "Il voit l'ami.", "ami", True),
        ("fr", "souci", "souci", True),
        ("de", "Haustür", "tür", False),
        ("zh", "我的朋友", "朋友", True),
    ],
)
def test_words_go_with_their_neighbours(code: str, text: str, word: str, good: bool) -> None:
    start = text.index(word)
    assert fits(text, (start, start + len(word)), find_language(code)) == good


def test_a_word_has_a_place_where_it_is_once() -> None:
    english = find_language("en")
    assert only_place("An art, an heart", "art", english) is None
    assert only_place("The art.", "art", english) == (4, 7)
    assert only_place("The heart.", "art", english) is None
    assert only_place("Art.", "art", english) is None
