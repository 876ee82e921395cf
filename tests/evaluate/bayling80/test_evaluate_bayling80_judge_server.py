"""The judge at a server that answers nonsense, refuses, is busy, hangs, or is not there."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.engine.remote import RemoteEngine
from bayling_lite.errors import EngineError
from bayling_lite.evaluate.bayling80.judging import Judge, judge_set
from bayling_lite.evaluate.bayling80.verdicts import Verdict
from bayling_lite.evaluate.generating import AnswerStore
from bayling_lite.evaluate.values import SetResult
from tests.evaluate.bayling80.judge_server import Behaviour, Failure, JudgeServer, Reply, Silence, judge_server
from tests.evaluate.bayling80.small_set import ENGLISH, answers_of

OURS = answers_of("ours", [("a", "b"), ("c", "d"), ("e", "f")])
THEIRS = answers_of("theirs", [("g", "h"), ("i", "j"), ("k", "l")])


def judged(behaviour: Behaviour, **options: Any) -> tuple[SetResult, JudgeServer]:
    with judge_server(behaviour) as server, RemoteEngine.open(server.url, timeout=5, retries=2) as engine:
        return judge_set(OURS, THEIRS, Judge(engine, **options)), server


def problems(result: SetResult) -> list[tuple[str, ...]]:
    return [Verdict.of(output.details).orders[0].problems for output in result.outputs]


def first_question(prompt: str) -> bool:
    return ENGLISH[0].turns[0] in prompt


def test_a_server_judges() -> None:
    result, server = judged(lambda _prompt, _body: "The first one knows more.\n[[9]] [[7]]")
    assert [score.value for score in result.scores] == [0, 3, 0, 100, 8, 8, 0, 0]
    assert len(server.asked) == len(set(server.asked)) == 6
    assert "judge:judge|" in result.scores[0].signature


def test_nonsense_is_asked_again_by_sampling() -> None:
    bodies = []

    def behave(prompt: str, body: dict[str, Any]) -> Reply:
        bodies.append(body)
        if first_question(prompt):
            return "\x00 I am 100 % sure: 7 of 9."
        return "[[5]] [[5]]"

    result, _ = judged(behave)
    assert problems(result) == [("nonsense",) * 3, ("",), ("",)]
    assert [output.problem for output in result.outputs] == ["unjudged", "", ""]
    again = [body for body in bodies if body["temperature"] > 0]
    assert len({body["seed"] for body in again}) == len(again) == 4
    assert all(body["max_tokens"] == 1024 for body in bodies)


def test_a_refusal_leaves_one_question_unjudged() -> None:
    refused = Failure(400, "The prompt was blocked by our content filter.")
    result, _ = judged(lambda prompt, _body: refused if first_question(prompt) else "[[5]] [[4]]", retries=1)
    assert problems(result) == [("refused", "refused"), ("",), ("",)]


def test_a_busy_server_is_waited_for() -> None:
    tries: Counter[str] = Counter()

    def behave(prompt: str, _body: dict[str, Any]) -> Reply:
        tries[prompt] += 1
        return Failure(429, "slow down", {"Retry-After": "0"}) if tries[prompt] == 1 else "[[5]] [[4]]"

    result, _ = judged(behave)
    assert problems(result) == [("",)] * 3
    assert set(tries.values()) == {2}


def test_a_question_that_makes_the_server_hang_is_unjudged_and_the_others_are_not() -> None:
    def behave(prompt: str, _body: dict[str, Any]) -> Reply:
        return Silence() if first_question(prompt) else "[[5]] [[4]]"

    with judge_server(behave) as server, RemoteEngine.open(server.url, timeout=0.5, retries=0) as engine:
        result = judge_set(OURS, THEIRS, Judge(engine, retries=1))
    assert problems(result) == [("refused", "refused"), ("",), ("",)]


def test_questions_that_all_hang_are_unjudged_where_the_server_is_there() -> None:
    def behave(prompt: str, _body: dict[str, Any]) -> Reply:
        return Silence() if "assistant 1" in prompt else "yes"

    with judge_server(behave) as server, RemoteEngine.open(server.url, timeout=0.3, retries=0) as engine:
        result = judge_set(OURS, THEIRS, Judge(engine, retries=0))
    assert problems(result) == [("refused",)] * 3


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure(401), "BAYLING_SERVER_KEY"),
        (Failure(404, "The model does not exist"), "model"),
        (Failure(500), "fail"),
        (Failure(200, "nothing"), "."),
    ],
    ids=["key", "model", "broken", "nothing"],
)
def test_a_server_that_only_fails_is_an_error(failure: Failure, said: str) -> None:
    with (
        judge_server(lambda _prompt, _body: failure) as server,
        RemoteEngine.open(server.url, timeout=5, retries=0) as engine,
        pytest.raises(EngineError, match=said),
    ):
        judge_set(OURS, THEIRS, Judge(engine))


def test_a_server_that_dies_half_way_is_asked_the_rest_when_it_is_back(tmp_path: Path) -> None:
    served = threading.Semaphore(3)

    def dying(_prompt: str, _body: dict[str, Any]) -> Reply:
        return "[[8]] [[6]]" if served.acquire(blocking=False) else Failure(403, "gone")

    with AnswerStore(tmp_path / "answers.sqlite") as store:
        with (
            judge_server(dying) as server,
            RemoteEngine.open(server.url, retries=0, n_parallel=1) as engine,
            pytest.raises(EngineError, match="refuses access"),
        ):
            judge_set(OURS, THEIRS, Judge(engine, store))
        assert store.count() == 3
        # There is nobody now, and after that another one at the same place, who has the same model.
        with pytest.raises(EngineError, match="cannot be reached"):
            RemoteEngine.open(server.url, retries=0)
        with (
            judge_server(lambda _prompt, _body: "[[7]] [[7]]", port=server.port) as back,
            RemoteEngine.open(back.url, retries=0) as engine,
        ):
            result = judge_set(OURS, THEIRS, Judge(engine, store))
    assert len(back.asked) == 3
    said = [order.replies for output in result.outputs for order in Verdict.of(output.details).orders]
    assert Counter(said) == {("[[8]] [[6]]",): 3, ("[[7]] [[7]]",): 3}


def test_a_judge_that_thinks_gives_its_scores_after_it() -> None:
    thought = "<think>\nAssistant 1: 3. Assistant 2: 4.\n[[3]] [[4]]\n</think>\nThe first one is better.\n[[9]] [[5]]"
    result, _ = judged(lambda _prompt, _body: thought)
    assert [Verdict.of(output.details).orders[0].scores for output in result.outputs] == [(9, 5)] * 3
    # A server that leaves the thoughts where they are, and whose prompt has begun them.
    result, _ = judged(lambda _prompt, _body: thought.removeprefix("<think>\n"))
    assert [Verdict.of(output.details).orders[0].scores for output in result.outputs] == [(9, 5)] * 3
