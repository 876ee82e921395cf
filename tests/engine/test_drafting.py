"""Prompt-lookup drafting: what is guessed, and that guessing changes nothing but the number of steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bayling_lite.engine import Completion, GenerationRequest, SamplingParams
from bayling_lite.engine.decoder import Chunk, Outcome
from bayling_lite.engine.drafting import PromptLookup
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.messages import Conversation
from bayling_lite.prompts import user_turn

OLD = [ord(letter) for letter in "Kind regards from the whole team in Berlin"]
QUESTION = user_turn("the good day")


def after(text: str, *, lookup: PromptLookup | None = None, room: int = 15) -> str:
    """What is guessed to follow a text, a token a letter."""
    return "".join(map(chr, (lookup or PromptLookup()).propose([ord(letter) for letter in text], room)))


def bold() -> PromptLookup:
    return PromptLookup(bold=True)


def test_what_followed_before_is_guessed_again() -> None:
    assert after("the cat sat. the c") == "at "
    assert after("the cat sat. the c", lookup=bold()) == "at sat. the cat"
    assert after("the cat sat. the c", room=2) == "at"
    assert after("the cat sat. the c", room=0) == ""


def test_nothing_is_guessed_where_nothing_was_said_before() -> None:
    assert after("the cat sat on it") == ""
    assert after("") == ""
    assert after("a") == ""
    assert after("aaa") == ""


def test_the_last_occurrence_counts() -> None:
    assert after("abcX abcY abc").startswith("Y")


def test_after_a_changed_word_the_old_text_goes_on() -> None:
    text = "the red car goes home; the blue car"
    assert after("the red car goes home; the blue ", lookup=bold()).startswith("car goes")
    assert after(text, lookup=bold()).startswith(" goes")


def test_a_long_way_off_the_old_text_is_given_up() -> None:
    assert after("the red car goes home; the zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz ") == ""


def test_guesses_grow_while_they_are_right_and_rest_when_they_are_not() -> None:
    said = [*OLD, *OLD[:10]]
    lookup = PromptLookup()
    assert len(lookup.propose(said, 15)) == 3
    lookup.learn(3, 3)
    assert len(lookup.propose(said, 99)) == 23
    assert len(lookup.propose(said, 15)) == 15
    lookup.learn(15, 3)
    assert len(lookup.propose(said, 15)) == 15
    lookup.learn(15, 1)
    assert len(lookup.propose(said, 15)) == 3
    lookup.learn(3, 0)
    assert lookup.propose(said, 15) == []
    assert len(lookup.propose([*said, *OLD[10:16]], 15)) == 3


@pytest.fixture
def n_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of evaluations, in a list of one."""
    count = [0]
    decode = LlamaContext.decode

    def counted(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        count[0] += 1
        return decode(self, chunks)

    monkeypatch.setattr(LlamaContext, "decode", counted)
    return count


def complete(model: Path, request: GenerationRequest, *, drafting: bool) -> Completion:
    with LlamaEngine.open(model, n_threads=1, kv_type="f32", drafting=drafting) as engine:
        return engine.submit(request).result(timeout=60)


def test_a_text_that_repeats_itself_takes_far_fewer_steps(endless_model: Path, n_steps: list[int]) -> None:
    request = GenerationRequest(QUESTION, max_tokens=200)
    plain = complete(endless_model, request, drafting=False)
    assert n_steps == [200]
    n_steps[0] = 0
    drafted = complete(endless_model, request, drafting=True)
    assert drafted.text == plain.text == "ab" * 100
    assert drafted.finish_reason == "length"
    assert drafted.n_generated == 200
    assert 150 < drafted.n_drafted < 200
    assert n_steps[0] < 30


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("max_tokens", [1, 2, 17, 120])
def test_the_text_is_the_same_with_and_without(random_model: Path, temperature: float, max_tokens: int) -> None:
    """Answers of a random model, in a conversation that has its own former answer in it."""
    sampling = SamplingParams(temperature=temperature, seed=5) if temperature else SamplingParams()
    first = complete(random_model, GenerationRequest(QUESTION, sampling, max_tokens), drafting=False)
    conversation: Conversation = QUESTION.assistant(first.text).user("the good day")
    request = GenerationRequest(conversation, sampling, max_tokens)
    plain = complete(random_model, request, drafting=False)
    drafted = complete(random_model, request, drafting=True)
    assert (drafted.text, drafted.n_generated) == (plain.text, plain.n_generated)
    assert plain.n_drafted == 0


def test_a_wrong_guess_leaves_nothing_in_memory(random_model: Path, endless_model: Path) -> None:
    """The next turn finds exactly the answer, whatever was guessed beyond its end."""
    with LlamaEngine.open(endless_model, n_threads=1, n_ctx=4000) as engine:
        first = engine.submit(GenerationRequest(QUESTION, max_tokens=40)).result(timeout=30)
        second = engine.submit(GenerationRequest(QUESTION.assistant(first.text).user("x"), max_tokens=1)).result(30)
    assert first.n_drafted
    assert second.n_cached == first.n_prompt + first.n_generated - 1


def test_stop_strings_and_log_probabilities_hold_within_a_guess(endless_model: Path) -> None:
    with LlamaEngine.open(endless_model, n_threads=1, n_ctx=4000) as engine:
        plain = engine.submit(GenerationRequest(QUESTION, max_tokens=50, logprobs=0)).result(timeout=30)
        assert plain.n_drafted
        assert len(plain.logprobs) == 50
        assert [said.token for said in plain.logprobs] == ["a", "b"] * 25
        assert len({round(said.logprob, 3) for said in plain.logprobs}) <= 3
        stopped = engine.submit(GenerationRequest(QUESTION, stop=("ba" * 6,))).result(timeout=30)
    assert stopped.finish_reason == "stop"
    assert stopped.text == "a"
