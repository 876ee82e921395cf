"""Making studies: of files, of the results folder, blind, and never changing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.ranking import Aspect
from bayling_lite.evaluate.ranking.dealing import deal, naming
from bayling_lite.evaluate.ranking.opening import Making, changed_files, look_at_study, open_study
from bayling_lite.evaluate.ranking.reading import from_files, from_results
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import Output, Run, SetResult
from tests.evaluate.ranking.ranking_studies import new_store, write_outputs


def lines(path: Path, *texts: str) -> Path:
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def result(out: Path, system: str, said: Sequence[str], *, date: str = "2026-01-01", family: str = "wmt22") -> None:
    outputs = tuple(
        Output(str(n), (f"text {n}",), (text,), reference=f"reference {n}", details={"phrases": ["rain"]})
        for n, text in enumerate(said)
    )
    ResultsFolder(out).write(SetResult(system, family, "zh-en", (), outputs, Run(date), n_items=9))


def test_plain_files_belong_together_line_by_line(tmp_path: Path) -> None:
    source = lines(tmp_path / "source", "one", "two\u2028still two")
    first, second = lines(tmp_path / "a", "eins", "zwei"), lines(tmp_path / "b", "un", "deux")
    outputs = from_files({"A": first, "B": second}, source=source)
    assert [item.outputs[1].said for item in outputs.items] == [("un",), ("deux",)]
    assert outputs.items[1].outputs[0].asked == ("two\u2028still two",)
    assert outputs.aspects == (Aspect.TRANSLATION,)
    lines(second, "un")
    with pytest.raises(InputError, match=r"b has 1 lines, .*source has 2"):
        from_files({"A": first, "B": second}, source=source)


def test_what_was_asked_has_to_be_said(tmp_path: Path) -> None:
    files = {"A": lines(tmp_path / "a", "x"), "B": lines(tmp_path / "b", "y")}
    with pytest.raises(UsageError, match="--source"):
        from_files(files)
    with pytest.raises(UsageError, match="two systems"):
        from_files({"A": files["A"]}, source=files["B"])
    with pytest.raises(InputError, match="empty"):
        from_files({name: lines(path) for name, path in files.items()}, source=lines(tmp_path / "source"))


@pytest.mark.parametrize("record", [{}, {"said": 3}, {"said": []}, {"said": ["a", None]}, {"said": "a", "phrases": 1}])
def test_records_that_say_nothing_are_named(tmp_path: Path, record: dict[str, object]) -> None:
    path = lines(tmp_path / "a.jsonl", json.dumps(record))
    with pytest.raises(InputError, match=r"a\.jsonl, item 1"):
        from_files({"A": path, "B": path}, source=lines(tmp_path / "source", "x"))


def test_ids_belong_to_lines_and_have_to_be_the_same(tmp_path: Path) -> None:
    def said(name: str, *ids: str) -> Path:
        return lines(tmp_path / f"{name}.jsonl", *(json.dumps({"said": f"{name}{id_}", "id": id_}) for id_ in ids))

    source, plain = lines(tmp_path / "source", "x", "y"), lines(tmp_path / "plain", "one", "two")
    outputs = from_files({"A": said("a", "q", "q"), "B": plain}, source=source)
    assert [(item.id, item.outputs[1].said) for item in outputs.items] == [("q", ("one",)), ("q", ("two",))]
    with pytest.raises(InputError, match=r"a\.jsonl has p and .*b\.jsonl has q as item 1"):
        from_files({"A": said("a", "p", "q"), "B": said("b", "q", "p")}, source=source)


def test_dialogues_are_ranked_by_their_interaction_as_well(tmp_path: Path) -> None:
    asked = [["translate", "shorter"], ["translate", "shorter"]]
    making = write_outputs(tmp_path, asked, {"A": [["x", "y"], ["x"]], "B": [["x", "z"], ["x", "y"]]})
    store, is_new = open_study(tmp_path / "out", "s", making)
    assert is_new
    with store:
        assert store.needed().aspects == tuple(Aspect)
        assert sorted(item.outputs[0].said for item in store.items()) == [("x", ""), ("x", "y")]


def test_results_are_taken_where_all_systems_have_them(tmp_path: Path) -> None:
    result(tmp_path, "A", ["a0", "a1", "a2"], family="constrained")
    result(tmp_path, "B", ["b0", "b1"], family="constrained")
    result(tmp_path, "C", ["c0"], family="wmt22")
    outputs = from_results(tmp_path, "constrained", "zh-en")
    assert outputs.systems == ("A", "B")
    assert [item.id for item in outputs.items] == ["0", "1"]
    assert outputs.items[0].phrases == ("rain",)
    assert outputs.aspects == (Aspect.TRANSLATION, Aspect.INSTRUCTIONS)
    with pytest.raises(UsageError, match=r"no result of C on constrained/zh-en. Systems with one: A, B"):
        from_results(tmp_path, "constrained", "zh-en", ["A", "C"])
    with pytest.raises(UsageError, match="two systems"):
        from_results(tmp_path, "wmt22", "zh-en")
    with pytest.raises(UsageError, match=r"no results on wmt22/ja-en. Sets .*: constrained/zh-en, wmt22/zh-en\."):
        from_results(tmp_path, "wmt22", "ja-en", ["A", "B"])
    (tmp_path / "A" / "wmt22").mkdir()
    (tmp_path / "A" / "wmt22" / "en-zh.json").write_text("damaged", encoding="utf-8")
    assert len(from_results(tmp_path, "constrained", "zh-en").items) == 2, "of other sets nothing is read"
    assert ResultsFolder(tmp_path).sets() == (("constrained", "zh-en"), ("wmt22", "zh-en")), "what can be read"


def test_results_of_different_questions_are_not_ranked(tmp_path: Path) -> None:
    result(tmp_path, "A", ["a"])
    result(tmp_path, "B", ["b"])
    folder = ResultsFolder(tmp_path)
    _, second = folder.read()
    folder.write(replace(second, outputs=(replace(second.outputs[0], asked=("another text",)),)))
    with pytest.raises(InputError, match="asked something else"):
        from_results(tmp_path, "wmt22", "zh-en")


def test_a_study_goes_on_as_it_was_begun(tmp_path: Path) -> None:
    making = write_outputs(tmp_path, ["x"] * 9, {name: [f"{name}{n}" for n in range(9)] for name in "AB"})
    making = replace(making, n_items=4)
    store, is_new = open_study(tmp_path / "out", "s", making)
    drawn = [item.id for item in store.items()]
    store.close()
    assert is_new
    assert len(set(drawn)) == 4
    for again in (Making(), making):
        store, is_new = open_study(tmp_path / "out", "s", again)
        with store:
            assert not is_new
            assert [item.id for item in store.items()] == drawn
    for other in (
        replace(making, n_items=5),
        Making(n_items=5),
        Making(seed=8),
        Making(aspects=(Aspect.INSTRUCTIONS,)),
    ):
        with pytest.raises(UsageError, match="was begun with something else"):
            open_study(tmp_path / "out", "s", other)


def test_a_changed_file_is_named_and_one_that_is_gone_is_not_missed(tmp_path: Path) -> None:
    making = write_outputs(tmp_path, ["x"], {"A": ["a"], "B": ["b"]})
    open_study(tmp_path / "out", "s", making)[0].close()
    path = Path(making.systems[1].partition("=")[2])
    path.write_text('{"said": "better"}\n', encoding="utf-8")
    for again in (Making(), making):
        store, is_new = open_study(tmp_path / "out", "s", again)
        with store:
            assert (is_new, changed_files(store)) == (False, (path,))
            assert [output.said for output in store.item(0).outputs] == [("a",), ("b",)]
    # Another file is none of the study's, unless it says the same.
    (tmp_path / "moved.jsonl").write_bytes(path.read_bytes())
    moved = replace(making, systems=(making.systems[0], f"B={tmp_path / 'moved.jsonl'}"))
    with pytest.raises(UsageError, match="begun with something else as the files"):
        open_study(tmp_path / "out", "s", moved)
    (tmp_path / "moved.jsonl").write_text('{"said": "b"}\n', encoding="utf-8")
    path.unlink()
    for again in (Making(), moved):
        with open_study(tmp_path / "out", "s", again)[0] as store:
            assert changed_files(store) == ()


def test_results_measured_again_with_the_same_outputs_are_the_same(tmp_path: Path) -> None:
    for system in "AB":
        result(tmp_path, system, [system])
    open_study(tmp_path, "s", Making(set_name="wmt22/zh-en"))[0].close()
    result(tmp_path, "A", ["A"], date="2026-02-02")
    with open_study(tmp_path, "s", Making())[0] as store:
        assert changed_files(store) == ()
        result(tmp_path, "A", ["changed"])
        changed = tmp_path / "A" / "wmt22" / "zh-en.json"
        assert changed_files(store) == (changed,)
        changed.write_text("damaged", encoding="utf-8")
        assert changed_files(store) == (changed,)
    result(tmp_path, "A", ["changed"])
    with open_study(tmp_path, "s", Making(set_name="wmt22/zh-en"))[0] as store:
        assert store.item(0).outputs[0].said == ("A",)
    result(tmp_path, "C", ["C"])
    with pytest.raises(UsageError, match="begun with something else as the systems"):
        open_study(tmp_path, "s", Making(set_name="wmt22/zh-en", systems=("A", "C")))


@pytest.mark.parametrize(
    "making",
    [
        Making(systems=("A",)),
        Making(systems=("A=x", "B")),
        Making(systems=("A=x", "A=y")),
        Making(systems=("A=x", "B=y"), set_name="wmt22/zh-en"),
        Making(set_name="wmt22"),
        Making(),
    ],
)
def test_a_slip_leaves_no_study_behind(tmp_path: Path, making: Making) -> None:
    with pytest.raises(UsageError):
        open_study(tmp_path / "out", "s", making)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="There is no study s"):
        look_at_study(tmp_path / "out", "s")


def test_the_same_output_is_dealt_once_and_everybody_gets_an_order_of_their_own(tmp_path: Path) -> None:
    systems = {"A": ["same", "1"], "B": ["same\r\n", "2"], "C": ["other", "3"], "D": ["Same", "4"]}
    with new_store(tmp_path, ["x", "y"], systems) as store:
        study, items = store.needed(), list(store.items())
        position = next(n for n, item in enumerate(items) if item.outputs[2].said == ("other",))
        hands = [deal(study, items[position], position, f"person {n}") for n in range(60)]
        assert {frozenset(hand) for hand in hands} == {frozenset({(0, 1), (2,), (3,)})}
        assert len(set(hands)) == 6, "every order comes up"
        assert hands[0] == deal(study, items[position], position, "Person 0")
        firsts = {deal(study, items[1 - position], n, "Anna")[0] for n in range(60)}
        assert len(firsts) == 4, "no system is always first for a person"


def test_references_are_kept_only_where_people_are_to_see_them(tmp_path: Path) -> None:
    for system in "AB":
        result(tmp_path, system, [system])
    for name, shown in (("blind", False), ("seeing", True)):
        making = Making(set_name="wmt22/zh-en", show_references=shown)
        with open_study(tmp_path, name, making)[0] as store:
            assert store.item(0).reference == ("reference 0" if shown else "")
    with pytest.raises(UsageError, match="--show-references"):
        open_study(tmp_path, "blind", Making(show_references=True))
    making = write_outputs(tmp_path, ["x"], {"A": ["a"], "B": ["b"]})
    making = replace(making, reference=lines(tmp_path / "reference", "r"))
    with open_study(tmp_path, "files", making)[0] as store:
        assert store.item(0).reference == "r"


def test_outputs_that_name_a_system_are_counted(tmp_path: Path) -> None:
    systems = {"BayLing": ["I am bayling.", "Good."], "A": ["A good day.", "Not BayLing."], "C+": ["Mabaylings", "c"]}
    with new_store(tmp_path, ["x", "y"], systems) as store:
        assert naming(store.needed(), list(store.items())) == 2
