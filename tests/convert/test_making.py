"""Measuring before a conversion and comparing behind it, and what is left when it is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf import GGUFReader

from bayling_convert import Step
from bayling_convert.making import VerificationInterrupted, card_of, make
from bayling_lite.errors import OutputError
from bayling_lite.messages import Conversation

DIALOGUES = [Conversation().user("Say it.").assistant("The old man reads a book.")] * 2


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_ctrl_c_while_comparing_leaves_the_whole_file(trained: Path, tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int, what: str) -> None:
        if what == "dialogues":
            raise KeyboardInterrupt

    with pytest.raises(VerificationInterrupted) as caught:
        make(trained, tmp_path / "out.gguf", verify=True, dialogues=DIALOGUES, steps=interrupt)
    made = caught.value.made
    assert GGUFReader(made.converted.path).fields["general.name"].contents() == "bayling-trained"
    assert made.comparison is None
    assert files(tmp_path) == {"out.gguf"}


def test_ctrl_c_while_converting_leaves_nothing(trained: Path, tmp_path: Path) -> None:
    def interrupt(step: Step) -> None:
        if step.done > step.total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        make(trained, tmp_path / "out.gguf", verify=True, dialogues=DIALOGUES, progress=interrupt)
    assert caught.type is KeyboardInterrupt
    assert files(tmp_path) == set()


def test_no_room_for_the_unquantized_model(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(OutputError, match="need the unquantized model for that time"):
        make(trained, tmp_path / "out.gguf", verify=True)
    assert files(tmp_path) == set()


def test_what_the_card_says(trained: Path, tmp_path: Path) -> None:
    made = make(trained, tmp_path / "out.gguf", "Q4_0", verify=True, dialogues=DIALOGUES)
    contents = card_of(made, converter="this test")
    assert contents.template == "bayling"
    assert contents.stop == ("</s>",)
    assert contents.languages == ("en", "zh", "de")
    assert contents.demonstrator
    assert contents.files[0].n_bytes == (tmp_path / "out.gguf").stat().st_size
    assert made.comparison is not None
    assert made.comparison.reference == "the unquantized model (F32)"
    assert made.comparison.n_dialogues == len(DIALOGUES)
