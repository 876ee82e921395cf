"""The word aligner: what it finds in a corpus whose alignment is known, and what it leaves alone."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

from bayling_finetune.dialogues.alignment import AlignmentModel
from bayling_finetune.dialogues.values import Direction
from bayling_lite.errors import InputError
from bayling_lite.languages import find_language
from tests.dialogues.toy_translations import ENGLISH, FRENCH, LEXICON, LONG_NOUNS, pairs, said


@pytest.fixture(scope="module")
def model() -> AlignmentModel:
    return AlignmentModel.train(pairs(1500), seed=1)


def test_recovers_a_known_alignment_with_everything_in_another_place(model: AlignmentModel) -> None:
    found = right = 0
    held_out = pairs(200, seed=99)
    for direction in held_out:
        for phrase in model.phrases(direction):
            source, reference = said(direction, phrase.source, phrase.reference)
            if phrase.content and (len(source.split()) == 1 or source in LONG_NOUNS):
                found += 1
                right += LEXICON.get(source) == reference
            assert 0.7 <= phrase.score <= 1
    assert right == found
    assert found > 0.95 * 4 * len(held_out)


def test_two_words_for_one_are_found_together_only(model: AlignmentModel) -> None:
    together = 0
    for direction in pairs(300, seed=5):
        for phrase in model.phrases(direction):
            source, reference = said(direction, phrase.source, phrase.reference)
            for noun, word in LONG_NOUNS.items():
                if word in reference:
                    assert noun in source
                    together += source == noun
                else:
                    assert not set(noun.split()) & set(source.split())
    assert together > 30


def test_phrases_are_consistent_and_in_the_order_of_the_reference(model: AlignmentModel) -> None:
    several = 0
    for direction in pairs(100, seed=6):
        phrases = model.phrases(direction)
        assert [phrase.reference for phrase in phrases] == sorted(phrase.reference for phrase in phrases)
        for phrase in phrases:
            source, reference = said(direction, phrase.source, phrase.reference)
            translated = " ".join(source.split())
            for words in sorted(LEXICON, key=len, reverse=True):
                translated = translated.replace(words, LEXICON[words])
            assert sorted(set(translated.split()) - {"the"}) == sorted(set(reference.split()) - {"le"})
            several += len(reference.split()) > 1
    assert several > 50


def test_the_other_direction_says_the_same(model: AlignmentModel) -> None:
    for direction in pairs(50, seed=7):
        forward = {(phrase.source, phrase.reference) for phrase in model.phrases(direction) if phrase.content}
        backward = {
            (phrase.reference, phrase.source) for phrase in model.phrases(direction.reversed()) if phrase.content
        }
        assert forward == backward


def test_function_words_are_no_content(model: AlignmentModel) -> None:
    for direction in pairs(50, seed=8):
        for phrase in model.phrases(direction):
            source, reference = said(direction, phrase.source, phrase.reference)
            edges = {source.split()[0], source.split()[-1], reference.split()[0], reference.split()[-1]}
            assert phrase.content == (not edges & {"the", "le"})


def test_the_order_of_the_pairs_and_doubles_do_not_matter(tmp_path: Path) -> None:
    corpus = pairs(300)
    other = [pair.reversed() for pair in corpus] + corpus[:50]
    random.Random(3).shuffle(other)
    AlignmentModel.train(corpus, seed=1).save(tmp_path / "one.npz")
    AlignmentModel.train(other, seed=1).save(tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_the_seed_chooses_the_sample(tmp_path: Path) -> None:
    corpus = pairs(1000)
    for seed in (1, 2):
        AlignmentModel.train(corpus, seed=seed, sentences=200).save(tmp_path / f"{seed}.npz")
    assert (tmp_path / "1.npz").read_bytes() != (tmp_path / "2.npz").read_bytes()


def test_the_pairs_of_words_are_bounded(tmp_path: Path) -> None:
    corpus = pairs(1000)
    AlignmentModel.train(corpus, word_pairs=250).save(tmp_path / "bounded.npz")
    AlignmentModel.train(corpus).save(tmp_path / "whole.npz")
    assert (tmp_path / "bounded.npz").stat().st_size < (tmp_path / "whole.npz").stat().st_size


def test_saved_loaded_and_pickled_it_is_the_same(model: AlignmentModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    loaded = AlignmentModel.load(tmp_path / "model.npz")
    pickled = pickle.loads(pickle.dumps(model))
    assert loaded.pairs == ("en-fr",)
    for direction in pairs(50, seed=9):
        assert model.phrases(direction) == loaded.phrases(direction) == pickled.phrases(direction) != ()


def test_a_file_that_is_no_model_is_refused(model: AlignmentModel, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    with pytest.raises(InputError, match="train it again"):
        AlignmentModel.load(path)
    model.save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="train it again"):
        AlignmentModel.load(path)


def test_unknown_words_are_left_alone_unless_they_are_written_alike(model: AlignmentModel) -> None:
    first = pairs(1, seed=10)[0]
    strange = Direction("Zorblux wumpal 1,234", "Kindro framalo 1.234", ENGLISH, FRENCH)
    assert [said(strange, phrase.source, phrase.reference) for phrase in model.phrases(strange)] == [("1,234", "1.234")]
    names = Direction(first.source + " TensorFlow", first.reference + " TensorFlow", ENGLISH, FRENCH)
    assert ("tensorflow", "tensorflow") in [
        said(names, phrase.source, phrase.reference) for phrase in model.phrases(names)
    ]


def test_a_word_beside_what_nobody_knows_is_doubtful(model: AlignmentModel) -> None:
    direction = pairs(1, seed=11)[0]
    adjective = direction.source.split()[1]
    spoilt = Direction(
        direction.source.replace(adjective, f"gloobish {adjective}"), direction.reference, ENGLISH, FRENCH
    )
    assert any(said(direction, phrase.source, phrase.reference)[0] == adjective for phrase in model.phrases(direction))
    assert not any(adjective in said(spoilt, phrase.source, phrase.reference)[0] for phrase in model.phrases(spoilt))


def test_a_negated_word_is_not_taken_without_its_negation(model: AlignmentModel) -> None:
    direction = pairs(1, seed=12)[0]
    verb = direction.source.split()[-2]
    negated = Direction(direction.source.replace(f" {verb}", f" not {verb}"), direction.reference, ENGLISH, FRENCH)
    assert any(verb in said(direction, phrase.source, phrase.reference)[0] for phrase in model.phrases(direction))
    assert not any(verb in said(negated, phrase.source, phrase.reference)[0] for phrase in model.phrases(negated))


def test_phrases_do_not_reach_over_punctuation(model: AlignmentModel) -> None:
    direction = pairs(1, seed=13)[0]
    cut = Direction(direction.source.replace(" ", ", "), direction.reference.replace(" ", "; "), ENGLISH, FRENCH)
    phrases = model.phrases(cut)
    assert phrases
    assert not any(mark in "".join(said(cut, phrase.source, phrase.reference)) for phrase in phrases for mark in ",;")


@pytest.mark.parametrize(
    ("source", "reference"), [("", ""), ("word", ""), ("…", "!"), ("\x00", "\ud800"), (" \n", "a")]
)
def test_nothing_to_align(model: AlignmentModel, source: str, reference: str) -> None:
    assert list(model.phrases(Direction(source, reference, ENGLISH, FRENCH))) == []


def test_very_long_lines_are_neither_learnt_nor_aligned(model: AlignmentModel) -> None:
    direction = pairs(1, seed=14)[0]
    long = Direction(direction.source * 2000, direction.reference * 2000, ENGLISH, FRENCH)
    assert list(model.phrases(long)) == []
    many_short = Direction("a " * 500, "b " * 500, ENGLISH, FRENCH)
    assert list(model.phrases(many_short)) == []
    assert AlignmentModel.train([long, many_short]).phrases(direction) == ()


def test_other_languages_and_no_data_give_nothing(model: AlignmentModel) -> None:
    other = Direction("Hallo Welt", "Bonjour le monde", find_language("de"), FRENCH)
    assert list(model.phrases(other)) == []
    assert list(AlignmentModel.train([]).phrases(pairs(1)[0])) == []


def test_several_language_pairs_in_one_model() -> None:
    german = find_language("de")
    corpus = pairs(400)
    both = [*corpus, *(Direction(pair.source, pair.reference, ENGLISH, german) for pair in corpus)]
    model = AlignmentModel.train(both)
    assert model.pairs == ("de-en", "en-fr")
    direction = pairs(1, seed=15)[0]
    in_german = Direction(direction.source, direction.reference, ENGLISH, german)
    assert model.phrases(direction)
    assert model.phrases(in_german)


def test_chinese_words_are_aligned() -> None:
    chinese = find_language("zh")
    nouns = {
        "cat": "猫",
        "teacher": "老师",
        "doctor": "医生",
        "student": "学生",
        "farmer": "农民",
        "neural network": "神经网络",
    }
    verbs = {"sees": "看见", "buys": "购买", "likes": "喜欢", "needs": "需要", "finds": "发现"}
    things = {"books": "书籍", "apples": "苹果", "computers": "电脑", "flowers": "鲜花", "tickets": "门票"}
    corpus = [
        Direction(f"The {noun} {verb} {thing}.", f"{nouns[noun]}{verbs[verb]}{things[thing]}。", ENGLISH, chinese)
        for noun in nouns
        for verb in verbs
        for thing in things
    ]
    model = AlignmentModel.train(corpus)
    found = {said(pair, phrase.source, phrase.reference) for pair in corpus for phrase in model.phrases(pair)}
    assert {("neural network", "神经网络"), ("teacher", "老师"), ("apples", "苹果"), ("buys", "购买")} <= found
    assert not {("network", "神经网络"), ("neural", "神经网络"), ("apples", "电脑")} & found
