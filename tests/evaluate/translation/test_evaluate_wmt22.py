"""The family wmt22: its files wherever they lie, outputs of others, what is asked of a model, and published numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, InputError, UsageError
from bayling_lite.evaluate.data import DataFolder, read_lines
from bayling_lite.evaluate.families import family
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.results import decode, encode
from bayling_lite.evaluate.translation.metrics import score_lines
from bayling_lite.evaluate.translation.plain_lines import write_lines as write_plain
from bayling_lite.evaluate.translation.wmt22 import DIRECTIONS, Wmt22
from bayling_lite.evaluate.values import Setup
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording
from tests.evaluate.published_data import needs_published_data, published_data
from tests.evaluate.translation.translated_sets import ENGLISH, GERMAN, ROUGH, write_lines

PUBLISHED = {
    "bayling-7b": "20.31 38.18 28.17 25.66 35.98 11.63 34.74 33.07 15.64 4.51 14.85 11.66 26.55 29.64",
    "gpt-3.5-turbo": "26.12 44.99 33.00 34.18 45.99 22.14 41.79 39.00 32.71 22.22 29.59 25.87 35.27 45.74",
    "alpaca-7b": "11.80 7.85 24.52 18.22 27.31 8.63 30.49 28.57 13.13 1.43 14.10 7.62 18.61 20.43",
}
SEARCHING = ModelInfo(name="scripted", template="bayling", n_ctx=512, can_search=True)


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """Data as the paper's authors laid it out, of two directions, the second without a reference."""
    folder = tmp_path / "BayLing" / "exp" / "translation_benchmark"
    write_lines(folder / "reference" / "ende.src", ENGLISH)
    write_lines(folder / "reference" / "ende.ref", GERMAN)
    write_lines(folder / "reference" / "deen.src", GERMAN)
    write_lines(folder / "model-b" / "en-de.hypo", ROUGH)
    write_lines(folder / "model-a" / "en-de.zh_prompt.hypo", GERMAN)
    write_lines(folder / "model-a" / "de-en.hypo", ENGLISH)
    write_lines(folder / "model-a" / "en-xx.hypo", ENGLISH)
    return DataFolder([tmp_path / "BayLing"])


def test_sets_are_those_with_source_and_reference(data: DataFolder) -> None:
    assert Wmt22().find_sets(data) == ("en-de",)
    test_set = Wmt22().test_set(data, "en-de")
    assert (test_set.sources, test_set.references) == (ENGLISH, (GERMAN,))
    assert family("wmt22").name == "wmt22"


def test_sets_that_are_not_there(data: DataFolder) -> None:
    with pytest.raises(UsageError, match=r"no direction 'en-xx'.*zh-en, en-zh"):
        Wmt22().test_set(data, "en-xx")
    with pytest.raises(UsageError, match=r"no deen\.src and deen\.ref .* it has: en-de\..*ictnlp/BayLing"):
        Wmt22().test_set(data, "de-en")


def test_sets_whose_files_do_not_belong_together(data: DataFolder) -> None:
    write_lines(data.folders[0] / "exp" / "translation_benchmark" / "reference" / "ende.ref", GERMAN[:2])
    with pytest.raises(InputError, match=r"ende\.src has 6 lines, .*ende\.ref has 2"):
        Wmt22().test_set(data, "en-de")


def test_outputs_of_others_are_found_and_scored(data: DataFolder) -> None:
    found = Wmt22().find_outputs(data)
    assert [(one.system, one.set_name) for one in found] == [
        ("model-a", "de-en"),
        ("model-a.zh_prompt", "en-de"),
        ("model-b", "en-de"),
    ]
    perfect, rough = (Wmt22().score(data, one) for one in found[1:])
    assert perfect.scores[0].value == pytest.approx(100)
    assert perfect.run.prompt == "提供这句话的德文翻译：…"
    assert (perfect.run.origin, rough.run.prompt) == ("en-de.zh_prompt.hypo", "")
    assert [output.problem for output in rough.outputs] == ["", "", "", "", "", "empty"]
    assert rough.problems == 1
    assert rough.outputs[1].quality is not None
    assert rough.outputs[5].quality == 0.0
    assert rough.whole


def test_outputs_of_another_length_are_an_error_with_both_numbers(data: DataFolder) -> None:
    (found,) = (one for one in Wmt22().find_outputs(data) if one.system == "model-b")
    write_lines(found.path, ROUGH[:5])
    with pytest.raises(InputError, match=r"en-de\.hypo has 5 lines, .*ende\.ref has 6"):
        Wmt22().score(data, found)
    found.path.unlink()
    with pytest.raises(InputError, match="no file"):
        Wmt22().score(data, found)


def test_a_model_is_asked_as_in_the_paper(data: DataFolder) -> None:
    engine = ScriptedEngine(lambda conversation: GERMAN[_asked(conversation)], info=SEARCHING)
    result = Wmt22().measure(data, "en-de", Generator(engine), Setup("mine"))
    texts = {request.conversation.messages[-1].content for request in engine.requests}
    assert texts == {f"Provide the German translation for this sentence: {line}" for line in ENGLISH}
    assert all(
        request.max_tokens == 1024 and request.search and request.search.beam_size == 5 for request in engine.requests
    )
    assert result.scores[0].value == pytest.approx(100)
    assert (result.system, result.set_name, result.run.decoding) == ("mine", "en-de", "beam 5")
    assert result.run.prompt == "Provide the German translation for this sentence: …"


def test_other_wordings_and_decodings(data: DataFolder) -> None:
    engine = ScriptedEngine(lambda conversation: "Ein\nanderer Satz.", info=SEARCHING)
    setup = Setup("mine", wording=Wording.CHINESE, beam_size=1, limit=2)
    result = Wmt22().measure(data, "en-de", Generator(engine), setup)
    assert {request.conversation.messages[-1].content for request in engine.requests} == {
        f"提供这句话的德文翻译：{line}" for line in ENGLISH[:2]
    }
    assert all(request.search is None for request in engine.requests)
    assert (len(result.outputs), result.n_items, result.whole) == (2, 6, False)
    assert result.outputs[0].said == ("Ein\nanderer Satz.",)


def test_problems_count_as_empty_translations(data: DataFolder) -> None:
    def answer(conversation: Conversation) -> str:
        number = _asked(conversation)
        if number == 2:
            raise ContextOverflow(600, 512)
        return " " if number == 3 else GERMAN[number]

    result = Wmt22().measure(data, "en-de", Generator(ScriptedEngine(answer)), Setup("mine"))
    assert [output.problem for output in result.outputs] == ["", "", "context", "empty", "", ""]
    assert [output.quality for output in result.outputs] == pytest.approx([1, 1, 0, 0, 1, 1])
    assert 40 < result.scores[0].value < 75


def test_an_empty_source_is_not_asked(data: DataFolder) -> None:
    reference = data.folders[0] / "exp" / "translation_benchmark" / "reference"
    write_lines(reference / "ende.src", (*ENGLISH[:5], ""))
    engine = ScriptedEngine(lambda conversation: GERMAN[_asked(conversation)])
    result = Wmt22().measure(data, "en-de", Generator(engine), Setup("mine"))
    assert len(engine.requests) == 5
    assert result.outputs[5].said == ()


def test_a_result_goes_through_its_file_and_into_plain_lines(data: DataFolder, tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda conversation: f" {ROUGH[_asked(conversation)]}\n")
    result = Wmt22().measure(data, "en-de", Generator(engine), Setup("my model"))
    path = tmp_path / "result.json"
    path.write_bytes(encode(result))
    assert decode(path) == result
    written = write_plain(result, tmp_path / "lines")
    assert [file.name for file in written] == ["en-de.src", "en-de.hypo", "en-de.ref"]
    again = DataFolder([tmp_path / "lines"])
    (found,) = Wmt22().find_outputs(again)
    assert Wmt22().score(data, found).scores == result.scores


def _asked(conversation: Conversation) -> int:
    """Which sentence a turn asks for."""
    text = conversation.messages[-1].content
    return next(number for number, line in enumerate(ENGLISH) if text.endswith(line))


@needs_published_data
@pytest.mark.slow
def test_published_outputs_give_the_published_numbers() -> None:
    wmt22, data = Wmt22(), published_data()
    assert wmt22.find_sets(data) == DIRECTIONS
    printed: dict[str, list[str]] = {system: [] for system in PUBLISHED}
    for found in wmt22.find_outputs(data):
        if found.system in PUBLISHED:
            test_set = wmt22.test_set(data, found.set_name)
            lines = read_lines(found.path)
            (bleu,) = score_lines(lines, test_set.references, test_set.target, metrics=("BLEU",)).scores
            printed[found.system].append(f"{bleu.value:.2f}")
    assert {system: " ".join(numbers) for system, numbers in printed.items()} == PUBLISHED
