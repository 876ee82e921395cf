"""Other people's collections become dialogues: what is learnt, what is left out, what is an error."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from bayling_finetune.dialogues.importing import Format, Imported, import_file
from bayling_finetune.dialogues.mixing import Mixed, Part, mix
from bayling_finetune.dialogues.values import Dialogue, Kind
from bayling_lite.errors import InputError
from bayling_lite.messages import Role

TURNS = '"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]'


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def said(dialogue: Dialogue) -> list[str]:
    return [message.content for message in dialogue.conversation]


def imported(path: Path, **options: Any) -> tuple[list[Dialogue], Imported]:
    counts = Imported()
    return list(import_file(path, counts, **options)), counts


def test_alpaca_joins_instruction_and_input(tmp_path: Path) -> None:
    path = written(
        tmp_path / "alpaca.json",
        [
            {"instruction": "Translate.", "input": "Hello", "output": " Bonjour "},
            {"instruction": "Name a colour.", "input": "", "output": "Red"},
            {"instruction": "No input at all.", "output": "Fine"},
            {"instruction": "Nothing comes.", "input": "", "output": ""},
        ],
    )
    dialogues, counts = imported(path, origin="Alpaca")
    assert [said(dialogue) for dialogue in dialogues] == [
        ["Translate.\n\nHello", "Bonjour"],
        ["Name a colour.", "Red"],
        ["No input at all.", "Fine"],
    ]
    assert {dialogue.kind for dialogue in dialogues} == {Kind.GENERAL}
    assert {dialogue.origin for dialogue in dialogues} == {"Alpaca"}
    assert counts.read == 4
    assert counts.left_out == {"an empty turn": 1}


def test_sharegpt_is_put_in_order(tmp_path: Path) -> None:
    def chat(*turns: tuple[str, str]) -> dict[str, Any]:
        return {"id": "x", "conversations": [{"from": who, "value": what} for who, what in turns]}

    path = written(
        tmp_path / "sharegpt.json",
        [
            chat(("system", "Be kind."), ("human", "Hi"), ("gpt", "Hello!"), ("human", "Bye")),
            chat(("gpt", "the end of something"), ("human", "One"), ("human", "Two"), ("gpt", "Three")),
            chat(("human", "Only a question")),
            chat(("human", "Hi"), ("tool", "{}"), ("gpt", "Hello")),
        ],
    )
    dialogues, counts = imported(path)
    assert [said(dialogue) for dialogue in dialogues] == [["Be kind.", "Hi", "Hello!"], ["One\n\nTwo", "Three"]]
    assert dialogues[0].conversation.system == "Be kind."
    assert counts.left_out == {"no answer": 1, "speaks as 'tool'": 1}


def test_chat_files_keep_what_ours_say_beside_the_messages(tmp_path: Path) -> None:
    ours = {
        "id": "1",
        "kind": "correction",
        "source_language": "en",
        "target_language": "zh",
        "weight": 2.0,
        "origin": "somewhere",
        "messages": [
            {"role": "user", "content": "Translate: tea"},
            {"role": "assistant", "content": "咖啡", "weight": 0},
            {"role": "user", "content": "No, tea."},
            {"role": "assistant", "content": "茶"},
        ],
    }
    theirs = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "kind": "odd"}
    path = tmp_path / "chat.jsonl.gz"
    path.write_bytes(gzip.compress("\n\n".join(json.dumps(entry) for entry in (ours, theirs)).encode()))
    dialogues, _ = imported(path, origin="a default")
    assert dialogues[0].to_dict() == {**ours, "id": dialogues[0].key()}
    assert dialogues[0].learnt == (False, True)
    assert (dialogues[1].kind, dialogues[1].origin) == (Kind.GENERAL, "a default")


def test_long_chats_are_cut_at_turns_and_nothing_is_lost(tmp_path: Path) -> None:
    turns = [("human" if number % 2 == 0 else "gpt", f"{number} " + "word " * 20) for number in range(12)]
    conversation = [{"from": "system", "value": "Rules."}, *({"from": who, "value": what} for who, what in turns)]
    path = written(tmp_path / "long.json", [{"conversations": conversation}])
    dialogues, counts = imported(path, max_characters=500)
    assert len(dialogues) > 2
    assert counts.read == 1
    texts = [
        message.content
        for dialogue in dialogues
        for message in dialogue.conversation
        if message.role is not Role.SYSTEM
    ]
    assert texts == [what.strip() for _, what in turns]
    for dialogue in dialogues:
        assert dialogue.conversation.system == "Rules."
        assert sum(len(text) for text in said(dialogue)) <= 500


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ('{"instruction": "x"}', "line 1"),
        ('{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}\n{"a": 1}', "line 2"),
        ('[{"instruction": "x", "output": "y"}, {"other": 1}]', "entry 2"),
        ('[{"instruction": "x", "output": "y"}, {"instr', "is not JSON"),
        ('{"messages": [', "is not JSON"),
        ("just text", "is not JSON"),
        ('["a"]', "entry 1"),
        ('[{"conversations": "text"}]', "entry 1"),
    ],
)
def test_what_is_no_conversation_is_an_error_that_names_the_place(tmp_path: Path, content: str, where: str) -> None:
    with pytest.raises(InputError, match=where):
        imported(written(tmp_path / "bad.json", content))


def test_other_encodings_missing_files_and_cut_off_archives_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "gb.jsonl"
    path.write_bytes('{"instruction": "你好", "output": "好"}'.encode("gb18030"))
    with pytest.raises(InputError, match="UTF-8"):
        imported(path)
    with pytest.raises(InputError, match="No such file"):
        imported(tmp_path / "missing.json")
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(gzip.compress(b'{"instruction": "x", "output": "y"}\n' * 500)[:60])
    with pytest.raises(InputError, match="cannot be read"):
        imported(cut)
    assert imported(written(tmp_path / "empty.json", ""))[0] == []


def test_a_given_format_is_insisted_on(tmp_path: Path) -> None:
    path = written(tmp_path / "alpaca.json", [{"instruction": "x", "output": "y"}])
    assert len(imported(path, form=Format.ALPACA)[0]) == 1
    with pytest.raises(InputError, match="sharegpt format"):
        imported(path, form=Format.SHAREGPT)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    entries = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(1000)]
    return written(tmp_path / "many.json", entries)


def mixed(*parts: Part, seed: int = 1) -> tuple[list[str], Mixed]:
    counts = Mixed()
    return [said(dialogue)[0] for dialogue in mix(parts, seed=seed, counts=counts)], counts


def test_a_number_is_exact_a_share_is_near_and_more_contains_less(many: Path) -> None:
    hundred, counts = mixed(Part(many, 100))
    assert len(hundred) == 100
    assert counts.by_file == {str(many): 100}
    three, _ = mixed(Part(many, 300))
    assert set(hundred) < set(three)
    half, _ = mixed(Part(many, 0.5))
    assert 420 < len(half) < 580
    assert set(three) < set(half)
    assert mixed(Part(many, 0.5), seed=2)[0] != half
    assert len(mixed(Part(many, 5000))[0]) == 1000


def test_the_choice_does_not_depend_on_the_order_of_lines_and_none_comes_twice(many: Path, tmp_path: Path) -> None:
    entries = json.loads(many.read_text(encoding="utf-8"))
    other = written(tmp_path / "reversed.json", entries[::-1])
    assert sorted(mixed(Part(many, 100))[0]) == sorted(mixed(Part(other, 100))[0])
    everything, counts = mixed(Part(many), Part(other))
    assert len(everything) == 1000
    assert counts.twice == 1000


def test_control_characters_are_left_out_and_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json", [{"instruction": "x", "output": "a\x1b[31mb"}, {"instruction": "x", "output": "y"}]
    )
    _, counts = mixed(Part(path))
    assert counts.imported[str(path)].left_out == {"a turn has control characters": 1}


@pytest.mark.parametrize("name", ["bomb.json", "bomb.jsonl"])
def test_a_packed_file_of_one_endless_entry_is_refused_before_it_fills_the_memory(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayling_finetune.dialogues.bounded.LONGEST", 1 << 20)
    path = tmp_path / f"{name}.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b'[{"instruction": "' if name == "bomb.json" else b'{"instruction": "')
        for _ in range(50):
            file.write(b" " * (1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"(entry|line) 1, is longer than 1 MiB"):
            imported(path)
        # One conversation, its buffer while it grows, and copies: not the 50 MiB of the file.
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        '{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '[{"conversations": [{"from": ' + "[" * 100_000 + "]" * 100_000 + ', "value": "x"}]}]',
        '{"instruction": ' + "9" * 5000 + ', "output": "x"}',
        f'{{{TURNS}, "source_language": "Klingon"}}',
    ],
)
def test_what_only_looks_like_a_conversation_is_an_error_of_a_few_words(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError) as raised:
        imported(written(tmp_path / "odd.json", content))
    assert len(str(raised.value)) < 500


def test_damaged_archives_are_errors_and_marks_of_the_byte_order_are_none(tmp_path: Path) -> None:
    entry = b'{"instruction": "x", "output": "y"}'
    for number, content in enumerate((b"\xef\xbb\xbf" + entry, b"\xef\xbb\xbf[" + entry + b"]")):
        path = tmp_path / f"{number}.json"
        path.write_bytes(content)
        assert [said(dialogue) for dialogue in imported(path)[0]] == [["x", "y"]]
    packed = bytearray(gzip.compress(entry * 100))
    packed[10:14] = b"\xff" * 4  # a block of a kind that there is not
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(packed)
    with pytest.raises(InputError, match="cannot be read"):
        imported(damaged)


def test_what_cannot_be_written_or_weighed_is_left_out(tmp_path: Path) -> None:
    lines = [
        f'{{{TURNS}, "origin": "\\ud800"}}',
        *(f'{{{TURNS}, "weight": {weight}}}' for weight in ("-1", "NaN", "1e9")),
    ]
    dialogues, counts = imported(written(tmp_path / "odd.jsonl", "\n".join(lines)))
    assert dialogues == []
    assert counts.left_out == {"half a character": 1, "a weight out of range": 3}


def test_the_parts_of_a_chat_belong_together_and_a_group_is_kept(tmp_path: Path) -> None:
    turns = [{"role": ("user", "assistant")[number % 2], "content": f"turn {number} " * 20} for number in range(8)]
    path = tmp_path / "chats.jsonl"
    other = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    lines = ({"messages": turns}, {"messages": other, "group": "ours"}, {"messages": other[:1] + turns[1:2]})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    *parts, kept, whole = import_file(path, Imported(), max_characters=500)
    assert len(parts) > 1
    assert len({part.group for part in parts}) == 1
    assert parts[0].group
    assert (kept.group, whole.group) == ("ours", "")
