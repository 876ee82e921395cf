"""The generator: the order of answers, what a script sees, what is asked again, and what a run says of itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bayling_lite.engine.base import SearchParams
from bayling_lite.evaluate.generating import AnswerStore, Generator
from bayling_lite.evaluate.values import Answer, Decoding, Effort, FixedScript, Turn
from bayling_lite.messages import Conversation
from tests.evaluate.generating.scripts import SEARCHING, SMALL, Telephone, Told, echo, engine_of, no_threads_left

GREEDY = Decoding(max_tokens=100)


@dataclass(frozen=True)
class Requiring:
    """One turn whose answer has to hold phrases."""

    id: str
    required: tuple[str, ...]

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """The one turn."""
        return None if answers else Turn(self.id, self.required)


def fixed(count: int, turns: int = 1) -> list[FixedScript]:
    return [FixedScript(f"item {n}", tuple(f"question {n}.{turn}" for turn in range(turns))) for n in range(count)]


def test_answers_stand_in_the_order_of_the_scripts_whatever_ends_first() -> None:
    ends: list[str] = []

    def slow_first(conversation: Conversation) -> str:
        asked = conversation.messages[-1].content
        time.sleep(0.03 if int(asked.split()[1].split(".")[0]) % 4 == 0 else 0)
        ends.append(asked)
        return echo(conversation)

    with engine_of(slow_first) as engine, no_threads_left():
        answered = Generator(engine).answer(fixed(12), GREEDY)
    assert [answer.texts for answer in answered.answers] == [(f"<question {n}.0>",) for n in range(12)]
    assert ends != sorted(ends, key=lambda asked: int(asked.split()[1].split(".")[0]))


def test_a_script_hears_its_own_answers_and_the_model_the_whole_dialogue() -> None:
    scripts = [Telephone("a"), Telephone("b", turns=1), Telephone("c", turns=0)]
    with engine_of(echo) as engine:
        answered = Generator(engine).answer(scripts, GREEDY)
    assert [answer.texts for answer in answered.answers] == [("<a>", "<<a>+>", "<<<a>+>+>"), ("<b>",), ()]
    assert scripts[0].heard == [(), ("<a>",), ("<a>", "<<a>+>"), ("<a>", "<<a>+>", "<<<a>+>+>")]
    longest = max((request.conversation for request in engine.requests), key=len)
    assert [message.content for message in longest] == ["a", "<a>", "<a>+", "<<a>+>", "<<a>+>+"]


def test_every_answer_is_kept_before_the_next_turn_is_asked_for() -> None:
    with AnswerStore(None) as store, engine_of(echo) as engine:

        @dataclass(frozen=True)
        class Looking:
            id: str

            def next(self, answers: tuple[str, ...]) -> Turn | None:
                assert store.count() == len(answers)
                return Turn(f"turn {len(answers)}") if len(answers) < 3 else None

        answered = Generator(engine, store).answer([Looking("one")], GREEDY)
    assert answered.answers == (Answer(("<turn 0>", "<turn 1>", "<turn 2>")),)


def test_what_is_in_the_store_is_not_asked_again() -> None:
    told = Told()
    with AnswerStore(None) as store, engine_of(echo) as engine:
        first = Generator(engine, store).answer(fixed(5, turns=2), GREEDY)
        again = Generator(engine, store, progress=told).answer(fixed(6, turns=2), GREEDY, label="again")
        assert len(engine.requests) == 12
    assert again.answers[:5] == first.answers
    assert (first.effort.n_asked, first.effort.n_reused) == (10, 0)
    assert (again.effort.n_asked, again.effort.n_reused) == (2, 10)
    assert 0 < again.effort.n_generated < first.effort.n_generated
    assert sorted(event for event in told.events if isinstance(event, int)) == [*[0] * 5, again.effort.n_generated]


def test_what_it_took() -> None:
    with engine_of(echo, delay=0.002) as engine:
        answered = Generator(engine).answer(fixed(3), GREEDY)
        completions = [engine.submit(request).result() for request in engine.requests[:3]]
    effort = answered.effort
    assert effort.n_prompt == sum(completion.n_prompt for completion in completions)
    assert effort.n_generated == sum(completion.n_generated for completion in completions)
    assert effort.seconds > 0.002
    assert effort.tokens_per_second == pytest.approx(effort.n_generated / effort.seconds)
    with engine_of(echo) as engine:
        nothing = Generator(engine).answer([], GREEDY)
    assert (nothing.answers, nothing.effort, nothing.effort.tokens_per_second) == ((), Effort(), 0.0)


def test_the_same_request_of_several_scripts_has_one_answer() -> None:
    count = iter(range(100))
    with engine_of(lambda conversation: f"{conversation.messages[-1].content} {next(count)}") as engine:
        answers = Generator(engine).answer([FixedScript(f"{n}", ("same",)) for n in range(20)], GREEDY).answers
    assert len({answer.texts for answer in answers}) == 1


@pytest.mark.parametrize(("n_parallel", "expected"), [(1, 4), (4, 8)])
def test_as_many_are_under_way_as_the_engine_can_use(n_parallel: int, expected: int) -> None:
    now: set[str] = set()
    most: list[int] = []
    together = threading.Barrier(expected, timeout=20)

    def wait_for_each_other(conversation: Conversation) -> str:
        asked = conversation.messages[-1].content
        now.add(asked)
        most.append(len(now))
        together.wait()
        now.remove(asked)
        return "said"

    with engine_of(wait_for_each_other, replace(SMALL, n_parallel=n_parallel)) as engine, no_threads_left():
        answers = Generator(engine).answer(fixed(24), GREEDY).answers
    assert answers == (Answer(("said",)),) * 24
    assert max(most) == expected


def test_seeds_depend_on_the_script_and_the_turn_alone() -> None:
    def seeds(scripts: list[FixedScript], seed: int) -> dict[str, int | None]:
        with engine_of(echo) as engine:
            Generator(engine).answer(scripts, Decoding(max_tokens=9, temperature=0.7, seed=seed))
            return {one.conversation.messages[-1].content: one.sampling.seed for one in engine.requests}

    all_of_them, one = seeds(fixed(10, turns=2), 0), seeds(fixed(10, turns=2)[3:4], 0)
    assert len(set(all_of_them.values())) == 20
    assert all(seed is not None and 0 <= seed < 1 << 31 for seed in all_of_them.values())
    assert one == {asked: all_of_them[asked] for asked in one}
    assert not set(seeds(fixed(10, turns=2), 1).values()) & set(all_of_them.values())
    # Written down, so that answers that were kept are found by later versions.
    assert all_of_them["question 0.0"] == 32217777


def test_sampled_answers_of_scripts_that_say_the_same_are_their_own() -> None:
    scripts = [FixedScript(f"{n}", ("same",)) for n in range(4)]
    with AnswerStore(None) as store, engine_of(echo) as engine:
        Generator(engine, store).answer(scripts, Decoding(max_tokens=9, temperature=0.7))
        assert store.count() == 4
        Generator(engine, store).answer(scripts, GREEDY)
        assert store.count() == 5


def test_a_run_says_what_it_was() -> None:
    info = replace(SEARCHING, device="a processor")
    with engine_of(echo, info) as engine:
        answered = Generator(engine).answer(fixed(2), Decoding(max_tokens=9, beam_size=5), prompt="in English")
        assert all(request.search == SearchParams(beam_size=5) for request in engine.requests)
    run = answered.run
    assert datetime.now(UTC) - datetime.fromisoformat(run.date) < timedelta(minutes=1)
    assert run.date.endswith("+00:00")
    assert (run.model, run.fingerprint, run.template, run.device) == ("small", "f1", "bayling", "a processor")
    assert (run.decoding, run.prompt, run.origin) == ("beam 5", "in English", "")
    assert (answered.decoding, answered.effort) == ("beam 5", run.effort)


@pytest.mark.parametrize(
    ("search", "beam", "temperature", "required", "words"),
    [
        (True, 5, 0.0, (), "beam 5"),
        (True, 1, 0.0, (), "greedy"),
        (True, 1, 0.7, (), "temperature 0.7, seed 0"),
        (True, 5, 0.0, ("a",), "beam 5, required phrases guaranteed by the search"),
        (False, 1, 0.0, (), "greedy"),
        (False, 5, 0.0, (), "greedy (the server cannot search; beam 5 was asked for)"),
        (False, 5, 0.0, ("a",), "greedy (the server cannot search; beam 5 and required phrases were asked for)"),
        (False, 1, 0.7, ("a",), "temperature 0.7, seed 0 (the server cannot search; required phrases were asked for)"),
    ],
)
def test_decoding_in_words_is_what_was_done(
    search: bool, beam: int, temperature: float, required: tuple[str, ...], words: str
) -> None:
    with engine_of(echo, SEARCHING if search else SMALL) as engine:
        decoding = Decoding(max_tokens=9, beam_size=beam, temperature=temperature)
        answered = Generator(engine).answer([Requiring("one", ()), Requiring("two", required)], decoding)
        searched = {request.search is not None for request in engine.requests}
    assert answered.decoding == words
    assert searched == ({beam > 1} if search and not required else {search and bool(required)})


def test_progress_is_told_in_the_thread_that_waits() -> None:
    told = Told()
    with engine_of(echo) as engine:
        Generator(engine, progress=told).answer(fixed(7), GREEDY, label="the set")
    assert told.events[0] == ("the set", 7)
    assert told.events[-1] == "end"
    assert len(told.events) == 9
    assert told.threads == {threading.get_ident()}
