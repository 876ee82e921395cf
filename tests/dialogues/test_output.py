"""The output of a build: whole or not at all, resumed to the same bytes, one process at a time."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bayling_finetune.dialogues.building import build_file
from bayling_finetune.dialogues.contamination import Policy, TestSets
from bayling_finetune.dialogues.output import DialogueOutput, check_place, locked, work_folder
from bayling_finetune.dialogues.plan import Plan, Stage
from bayling_finetune.dialogues.pool import Pool
from bayling_finetune.dialogues.sources import ParallelSource
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_lite.errors import BaylingError, EngineError, InputError, OutputError
from bayling_lite.languages import find_language

pytestmark = pytest.mark.slow

KINDS = {Kind.TRANSLATION: 1.0, Kind.CORRECTION: 0.5}
Make = Callable[..., Plan]


@pytest.fixture
def plan(german_file: Path, chinese_file: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A plan with chunks of 20 pairs, so that there are many."""
    monkeypatch.setattr("bayling_finetune.dialogues.building.CHUNK", 20)
    english, german, chinese = map(find_language, ("en", "de", "zh"))
    sources = (
        ParallelSource((german_file,), english, german, origin="german"),
        ParallelSource((chinese_file,), english, chinese, origin="chinese"),
    )

    def make(**changes: Any) -> Plan:
        return Plan(**{"sources": sources, "kinds": KINDS, **changes})

    return make


class _Stop(Exception):
    """What a machine that loses its power does not even raise."""


def stopping_at(number: int) -> Callable[[Stage, int, int], None]:
    """Stops a build when so many pairs are done."""

    def watch(stage: Stage, done: int, _total: int) -> None:
        if stage is Stage.MAKE and done >= number:
            raise _Stop

    return watch


def _note_in(seen: list[tuple[Stage, int, int]]) -> Callable[[Stage, int, int], None]:
    return lambda *where: seen.append(where)


@pytest.mark.parametrize("name", ["out.jsonl", pytest.param("out.jsonl.gz", marks=pytest.mark.slow)])
def test_a_build_that_is_stopped_goes_on_to_the_same_bytes(
    plan: Make, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = build_file(plan(), tmp_path / f"straight-{name}", processes=1)
    # Every chunk is put on record, as on a slow machine; nothing is on a fast one.
    for seconds, stops, resumed in ((0.0, (60, 140, 300), True), (1e9, (100, 200), False)):
        monkeypatch.setattr("bayling_finetune.dialogues.output._SECONDS_BETWEEN_STATES", seconds)
        path = tmp_path / f"{seconds}-{name}"
        for number in stops:
            with pytest.raises(_Stop):
                build_file(plan(), path, processes=1, watch=stopping_at(number))
            assert not path.exists()
            # The machine may have written more than it could put on record.
            with (work_folder(path) / "dialogues.part").open("ab") as part:
                part.write(b'{"id": "half a li')
        seen: list[tuple[Stage, int, int]] = []
        built = build_file(plan(), path, processes=1, watch=_note_in(seen))
        assert built.resumed is resumed
        assert (Stage.MAKE, 280 if resumed else 0, 360) == next(one for one in seen if one[0] is Stage.MAKE)
        assert path.read_bytes() == straight.path.read_bytes()
        assert built.report.statistics.to_dict() == straight.report.statistics.to_dict()
        assert not work_folder(path).exists()
    lines = straight.path.read_bytes()
    text = (gzip.decompress(lines) if name.endswith(".gz") else lines).decode()
    assert [Dialogue.of(json.loads(line)).kind for line in text.splitlines()].count(Kind.TRANSLATION) == 720


@pytest.mark.slow
def test_what_a_build_depends_on_begins_it_again(plan: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayling_finetune.dialogues.output._SECONDS_BETWEEN_STATES", 0.0)
    path = tmp_path / "out.jsonl"
    changes = ({"seed": 2}, {"kinds": {Kind.TRANSLATION: 1.0}}, {"one_way": True}, {"limit": 100})
    for change in changes:
        with pytest.raises(_Stop):
            build_file(plan(), path, processes=1, watch=stopping_at(60))
        built = build_file(plan(**change), path, processes=1)
        assert not built.resumed
        assert (
            path.read_bytes()
            == build_file(plan(**change), tmp_path / "other", processes=1, force=True).path.read_bytes()
        )
        path.unlink()


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_the_number_of_processes_changes_nothing(
    plan: Make, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayling_finetune.dialogues.screening.CHUNK", 30)
    alone = build_file(plan(), tmp_path / "alone.jsonl", processes=1)
    together = build_file(plan(), tmp_path / "together.jsonl", processes=3, method=method)
    assert alone.path.read_bytes() == together.path.read_bytes()
    values = [{**built.report.to_dict(), "output": ""} for built in (alone, together)]
    assert values[0] == values[1]


def test_the_order_of_the_sources_changes_the_order_of_the_lines_alone(plan: Make, tmp_path: Path) -> None:
    there = build_file(plan(), tmp_path / "there.jsonl", processes=1)
    back = build_file(plan(sources=plan().sources[::-1]), tmp_path / "back.jsonl", processes=1)
    one, other = (built.path.read_bytes().splitlines() for built in (there, back))
    assert one != other
    assert sorted(one) == sorted(other)


def test_no_dialogue_is_there_twice(plan: Make, german_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.en-de.tsv"
    again.write_bytes(german_file.read_bytes())
    english, german = find_language("en"), find_language("de")
    doubled = plan(sources=(*plan().sources, ParallelSource((again,), english, german)))
    built = build_file(doubled, tmp_path / "out.jsonl", processes=1)
    assert built.path.read_bytes() == build_file(plan(), tmp_path / "once.jsonl", processes=1).path.read_bytes()
    assert built.report.skipped == {"the pair occurred before": 180}


def test_dialogues_from_elsewhere_come_last_and_survive_a_stop(
    plan: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayling_finetune.dialogues.output._SECONDS_BETWEEN_STATES", 0.0)
    asked: list[int] = []

    def written(tools: Tools, directions: Iterable[Direction]) -> Iterator[Dialogue]:
        for number, pair in enumerate(directions):
            asked.append(number)
            yield dialogue(pair, Kind.SUGGESTION, f"What of {pair.source}", f"It could be {pair.reference}")
        yield dialogue(pair, Kind.SUGGESTION, f"What of {pair.source}", f"It could be {pair.reference}")

    path = tmp_path / "out.jsonl"

    def stop(stage: Stage, _done: int, _total: int) -> None:
        if stage is Stage.ALSO and len(asked) > 70:
            raise _Stop

    with pytest.raises(_Stop):
        build_file(plan(also=written, also_digest="1"), path, processes=1, watch=stop)
    built = build_file(plan(also=written, also_digest="1"), path, processes=1)
    assert built.resumed
    whole = build_file(plan(also=written, also_digest="1"), tmp_path / "whole.jsonl", processes=1)
    assert path.read_bytes() == whole.path.read_bytes()
    kinds = [json.loads(line)["kind"] for line in path.read_bytes().splitlines()]
    assert kinds.count("suggestion") == 720
    assert kinds[-720:] == ["suggestion"] * 720
    assert built.report.statistics.tables["troubles"]["the same dialogue again"] == 1
    assert built.report.statistics.tables["kinds"]["suggestion"] == 720


def test_pairs_of_a_test_set_are_refused_left_out_or_kept(
    plan: Make, german_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_set = tmp_path / "held-out.txt"
    english = [line.split("\t")[0] for line in german_file.read_text(encoding="utf-8").splitlines()]
    test_set.write_text("\n".join(english[5:8]) + "\n", encoding="utf-8")
    tests, path = TestSets.load([str(test_set)]), tmp_path / "out.jsonl"
    with pytest.raises(InputError, match=r"held-out.txt: 6 of 360 pairs.*--on-overlap drop"):
        build_file(plan(test_sets=tests), path, processes=1)
    assert not path.exists()
    # Reading was not in vain.
    monkeypatch.setattr("bayling_finetune.dialogues.building.screen", None)
    dropped = build_file(plan(test_sets=tests, on_overlap=Policy.DROP), path, processes=1)
    assert dropped.report.pairs_used == 354
    assert dropped.report.skipped == {"a sentence of a test set": 6}
    assert english[5] not in path.read_text(encoding="utf-8")
    monkeypatch.undo()
    kept = build_file(plan(test_sets=tests, on_overlap=Policy.ALLOW), tmp_path / "kept.jsonl", processes=1)
    assert kept.report.pairs_used == 360
    assert kept.report.overlap == {str(test_set): 6}


def test_nothing_left_and_nothing_made_are_errors(plan: Make, tmp_path: Path) -> None:
    empty = tmp_path / "empty.en-de.tsv"
    empty.write_text("\tallein\nHello.\t\n", encoding="utf-8")
    source = ParallelSource((empty,), find_language("en"), find_language("de"))
    with pytest.raises(InputError, match=r"No pair is left.*2 left out, one side is empty"):
        build_file(plan(sources=(source,)), tmp_path / "out.jsonl", processes=1)
    with pytest.raises(InputError, match="None of the kinds"):
        build_file(plan(max_characters=3), tmp_path / "out.jsonl", processes=1)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_limit_takes_that_many_pairs(plan: Make, tmp_path: Path) -> None:
    built = build_file(plan(limit=33), tmp_path / "out.jsonl", processes=1)
    assert built.report.pairs_used == 33
    assert built.report.statistics.tables["kinds"]["translation"] == 66


def test_two_builds_into_one_output_are_refused(plan: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with locked(work_folder(path)), pytest.raises(OutputError, match=r"just building .*out.jsonl"):
        build_file(plan(), path, processes=1)
    build_file(plan(), path, processes=1)


def test_an_output_that_is_there_stays(plan: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(OutputError, match="--force overwrites it"):
        build_file(plan(), path, processes=1)
    with pytest.raises(_Stop):
        build_file(plan(), path, processes=1, force=True, watch=stopping_at(60))
    assert path.read_text(encoding="utf-8") == "precious"
    build_file(plan(), path, processes=1, force=True)
    assert path.read_text(encoding="utf-8").startswith('{"id": ')


def test_an_input_that_changes_meanwhile_is_said(plan: Make, german_file: Path, tmp_path: Path) -> None:
    for change in ("The farmer sleeps.\tDer Bauer schläft.\n", ""):
        growing = tmp_path / "growing.en-de.tsv"
        growing.write_bytes(german_file.read_bytes())
        source = ParallelSource((growing,), find_language("en"), find_language("de"))

        def watch(stage: Stage, *_: int, change: str = change, growing: Path = growing) -> None:
            if stage is Stage.GATHER:
                text = growing.read_text(encoding="utf-8")
                growing.write_text(text + change if change else text[:5000].rpartition("\n")[0], encoding="utf-8")

        with pytest.raises(InputError, match="changed while it was read"):
            build_file(plan(sources=(source,)), tmp_path / "out.jsonl", processes=1, watch=watch)
    built = build_file(plan(sources=(source,)), tmp_path / "out.jsonl", processes=1)
    assert built.report.pairs_read < 180


def test_a_link_stays_and_permissions_are_kept(plan: Make, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.jsonl", tmp_path / "out.jsonl"
    real.touch()
    real.chmod(0o640)
    link.symlink_to(real)
    build_file(plan(), link, processes=1, force=True)
    assert link.is_symlink()
    assert real.stat().st_size > 1000
    assert real.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["real.jsonl"]


def test_a_place_that_cannot_be_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_place(tmp_path, force=True)
    with pytest.raises(OutputError, match="does not exist"):
        check_place(tmp_path / "no" / "out.jsonl", force=True)


def test_a_state_that_lies_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    work_folder(path).mkdir()
    good = {"fingerprint": "f", "chunks": 2, "size": 10, "counts": {}}
    for state, part in (
        (json.dumps(good), b"short"),
        (json.dumps({**good, "fingerprint": "g"}), b"x" * 10),
        (json.dumps({**good, "chunks": "two"}), b"x" * 10),
        ("not JSON", b"x" * 10),
        ("[]", b"x" * 10),
    ):
        (work_folder(path) / "state.json").write_text(state, encoding="utf-8")
        (work_folder(path) / "dialogues.part").write_bytes(part)
        with DialogueOutput(path, "f") as output:
            assert not output.resumed
        assert (work_folder(path) / "dialogues.part").read_bytes() == b""


def test_a_part_that_another_build_overwrote_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    work_folder(path).mkdir()
    with DialogueOutput(path, "one") as output:
        output.append(b"of one\n")
        output.note()
    with DialogueOutput(path, "other") as output:
        output.append(b"of the other\n")  # and killed before anything is put on record
    with DialogueOutput(path, "one") as output:
        assert not output.resumed
        assert list(output.lines()) == []


def test_what_another_process_finished_meanwhile_stays(
    plan: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.jsonl"

    @contextlib.contextmanager
    def late(folder: Path) -> Iterator[Path]:
        path.write_text("finished by another", encoding="utf-8")
        with locked(folder) as free:
            yield free

    monkeypatch.setattr("bayling_finetune.dialogues.building.locked", late)
    with pytest.raises(OutputError, match="--force overwrites it"):
        build_file(plan(), path, processes=1)
    assert path.read_text(encoding="utf-8") == "finished by another"


def test_a_writer_that_fails_costs_nothing_of_what_is_finished(plan: Make, tmp_path: Path) -> None:
    def failing(_tools: Tools, _directions: Iterable[Direction]) -> Iterator[Dialogue]:
        raise EngineError("The server is gone.")
        yield

    path = tmp_path / "out.jsonl"
    with pytest.raises(EngineError):
        build_file(plan(also=failing, also_digest="1"), path, processes=1)
    state = json.loads((work_folder(path) / "state.json").read_bytes())
    assert state["chunks"] == 18
    assert state["size"] == (work_folder(path) / "dialogues.part").stat().st_size > 0


@pytest.mark.slow
def test_a_broken_first_pass_is_made_again(plan: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with pytest.raises(_Stop):
        build_file(plan(), path, processes=1, watch=stopping_at(20))
    kept = [*work_folder(path).glob("first-pass-*"), *work_folder(path).glob("tools-*")]
    assert len(kept) == 3
    for file in kept:
        file.write_bytes(file.read_bytes()[: random.Random(0).randrange(100)])
    stages: list[Stage] = []
    build_file(plan(), path, processes=1, watch=lambda stage, *_: stages.append(stage))
    assert {Stage.SCREEN, Stage.GATHER, Stage.LEARN} <= set(stages)
    assert path.read_bytes() == build_file(plan(), tmp_path / "whole", processes=1).path.read_bytes()


def _double(number: int) -> int:
    return 2 * number


def _end(_number: int) -> int:
    import os

    os._exit(3)


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_a_pool_keeps_the_order_and_reads_no_further_than_it_must(method: str) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with Pool(_double, 2, method=method) as pool:
        results = pool.map(numbers())
        assert next(results) == 0
        assert len(taken) < 10
        assert list(results) == [2 * number for number in range(1, 100)]


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_a_process_that_dies_is_said(method: str) -> None:
    with pytest.raises(BaylingError, match="--processes 1"), Pool(_end, 2, method=method) as pool:
        list(pool.map(range(5)))
