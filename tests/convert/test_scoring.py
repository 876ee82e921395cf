"""The measuring instrument: logits batch by batch, greedy answers, and Ctrl-C at any moment."""

from __future__ import annotations

import _thread
import threading
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import sentencepiece
import torch

from bayling_convert import convert
from bayling_convert.proof.scoring import Scorer
from bayling_lite.errors import ContextOverflow
from tests.convert.small_checkpoints import train_tokenizer


@pytest.fixture(scope="module")
def gguf(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "model.F32.gguf"
    convert(trained, path, "F32")
    return path


@torch.inference_mode()
def test_the_greedy_answer_is_that_of_transformers(gguf: Path, trained: Path) -> None:
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(trained, dtype=torch.float32).eval()
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    ids = [1, *tokenizer.encode("Der alte Mann")]
    ours = model.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False, pad_token_id=0)[
        0, len(ids) :
    ].tolist()
    expected = ours[: ours.index(2)] if 2 in ours else ours
    with Scorer(gguf) as scorer:
        answer = scorer.greedy(ids, max_tokens=24)
        assert answer == expected
        assert len(answer) > 5
        assert scorer.detokenize(answer) == tokenizer.decode(answer)
        # What was said before leaves no trace; a stop token ends it, and so does the room there is.
        assert scorer.greedy(ids, max_tokens=24) == answer
        assert scorer.greedy(ids, max_tokens=3) == answer[:3]
        assert scorer.greedy(ids, max_tokens=24, stop={answer[4]}) == answer[: answer.index(answer[4])]
        with pytest.raises(ContextOverflow):
            scorer.greedy([1] * scorer.n_ctx, max_tokens=1)
        scorer.resize(300)
        assert scorer.greedy(ids, max_tokens=24) == answer


def test_long_dialogues_go_in_several_batches(gguf: Path) -> None:
    """The context holds more than one batch; logits are picked from the right one."""
    ids = [1] + [3 + number % 500 for number in range(300)]
    with Scorer(gguf, n_ctx=512) as scorer:
        whole, tail = scorer.logits(ids), scorer.logits(ids, last=100)
        wanted = np.arange(len(ids)) % 7 == 0
        pieces = [(positions, logits.copy()) for positions, logits in scorer.blocks(ids, wanted)]
        alone = scorer.logits(ids[:201], last=1)
    assert whole.shape == (301, 600)
    assert (whole[-100:] == tail).all()
    assert len(pieces) == 3
    for positions, logits in pieces:
        assert (logits == whole[positions]).all()
    assert alone[0] == pytest.approx(whole[200], abs=1e-4)


def forever(scorer: Scorer, ids: list[int]) -> NoReturn:
    while True:
        scorer.logits(ids, last=1)


def test_ctrl_c_stops_it_and_it_goes_on_afterwards(gguf: Path) -> None:
    ids = [1] + [3 + number % 500 for number in range(1000)]
    with Scorer(gguf, n_ctx=1024) as scorer:
        before = scorer.logits(ids[:50])
        timer = threading.Timer(0.2, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            forever(scorer, ids)
        timer.join()
        assert (scorer.logits(ids[:50]) == before).all()
