"""``bayling dialogues import`` and ``mix`` as a user types them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling dialogues`` in an empty folder with two small collections."""
    monkeypatch.chdir(tmp_path)
    alpaca = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(100)]
    Path("alpaca.json").write_text(json.dumps(alpaca), encoding="utf-8")
    turns = [{"from": "human", "value": "你好"}, {"from": "gpt", "value": "您好！"}]
    chats = [{"conversations": turns}, {"conversations": turns[:1]}]
    Path("chats.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in chats), encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main(["dialogues", *arguments])
        assert isinstance(exited.value.code, int)
        return (exited.value.code, *capfd.readouterr())

    return call


def lines(name: str) -> list[dict[str, object]]:
    data = Path(name).read_bytes()
    return [json.loads(line) for line in (gzip.decompress(data) if name.endswith(".gz") else data).splitlines()]


def test_collections_become_one_file_and_what_is_left_out_is_told(run: Run) -> None:
    status, out, err = run("import", "alpaca.json", "chats.jsonl", "-o", "all.jsonl.gz", "--origin", "CC0")
    assert (status, out) == (0, "all.jsonl.gz\n")
    assert "chats.jsonl: 1 dialogues of 2 conversations.\n  left out, no answer: 1" in err
    assert "In all 101 dialogues (general 101)." in err
    assert {line["origin"] for line in lines("all.jsonl.gz")} == {"CC0"}
    assert run("import", "alpaca.json", "-o", "all.jsonl.gz")[0] == 1
    assert len(lines("all.jsonl.gz")) == 101


def test_a_mix_takes_what_was_asked_for_of_each_and_the_same_again(run: Run) -> None:
    for name in ("one.jsonl", "two.jsonl"):
        status, _, err = run("mix", "alpaca.json=30", "chats.jsonl", "alpaca.json=0.5", "-o", name)
        assert status == 0
        assert "Left out because they were there already: 30." in err
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()
    assert 31 < len(lines("one.jsonl")) < 80
    assert run("mix", "alpaca.json=1", "-o", "x.jsonl")[0] == 2
    assert run("mix", "alpaca.json=-3", "-o", "x.jsonl")[0] == 2


def test_what_fails_leaves_nothing_behind(run: Run) -> None:
    Path("bad.jsonl").write_text(Path("chats.jsonl").read_text(encoding="utf-8") + "{}\n", encoding="utf-8")
    before = sorted(Path.cwd().iterdir())
    status, out, err = run("import", "bad.jsonl", "-o", "out.jsonl")
    assert (status, out) == (1, "")
    assert "bad.jsonl, line 3" in err
    assert sorted(Path.cwd().iterdir()) == before
    assert run("import", "chats.jsonl", "-o", "chats.jsonl", "--force")[0] == 2
    assert len(lines("chats.jsonl")) == 2


def test_names_of_files_cannot_steer_the_terminal(run: Run) -> None:
    status, out, err = run("import", "alpaca.json", "-o", "a\x1b[2Jb.jsonl")
    assert status == 0
    assert "\x1b" not in out + err


def test_an_empty_collection_is_said_to_be_one(run: Run) -> None:
    Path("empty.json").write_text("[]", encoding="utf-8")
    status, out, err = run("import", "empty.json", "-o", "out.jsonl")
    assert (status, out) == (0, "out.jsonl\n")
    assert "out.jsonl is empty" in err
