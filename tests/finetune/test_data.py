"""Recipes, splits, dialogues and their tokens."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import bayling_finetune
from bayling_finetune.config import ParallelText, Recipe
from bayling_finetune.dataset import BatchSource, Position, tokenize
from bayling_finetune.dialogues import Dialogue, DialogueBuilder
from bayling_finetune.parallel import Split, fingerprint, load_corpus, read_pairs, split_of
from bayling_finetune.prepare import prepare
from bayling_finetune.rundir import RunFolder
from bayling_finetune.tokenizer import EOS, Tokenizer, train_tokenizer
from bayling_lite.errors import RecipeError
from bayling_lite.messages import Role
from bayling_lite.prompts import BAYLING

RECIPES = sorted((Path(bayling_finetune.__file__).parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_states_origin_and_licence(path: Path) -> None:
    recipe = Recipe.load(path)
    assert recipe.languages[0] == "en"
    for text in recipe.data.parallel:
        assert text.origin
        assert text.license


def test_there_are_shipped_recipes() -> None:
    assert {"tiny", "tiny-refine"} <= {path.stem for path in RECIPES}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps = 12\n|stepz = 12\n", "unknown key 'stepz'"),
        ('steps = 12\n|steps = "many"\n', "must be a whole number"),
        ("hidden_size = 64\n|", "hidden_size"),
        ('template = "bayling"|template = "vicuna"', "Unknown template 'vicuna'"),
        ("held_out = 0.1|held_out = 0.9", "held_out"),
        ('precision = "fp32"|precision = "fp8"', "bf16 or fp32"),
        ("[schedule]|[schedule", "cannot be read"),
        ("heads = 4|heads = 5", "multiple of twice model.heads"),
        ("kv_heads = 2|kv_heads = 3", "multiple of model.kv_heads"),
        ("kv_heads = 2|kv_heads = 0", "model.kv_heads must be 1"),
        ("layers = 2|layers = 0", "model.layers must be 1"),
        ("vocab_size = 500|vocab_size = 200", "vocab_size must be 300"),
        ("weight = 1.5|weight = nan", "weight must be above 0"),
        ("weight = 1.5|weight = inf", "weight must be above 0"),
        ("evaluate_every = 4|evaluate_every = 0", "evaluate_every must be 1"),
        ("evaluate_every = 4|keep_checkpoints = -1", "keep_checkpoints must be 1"),
        ("evaluate_every = 4|clip = 0", "clip must be above 0"),
        ("evaluate_every = 4|muon_lr = -0.1", "muon_lr must be above 0"),
        ("evaluate_every = 4|seed = -1", "seed must be 0"),
        ("refinement_share = 0.5|refinement_share = -3.0", "refinement_share must be from 0"),
        ('name = "mini"|name = "../mini"', "names a folder"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(corpus_folder: Path, tmp_path: Path, change: str, message: str) -> None:
    old, new = change.split("|")
    text = (corpus_folder / "mini.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        Recipe.load(path)


def test_missing_data_are_named(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"mini.en-de.tsv is missing.*--data"):
        load_corpus(recipe, tmp_path)


def test_a_line_without_two_columns_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.tsv"
    path.write_text("one\ttwo\nalone\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="line 2"):
        list(read_pairs(ParallelText("odd.tsv", "en", "de"), path))


def test_no_held_out_sentence_is_trained_on_in_either_direction(recipe: Recipe, corpus_folder: Path) -> None:
    corpus = load_corpus(recipe, corpus_folder)
    held_out = corpus.development + corpus.test
    assert corpus.development
    assert corpus.test
    assert corpus.train
    sources = {fingerprint(pair.source) for pair in held_out}
    targets = {fingerprint(pair.target) for pair in held_out}
    for pair in corpus.train:
        assert fingerprint(pair.source) not in sources
        assert fingerprint(pair.target) not in targets


def test_english_decides_the_split_on_whichever_side_it_is(recipe: Recipe, corpus_folder: Path, tmp_path: Path) -> None:
    pairs = [line.split("\t") for line in (corpus_folder / "mini.en-de.tsv").read_text("utf-8").splitlines()]
    (tmp_path / "mini.de-en.tsv").write_text("".join(f"{de}\t{en}\n" for en, de in pairs), encoding="utf-8")
    shutil.copy(corpus_folder / "mini.en-de.tsv", tmp_path)
    texts = (ParallelText("mini.en-de.tsv", "en", "de"), ParallelText("mini.de-en.tsv", "German", "English"))
    both = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, parallel=texts))
    assert both.languages == ("en", "de")
    corpus = load_corpus(both, tmp_path)
    trained = {frozenset((pair.source, pair.target)) for pair in corpus.train}
    assert not trained & {frozenset((pair.source, pair.target)) for pair in corpus.development + corpus.test}


def test_what_does_not_fit_is_said_before_training(recipe: Recipe, corpus_folder: Path, tmp_path: Path) -> None:
    for part, change, message in (
        ("schedule", {"batch_tokens": 100}, "schedule.batch_tokens is 100"),
        ("model", {"context": 100}, "model.context is 100"),
        ("data", {"max_tokens": 16}, "raise data.max_tokens"),
        ("data", {"held_out": 1e-9}, "raise data.held_out"),
    ):
        small = dataclasses.replace(recipe, **{part: dataclasses.replace(getattr(recipe, part), **change)})
        with pytest.raises(RecipeError, match=message):
            prepare(small, corpus_folder, RunFolder(tmp_path))


def test_the_split_ignores_case_and_punctuation_and_keeps_its_share() -> None:
    assert split_of("Good morning!", 0.5) == split_of("good  morning", 0.5)
    splits = Counter(split_of(f"sentence number {number}", 0.2) for number in range(5000))
    assert splits[Split.DEVELOPMENT] == pytest.approx(500, abs=100)
    assert splits[Split.TEST] == pytest.approx(500, abs=100)


@pytest.fixture
def dialogues(recipe: Recipe, corpus_folder: Path) -> list[Dialogue]:
    corpus = load_corpus(recipe, corpus_folder)
    return list(DialogueBuilder(corpus.train, recipe.data, seed=7).build())


def test_dialogues_cover_all_directions_kinds_and_wordings(dialogues: list[Dialogue]) -> None:
    assert {dialogue.direction for dialogue in dialogues} == {("en", "de"), ("de", "en"), ("en", "zh"), ("zh", "en")}
    assert {dialogue.kind for dialogue in dialogues} == {"translation", "constraint", "refinement"}
    firsts = [dialogue.conversation.messages[0].content for dialogue in dialogues]
    assert any(text.startswith("Provide the German translation for this sentence: ") for text in firsts)
    assert any(text.startswith("提供这句话的德文翻译：") for text in firsts)


def test_a_constraint_is_in_the_reference_and_a_refinement_does_what_it_was_asked(dialogues: list[Dialogue]) -> None:
    refinements = 0
    for dialogue in dialogues:
        turns = [message.content for message in dialogue.conversation]
        if dialogue.kind == "constraint":
            term = turns[0].split("Make sure to include these words: ")[-1].split("确保包含这些词：")[-1]
            assert term in turns[1]
        if dialogue.kind == "refinement":
            for request, draft in zip(turns[2::2], turns[3::2], strict=True):
                wanted = request.rstrip('。.”"这个词').replace("”", '"').replace("“", '"').split('"')[-1]
                assert wanted in draft, (request, draft)
                refinements += 1
            assert len(dialogue.learnt) == len(turns) // 2
            assert dialogue.learnt[-1]
    assert refinements > 20


def test_another_word_takes_its_place_and_the_rest_of_the_draft_stays(recipe: Recipe, corpus_folder: Path) -> None:
    data = dataclasses.replace(recipe.data, refinement_share=0.0, substitution_share=1.0)
    built = DialogueBuilder(load_corpus(recipe, corpus_folder).train, data, seed=7).build()
    dialogues = [dialogue for dialogue in built if dialogue.kind == "refinement"]
    assert len(dialogues) > 100
    for dialogue in dialogues:
        turns = [message.content for message in dialogue.conversation]
        assert all(dialogue.learnt)
        for draft, request, refined in zip(turns[1::2], turns[2::2], turns[3::2], strict=False):
            wrong, right = re.findall(r'["“](.+?)["”]', request)
            assert draft.count(wrong) == 1
            assert refined == draft.replace(wrong, right)
    assert {len(dialogue.learnt) for dialogue in dialogues} == {2, 3}


def test_a_sample_of_the_pairs_is_taken(recipe: Recipe, corpus_folder: Path) -> None:
    whole = load_corpus(recipe, corpus_folder)
    part = load_corpus(dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, max_pairs=20)), corpus_folder)
    assert len(part.train) == 20
    assert set(part.train) < set(whole.train)
    assert part.test == whole.test


def test_a_spoilt_draft_is_never_learnt(dialogues: list[Dialogue], recipe: Recipe, corpus_folder: Path) -> None:
    references = {side for pair in load_corpus(recipe, corpus_folder).train for side in (pair.source, pair.target)}
    spoilt = 0
    for dialogue in dialogues:
        responses = [message.content for message in dialogue.conversation if message.role is Role.ASSISTANT]
        if not dialogue.learnt[0]:
            assert responses[0] != responses[-1]
            spoilt += 1
        assert responses[-1] in references
    assert spoilt


def test_the_same_seed_gives_the_same_dialogues(recipe: Recipe, corpus_folder: Path) -> None:
    pairs = load_corpus(recipe, corpus_folder).train
    first, again, other = (list(DialogueBuilder(pairs, recipe.data, seed=seed).build()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.fixture
def tokenizer(corpus_folder: Path, recipe: Recipe) -> Tokenizer:
    lines = (corpus_folder / "mini.en-zh.tsv").read_text(encoding="utf-8").splitlines()
    return Tokenizer(train_tokenizer(lines, dataclasses.replace(recipe.tokenizer, vocab_size=400), seed=1))


def test_the_tokenizer_gives_back_any_text(tokenizer: Tokenizer) -> None:
    texts = ["  two  spaces ", "换行\n和\t制表", "🙂 </s> <s>", "\x00\x07", "Größe ﬁ e\u0301", ""]
    for text, ids in zip(texts, tokenizer.encode(texts), strict=True):
        assert tokenizer.decode(ids) == text
        assert EOS not in ids


def test_targets_are_exactly_the_learnt_responses_and_their_end(
    dialogues: list[Dialogue], tokenizer: Tokenizer
) -> None:
    dataset = tokenize(dialogues, BAYLING, tokenizer, max_tokens=10_000)
    assert len(dataset) == len(dialogues)
    assert tokenizer.decode(dataset.prefix[1:].tolist()).startswith(BAYLING.system)
    for number, dialogue in enumerate(dialogues):
        document = dataset.document(number)
        responses = [message.content for message in dialogue.conversation if message.role is Role.ASSISTANT]
        learnt = [text for text, counts in zip(responses, dialogue.learnt, strict=True) if counts]
        targets = document.ids[document.targets]
        pieces = np.split(targets, np.flatnonzero(targets == EOS) + 1)
        assert [tokenizer.decode(piece[:-1].tolist()) for piece in pieces[:-1]] == learnt
        assert pieces[-1].size == 0, "nothing is learnt behind the last EOS"


def test_an_epoch_passes_over_every_dialogue_by_its_weight(dialogues: list[Dialogue], tokenizer: Tokenizer) -> None:
    dataset = tokenize(dialogues, BAYLING, tokenizer, max_tokens=10_000)
    counts = np.bincount(dataset.epoch(0, seed=3), minlength=len(dataset))
    light, heavy = (counts[dataset.weights == weight] for weight in (1.0, 1.5))
    assert set(light) == {1}
    assert set(heavy) == {1, 2}
    assert not np.array_equal(dataset.epoch(0, seed=3), dataset.epoch(1, seed=3))


def test_batches_go_on_from_a_position(dialogues: list[Dialogue], tokenizer: Tokenizer) -> None:
    dataset = tokenize(dialogues, BAYLING, tokenizer, max_tokens=10_000)
    source = BatchSource(dataset, batch_tokens=600, seed=1, position=Position())
    for _ in range(3):
        source.next()
    position = Position(source.position.epoch, source.position.used)
    expected = [document.ids.tolist() for document in source.next()]
    again = BatchSource(dataset, batch_tokens=600, seed=1, position=position)
    assert [document.ids.tolist() for document in again.next()] == expected
    assert sum(map(len, expected)) <= 600 - len(dataset.prefix)
