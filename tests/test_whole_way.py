"""The whole way in one test: parallel text, training, conversion to 4 bits, and a translation with the result."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """
name = "way"
license = "cc0-1.0"

[data]
held_out = 0.05

[data.kinds]
translation = 1
constraint = 0
correction = 0
replacement = 0
formality = 0
length = 0
style = 0
conversation = 0

[[data.parallel]]
path = "way.tsv"
source = "en"
target = "de"
everyday = true

[tokenizer]
vocab_size = 420

[model]
hidden_size = 256
intermediate_size = 256
layers = 2
heads = 4
kv_heads = 2
context = 256

[schedule]
steps = 160
batch_tokens = 2048
warmup = 5

[optimizer]
kind = "muon"
learning_rate = 3e-3

[hardware]
precision = "fp32"
compile = false

[evaluation]
every = 30

[checkpoints]
every = 30
"""
_WHO = {"The man": "Der Mann", "The woman": "Die Frau", "The child": "Das Kind", "The dog": "Der Hund"}
_DOES = {"sees": "sieht", "hears": "hört", "finds": "findet", "loves": "liebt", "knows": "kennt"}
_WHAT = {"the house": "das Haus", "the water": "das Wasser", "the book": "das Buch", "the car": "das Auto"}
_WHEN = {"today": "heute", "often": "oft", "now": "jetzt", "again": "wieder"}


def bayling(*arguments: str, stdin: str | None = None, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    code = "from bayling_lite.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_from_parallel_text_to_a_translation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[1]
    path = [str(root), str(root / "convert"), str(root / "finetune")]
    monkeypatch.setenv("PYTHONPATH", ":".join(path))
    pairs = [
        (f"{who} {does} {what} {when}.", f"{wer} {tut} {when_german} {was}.")
        for (who, wer), (does, tut), (what, was), (when, when_german) in itertools.product(
            _WHO.items(), _DOES.items(), _WHAT.items(), _WHEN.items()
        )
    ]
    (tmp_path / "way.tsv").write_text("".join(f"{en}\t{de}\n" for en, de in pairs), encoding="utf-8")
    (tmp_path / "way.toml").write_text(RECIPE, encoding="utf-8")

    trained = bayling("finetune", "way.toml", "--run", "run", "--device", "cpu", "--threads", "1", folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.strip() == str(Path("run") / "checkpoint")
    assert "tokens/s" in trained.stderr

    converted = bayling("convert", "run/checkpoint", "-o", "way.Q4_K_M.gguf", folder=tmp_path)
    assert converted.returncode == 0, converted.stderr
    assert (tmp_path / "way.Q4_K_M.gguf").stat().st_size < 2_000_000

    sentences = pairs[::16]
    translated = bayling(
        *("translate", "--to", "de", "--from", "en", "--model", "way.Q4_K_M.gguf"),
        stdin="".join(f"{english}\n" for english, _ in sentences),
        folder=tmp_path,
    )
    assert translated.returncode == 0, translated.stderr
    right = [output == german for output, (_, german) in zip(translated.stdout.splitlines(), sentences, strict=True)]
    # What it learnt, not that it learnt all: rounding differs from one machine to the next.
    assert sum(right) >= 0.6 * len(right), translated.stdout
