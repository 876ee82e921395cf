"""Translating while training gives what transformers gives for each sentence alone; scores say how they were made."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bayling_finetune import evaluation
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.distributed import Processes
from bayling_finetune.kernels import Kernels, install
from bayling_finetune.prepare import Prepared, prepare
from bayling_finetune.rundir import RunFolder
from bayling_finetune.running import build_model
from bayling_finetune.tokenizer import encode_parts, stop_ids
from bayling_finetune.trainer import Progress, Trainer
from bayling_lite.languages import find_language
from bayling_lite.prompts import TEMPLATES, translation_instruction, user_turn
from tests.finetune.small_training import CPU, changed

ALONE = Processes(CPU)


def request(source: str, reference: str, languages: str) -> Dialogue:
    one, two = languages.split("-")
    direction = Direction(source, reference, find_language(one), find_language(two))
    return dialogue(direction, Kind.TRANSLATION, translation_instruction(source, direction.target_language), reference)


@pytest.fixture
def ready(recipe: Recipe, corpus_folder: Path, tmp_path: Path) -> Prepared:
    folder = RunFolder(tmp_path / "prepared")
    folder.path.mkdir()
    return prepare(recipe, corpus_folder, folder)


def test_batches_padded_on_the_left_translate_as_each_sentence_alone(recipe: Recipe, ready: Prepared) -> None:
    model = build_model(recipe, vocab_size=ready.tokenizer.vocab_size, base=None, processes=ALONE)
    torch.manual_seed(0)
    with torch.no_grad():  # a model that says something else for every sentence
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    install(model, Kernels.load(compiled=False), torch.float32, "auto")
    template = TEMPLATES[recipe.template]
    asked = [*ready.evaluation[:5], request("I drink.", "Ich trinke.", "en-de")]
    translating = evaluation.Translating(ready.tokenizer, template, ALONE, torch.float32, 8)
    model.train()
    found = translating.translate(model, asked)
    assert model.training
    alone = build_model(recipe, vocab_size=ready.tokenizer.vocab_size, base=None, processes=ALONE)
    alone.load_state_dict(model.state_dict())
    stops = set(stop_ids(ready.tokenizer, template))
    expected = []
    for one in asked:
        conversation = user_turn(one.conversation.messages[0].content)
        ((ids, _),) = encode_parts(ready.tokenizer, [template.render(conversation)])
        tokens = ids.tolist()
        for _ in range(8):
            with torch.no_grad():
                tokens.append(int(alone(torch.tensor([tokens])).logits[0, -1].argmax()))
            if tokens[-1] in stops:
                tokens.pop()
                break
        expected.append(ready.tokenizer.decode(tokens[len(ids) :]).strip())
    assert found == expected
    assert len(set(found)) > 1


def test_scores_are_by_pair_with_their_signatures() -> None:
    requests = [
        request("a", "The cat sat on the mat today.", "de-en"),
        request("b", "We drink tea every single day.", "de-en"),
        request("c", "今天天气很好，我们去公园。", "en-zh"),
    ]
    scores = evaluation.score(requests, [one.conversation.messages[-1].content for one in requests])
    assert {pair: round(one.bleu, 3) for pair, one in scores.items()} == {"de-en": 100.0, "en-zh": 100.0}
    assert scores["de-en"].sentences == 2
    assert "tok:13a" in scores["de-en"].signatures[0]
    assert "tok:zh" in scores["en-zh"].signatures[0]
    spoiled = evaluation.score(requests, ["The cat sat on a rug.", "We drink.", "今天天气很好，我们去公园。"])
    assert 0 < spoiled["de-en"].bleu < 50
    entry = evaluation.log_entry(spoiled)
    assert entry["bleu"] == pytest.approx((spoiled["de-en"].bleu + 100) / 2)
    assert entry["pairs"]["de-en"]["chrf"] == spoiled["de-en"].chrf


@pytest.mark.slow
def test_a_run_logs_and_shows_its_scores(recipe: Recipe, ready: Prepared, tmp_path: Path) -> None:
    of = changed(recipe, "evaluation", generate=4, max_new_tokens=6)
    model = build_model(of, vocab_size=ready.tokenizer.vocab_size, base=None, processes=ALONE)
    one = Trainer(of, ready, model, RunFolder(tmp_path), processes=ALONE)
    shown: list[Progress] = []
    one.train(shown.append)
    assert shown[-1].bleu is not None
    assert (tmp_path / "bleu.png").read_bytes().startswith(b"\x89PNG")


def test_without_sacrebleu_it_is_said_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from bayling_lite.errors import RecipeError

    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(RecipeError, match="pip install sacrebleu"):
        evaluation.check_scorer()
