"""Which known model a checkpoint is, and which template it wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bayling_convert.reading.files import Folder
from bayling_convert.tokenizer.pieces import Piece, PieceType, Vocab
from bayling_convert.tokenizer.recognize import find_known, recognize_template
from bayling_lite.prompts import BAYLING, BAYLING_3

TABLE = {"ICTNLP/bayling-2-7b": 7, "ICTNLP/bayling-2-13b": 13}


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("bayling-2-7b", 7),
        ("BayLing-2-13B", 13),
        ("models--ICTNLP--bayling-2-13b/snapshots/0123abcd", 13),
        ("models--someone--bayling-2-13b/snapshots/0123abcd", None),
        ("bayling-2-7b-finetuned", None),
        ("my-model", None),
    ],
)
def test_a_folder(folder: str, found: int | None, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert find_known(Folder(tmp_path / folder), TABLE) == found


@dataclass
class Repository:
    """What matters here of a checkpoint on the hub."""

    where: str
    name: str = "bayling-2-7b"
    source: str = "https://hub.example/repository"
    remote: bool = True
    sizes: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("hf://ICTNLP/bayling-2-7b", 7),
        ("hf://ictnlp/BayLing-2-7B@main", 7),
        ("hf://someone/bayling-2-7b", None),
    ],
)
def test_a_repository(where: str, found: int | None) -> None:
    assert find_known(Repository(where), TABLE) == found  # type: ignore[arg-type]


def vocab(*names: str) -> Vocab:
    return Vocab(tuple(Piece(name, kind=PieceType.CONTROL) for name in names), 0, 1, None, None, False, False)


def test_a_template() -> None:
    llama3 = vocab("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|end_of_text|>")
    assert recognize_template(llama3, None) is BAYLING_3
    assert recognize_template(vocab("<s>", "</s>"), None) is None
    assert recognize_template(llama3, "{{ messages }}") is None
    assert recognize_template(vocab("<s>", "</s>"), BAYLING.jinja + "\n") is BAYLING
