"""The ladder: which way of asking comes after which problem."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bayling_lite.translate.asking.ladder import MOST_ATTEMPTS, Rung, Situation, first_rung, next_rung
from bayling_lite.translate.asking.values import Problem, ProblemKind

K = ProblemKind


def climb(situation: Situation, *kinds: ProblemKind, doubt: bool = False) -> list[Rung]:
    """All rungs, when every one of them has the same problems."""
    problems = [Problem(kind, fatal=not doubt) for kind in kinds]
    tried: list[tuple[Rung, Sequence[Problem]]] = []
    rung: Rung | None = first_rung(situation)
    while rung is not None:
        tried.append((rung, problems))
        rung = next_rung(situation, tried)
    return [rung for rung, _ in tried]


ALL = Situation(has_codes=True, has_around=True, can_cut=True, can_search=True)


def test_what_is_right_is_not_asked_again() -> None:
    assert climb(ALL) == [Rung()]
    assert climb(ALL, K.TERMS, doubt=True) == [Rung()]  # a search has done all it could for them
    assert [rung.decoding for rung in climb(Situation(has_words=True), K.TERMS, doubt=True)] == ["asked", "sampled"]


def test_what_is_doubtful_is_asked_once_more() -> None:
    assert climb(Situation(can_search=True), K.NUMBERS, doubt=True) == [
        Rung(around=False),
        Rung(around=False, decoding="search"),
    ]
    assert climb(Situation(), K.LENGTH, doubt=True)[1].decoding == "sampled"


def test_lost_tags_are_required_then_left_out() -> None:
    first, second, third, *_ = climb(ALL, K.MARKUP)
    assert (first.tags, second.tags, third.tags) == ("shown", "required", "projected")
    assert [rung.tags for rung in climb(Situation(has_codes=True), K.MARKUP)[:2]] == ["shown", "projected"]


def test_a_model_that_loses_tags_is_not_shown_any() -> None:
    assert {rung.tags for rung in climb(Situation(has_codes=True, demonstrator=True), K.REPETITION)} == {"named"}
    assert first_rung(Situation(demonstrator=True)).tags == "shown"
    assert not first_rung(Situation(has_around=True, demonstrator=True)).around


def test_a_circle_is_broken_by_sampling_and_other_mistakes_by_a_search() -> None:
    plain = Situation(can_search=True)
    assert [rung.decoding for rung in climb(plain, K.REPETITION)] == ["asked", "sampled", "search"]
    assert [rung.decoding for rung in climb(plain, K.LANGUAGE)] == ["asked", "search", "sampled"]
    words = replace(plain, has_words=True)
    assert [rung.decoding for rung in climb(words, K.REPETITION)] == ["asked", "search", "sampled"]
    assert [rung.decoding for rung in climb(Situation(), K.LANGUAGE)] == ["asked", "sampled"]


def test_what_does_not_fit_is_not_decoded_otherwise() -> None:
    rungs = climb(Situation(has_around=True, can_cut=True, can_search=True), K.CONTEXT)
    assert rungs == [Rung(), Rung(around=False), Rung(around=False, parts=True)]


@pytest.mark.parametrize("kind", list(K))
def test_the_ladder_ends_and_no_rung_comes_twice(kind: ProblemKind) -> None:
    for flags in itertools.product((False, True), repeat=6):
        situation = Situation(*flags)
        rungs = climb(situation, kind)
        assert len(rungs) == len(set(rungs)) <= MOST_ATTEMPTS
        assert not any(rung.parts for rung in rungs) or situation.can_cut
        assert not any(rung.decoding == "search" or rung.tags == "required" for rung in rungs) or situation.can_search
        assert all(rung.tags == "shown" for rung in rungs) or situation.has_codes
        assert not rungs[0].around or situation.has_around


def test_the_text_in_parts_is_the_last_resort() -> None:
    assert [rung.parts for rung in climb(ALL, K.EMPTY)][-1]
    assert not any(rung.parts for rung in climb(ALL, K.EMPTY)[:-1])
