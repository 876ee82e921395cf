"""Tokens on the disk: what is left out, what is shared, in which order it comes, and how little memory it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bayling_finetune import dataset as module
from bayling_finetune.dataset import Dataset, tokenize, tokenize_into
from bayling_finetune.dialogues.values import Dialogue, Kind
from bayling_finetune.tokenizer import Tokenizer, encode_parts
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import BAYLING
from tests.finetune.test_tokenizers import conversation
from tests.finetune.tokenizers_made_here import make_tokenizer


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    return make_tokenizer("ours", tmp_path / "tokenizer")


def some(number: int, *, weight: float = 1.0) -> list[Dialogue]:
    """Dialogues of growing length."""
    talks = [conversation(f"Say {n}.", " ".join(map(str, range(n % 40)))) for n in range(number)]
    return [Dialogue(talk, (True,), Kind.GENERAL, weight=weight) for talk in talks]


def whole(dialogue: Dialogue, tokenizer: Tokenizer) -> list[int]:
    ((ids, _),) = encode_parts(tokenizer, [BAYLING.render(dialogue.conversation)])
    return [int(number) for number in ids]


def test_prefix_and_documents_are_the_dialogues(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COPIED_AT_ONCE", 100)
    monkeypatch.setattr(module, "_CHUNK", 7)
    dialogues = some(50)
    dataset = tokenize(dialogues, BAYLING, tokenizer, max_tokens=10_000)
    assert tokenizer.decode(dataset.prefix.tolist()).endswith("### Instruction:\nSay ")
    assert dataset.prefix[0] == tokenizer.bos
    for number, dialogue in enumerate(dialogues):
        document = dataset.document(number)
        assert [*dataset.prefix, *document.ids] == whole(dialogue, tokenizer)


def test_what_is_too_long_is_left_out_and_counted(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COPIED_AT_ONCE", 100)
    dialogues = some(50)
    full = tokenize(dialogues, BAYLING, tokenizer, max_tokens=10_000)
    limit = int(np.median(np.diff(full.offsets)))
    short = tokenize(dialogues, BAYLING, tokenizer, max_tokens=limit)
    kept = [number for number in range(50) if len(full.document(number).ids) <= limit]
    assert (len(short), short.too_long) == (len(kept), 50 - len(kept))
    assert short.longest <= limit
    for number, original in enumerate(kept):
        for name in ("ids", "targets"):
            assert np.array_equal(getattr(short.document(number), name), getattr(full.document(original), name))
    with pytest.raises(RecipeError, match=r"raise data\.max_tokens"):
        tokenize(dialogues, BAYLING, tokenizer, max_tokens=2)
    with pytest.raises(RecipeError, match="no dialogue"):
        tokenize([], BAYLING, tokenizer, max_tokens=100)


def test_it_comes_back_from_the_disk_and_stays_there(tokenizer: Tokenizer, tmp_path: Path) -> None:
    dialogues = some(20, weight=2.5)
    stored = tokenize_into(tmp_path / "train", dialogues, BAYLING, tokenizer, max_tokens=1000)
    assert isinstance(stored.ids, np.memmap)
    again, memory = Dataset.load(tmp_path / "train"), tokenize(dialogues, BAYLING, tokenizer, max_tokens=1000)
    for name in ("prefix", "ids", "targets", "offsets", "weights"):
        assert np.array_equal(getattr(again, name), getattr(memory, name))
        assert getattr(again, name).dtype == getattr(memory, name).dtype
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer", "train"]


def test_a_dataset_that_is_cut_off_is_noticed(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenize_into(tmp_path / "train", some(20), BAYLING, tokenizer, max_tokens=1000)
    for name in ("ids.npy", "targets.npy", "weights.npy", "left_out.json"):
        path = tmp_path / "train" / name
        data = path.read_bytes()
        path.write_bytes(data[:-5])
        with pytest.raises((OSError, ValueError)):
            Dataset.load(tmp_path / "train")
        path.write_bytes(data)
    Dataset.load(tmp_path / "train")


def test_what_fails_leaves_the_old_one(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenize_into(tmp_path / "train", some(20), BAYLING, tokenizer, max_tokens=1000)
    with pytest.raises(RecipeError):
        tokenize_into(tmp_path / "train", [], BAYLING, tokenizer, max_tokens=1000)
    assert len(Dataset.load(tmp_path / "train")) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer", "train"]


def test_an_epoch_passes_over_every_dialogue_by_its_weight(tokenizer: Tokenizer) -> None:
    dialogues = [*some(30), *some(30, weight=1.5), *some(30, weight=0.2)]
    dataset = tokenize(dialogues, BAYLING, tokenizer, max_tokens=10_000)
    counts = [np.bincount(dataset.epoch(number, seed=3), minlength=90) for number in range(40)]
    assert {int(count) for count in counts[0][:30]} == {1}
    assert {int(count) for count in counts[0][30:60]} == {1, 2}
    assert np.mean([count[60:].mean() for count in counts]) == pytest.approx(0.2, abs=0.05)
    assert np.array_equal(dataset.epoch(0, seed=3), dataset.epoch(0, seed=3))
    assert not np.array_equal(dataset.epoch(0, seed=3), dataset.epoch(1, seed=3))
    assert not np.array_equal(dataset.epoch(0, seed=3), dataset.epoch(0, seed=4))


_MEASURE = """
import resource, sys
from pathlib import Path
from bayling_finetune.dataset import tokenize_into
from bayling_finetune.dialogues.values import Dialogue, Kind
from bayling_finetune.tokenizer import load_tokenizer
from bayling_lite.messages import Conversation, Message, Role
from bayling_lite.prompts import BAYLING

def dialogues(number):
    for n in range(number):
        messages = Message(Role.USER, f"Say {n}."), Message(Role.ASSISTANT, f"{n} " * 60)
        yield Dialogue(Conversation(messages), (True,), Kind.GENERAL)

folder = Path(sys.argv[1])
tokenizer = load_tokenizer(folder / "tokenizer")
peaks = []
for number in (6000, 30000):
    made = tokenize_into(folder / f"train{number}", dialogues(number), BAYLING, tokenizer, max_tokens=2000)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(len(made.ids) * 5 / 2**20, peaks[1] - peaks[0])
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_dialogues(tokenizer: Tokenizer, tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )
    on_disk, grown = map(float, shown.stdout.split())
    assert on_disk > 40
    assert grown < 0.6 * on_disk
