"""Constrained translation: how phrases are counted, what belongs to what, and what is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, InputError, PhrasesDoNotFit, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FoundOutputs, family
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.interactive.constrained import Constrained
from bayling_lite.evaluate.interactive.constrained_files import read_constrained_set
from bayling_lite.evaluate.interactive.phrases import present
from bayling_lite.evaluate.translation.significance import compare
from bayling_lite.evaluate.values import SetResult, Setup
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording
from tests.evaluate.interactive.small_sets import SENTENCES, write_constrained, write_lines, write_outputs
from tests.evaluate.published_data import needs_published_data, published_data

SEARCHABLE = ModelInfo(name="searchable", template="bayling", n_ctx=4096, can_search=True)


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder([write_constrained(tmp_path / "public")])


def values(result: SetResult) -> dict[str, float]:
    return {score.metric: round(score.value, 2) for score in result.scores}


def translated(conversation: Conversation) -> str:
    """The references, the second in lower case."""
    asked = conversation.messages[-1].content
    (sentence,) = (one for one in SENTENCES if str(one["src"]) in asked)
    said = str(sentence["tgt"])
    return said.lower() if "bank" in asked else said


def test_a_phrase_is_a_substring_in_its_own_case() -> None:
    assert present(["cat", "Cat", "a c"], "a category") == (True, False, True)
    assert present(["CAT", "straße"], "Cat STRASSE", any_case=True) == (True, True)
    assert present([], "anything") == ()


def test_phrases_sentences_and_bleu_are_counted(data: DataFolder, tmp_path: Path) -> None:
    path = write_outputs(tmp_path / "outputs" / "hypo.en-de.de.jsonl", ["Morgen, maria", "Die Bank ist zu.", "", None])
    result = Constrained(any_case=True).score(data, FoundOutputs("mine", "en-de", path))
    found = values(result)
    # Of seven phrases two are there; of four sentences, one has all of its own.
    assert found.pop("BLEU") > 0
    assert found == {
        "phrase rate": round(100 * 2 / 7, 2),
        "all satisfied": 25.0,
        "phrase rate (any case)": round(100 * 3 / 7, 2),
        "all satisfied (any case)": 50.0,
    }
    signatures = {score.metric: score.signature for score in result.scores}
    assert signatures["phrase rate"].startswith("rule:substring|case:sensitive|average:micro")
    assert signatures["all satisfied (any case)"].startswith("rule:substring|case:insensitive|average:sentences")
    assert "tok:13a" in signatures["BLEU"]
    assert [output.problem for output in result.outputs] == ["", "", "empty", "empty"]
    assert result.outputs[0].details["present"] == [True, False]
    assert (result.run.origin, result.n_items, result.whole) == ("hypo.en-de.de.jsonl", 4, True)
    qualities = [output.quality or 0.0 for output in result.outputs]
    assert qualities[1] == 1 > qualities[0] > qualities[2] == 0
    for score in result.scores:
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high


def test_two_systems_are_compared_by_every_score(data: DataFolder, tmp_path: Path) -> None:
    good = [str(one["tgt"]) for one in SENTENCES]
    first, second = (
        Constrained().score(data, FoundOutputs(name, "en-de", write_outputs(tmp_path / f"{name}.jsonl", said)))
        for name, said in (("good", good), ("bad", ["", "Bank", "e", "nein"]))
    )
    compared = {one.metric: (round(one.baseline_value, 2), round(one.value, 2)) for one in compare(first, second)}
    assert compared["phrase rate"] == (100, round(200 / 7, 2))
    assert compared["all satisfied"] == (100, 25)
    assert compared["BLEU"] == tuple(round(result.scores[2].value, 2) for result in (first, second))


def test_plain_lines_are_outputs_too(data: DataFolder, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("".join(f"{one['tgt']}\n" for one in SENTENCES), encoding="utf-8")
    result = Constrained().score(data, FoundOutputs("mine", "en-de", path))
    assert values(result) == {"phrase rate": 100, "all satisfied": 100, "BLEU": 100}


def test_outputs_are_found_as_the_authors_named_them(tmp_path: Path) -> None:
    folder = write_constrained(tmp_path / "public")
    texts = [str(one["tgt"]) for one in SENTENCES]
    for name in ("b/hypo.en-de.de.jsonl", "a/hypo.en-de.de.zh_prompt.jsonl", "a/hypo.en-de.fr.jsonl", "a/hypo.x.jsonl"):
        write_outputs(folder / "exp" / name, texts)
    data = DataFolder([folder])
    found = family("constrained").find_outputs(data)
    assert [(one.system, one.set_name) for one in found] == [("a.zh_prompt", "en-de"), ("b", "en-de")]
    assert Constrained().score(data, found[0]).run.prompt.startswith("提供这句话的德文翻译")


def test_sets_of_the_paper_come_first(tmp_path: Path) -> None:
    for name in ("cs-de", "zh-en", "en-zh"):
        write_constrained(tmp_path, name=name)
    assert Constrained().find_sets(DataFolder([tmp_path])) == ("en-zh", "zh-en", "cs-de")


def test_a_set_of_ones_own_stands_apart_from_that_of_the_paper(tmp_path: Path) -> None:
    write_constrained(tmp_path)
    own = [{"src": "Take a pill.", "tgt": "Nimm eine Pille.", "constraint": ["Pille"]}]
    write_constrained(tmp_path, own, name="medical.en-de")
    write_lines(tmp_path / "me" / "hypo.medical.en-de.de.jsonl", [{"hypo": "Eine Pille!"}])
    data = DataFolder([tmp_path])
    assert Constrained().find_sets(data) == ("en-de", "medical.en-de")
    (found,) = Constrained().find_outputs(data)
    result = Constrained().score(data, found)
    assert (result.set_name, values(result)["phrase rate"]) == ("medical.en-de", 100)


def test_without_phrases_nothing_is_satisfied(tmp_path: Path) -> None:
    data = DataFolder([write_constrained(tmp_path, [{**SENTENCES[1], "constraint": []}, SENTENCES[3]])])
    path = write_lines(tmp_path / "hypo.jsonl", [{"hypo": "Die Bank ist zu."}, {"hypo": "Gute Nacht."}])
    result = Constrained().score(data, FoundOutputs("mine", "en-de", path))
    satisfied = result.score("all satisfied")
    assert satisfied is not None
    assert (satisfied.value, result.outputs[0].details["statistics"]["all satisfied"]) == (100, [0, 0])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"src": "Good evening.", "hypo": "x"}, 'item 2 is the output for "Good evening.", but that of'),
        ({"src": "The bank is closed."}, 'item 2: "hypo" should be the output'),
        ({"hypo": ["x"]}, 'item 2: "hypo" should be the output'),
    ],
)
def test_outputs_of_another_set_are_refused(
    data: DataFolder, tmp_path: Path, line: dict[str, object], message: str
) -> None:
    lines: list[dict[str, object]] = [{"hypo": "x"}, line, {"hypo": "x"}, {"hypo": "x"}]
    path = write_lines(tmp_path / "hypo.jsonl", lines)
    with pytest.raises(InputError, match=message):
        Constrained().score(data, FoundOutputs("mine", "en-de", path))


def test_too_few_lines_are_refused(data: DataFolder, tmp_path: Path) -> None:
    for name, text in (("a.jsonl", '{"hypo": "x"}\n'), ("a.txt", "x\n")):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=r"has 1 lines, .* has 4"):
            Constrained().score(data, FoundOutputs("mine", "en-de", path))


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ({"src": "x", "constraint": ["y"]}, 'item 1: "src" and "tgt" should be texts'),
        ({"src": "x", "tgt": "y", "constraint": "y"}, 'item 1: "constraint" should be a list'),
        ({"src": "x", "tgt": "y", "constraint": [" "]}, "none of them empty"),
    ],
)
def test_a_broken_set_names_the_item(tmp_path: Path, sentence: dict[str, object], message: str) -> None:
    data = DataFolder([write_constrained(tmp_path, [sentence])])
    with pytest.raises(InputError, match=message):
        read_constrained_set(data, "en-de")


def test_a_set_that_is_not_there(data: DataFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are: en-de"):
        read_constrained_set(data, "en-fr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"There are none\. They can be had from"):
        read_constrained_set(DataFolder([tmp_path / "empty"]), "en-de")
    with pytest.raises(UsageError, match="Unknown language"):
        read_constrained_set(DataFolder([write_constrained(tmp_path, name="en-xx")]), "en-xx")


@pytest.mark.parametrize(
    ("wording", "asked"),
    [
        (
            Wording.ENGLISH,
            """Provide the German translation for this sentence: Good morning, Mary.
Make sure to include these words: Morgen, Maria""",
        ),
        (Wording.CHINESE, "提供这句话的德文翻译：Good morning, Mary.\n确保包含这些词：Morgen, Maria"),
    ],
)
def test_it_is_asked_as_in_the_paper(data: DataFolder, wording: Wording, asked: str) -> None:
    with ScriptedEngine(translated, info=SEARCHABLE) as engine:
        result = Constrained().measure(data, "en-de", Generator(engine), Setup("mine", wording=wording, limit=1))
    (request,) = engine.requests
    assert request.conversation.messages[-1].content == asked
    assert request.max_tokens == 150
    assert request.search is not None
    assert (request.search.beam_size, request.search.required) == (5, ())
    assert (result.system, result.n_items, len(result.outputs), result.whole) == ("mine", 4, 1, False)
    assert values(result)["phrase rate"] == 100


def test_what_is_measured_is_what_its_outputs_score(data: DataFolder, tmp_path: Path) -> None:
    with ScriptedEngine(translated) as engine:
        measured = Constrained().measure(data, "en-de", Generator(engine), Setup("mine"))
    path = write_outputs(tmp_path / "hypo.jsonl", [output.said[0] for output in measured.outputs])
    scored = Constrained().score(data, FoundOutputs("mine", "en-de", path))
    assert (scored.scores, scored.outputs) == (measured.scores, measured.outputs)
    assert values(scored)["all satisfied"] == 75


def test_guaranteed_phrases_are_asked_of_the_search(data: DataFolder) -> None:
    with ScriptedEngine(translated, info=SEARCHABLE) as engine:
        result = Constrained(guaranteed=True).measure(data, "en-de", Generator(engine), Setup("mine", beam_size=3))
    required = {request.search.required for request in engine.requests if request.search}
    assert required == {tuple(one["constraint"]) for one in SENTENCES}
    assert {request.search.beam_size for request in engine.requests if request.search} == {3}
    assert result.system == "mine, guaranteed"


def test_phrases_that_do_not_fit_are_asked_for_by_the_prompt(tmp_path: Path) -> None:
    data = DataFolder([write_constrained(tmp_path, SENTENCES[:1])])
    with ScriptedEngine([PhrasesDoNotFit("They do not fit."), "Guten Tag."], info=SEARCHABLE) as engine:
        result = Constrained(guaranteed=True).measure(data, "en-de", Generator(engine), Setup("mine"))
    assert [request.search.required for request in engine.requests if request.search] == [("Morgen", "Maria"), ()]
    (output,) = result.outputs
    assert (output.said, output.problem) == (("Guten Tag.",), "impossible")
    assert values(result)["phrase rate"] == 0


def test_nothing_can_be_guaranteed_without_a_search(data: DataFolder) -> None:
    with ScriptedEngine(translated) as engine, pytest.raises(UsageError, match="cannot be searched"):
        Constrained(guaranteed=True).measure(data, "en-de", Generator(engine), Setup("mine"))


def test_what_does_not_fit_the_context_counts_as_nothing(tmp_path: Path) -> None:
    data = DataFolder([write_constrained(tmp_path, SENTENCES[:2])])
    engine = ScriptedEngine(lambda asked: translated(asked) if "bank" in asked.messages[-1].content else _overflow())
    with engine:
        result = Constrained().measure(data, "en-de", Generator(engine), Setup("mine"))
    assert [output.problem for output in result.outputs] == ["context", ""]
    assert (result.problems, values(result)["phrase rate"]) == (1, 0)


def _overflow() -> str:
    raise ContextOverflow(5000, 4096)


@needs_published_data
@pytest.mark.parametrize(
    ("system", "set_name", "published"),
    [
        ("bayling-7b", "en-zh", (78.65, 62.30, 43.45)),
        ("bayling-7b", "zh-en", (68.63, 52.75, 21.52)),
        ("alpaca-7b", "en-zh", (64.48, 53.02, 10.49)),
        ("alpaca-7b", "zh-en", (55.15, 37.97, 12.23)),
    ],
)
def test_published_outputs_give_the_published_numbers(
    system: str, set_name: str, published: tuple[float, float, float]
) -> None:
    data = published_data()
    (found,) = (one for one in Constrained().find_outputs(data) if (one.system, one.set_name) == (system, set_name))
    scores = Constrained().score(data, found).scores
    assert [score.metric for score in scores] == ["phrase rate", "all satisfied", "BLEU"]
    assert tuple(round(score.value, 2) for score in scores) == published
