"""Sets of scripted refinements: the files that a person writes, and those that are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.errors import InputError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.interactive.constrained_files import read_constrained_set
from bayling_lite.evaluate.interactive.making import from_constrained, from_parallel, spread
from bayling_lite.evaluate.interactive.refinement_sets import (
    RefinementDialogue,
    Wish,
    read_refinement_set,
    refinement_lines,
)
from bayling_lite.evaluate.translation.parallel_set import ParallelSet
from bayling_lite.languages import find_language
from tests.evaluate.interactive.small_sets import write_constrained

ENGLISH, GERMAN, CHINESE = map(find_language, ("en", "de", "zh"))


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def dialogue(*turns: Any, **more: Any) -> str:
    return json.dumps({"from": "en", "to": "German", "text": "The bank is open.", "turns": list(turns), **more})


def test_a_translator_writes_a_set(tmp_path: Path) -> None:
    path = written(
        tmp_path / "mine.jsonl",
        dialogue({"contains": ["Ufer"]}, {"say": "Politely, please.", "formality": "formal", "kind": "tone"}),
        "",
        dialogue(
            {"contains": " Ufer ", "absent": ["Bank"], "keep": ["offen"]},
            {"shorter": 0.8},
            {"say": "Auf Englisch!", "language": "en", "always": True},
            {"say": "Nicer!"},
            id=7,
            reference="Das Ufer ist offen.",
        ),
    )
    first, second = read_refinement_set(path)
    assert first == RefinementDialogue(
        "1",
        ENGLISH,
        GERMAN,
        "The bank is open.",
        (Wish(contains=("Ufer",)), Wish("Politely, please.", formality="formal", kind="tone")),
    )
    assert (second.id, second.reference) == ("7", "Das Ufer ist offen.")
    assert second.wishes == (
        Wish(contains=("Ufer",), absent=("Bank",), keep=("offen",)),
        Wish(shorter=0.8),
        Wish("Auf Englisch!", language=ENGLISH, always=True),
        Wish("Nicer!"),
    )
    assert [wish.name for wish in (*first.wishes, *second.wishes)] == [
        *("word", "tone", "replacement", "shorter", "language", "open")
    ]


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    dialogues = (
        RefinementDialogue(
            *("a", ENGLISH, CHINESE, "Good\nmorning."),
            (Wish(contains=("早",)), Wish(longer=1), Wish("x", shorter=0.5, absent=("y",), keep=("z",), always=True)),
            "早上好。",
        ),
        RefinementDialogue("b", CHINESE, GERMAN, "好", (Wish("?", language=ENGLISH, formality="informal", kind="k"),)),
    )
    path = tmp_path / "set.jsonl"
    path.write_text(refinement_lines(dialogues), encoding="utf-8")
    assert read_refinement_set(path) == dialogues


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: this is no JSON"),
        ("[]", "line 2: a JSON object was expected"),
        (dialogue(), 'line 2: "turns" should be a list'),
        (dialogue("shorter"), "line 2: turn 1: a JSON object was expected"),
        (dialogue({"shorter": True}, {"contain": ["x"]}), "line 2: turn 2: a turn has no 'contain'; it may have say, "),
        (dialogue({"shorter": True}, form="x"), "line 2: a dialogue has no 'form'"),
        (dialogue({"contains": ["a", "b"]}), 'turn 1: without "say"'),
        (dialogue({"formality": "formal"}), 'turn 1: without "say"'),
        (dialogue({}), 'turn 1: without "say"'),
        (dialogue({"say": " "}), '"say" should be a text, and not empty'),
        (dialogue({"contains": [""]}), '"contains" should be a list of phrases'),
        (dialogue({"contains": 3}), '"contains" should be a list of phrases'),
        (dialogue({"shorter": 1.2}), '"shorter" should be true, or a number between 0 and 1'),
        (dialogue({"longer": 0.9}), '"longer" should be true, or a number between 1 and 100'),
        (dialogue({"say": "x", "shorter": True, "longer": True}), "shorter and longer at once"),
        (dialogue({"contains": "die Bank", "absent": "bank"}), "turn 1: no draft can have"),
        (dialogue({"say": "x", "formality": "polite"}), 'should be "formal" or "informal", not \'polite\''),
        (dialogue({"say": "x", "language": "xx"}), "turn 1: Unknown language 'xx'"),
        (dialogue({"shorter": True, "always": "yes"}), '"always" should be true or false'),
        (dialogue({"say": "x", "formality": "formal"}, to="ar"), "no rule for formality in Arabic, only in de, en"),
        (dialogue({"shorter": True}, to="Klingon"), "line 2: Unknown language 'Klingon'"),
        (dialogue({"shorter": True}, to="en"), '"from" and "to" are both English'),
        (dialogue({"shorter": True}, text=""), '"text" should be a text'),
        (dialogue({"shorter": True}, id=True), '"id" should be a text or a number'),
        (dialogue({"shorter": True}, id="1"), "two dialogues are called '1'"),
        ("[" * 100_000, "line 2: "),
    ],
)
def test_an_error_names_the_line_and_the_remedy(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path / "mine.jsonl", dialogue({"shorter": True}), line)
    with pytest.raises(InputError) as raised:
        read_refinement_set(path)
    assert str(raised.value).startswith(str(path))
    assert message in str(raised.value)


def test_a_set_without_a_dialogue(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no dialogue"):
        read_refinement_set(written(tmp_path / "empty.jsonl", "", " "))


def test_a_set_is_made_of_required_phrases(tmp_path: Path) -> None:
    chosen = read_constrained_set(DataFolder([write_constrained(tmp_path)]), "en-de")
    made = from_constrained(chosen)
    assert [(one.id, [wish.contains[0] for wish in one.wishes]) for one in made] == [
        ("1", ["Morgen", "Maria"]),
        ("2", ["Bank"]),
        ("3", ["mag Tee", "Ich"]),  # "e" is no word of its own
        ("4", ["Gute Nacht"]),
    ]
    assert made[0].reference == "Guten Morgen, Maria."
    assert [one.id for one in from_constrained(chosen, 2)] == ["1", "3"]


def test_a_set_is_made_of_a_parallel_text() -> None:
    german = ("Die Katze trinkt die Milch.", "Die Katze schläft.", "Ja.", "Die Milch ist sauer, die Katze auch.")
    sources = ("The cat drinks the milk.", "The cat sleeps.", "Yes.", "The milk is sour, and so is the cat.")
    made = from_parallel(ParallelSet("pets", ENGLISH, GERMAN, sources, (german,)))
    # The rarest words, in their order; none of fewer than four letters.
    assert [(one.id, [wish.contains[0] for wish in one.wishes]) for one in made] == [
        ("1", ["trinkt", "Milch"]),
        ("2", ["Katze", "schläft"]),
        ("4", ["sauer", "auch"]),
    ]
    assert (made[0].text, made[0].reference) == (sources[0], german[0])


def test_of_chinese_what_occurs_again_is_asked_for() -> None:
    chinese = ("机器翻译很难", "我们学习机器翻译", "天气好")
    made = from_parallel(ParallelSet("x", ENGLISH, CHINESE, ("a", "b", "c"), (chinese,)))
    assert [(one.id, [wish.contains[0] for wish in one.wishes]) for one in made] == [
        ("1", ["机器翻译"]),
        ("2", ["机器翻译"]),
    ]


def test_what_is_chosen_is_spread_evenly() -> None:
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread(range(2), 3) == [0, 1]
    assert len(set(spread(range(2037), 300))) == 300
