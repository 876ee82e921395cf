"""Splits of parallel text, and what is prepared of a recipe's data."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayling_finetune import prepare as preparing
from bayling_finetune.base import Base, open_base
from bayling_finetune.config import DialogueFile, ParallelText, Recipe
from bayling_finetune.parallel import Split, fingerprint, load_corpus, read_pairs, split_of
from bayling_finetune.prepare import Prepared, prepare
from bayling_finetune.rundir import RunFolder
from bayling_lite.errors import OutputError, RecipeError
from tests.finetune.test_dialogue_files import line, write
from tests.finetune.tokenizers_made_here import write_files


def changed(recipe: Recipe, part: str, **values: Any) -> Recipe:
    """The recipe with other values in one of its tables."""
    return dataclasses.replace(recipe, **{part: dataclasses.replace(getattr(recipe, part), **values)})


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
    both = changed(recipe, "data", parallel=texts)
    assert both.languages == ("en", "de")
    corpus = load_corpus(both, tmp_path)
    trained = {frozenset((pair.source, pair.target)) for pair in corpus.train}
    assert not trained & {frozenset((pair.source, pair.target)) for pair in corpus.development + corpus.test}


def test_the_split_ignores_case_and_punctuation_and_keeps_its_share() -> None:
    assert split_of("Good morning!", 0.5) == split_of("good  morning", 0.5)
    splits = Counter(split_of(f"sentence number {number}", 0.2) for number in range(5000))
    assert splits[Split.DEVELOPMENT] == pytest.approx(500, abs=100)
    assert splits[Split.TEST] == pytest.approx(500, abs=100)


def test_a_sample_of_the_pairs_is_taken(recipe: Recipe, corpus_folder: Path) -> None:
    whole = load_corpus(recipe, corpus_folder)
    part = load_corpus(changed(recipe, "data", max_pairs=20), corpus_folder)
    assert len(part.train) == 20
    assert set(part.train) < set(whole.train)
    assert part.test == whole.test


def same(one: Prepared, other: Prepared) -> bool:
    return (one.data_sha256, one.fingerprint, one.evaluation) == (
        other.data_sha256,
        other.fingerprint,
        other.evaluation,
    ) and all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for first, second in ((one.train, other.train), (one.development, other.development))
        for name in ("prefix", "ids", "targets", "offsets", "weights")
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def test_what_is_prepared_is_taken_up_again_even_without_the_files(
    recipe: Recipe, corpus_folder: Path, run: RunFolder, tmp_path: Path
) -> None:
    said: list[str] = []
    first = prepare(recipe, corpus_folder, run, say=said.append)
    assert len(first.train) > 100
    said.clear()
    written = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    assert same(prepare(recipe, corpus_folder, run, say=said.append), first)
    assert same(prepare(recipe, tmp_path, run, say=said.append), first)
    assert said == ["The data files are not there; what was prepared from them is used."]
    assert {path: path.stat().st_mtime_ns for path in written} == written
    with pytest.raises(RecipeError, match="is missing"):
        prepare(changed(recipe, "data", max_tokens=100), tmp_path, run)


@pytest.mark.slow
def test_the_same_recipe_prepares_the_same(recipe: Recipe, corpus_folder: Path, run: RunFolder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert same(prepare(recipe, corpus_folder, run), prepare(recipe, corpus_folder, RunFolder(other)))
    seeded = prepare(changed(recipe, "schedule", seed=2), corpus_folder, RunFolder(other))
    assert seeded.fingerprint != prepare(recipe, corpus_folder, run).fingerprint


@pytest.mark.slow
def test_several_processes_prepare_the_same(
    recipe: Recipe, corpus_folder: Path, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = prepare(recipe, corpus_folder, run)
    monkeypatch.setattr(preparing, "_MANY", 1)
    monkeypatch.setattr(preparing, "_CHUNK", 7)
    monkeypatch.setattr(preparing, "cores", lambda: 2)
    (tmp_path / "other").mkdir()
    assert same(prepare(recipe, corpus_folder, RunFolder(tmp_path / "other")), alone)


def test_evaluation_sentences_are_held_out_and_go_both_ways(
    recipe: Recipe, corpus_folder: Path, run: RunFolder
) -> None:
    prepared = prepare(recipe, corpus_folder, run)
    corpus = load_corpus(recipe, corpus_folder)
    held_out = {(pair.source, pair.target) for pair in corpus.development}
    assert len(prepared.evaluation) == 2 * len(held_out)
    asked = {tuple(message.content for message in request.conversation) for request in prepared.evaluation}
    for source, target in held_out:
        assert any(source in question and answer == target for question, answer in asked)
        assert any(target in question and answer == source for question, answer in asked)
    assert {f"{one.source_language}-{one.target_language}" for one in prepared.evaluation} <= {
        "en-de",
        "de-en",
        "en-zh",
        "zh-en",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train/ids.npy", "development/offsets.npy", "tokenizer.model", "evaluation.jsonl"])
def test_damaged_prepared_data_are_made_again(name: str, recipe: Recipe, corpus_folder: Path, run: RunFolder) -> None:
    first = prepare(recipe, corpus_folder, run)
    (run.path / name).write_bytes((run.path / name).read_bytes()[:-3])
    said: list[str] = []
    assert same(prepare(recipe, corpus_folder, run, say=said.append), first)
    assert said[0] == "The prepared data are damaged; they are made again."


@pytest.mark.slow
def test_other_data_do_not_go_into_a_run_that_has_checkpoints(
    recipe: Recipe, corpus_folder: Path, run: RunFolder
) -> None:
    prepare(recipe, corpus_folder, run)
    prepare(changed(recipe, "data", max_tokens=100), corpus_folder, run)
    (run.step_folder(3)).mkdir()
    (run.step_folder(3) / "state.json").write_text("{}", encoding="utf-8")
    for other in (recipe, changed(recipe, "tokenizer", character_coverage=0.99)):
        with pytest.raises(RecipeError, match=r"trained on other data.*another tokenizer.*--run"):
            prepare(other, corpus_folder, run)


@pytest.mark.slow
def test_what_does_not_fit_is_said_before_training(recipe: Recipe, corpus_folder: Path, run: RunFolder) -> None:
    for part, change, message in (
        ("schedule", {"batch_tokens": 160}, "schedule.batch_tokens is 160, but the longest dialogue has"),
        ("model", {"context": 160}, "model.context is 160, but"),
        ("data", {"max_tokens": 16}, "raise data.max_tokens"),
        ("data", {"held_out": 1e-9}, "raise data.held_out"),
    ):
        with pytest.raises(RecipeError, match=message):
            prepare(changed(recipe, part, **change), corpus_folder, run)
        assert not (run.path / "prepared.json").exists()


def test_dialogues_that_are_too_long_are_left_out_and_told(recipe: Recipe, corpus_folder: Path, run: RunFolder) -> None:
    said: list[str] = []
    prepared = prepare(changed(recipe, "data", max_tokens=45), corpus_folder, run, say=said.append)
    assert prepared.train.too_long
    assert prepared.train.longest <= 45
    left_out, total = prepared.train.too_long, len(prepared.train) + prepared.train.too_long
    assert said == [f"{left_out:,} of {total:,} dialogues have more than 45 tokens and are left out."]


def test_a_folder_that_cannot_be_written(recipe: Recipe, corpus_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="prepared data cannot be written"):
        prepare(recipe, corpus_folder, RunFolder(tmp_path / "file"))


@pytest.fixture
def base(tmp_path: Path) -> Base:
    """A base as far as preparing looks at it: its configuration and its tokenizer."""
    folder = write_files("llama", tmp_path / "base")
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 256}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    return open_base(folder, "base")


@pytest.fixture
def on_files(recipe: Recipe, tmp_path: Path) -> Recipe:
    """A recipe that trains a base on two files of dialogues, one of which says some things again."""
    turns = [(f"Say {number}.", f"{number}, as you wish.") for number in range(300)]
    one = write(tmp_path / "one.jsonl", *(line(*turn) for turn in turns))
    two = write(tmp_path / "two.jsonl", *(line(*turn) for turn in turns[:7]), line("Long.", "long " * 200))
    data = dataclasses.replace(recipe.data, parallel=(), dialogues=(one, DialogueFile(two.path, weight=2.0)))
    return dataclasses.replace(recipe, data=data, model=None, tokenizer=None, base="base")


def test_files_of_dialogues(on_files: Recipe, base: Base, run: RunFolder, tmp_path: Path) -> None:
    said: list[str] = []
    prepared = prepare(on_files, tmp_path, run, base=base, say=said.append)
    assert said == [
        "7 dialogues of the files are there more than once; each is taken once.",
        f"1 of {len(prepared.train) + 1} dialogues have more than 160 tokens and are left out.",
    ]
    assert len(prepared.train) + len(prepared.development) == 300
    assert 10 < len(prepared.development) < 60
    assert prepared.evaluation == []
    texts = [
        {
            prepared.tokenizer.decode(dataset.document(number).ids[dataset.document(number).targets].tolist())
            for number in range(len(dataset))
        }
        for dataset in (prepared.train, prepared.development)
    ]
    assert len(texts[0] | texts[1]) == 300
    assert same(prepare(on_files, tmp_path, run, base=base), prepared)


def test_a_mistake_in_a_file_of_dialogues_is_named(
    on_files: Recipe, base: Base, run: RunFolder, tmp_path: Path
) -> None:
    with (tmp_path / "one.jsonl").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(RecipeError, match=r"one\.jsonl, line 301, is no dialogue"):
        prepare(on_files, tmp_path, run, base=base)
    assert not (run.path / "prepared.json").exists()
    assert not list(run.path.glob("train*"))


@pytest.mark.slow
def test_parallel_text_and_files_together(recipe: Recipe, corpus_folder: Path, run: RunFolder, tmp_path: Path) -> None:
    for path in corpus_folder.glob("*.tsv"):
        shutil.copy(path, tmp_path)
    alone = prepare(recipe, tmp_path, run)
    file = write(tmp_path / "more.jsonl", *(line(f"Say {number}.", f"{number}!") for number in range(50)))
    more = changed(recipe, "data", dialogues=(file,))
    together = prepare(more, tmp_path, run)
    assert len(together.train) > len(alone.train) + 30
    assert together.data_sha256 != alone.data_sha256
    assert together.evaluation == alone.evaluation


def test_a_base_with_too_small_a_context(on_files: Recipe, base: Base, run: RunFolder, tmp_path: Path) -> None:
    small = dataclasses.replace(base, config=base.config | {"max_position_embeddings": 100})
    with pytest.raises(RecipeError, match="context of 100 tokens, but the longest dialogue"):
        prepare(on_files, tmp_path, run, base=small)


def test_another_base_is_other_data(on_files: Recipe, base: Base, run: RunFolder, tmp_path: Path) -> None:
    first = prepare(on_files, tmp_path, run, base=base)
    (base.folder / "model.safetensors").write_bytes(b"Weights")
    assert prepare(on_files, tmp_path, run, base=base).fingerprint != first.fingerprint


def test_held_out_requests_of_files_are_translated_when_it_is_evaluated(
    on_files: Recipe, base: Base, run: RunFolder, tmp_path: Path
) -> None:
    def translation(number: int) -> dict[str, Any]:
        messages = [
            {"role": "system", "content": "Translate."},
            {"role": "user", "content": f"German: number {number}"},
            {"role": "assistant", "content": f"Nummer {number}"},
        ]
        languages = {"source_language": "en", "target_language": "de"}
        return {"messages": messages, "kind": "translation", "group": str(number), **languages}

    file = write(tmp_path / "translations.jsonl", *map(translation, range(200)))
    data = dataclasses.replace(on_files.data, dialogues=(*on_files.data.dialogues, file))
    prepared = prepare(dataclasses.replace(on_files, data=data), tmp_path, run, base=base)
    assert 5 < len(prepared.evaluation) < 60
    for request in prepared.evaluation:
        system, question, answer = (message.content for message in request.conversation)
        assert (system, question.replace("German: number", "Nummer")) == ("Translate.", answer)
    again = prepare(dataclasses.replace(on_files, data=data), tmp_path, run, base=base)
    assert again.evaluation == prepared.evaluation
