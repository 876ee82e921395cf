"""Perplexity under llama.cpp is what transformers' loss says, and quantizing costs little of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import sentencepiece
import torch

from bayling_convert import convert
from bayling_convert.scoring import Scorer
from bayling_convert.verify import main, perplexity, read_dialogues, tokenize
from bayling_lite.errors import ContextOverflow, InputError, ModelNotFound, ModelUnreadable
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, Control, Text
from tests.convert.small_checkpoints import corpus, train_tokenizer

DIALOGUES = [
    Conversation().user("Read").assistant(corpus()[3]).user("Again").assistant(corpus()[110]),
    Conversation().user("写").assistant(corpus()[250]),
    Conversation().user("Text </s> text").assistant(""),
]


@pytest.fixture
def gguf(trained: Path, tmp_path: Path) -> Path:
    path = tmp_path / "model.F32.gguf"
    convert(trained, path, "F32")
    return path


def expected_tokens(dialogue: Conversation) -> tuple[list[int], list[bool]]:
    """The prompt's tokens by SentencePiece, and which are answers."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    ids: list[int] = []
    scored: list[bool] = []
    for part in BAYLING.render(dialogue):
        if isinstance(part, Text):
            more = tokenizer.encode(part.content)
            ids, scored = ids + more, scored + [part.response] * len(more)
        else:
            ids, scored = [*ids, 1 if part is Control.BOS else 2], [*scored, part is Control.EOS]
    return ids, scored


def test_what_is_scored(gguf: Path) -> None:
    with Scorer(gguf) as scorer:
        for dialogue in DIALOGUES:
            tokens = tokenize(scorer, BAYLING, dialogue)
            assert (list(tokens.ids), list(tokens.scored)) == expected_tokens(dialogue)


@torch.inference_mode()
def test_it_is_the_loss_of_transformers(gguf: Path, trained: Path) -> None:
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(trained, dtype=torch.float32).eval()
    losses: list[float] = []
    for dialogue in DIALOGUES:
        ids, scored = expected_tokens(dialogue)
        logs = model(torch.tensor([ids]), use_cache=False).logits[0].double().log_softmax(-1)
        losses += [-float(logs[at - 1, ids[at]]) for at in range(1, len(ids)) if scored[at]]
    assert perplexity(gguf, DIALOGUES) == pytest.approx(math.exp(sum(losses) / len(losses)), rel=1e-4)


def test_long_dialogues_go_in_several_batches(gguf: Path) -> None:
    """The context holds more than one batch; logits are picked from the right one."""
    with Scorer(gguf, n_ctx=1024) as scorer:
        ids = [1] + [3 + number % 500 for number in range(700)]
        whole, tail = scorer.logits(ids), scorer.logits(ids, last=100)
    assert whole.shape == (701, 600)
    assert (whole[-100:] == tail).all()


def test_the_cost_of_quantizing_is_printed(
    gguf: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "model.Q4_K_M.gguf"
    convert(trained, small, "Q4_K_M")
    file = tmp_path / "dialogues.jsonl"
    lines = [json.dumps({"messages": dialogue.to_list()}, ensure_ascii=False) for dialogue in DIALOGUES]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main([str(gguf), str(small), "--dialogues", str(file)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[1:] == ["x1.0000", "model.F32.gguf"]
    assert 0.9 < float(second.split()[1].removeprefix("x")) < 1.1
    assert first.split()[0] != second.split()[0]


def test_bad_input(gguf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelNotFound):
        perplexity(tmp_path / "none.gguf", DIALOGUES)
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(gguf.read_bytes()[:5000])
    with pytest.raises(ModelUnreadable):
        perplexity(broken, DIALOGUES)
    with pytest.raises(ContextOverflow):
        perplexity(gguf, DIALOGUES, n_ctx=32)
    with pytest.raises(InputError, match="no answer"):
        perplexity(gguf, [Conversation().user("Hello")])
    file = tmp_path / "dialogues.jsonl"
    for text in ('{"messages": []}\n{"messages": 1}', '\n{"messages": [{"role": "nobody", "content": ""}]}', "\n["):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="line 2"):
            read_dialogues(file)
    file.write_bytes(b"\xff")
    assert main([str(gguf), "--dialogues", str(file)]) == 1
    assert "UTF-8" in capsys.readouterr().err
