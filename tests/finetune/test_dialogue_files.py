"""Files of dialogues: streamed, each mistake named by file and line, nothing taken twice."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bayling_finetune.config import DialogueFile
from bayling_finetune.dialogue_files import DialogueReader, files_digest, held_out
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_lite.errors import RecipeError
from bayling_lite.languages import find_language


def line(*turns: str, system: str | None = None, **more: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": turn} for number, turn in enumerate(turns)]
    return {"messages": [*([{"role": "system", "content": system}] if system else []), *messages], **more}


def write(path: Path, *lines: dict[str, Any] | bytes) -> DialogueFile:
    data = b"".join((entry if isinstance(entry, bytes) else json.dumps(entry).encode()) + b"\n" for entry in lines)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return DialogueFile(path.name)


def read(folder: Path, *files: DialogueFile) -> tuple[list[Dialogue], int]:
    reader = DialogueReader(folder)
    return [dialogue for file in files for dialogue in reader.read(file)], reader.repeated


@pytest.mark.parametrize("name", ["d.jsonl", "d.jsonl.gz"])
def test_what_a_line_says(name: str, tmp_path: Path) -> None:
    said = line("Hi", "Draft", "No", "Yes", system="Be kind.", kind="correction", target_language="German", weight=1.5)
    said["messages"][2]["weight"] = 0
    file = write(tmp_path / name, said, b"", b"  ", line("a", "b"))
    (first, second), repeated = read(tmp_path, DialogueFile(file.path, weight=2))
    assert first.conversation.system == "Be kind."
    assert (first.learnt, first.kind, first.target_language) == ((False, True), Kind.CORRECTION, "de")
    assert (first.weight, second.weight, repeated) == (3.0, 2.0, 0)


def test_our_own_lines_come_back(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, write(tmp_path / "a.jsonl", line("a", "b", kind="style", origin="here")))
    (again,), _ = read(tmp_path, write(tmp_path / "b.jsonl", dialogue.to_dict()))
    assert again == dialogue


def test_a_mark_at_the_beginning_and_windows_line_ends(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + json.dumps(line("a", "b")).encode() + b"\r"
    dialogues, _ = read(tmp_path, write(tmp_path / "a.jsonl", data, line("c", "d")))
    assert len(dialogues) == 2


def test_a_line_of_a_megabyte(tmp_path: Path) -> None:
    ((dialogue,), _) = read(tmp_path, write(tmp_path / "a.jsonl", line("a", "长" * 1_000_000)))
    assert len(dialogue.conversation.messages[1].content) == 1_000_000


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b'{"messages": [', "line 3, is no dialogue"),
        (b"\xff\xfe{", "line 3, is no dialogue"),
        (b"[]", "line 3, is no dialogue"),
        (b"null", "line 3, is no dialogue"),
        (b"[" * 100_000, "line 3, is no dialogue"),
        ({"conversations": []}, "line 3, .* it has no 'messages'.* `bayling dialogues import`"),
        (line("a", "b", kind="poetry"), "line 3, .*poetry"),
        (line("a", "b", target_language="Klingon"), "line 3, .*Klingon"),
        (line("a", "b", weight=-1), "line 3, .*the weight is -1"),
        (line("a", "b", weight=float("nan")), "line 3, .*the weight is nan"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "line 3, .*should be the user's"),
        ({"messages": [{"role": "robot", "content": "a"}]}, "line 3, .*robot"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "line 3, .*must be a text"),
        (line("a", "\ud800"), "line 3, .*surrogates"),
    ],
)
def test_a_bad_line_is_named(bad: dict[str, Any] | bytes, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "bad.jsonl", line("a", "b"), line("c", "d"), bad, line("e", "f"))
    with pytest.raises(RecipeError, match=rf"bad\.jsonl, {message}"):
        read(tmp_path, file)


def test_the_same_dialogue_counts_once_in_whatever_file(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", line("a", "b"), line("a", "b"), line("c", "d", id="x"), line("e", "f", id="x"))
    two = write(tmp_path / "2.jsonl", line("a", "b"), line("g", "h", id="x"))
    dialogues, repeated = read(tmp_path, one, two)
    # an id is one file's own: another file may number its dialogues the same way
    assert [dialogue.conversation.messages[0].content for dialogue in dialogues] == ["a", "c", "g"]
    assert repeated == 3


def test_a_file_is_read_as_it_is_used(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", line("a", "b"), b"no dialogue")
    lines: Iterator[Dialogue] = DialogueReader(tmp_path).read(file)
    assert next(lines).turns == 1
    with pytest.raises(RecipeError, match="line 2"):
        next(lines)


def test_files_that_are_missing_or_cut_off(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.jsonl is missing.*--data"):
        read(tmp_path, DialogueFile("none.jsonl"))
    write(tmp_path / "cut.jsonl.gz", *(line("a", str(number)) for number in range(500)))
    whole = (tmp_path / "cut.jsonl.gz").read_bytes()
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecipeError, match=r"cut\.jsonl\.gz cannot be read"):
        read(tmp_path, DialogueFile("cut.jsonl.gz"))


def test_a_digest_is_of_contents_and_order(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.jsonl", line("a", "b")), write(tmp_path / "2.jsonl", line("c", "d"))
    digests = {files_digest(files, tmp_path) for files in ([one, two], [two, one], [one])}
    write(tmp_path / "1.jsonl", line("a", "B"))
    assert len(digests | {files_digest([one, two], tmp_path)}) == 4


def test_the_share_that_is_held_out(tmp_path: Path) -> None:
    lines = [line("a", str(number)) for number in range(4000)]
    dialogues, _ = read(tmp_path, write(tmp_path / "a.jsonl", *lines))
    kept = [dialogue for dialogue in dialogues if held_out(dialogue, 0.1)]
    assert len(kept) == pytest.approx(400, abs=80)
    assert all(held_out(dialogue, 0.2) for dialogue in kept)


def test_dialogues_about_one_pair_are_held_out_together() -> None:
    english, chinese = find_language("en"), find_language("zh")
    apart = 0
    for number in range(200):
        direction = Direction(f"Sentence {number}.", f"第{number}句。", english, chinese)
        there = dialogue(direction, Kind.TRANSLATION, "Translate!", direction.reference)
        back = dialogue(direction.reversed(), Kind.CORRECTION, "Back!", direction.source)
        again = Dialogue.of(json.loads(json.dumps(back.to_dict())))
        assert there.group == back.group == again.group
        assert held_out(there, 0.3) == held_out(again, 0.3)
        alone = [dataclasses.replace(made, group="") for made in (there, back)]
        apart += held_out(alone[0], 0.3) != held_out(alone[1], 0.3)
    assert apart > 20  # their own fingerprints would decide otherwise


def test_translations_of_one_sentence_are_of_one_group() -> None:
    english, german = find_language("en"), find_language("de")
    one = Direction("I am tired.", "Ich bin müde.", english, german)
    other = Direction("i am tired", "Ich bin erschöpft.", english, german)
    assert one.group() == other.group() == other.reversed().group()
    assert one.group() != Direction("I was tired.", "Ich bin müde.", english, german).group()
