"""Real drafts: asked for once, kept at once, found again by any process."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayling_finetune.dialogues.drafts import Draft, DraftStore, Problem, choose, judge
from bayling_finetune.dialogues.values import Direction
from bayling_lite.cli.dialogues_drafts import fingerprint, make_drafts
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import BaylingError, EngineError, InputError, OutputError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation

EN, ZH, DE = (find_language(code) for code in ("en", "zh", "de"))


def direction(number: int = 0) -> Direction:
    return Direction(f"This is sentence number {number}.", f"这是第{number}句。", EN, ZH)


def echo(conversation: Conversation) -> str:
    return "这是" + conversation.messages[-1].content.rpartition(" ")[2]


def test_a_share_is_chosen_by_itself_and_contains_the_smaller_one() -> None:
    directions = [direction(number) for number in range(2000)]
    half = list(choose(directions, 0.5, seed=1))
    assert 900 < len(half) < 1100
    assert list(choose(reversed(directions), 0.5, seed=1)) == half[::-1]
    assert set(choose(directions, 0.1, seed=1)) <= set(half)
    assert list(choose(directions, 0.5, seed=2)) != half
    assert list(choose(directions, 0, seed=1)) == []
    assert list(choose(directions, 1, seed=1)) == directions


@pytest.mark.parametrize(
    ("text", "finished", "problem"),
    [
        ("这是一句话。", True, Problem.NONE),
        ("  \n", True, Problem.EMPTY),
        ("这是一句", False, Problem.UNFINISHED),
        ("This is sentence number 0.", True, Problem.LANGUAGE),
        ("请把文件在网上，请把文件在网上，请把文件在网上，请把文件在网上，", True, Problem.LOOP),
        ("台台台台台台台台台台台台", True, Problem.LOOP),
        ("哈哈哈哈", True, Problem.NONE),
        ("42", True, Problem.NONE),
    ],
)
def test_a_draft_of_no_use_is_told(text: str, finished: bool, problem: Problem) -> None:
    assert judge(direction(), text, finished=finished).problem is problem


def test_german_is_told_from_english_where_there_is_enough_of_it() -> None:
    spoken = Direction("Ich weiß nicht, ob er morgen kommt.", "I don't know whether he will come.", DE, EN)
    assert judge(spoken, "Ich weiß nicht, ob er morgen kommt.").problem is Problem.LANGUAGE
    assert judge(spoken, "I do not know if he comes tomorrow.").problem is Problem.NONE
    assert judge(spoken, "Tom.").problem is Problem.NONE


def test_a_source_that_repeats_itself_may_be_translated_so() -> None:
    chant = Direction("No, no, no, no, no, no, no!", "不要，不要，不要，不要，不要！", EN, ZH)
    assert judge(chant, "不要的，不要的，不要的，不要的，").problem is Problem.NONE


def test_a_first_draft_stays_and_a_useless_one_is_not_given(tmp_path: Path) -> None:
    with DraftStore(tmp_path / "drafts.sqlite", "model") as store:
        store.put(direction(1), Draft("一"))
        store.put(direction(1), Draft("二"))
        store.put(direction(2), Draft("", Problem.EMPTY))
        assert store.get(direction(1)) == "一"
        assert store.get(direction(2)) is None
        assert store.find(direction(2)) == Draft("", Problem.EMPTY)
        assert list(store.missing(map(direction, range(4)))) == [direction(0), direction(3)]
        assert store.counts() == {Problem.NONE: 1, Problem.EMPTY: 1}
    with DraftStore(tmp_path / "drafts.sqlite", "another") as other:
        assert other.get(direction(1)) is None


@pytest.mark.slow
def test_a_store_reaches_other_processes(tmp_path: Path) -> None:
    store = DraftStore(tmp_path / "drafts.sqlite", "model")
    store.put(direction(0), Draft("零"))
    assert pickle.loads(pickle.dumps(store)).get(direction(0)) == "零"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(store, range(at, 200, 2))) for at in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert list(store.missing(map(direction, range(200)))) == []
    assert store.get(direction(0)) == "零"


def _write(store: DraftStore, numbers: range) -> None:
    for number in numbers:
        store.put(direction(number), Draft(str(number)))


def script(code: str, path: Path) -> list[str]:
    return [sys.executable, "-c", code, str(path)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


_FORKS = """
import os, sys
from pathlib import Path
from bayling_finetune.dialogues.drafts import Draft, DraftStore
from bayling_finetune.dialogues.values import Direction
from bayling_lite.languages import find_language
store = DraftStore(Path(sys.argv[1]), "model")
def one(number): return Direction(str(number), "x", find_language("en"), find_language("zh"))
children = []
for first in (0, 50):
    pid = os.fork()
    if not pid:
        for number in range(first, first + 50):
            store.put(one(number), Draft("d"))
        os._exit(0)
    children.append(pid)
for number in range(100, 150):
    store.put(one(number), Draft("d"))
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
assert not list(store.missing(map(one, range(150))))
"""


def test_a_store_may_be_forked(tmp_path: Path) -> None:
    subprocess.run(script(_FORKS, tmp_path / "drafts.sqlite"), env=environment(), check=True, timeout=60)


_ENDLESS = """
import sys
from pathlib import Path
from bayling_finetune.dialogues.drafts import Draft, DraftStore
from bayling_finetune.dialogues.values import Direction
from bayling_lite.languages import find_language
store = DraftStore(Path(sys.argv[1]), "model")
number = 0
while True:
    store.put(Direction(str(number), "x", find_language("en"), find_language("zh")), Draft("d" * 100))
    number += 1
    print(number, flush=True)
"""


def test_what_is_kept_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "drafts.sqlite"
    process = subprocess.Popen(script(_ENDLESS, path), env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 100:
        pass
    process.send_signal(signal.SIGKILL)
    said = [int(line) for line in process.stdout.read().split()]
    process.stdout.close()
    process.wait()
    with DraftStore(path, "model") as store:
        kept = store.counts()[Problem.NONE]
    # The last one may have been kept before it was said.
    assert kept - max(said, default=100) in (0, 1)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear reader, " * 100)
    with pytest.raises(InputError, match="no store of drafts"):
        DraftStore(text, "model")
    newer = tmp_path / "newer.sqlite"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="newer bayling-lite"):
        DraftStore(newer, "model")
    with pytest.raises(OutputError, match="cannot be opened"):
        DraftStore(tmp_path / "no" / "folder.sqlite", "model")


def test_drafts_are_asked_for_once(tmp_path: Path) -> None:
    directions = [direction(number) for number in range(20)]
    with DraftStore(tmp_path / "drafts.sqlite", "model") as store, ScriptedEngine(echo) as engine:
        told: list[int] = []
        assert make_drafts(engine, directions[:12], store, progress=told.append) == 12
        assert make_drafts(engine, directions, store, progress=told.append) == 8
        assert make_drafts(engine, directions, store, progress=told.append) == 0
        assert len(engine.requests) == 20
        assert store.get(directions[3]) == "这是3."
        assert told[-1] == 20
        assert told[:12] == sorted(told[:12])
        assert all(request.max_tokens and request.max_tokens <= 64 for request in engine.requests)


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    directions = [direction(number) for number in range(40)]

    def interrupt(done: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with DraftStore(tmp_path / "drafts.sqlite", "model") as store, ScriptedEngine(echo, delay=0.001) as engine:
        with pytest.raises(KeyboardInterrupt):
            make_drafts(engine, directions, store, progress=interrupt)
        kept = store.counts()[Problem.NONE]
        assert kept == 10
        assert make_drafts(engine, directions, store) == 40 - kept


def test_an_error_of_the_engine_is_no_draft(tmp_path: Path) -> None:
    with DraftStore(tmp_path / "drafts.sqlite", "model") as store:
        with ScriptedEngine(["这是一。", EngineError("out of memory")]) as engine, pytest.raises(EngineError):
            make_drafts(engine, [direction(1), direction(2)], store)
        assert store.get(direction(1)) == "这是一。"
        assert store.find(direction(2)) is None


def test_what_a_model_cannot_do_is_passed_over_or_noted(tmp_path: Path) -> None:
    info = ModelInfo(name="small", template="bayling", n_ctx=40, languages=(EN, ZH))
    long = Direction("A word and another one. " * 30, "词" * 90, EN, ZH)
    foreign = Direction("Guten Tag.", "早上好。", DE, ZH)
    with DraftStore(tmp_path / "drafts.sqlite", "model") as store, ScriptedEngine(echo, info=info) as engine:
        assert make_drafts(engine, [long, foreign], store) == 1
        assert store.find(long) == Draft("", Problem.TOO_LONG)
        assert store.find(foreign) is None


def test_a_model_is_known_by_its_content(tmp_path: Path, random_model: Path) -> None:
    copy = tmp_path / "copy.gguf"
    data = random_model.read_bytes()
    copy.write_bytes(data)
    assert fingerprint(copy) == fingerprint(random_model)
    copy.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert fingerprint(copy) != fingerprint(random_model)
    with pytest.raises(BaylingError, match="cannot be read"):
        fingerprint(tmp_path / "missing.gguf")


def test_real_drafts_of_the_embedded_model(tmp_path: Path, tiny_model: Path) -> None:
    pairs = [
        Direction("Are you free tomorrow?", "你明天有空吗？", EN, ZH),
        Direction("He is taking a walk.", "他正在散步。", EN, ZH),
        Direction("Tom ist ihr Bruder.", "Tom is her brother.", DE, EN),
        Direction("Who ate the bread?", "Wer hat das Brot gegessen?", EN, DE),
    ]
    started = time.monotonic()
    with (
        LlamaEngine.open(tiny_model, n_threads=1) as engine,
        DraftStore(tmp_path / "drafts.sqlite", fingerprint(tiny_model)) as store,
    ):
        assert make_drafts(engine, pairs, store) == 4
        found = [store.get(pair) for pair in pairs]
    assert all(found), found
    assert "明天" in str(found[0])
    assert time.monotonic() - started < 60
