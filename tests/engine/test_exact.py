"""An exact engine: what was asked before, or is asked beside it, changes nothing in an answer, not even a bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion, GenerationRequest, SamplingParams, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.errors import UsageError
from bayling_lite.messages import Conversation

TEXTS = ("Good morning.", "Good evening, and good night to all of you.", "The house is big.", "The house is old.")


def requests() -> list[GenerationRequest]:
    """Greedy, sampled, searched, and in a second turn, each with the log-probabilities of its tokens where it can."""
    asked = [Conversation().user(f"Translate into German: {text}") for text in TEXTS]
    sampled = SamplingParams(temperature=1.0, seed=7)
    return [
        *(GenerationRequest(each, max_tokens=12, logprobs=3) for each in asked),
        *(GenerationRequest(each, sampling=sampled, max_tokens=12, logprobs=3) for each in asked),
        GenerationRequest(asked[0], max_tokens=12, search=SearchParams(beam_size=3)),
        GenerationRequest(asked[1].assistant("Guten Abend.").user("Shorter."), max_tokens=12, logprobs=3),
    ]


def said(completion: Completion) -> tuple[object, ...]:
    return completion.text, completion.finish_reason, completion.logprobs


def test_answers_are_the_same_in_any_order(tiny_model: Path) -> None:
    with LlamaEngine.open(tiny_model, exact=True) as engine:
        assert engine.info.exact
        assert engine.info.n_parallel == 1
        one_by_one = [said(engine.submit(request).result()) for request in requests()]
        backwards = [said(engine.submit(request).result()) for request in reversed(requests())]
        at_once = [generation.result() for generation in [engine.submit(request) for request in requests()]]
    assert backwards[::-1] == one_by_one
    assert [said(each) for each in at_once] == one_by_one


def test_many_at_once_are_not_exact(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="one at a time"):
        LlamaEngine.open(tiny_model, exact=True, n_parallel=2)
    with LlamaEngine.open(tiny_model, n_ctx=64) as engine:
        assert not engine.info.exact
