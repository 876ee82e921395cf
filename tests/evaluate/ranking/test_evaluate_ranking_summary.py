"""First places, mean ranks and who counts, from ballots with known answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.ranking import Aspect, summaries
from bayling_lite.evaluate.ranking.store import Conflict, StudyStore
from bayling_lite.evaluate.ranking.summary import summarize
from bayling_lite.evaluate.ranking.votes import COLUMNS, votes_csv
from tests.evaluate.ranking.ranking_studies import new_store

SYSTEMS = {name: [f"{name} says {n}" for n in range(4)] for name in ("one", "two", "three")}
GROUPS = ((0,), (1,), (2,))


@pytest.fixture
def store(tmp_path: Path) -> StudyStore:
    return new_store(tmp_path, [f"text {n}" for n in range(4)], SYSTEMS)


def ranked(store: StudyStore, person: str, position: int, *places: int) -> None:
    store.keep(store.enter(person), position, GROUPS, ranks={Aspect.TRANSLATION: dict(enumerate(places))})


def test_first_places_are_split_among_ties_and_mean_ranks_share_places(store: StudyStore) -> None:
    ranked(store, "Anna", 0, 1, 2, 3)
    ranked(store, "Anna", 1, 1, 1, 2)
    ranked(store, "Bo", 0, 2, 2, 2)
    ranked(store, "Bo", 2, 3, 1, 1)
    (summary,) = summarize(store)
    assert (summary.aspect, summary.n_items, summary.n_ranked, summary.n_rankings) == (Aspect.TRANSLATION, 4, 3, 4)
    assert summary.persons == ("Anna", "Bo")
    found = {each.system: each for each in summary.standings}
    assert [each.system for each in summary.standings] == ["one", "two", "three"]
    assert found["one"].first == pytest.approx(100 * (1 + 1 / 2 + 1 / 3) / 4)
    assert found["two"].first == pytest.approx(100 * (1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert sum(each.first for each in summary.standings) == pytest.approx(100)
    assert found["two"].best == pytest.approx(75)
    assert found["three"].mean_rank == pytest.approx((3 + 3 + 2 + 1.5) / 4)
    for each in summary.standings:
        assert each.low is not None
        assert each.high is not None
        assert 0 <= each.low <= each.first <= each.high <= 100


def test_agreement_is_of_the_items_that_several_ranked(store: StudyStore) -> None:
    for position in range(3):
        ranked(store, "Anna", position, 1, 2, 3)
        ranked(store, "Bo", position, 1, 2, 3)
    ranked(store, "Bo", 3, 3, 2, 1)
    (summary,) = summarize(store)
    assert (summary.n_shared, summary.alpha, summary.w) == (3, 1, 1)


def test_of_one_person_there_is_no_agreement(store: StudyStore) -> None:
    ranked(store, "Anna", 0, 1, 2, 3)
    (summary,) = summarize(store)
    assert (summary.n_shared, summary.alpha, summary.w) == (0, None, None)
    assert {(each.low, each.high) for each in summary.standings} == {(None, None)}, "of one item, no interval"


def test_ties_alone_are_shares_alike_without_agreement(store: StudyStore) -> None:
    for person in ("Anna", "Bo"):
        for position in range(2):
            ranked(store, person, position, 1, 1, 1)
    (summary,) = summarize(store)
    assert (summary.n_shared, summary.alpha, summary.w) == (2, None, None)
    for each in summary.standings:
        assert each.first == pytest.approx(100 / 3)
        assert (each.best, each.mean_rank) == (100, 2)


def test_the_last_ballot_counts_and_unfinished_ones_do_not(store: StudyStore) -> None:
    ranked(store, "Anna", 0, 1, 2, 3)
    ranked(store, "Anna", 0, 3, 2, 1)
    ranked(store, "Anna", 1, 1, 2)
    (summary,) = summarize(store)
    assert summary.n_rankings == 1
    assert summary.standings[0].system == "three"
    assert votes_csv(store).count(b"\r\n") == 1 + 3


def test_what_was_skipped_is_counted_by_its_reason_and_not_ranked(store: StudyStore) -> None:
    full = {Aspect.TRANSLATION: {0: 1, 1: 2, 2: 3}}
    for position, reason in enumerate(("language", "language", "=HYPERLINK()")):
        store.keep(store.enter("Anna"), position, GROUPS, ranks=full, skipped=reason)
    (summary,) = summarize(store)
    assert (summary.n_rankings, summary.n_skipped) == (0, 3)
    assert summary.reasons == (("language", 2), ("=HYPERLINK()", 1))
    lines = votes_csv(store).decode("utf-8-sig").split("\r\n")
    assert lines[0] == ",".join(COLUMNS)
    assert lines[3].split(",")[10] == "'=HYPERLINK()", "no spreadsheet takes it for a formula"


def test_the_table_has_every_system_with_the_letter_it_was_shown_under(store: StudyStore) -> None:
    store.keep(store.enter("Anna"), 0, ((2, 0), (1,)), ranks={Aspect.TRANSLATION: {0: 1, 1: 2, 2: 1}}, seconds=3.25)
    rows = [line.split(",") for line in votes_csv(store).decode().split("\r\n")[1:-1]]
    assert [(row[6], row[7], row[8], row[9]) for row in rows] == [
        ("one", "A", "1", "1.5"),
        ("two", "B", "2", "3"),
        ("three", "A", "1", "1.5"),
    ]
    assert {(row[0], row[4], row[5], row[11]) for row in rows} == {("study", "Anna", "translation", "3.2")}


def test_a_ballot_that_was_changed_elsewhere_is_not_overwritten(store: StudyStore) -> None:
    first = store.keep("Anna", 0, GROUPS, ranks={}, after=0, page="p")
    second = store.keep("Anna", 0, GROUPS, ranks={}, after=0, page="p")
    assert second.number > first.number, "the same page, which never heard of its first ballot"
    with pytest.raises(Conflict):
        store.keep("Anna", 0, GROUPS, ranks={}, after=first.number, page="q")
    store.keep("Anna", 0, GROUPS, ranks={}, after=second.number, page="q")


def test_a_name_is_found_again_however_it_is_typed(store: StudyStore) -> None:
    assert store.enter("  Ada   Lovelace ") == "Ada Lovelace"
    assert store.enter("ada lovelace") == "Ada Lovelace"
    assert store.spelled("ADA LOVELACE") == "Ada Lovelace"
    for wrong in ("", "  ", "x" * 81, "a\x1b[2J"):
        with pytest.raises(UsageError):
            store.enter(wrong)


def test_summaries_of_a_folder_are_those_of_its_begun_studies(store: StudyStore, tmp_path: Path) -> None:
    assert summaries(tmp_path) == ()
    assert summaries(tmp_path / "out") == ()
    ranked(store, "Anna", 0, 1, 2, 3)
    (summary,) = summaries(tmp_path / "out")
    assert (summary.study, summary.systems) == ("study", ("one", "two", "three"))
