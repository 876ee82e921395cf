"""Which dialogues directions give: the same ones whatever the order, the company and the number of processes."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from bayling_finetune.dialogues.builder import KINDS, both_ways, build, tried
from bayling_finetune.dialogues.corpus import Bounds, Fingerprints, make_tools, pair_hash, sampled, without_duplicates
from bayling_finetune.dialogues.hashes import SeenHashes, as_hashes, contains, first_occurrences, hash64, repeated
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.validity import Trouble, trouble
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language

ALL = dict.fromkeys(KINDS, 1.0)


@pytest.fixture(scope="module")
def tools(pairs: list[Direction]) -> Tools:
    return make_tools(pairs, seed=3)


def ids(dialogues: Iterable[Dialogue]) -> list[str]:
    return [dialogue.key() for dialogue in dialogues]


@pytest.mark.slow
def test_every_kind_comes_of_parallel_text_in_both_directions(pairs: list[Direction], tools: Tools) -> None:
    made = list(build(both_ways(pairs), ALL, tools, seed=1))
    kinds = Counter(dialogue.kind for dialogue in made)
    assert set(kinds) == set(KINDS)
    assert kinds[Kind.TRANSLATION] == 2 * len(pairs)
    assert {f"{one.source_language}-{one.target_language}" for one in made} == {"en-de", "de-en", "en-zh", "zh-en"}
    assert [one for one in made if trouble(one, max_characters=1000)] == []
    assert sum(one.turns > 1 for one in made) > 3 * len(pairs)


@pytest.mark.slow
def test_a_direction_gives_the_same_whatever_comes_before_it(pairs: list[Direction], tools: Tools) -> None:
    kinds = {Kind.TRANSLATION: 0.5, Kind.CORRECTION: 0.5, Kind.CONVERSATION: 0.5}
    straight = list(build(pairs, kinds, tools, seed=1))
    mixed = list(build(random.Random(0).sample(pairs, len(pairs)), kinds, tools, seed=1))
    assert ids(straight) != ids(mixed)
    assert sorted(ids(straight)) == sorted(ids(mixed))
    assert sorted(ids(build(pairs, kinds, tools, seed=2))) != sorted(ids(straight))


def test_the_share_of_one_kind_changes_no_other(pairs: list[Direction], tools: Tools) -> None:
    few, many = (
        list(build(pairs, {Kind.REPLACEMENT: share, Kind.CONSTRAINT: 0.5}, tools, seed=1)) for share in (0.2, 0.8)
    )
    constraints = [[one.key() for one in made if one.kind is Kind.CONSTRAINT] for made in (few, many)]
    assert constraints[0] == constraints[1] != []
    replacements = [{one.key() for one in made if one.kind is Kind.REPLACEMENT} for made in (few, many)]
    assert replacements[0] < replacements[1]


def test_shares_are_probabilities(pairs: list[Direction], tools: Tools) -> None:
    made = list(build(pairs, {Kind.TRANSLATION: 0.3}, tools, seed=5))
    assert len(made) == pytest.approx(0.3 * len(pairs), abs=40)
    assert len(made) == sum(1 for pair in pairs for _ in tried(pair, {Kind.TRANSLATION: 0.3}, seed=5))


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({Kind.TRANSLATION: 1.5}, "from 0 to 1"),
        ({Kind.TRANSLATION: float("nan")}, "from 0 to 1"),
        ({Kind.TRANSLATION: 0.0}, "nothing to build"),
        ({Kind.GENERAL: 0.5}, "general are not built"),
    ],
)
def test_impossible_kinds_are_refused(tools: Tools, kinds: dict[Kind, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        next(build([], kinds, tools, seed=1))


def test_tools_do_not_depend_on_the_order_of_the_pairs(pairs: list[Direction], tools: Tools) -> None:
    again = make_tools(random.Random(1).sample(pairs, len(pairs)), seed=3)
    direction = pairs[7]
    assert again.lexicon.phrases(direction) == tools.lexicon.phrases(direction)
    assert again.samples == tools.samples
    assert {"en", "de", "zh"} == set(tools.samples)
    texts = {pair.reference for pair in pairs} | {pair.source for pair in pairs}
    assert all(any(phrase in text for text in texts) for phrase in tools.samples["de"])


def test_other_translations_are_found_in_both_directions() -> None:
    english, chinese = find_language("en"), find_language("zh")
    first = Direction("Good morning, everyone.", "大家早上好。", english, chinese)
    second = Direction("Good morning, everyone.", "各位早安。", english, chinese)
    third = Direction("Morning, folks.", "各位早安。", english, chinese)
    found = make_tools([first, second, third, first], bounds=Bounds(others=1)).others
    assert found[first.key()] == ("各位早安。",)
    assert found[second.key()] == ("大家早上好。",)
    assert found[third.reversed().key()] == ("Good morning, everyone.",)
    assert first.reversed().key() not in found


def test_bounds_are_kept(pairs: list[Direction]) -> None:
    tools = make_tools(pairs, bounds=Bounds(samples=5, repeated=3))
    assert {len(phrases) for phrases in tools.samples.values()} == {5}
    assert 0 < len(tools.others) <= 3 * 8


def test_a_sample_does_not_depend_on_the_order_and_is_of_its_size(pairs: list[Direction]) -> None:
    mixed = random.Random(2).sample(pairs, len(pairs))
    chosen = []
    for order in (pairs, mixed):
        kept = sampled(Fingerprints.of(order), np.ones(len(order), np.bool_), 50, seed=4)
        chosen.append({pair.key() for pair, keep in zip(order, kept, strict=True) if keep})
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 50


def test_the_first_of_equal_pairs_stays_whichever_way_round() -> None:
    english, german = find_language("en"), find_language("de")
    one = Direction("Good morning.", "Guten Morgen.", english, german)
    loud = Direction("GOOD   morning!", "guten Morgen", english, german)
    other = Direction("Good morning.", "Morgen!", english, german)
    order = [one, loud, other, one.reversed()]
    assert pair_hash(one) == pair_hash(one.reversed())
    kept = without_duplicates(Fingerprints.of(order), np.ones(4, np.bool_))
    assert kept.tolist() == [True, False, True, False]
    # What is left out for another reason is nobody's duplicate.
    assert without_duplicates(Fingerprints.of(order), np.array([False, True, True, True])).tolist() == [
        *(False, True, True, False),
    ]


def test_seen_hashes_are_a_set() -> None:
    chance, seen, known = np.random.default_rng(0), SeenHashes(), set()
    for _ in range(200):
        batch = chance.integers(0, 5000, chance.integers(0, 60)).astype(np.uint64)
        expected = []
        for value in batch.tolist():
            expected.append(value not in known)
            known.add(value)
        assert seen.add(batch).tolist() == expected
    assert len(seen) == len(known)


def test_hashes_tell_apart_where_one_text_ends() -> None:
    assert hash64("ab", "c") != hash64("a", "bc")
    assert hash64("a") != hash64("a", seed=1)
    values = as_hashes([5, 3, 5, 9, 3, 5])
    assert first_occurrences(values).tolist() == [True, True, False, True, False, False]
    assert repeated(values).tolist() == [3, 5]
    assert contains(as_hashes([3, 5]), values).tolist() == [True, True, True, False, True, True]
    assert contains(as_hashes([]), values).sum() == 0


@pytest.mark.parametrize(
    ("turns", "learnt", "expected"),
    [
        (("a?", "b"), (True,), None),
        (("a?", "b", "c?"), (True,), Trouble.ROLES),
        (("a?", " \n"), (True,), Trouble.EMPTY),
        (("a?", " a? "), (True,), Trouble.ECHO),
        (("a?", "b", "c", "b"), (False, True), None),
        (("a?", "b" * 51), (True,), Trouble.LONG),
        (("a\x1b[2J", "b"), (True,), Trouble.CONTROL),
        (("a\ud800", "b"), (True,), Trouble.CONTROL),
        (("a\n\tb", "c"), (True,), None),
        (("a?", "b"), (False,), Trouble.NOTHING_LEARNT),
        ((), (), Trouble.ROLES),
    ],
)
def test_the_last_check(turns: tuple[str, ...], learnt: tuple[bool, ...], expected: Trouble | None) -> None:
    language = find_language("en")
    direction = Direction("a", "b", language, find_language("zh"))
    assert trouble(dialogue(direction, Kind.TRANSLATION, *turns, learnt=learnt), max_characters=50) is expected


def test_building_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys\n"
        "import bayling_finetune.dialogues.building, bayling_finetune.dialogues.report, bayling_finetune.config\n"
        "from bayling_finetune.dialogues.builder import makers\n"
        "makers()\n"
        "heavy = {'torch', 'transformers', 'llama_cpp', 'matplotlib'}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & heavy))"
    )
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": ":".join(map(str, (root, root / "finetune")))}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout.strip() == "[]"
