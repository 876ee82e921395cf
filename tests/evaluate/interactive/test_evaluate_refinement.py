"""Scripted refinements: what is said depends on the drafts, and every turn gets a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineError, InputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FoundOutputs, family
from bayling_lite.evaluate.generating import AnswerStore, Generator
from bayling_lite.evaluate.interactive.refinement import Refinement
from bayling_lite.evaluate.interactive.refinement_judging import Group, breakdown
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult, Setup
from bayling_lite.messages import Conversation
from tests.evaluate.interactive.small_sets import write_constrained, write_lines

BANK = {
    "id": "bank",
    "from": "en",
    "to": "de",
    "text": "We are at the bank.",
    "reference": "Wir sind am Ufer.",
    "turns": [
        {"contains": ["Ufer"]},
        {"contains": ["Wir"]},  # the draft has it: not said
        {"say": "Too long.", "shorter": True},
        {"say": "Nicer!"},
    ],
}
TEA = {
    "id": "tea",
    "from": "en",
    "to": "de",
    "text": "Would you like tea?",
    "reference": "Möchten Sie Tee?",
    "turns": [{"say": "Politely!", "formality": "formal", "kind": "tone"}, {"contains": ["Tee"]}],
}
SEARCHABLE = ModelInfo(name="searchable", template="bayling", n_ctx=4096, can_search=True)
DRAFTS = {
    "We are at the bank.": ["Wir sind an der Bank.", "Wir sind an der Ufer.", "Am Bach.", "Am Bache."],
    "Would you like tea?": ["Willst du Kaffee?", "Willst du Kaffee?", "Willst du Tee?"],
}


def held(conversation: Conversation) -> str:
    """The drafts, one after the other."""
    (drafts,) = (drafts for text, drafts in DRAFTS.items() if text in conversation.messages[0].content)
    return drafts[len(conversation) // 2]


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    write_lines(tmp_path / "sets" / "refinement.mine.jsonl", [BANK, TEA])
    return DataFolder([tmp_path / "sets"])


def values(result: SetResult) -> dict[str, float]:
    return {score.metric: round(score.value, 2) for score in result.scores}


def measured(
    data: DataFolder, script: Callable[[Conversation], str] = held, *, store: AnswerStore | None = None
) -> SetResult:
    with ScriptedEngine(script) as engine:
        return Refinement().measure(data, "mine", Generator(engine, store), Setup("mine"))


def test_each_turn_gets_a_verdict(data: DataFolder, tmp_path: Path) -> None:
    result = measured(data)
    bank, tea = result.outputs
    assert bank.asked == ("We are at the bank.", 'Use the word "Ufer".', "Too long.", "Nicer!")
    assert bank.said == tuple(DRAFTS["We are at the bank."])
    turns = bank.details["turns"]
    assert [(turn["kind"], turn["followed"], turn["still"]) for turn in turns] == [
        ("word", True, False),  # the last draft has lost it again
        ("shorter", True, None),
        ("open", None, None),
    ]
    assert turns[0]["checks"] == [{"check": "contains", "wanted": "Ufer", "holds": True}]
    assert [turn["rest"] for turn in turns] == [[5, 5], [0, 0], [0, 0]]
    assert [turn["not_added"] for turn in turns] == [[5, 5], [0, 0], [0, 0]]
    # "Wir" was not asked for, and is gone all the same; the length of a draft alone says nothing.
    assert bank.details["fulfilled"] == [False, False, None, None]
    assert (bank.details["needless"], bank.quality, bank.reference) == (1, 1.0, "Wir sind am Ufer.")
    assert [turn["followed"] for turn in tea.details["turns"]] == [False, True]
    assert tea.quality == 0.5
    ResultsFolder(tmp_path / "out").write(result)
    assert ResultsFolder(tmp_path / "out").read() == (result,)


def test_the_scores_of_a_set(data: DataFolder) -> None:
    result = measured(data)
    found = values(result)
    assert found.pop("BLEU of last drafts") < 50
    assert found.pop("BLEU of first drafts") < 50
    assert found == {
        "instruction followed": 75.0,  # of four turns that can be judged
        "rest kept": 100.0,
        "nothing added": 100.0,
        "all turns followed": 50.0,
        "earlier wishes kept": 0.0,
        "wishes fulfilled": 25.0,
        "turns said": 5,
        "turns not judged": 1,
    }
    signatures = [score.signature for score in result.scores]
    assert all(signatures)
    assert len(set(signatures[:6])) == 6
    assert breakdown(result.outputs) == (
        Group("word", 2, 100.0, 100.0, 100.0),
        Group("shorter", 1, 100.0, None, None),
        Group("open", 1, None, None, None),
        Group("tone", 1, 0.0, None, None),  # said again unchanged, the draft is not kept
        Group("turn 1", 2, 50.0, 100.0, 100.0),
        Group("turn 2", 2, 100.0, 100.0, 100.0),
        Group("turn 3", 1, None, None, None),
    )


def test_what_a_model_loses_shows(data: DataFolder) -> None:
    drafts = {"bank": ["Wir sind an der Bank.", "Wir Ufer", "x", "y"], "tea": ["Willst du Tee?", "Tee, Sie!"]}

    def other(conversation: Conversation) -> str:
        return drafts["bank" if "bank" in conversation.messages[0].content else "tea"][len(conversation) // 2]

    result = measured(data, other)
    assert result.outputs[0].details["turns"][0]["rest"] == [1, 5]
    # "du" and one more may go: "Tee" is kept of "Tee" and "?".
    assert result.outputs[1].details["turns"][0]["rest"] == [1, 2]
    assert values(result)["rest kept"] == round(100 * 2 / 7, 2)


def test_a_better_first_draft_is_no_disadvantage(data: DataFolder) -> None:
    """Who has to be told less is followed by no instruction more; of all wishes, as many are fulfilled."""
    drafts = {"bank": ["Wir am Ufer.", "Ufer.", "Wir am Ufer."], "tea": ["Nehmen Sie Tee?", "Tee?"]}

    def better(conversation: Conversation) -> str:
        return drafts["bank" if "bank" in conversation.messages[0].content else "tea"][len(conversation) // 2]

    result = measured(data, better)
    assert [output.details["needless"] for output in result.outputs] == [2, 2]
    found = values(result)
    assert (found["turns said"], found["wishes fulfilled"]) == (2, 100.0)
    assert "rest kept" not in found


def test_an_empty_last_draft_keeps_no_wish(tmp_path: Path) -> None:
    turns = [{"say": "Ohne Bank!", "absent": ["Bank"]}, {"say": "Nicer!"}]
    write_lines(tmp_path / "sets" / "refinement.mine.jsonl", [{**BANK, "turns": turns}])
    said = ["An der Bank.", "Am Ufer.", ""]
    result = measured(DataFolder([tmp_path / "sets"]), lambda conversation: said[len(conversation) // 2])
    found = values(result)
    assert (found["instruction followed"], found["earlier wishes kept"], found["wishes fulfilled"]) == (100, 0, 0)


def test_a_dialogue_that_outgrows_the_context_counts_as_not_followed(data: DataFolder) -> None:
    def short(conversation: Conversation) -> str:
        if len(conversation) > 1 and "bank" in conversation.messages[0].content:
            raise ContextOverflow(5000, 4096)
        return held(conversation)

    bank, tea = measured(data, short).outputs
    assert (bank.problem, tea.problem) == ("context", "")
    assert bank.said == ("Wir sind an der Bank.", "", "", "", "")  # of nothing, nothing is so already
    assert [turn["followed"] for turn in bank.details["turns"]] == [False, False, False, None]
    assert bank.details["turns"][0]["rest"] == [0, 5]


def test_interrupted_and_resumed_it_ends_the_same(data: DataFolder, tmp_path: Path) -> None:
    broken = []

    def failing(conversation: Conversation) -> str:
        broken.append(conversation)
        if len(broken) == 4:
            raise EngineError("The cable is out.")
        return held(conversation)

    with AnswerStore(tmp_path / "answers.sqlite") as store:
        with pytest.raises(EngineError, match="cable"):
            measured(data, failing, store=store)
        kept = store.count()
        resumed = measured(data, store=store)
    whole = measured(data)
    assert kept >= 1
    assert resumed.run.effort is not None
    assert resumed.run.effort.n_reused == kept
    assert (resumed.outputs, resumed.scores) == (whole.outputs, whole.scores)


def test_sets_are_written_or_made(tmp_path: Path) -> None:
    write_constrained(tmp_path)
    write_lines(tmp_path / "mine" / "refinement.mine.jsonl", [TEA])
    own = write_lines(tmp_path / "elsewhere.jsonl", [BANK])
    data = DataFolder([tmp_path])
    assert family("refinement").find_sets(data) == ("mine", "en-de")
    assert Refinement(files=(own,)).find_sets(data) == ("mine", "elsewhere", "en-de")
    assert [one.id for one in Refinement().dialogues(data, "en-de")] == ["1", "2", "3", "4"]
    # A written set stands for the one that would be made.
    write_lines(tmp_path / "refinement.en-de.jsonl", [BANK])
    assert [one.id for one in Refinement().dialogues(DataFolder([tmp_path]), "en-de")] == ["bank"]
    with pytest.raises(UsageError, match="There are: mine, en-de"):
        Refinement().dialogues(data, "other")
    write_lines(tmp_path / "more" / "refinement.mine.jsonl", [BANK])
    with pytest.raises(InputError, match="several sets 'mine'"):
        Refinement().dialogues(DataFolder([tmp_path]), "mine")
    # A file that the user names is meant.
    named = Refinement(files=(tmp_path / "more" / "refinement.mine.jsonl",))
    assert [one.id for one in named.dialogues(DataFolder([tmp_path]), "mine")] == ["bank"]


def test_nothing_can_be_asked_for_in_a_set_without_words_of_their_own(tmp_path: Path) -> None:
    write_constrained(tmp_path, [{"src": "Tea.", "tgt": "Tee.", "constraint": ["e"]}])
    with pytest.raises(InputError, match="No dialogue can be made of"):
        Refinement().dialogues(DataFolder([tmp_path]), "en-de")


def test_drafts_in_other_languages_have_no_bleu(tmp_path: Path) -> None:
    turns = [{"say": "In English!", "language": "en"}]
    write_lines(tmp_path / "sets" / "refinement.mine.jsonl", [{**BANK, "turns": turns}])
    result = measured(DataFolder([tmp_path / "sets"]))
    assert not any(score.metric.startswith("BLEU") for score in result.scores)


def test_answers_made_elsewhere_are_judged_alike(data: DataFolder, tmp_path: Path) -> None:
    lines = [{"answers": drafts} for drafts in DRAFTS.values()]
    write_lines(tmp_path / "outputs" / "them" / "refined.mine.jsonl", lines)
    (found,) = Refinement().find_outputs(DataFolder([tmp_path / "outputs"]))
    assert (found.system, found.set_name) == ("them", "mine")
    scored, own = Refinement().score(data, found), measured(data)
    assert (scored.outputs, scored.scores) == (own.outputs, own.scores)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], 'item 1: "answers" should be the drafts'),
        (["a", 3], 'item 1: "answers" should be the drafts'),
        (["Wir sind an der Bank."], 'item 1 has 1 answers, and none to what is said next: Use the word "Ufer".'),
        (
            ["Wir, am Ufer.", "Wir!", "Wir.", "Ufer"],
            "item 1 has 4 answers, but after 3 of them the draft was as wished",
        ),
    ],
)
def test_answers_that_do_not_belong_to_what_is_said(
    data: DataFolder, tmp_path: Path, answers: list[object], message: str
) -> None:
    path = write_lines(tmp_path / "refined.jsonl", [{"answers": answers}, {"answers": DRAFTS["Would you like tea?"]}])
    with pytest.raises(InputError) as raised:
        Refinement().score(data, FoundOutputs("them", "mine", path))
    assert message in str(raised.value)


def test_nothing_can_be_guaranteed_without_a_search(data: DataFolder) -> None:
    with ScriptedEngine(held) as engine, pytest.raises(UsageError, match="cannot be searched"):
        Refinement(guaranteed=True).measure(data, "mine", Generator(engine), Setup("mine"))


def test_the_program_puts_the_words_in(tiny_model: Path, tmp_path: Path) -> None:
    """A real model: what is wanted is in every new draft, and what is kept is not carried out again."""
    lines = [
        {
            "from": "en",
            "to": "de",
            "text": text,
            "turns": [{"contains": [word]}, {"shorter": True}],
        }
        for text, word in (("The weather is good today.", "schön"), ("I have a dog.", "Katze"))
    ]
    data = DataFolder([write_lines(tmp_path / "sets" / "refinement.mine.jsonl", lines).parent])
    with LlamaEngine.open(tiny_model) as engine, AnswerStore(tmp_path / "answers.sqlite") as store:
        results = [
            Refinement(guaranteed=True).measure(data, "mine", Generator(engine, store), Setup("tiny")) for _ in range(2)
        ]
    first, again = results
    assert first.system == "tiny, guaranteed"
    assert [output.details["turns"][0]["followed"] for output in first.outputs] == [True, True]
    assert first.run.effort is not None
    assert first.run.effort.n_generated > 0
    assert first.run.effort.seconds > 0
    assert (again.outputs, again.scores) == (first.outputs, first.scores)
    assert again.run.effort is not None
    assert (again.run.effort.n_asked, again.run.effort.n_reused) == (0, 2)


def test_a_failure_while_refining_keeps_what_is_finished(tmp_path: Path) -> None:
    texts = [f"Sentence {number}." for number in range(8)]
    lines = [{"from": "en", "to": "de", "text": text, "turns": [{"say": "Nicer!"}]} for text in texts]
    data = DataFolder([write_lines(tmp_path / "refinement.mine.jsonl", lines).parent])
    whole = tmp_path / "whole.sqlite"
    asked: list[str] = []

    def answer(conversation: Conversation) -> str:
        return f"Satz {len(conversation)}, {conversation.messages[0].content[-3:]}"

    def failing(conversation: Conversation) -> str:
        asked.append(conversation.messages[0].content)
        if len(asked) == 9:
            raise EngineError("The cable is out.")
        return answer(conversation)

    with AnswerStore(whole) as store:
        with ScriptedEngine(failing, info=SEARCHABLE) as engine, pytest.raises(EngineError, match="cable"):
            Refinement(guaranteed=True).measure(data, "mine", Generator(engine, store), Setup("x"))
        kept = store.count()
        with ScriptedEngine(answer, info=SEARCHABLE) as engine:
            resumed = Refinement(guaranteed=True).measure(data, "mine", Generator(engine, store), Setup("x"))
            assert len({request.conversation.messages[0].content for request in engine.requests}) == 8 - kept
    assert kept >= 1
    assert [len(output.said) for output in resumed.outputs] == [2] * 8
    assert all(json.dumps(output.details) for output in resumed.outputs)
