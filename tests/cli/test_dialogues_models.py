"""``bayling dialogues build`` with the help of models: real drafts to correct, a writer behind a server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from tests.dialogues.conftest import sentences
from tests.dialogues.test_writer import Server, server

__all__ = ["server"]  # a fixture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling dialogues build`` on made-up pairs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    text = "".join(f"{english}\t{german}\n" for english, german, _ in sentences())
    Path("made-up.en-de.tsv").write_text(text, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main(["dialogues", "build", "made-up.en-de.tsv", "--processes", "1", "--no-report", *arguments])
        assert isinstance(exited.value.code, int)
        return (exited.value.code, *capfd.readouterr())

    return call


def dialogues(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_drafts_are_asked_for_once_and_corrected(run: Run) -> None:
    options = ("--kinds", "correction=1", "--limit", "8", "--drafts", "bayling-tiny", "--draft-share", "1")
    status, out, err = run("-o", "out.jsonl", *options)
    assert (status, out) == (0, "out.jsonl\n")
    assert "Asking bayling-tiny.Q4_K_M.gguf for 16 drafts; they are kept in out.jsonl.drafts." in err
    first = Path("out.jsonl").read_bytes()
    status, _, err = run("-o", "out.jsonl", "--force", *options)
    assert status == 0
    assert "Asking" not in err
    assert Path("out.jsonl").read_bytes() == first
    run("-o", "spoilt.jsonl", *options[:4])
    assert Path("spoilt.jsonl").read_bytes() != first


@pytest.mark.slow
def test_a_writer_is_asked_and_its_dialogues_stand_at_the_end(run: Run, server: Server) -> None:
    options = ("--kinds", "translation=1", "--writer", server.url, "--writer-kinds", "style", "--writer-dialogues", "5")
    status, _, err = run("-o", "out.jsonl", *options)
    assert status == 2
    assert "agree with --yes" in err
    assert not Path("out.jsonl").exists()
    status, _, err = run("-o", "out.jsonl", *options, "--yes")
    assert status == 0
    assert "The writer wrote 5 dialogues" in err
    made = dialogues("out.jsonl")
    assert Counter(line["kind"] for line in made) == {"translation": 360, "style": 5}
    assert [line["kind"] for line in made[-5:]] == ["style"] * 5
    asked, first = len(server.asked), Path("out.jsonl").read_bytes()
    status, _, err = run("-o", "out.jsonl", *options, "--force")
    assert status == 0
    assert len(server.asked) == asked
    assert Path("out.jsonl").read_bytes() == first
