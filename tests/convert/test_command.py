"""``bayling convert``."""

from __future__ import annotations

import hashlib
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from gguf import GGUFReader

from bayling_convert import FileType
from bayling_convert.importance.calibration import calibration_name
from bayling_convert.importance.imatrix import Imatrix
from bayling_lite.cli.convert import convert
from bayling_lite.errors import CheckpointError, InputError, OutputError, UsageError

Make = Callable[..., Path]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'convert'}", "PYTHONWARNINGS": "error"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(convert, list(map(str, arguments)))


def test_the_default_is_four_bits_in_a_file_named_after_the_folder(
    make_checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(make_checkpoint("my-model", said={"template": "bayling"}))
    assert (result.exit_code, result.stdout) == (0, "")
    size = (tmp_path / "my-model.Q4_K_M.gguf").stat().st_size
    assert result.stderr.splitlines() == [
        f"Wrote my-model.Q4_K_M.gguf: Q4_K_M, 1.5 M parameters, {size / 1000:.1f} kB.",
        "Wrote README.md: the model card, fit for uploading beside it.",
    ]
    assert "my-model" in (tmp_path / "README.md").read_text()
    assert GGUFReader(tmp_path / "my-model.Q4_K_M.gguf").fields["general.name"].contents() == "my-model"


def test_type_template_force_and_quiet(make_checkpoint: Make, tmp_path: Path) -> None:
    folder, path = make_checkpoint(), tmp_path / "out.gguf"
    assert run(folder, "-o", path, "--type", "f16", "--template", "bayling", "-q").stderr == ""
    assert GGUFReader(path).fields["bayling.template"].contents() == "bayling"
    assert GGUFReader(path).fields["general.file_type"].contents() == 1
    assert isinstance(run(folder, "-o", path).exception, OutputError)
    assert run(folder, "-o", path, "--force").exit_code == 0
    assert GGUFReader(path).fields["general.file_type"].contents() == 15


def test_every_type_can_be_asked_for() -> None:
    types = next(option.type for option in convert.params if option.name == "file_type")
    assert isinstance(types, click.Choice)
    assert list(types.choices) == [kind.value for kind in FileType]


def test_errors_are_ours_or_click_s(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, "-o", tmp_path / "out.gguf").exception, CheckpointError)
    assert run(tmp_path, "--type", "Q3").exit_code == 2
    assert run().exit_code == 2


def test_help_imports_no_converter() -> None:
    code = "import sys, bayling_lite.cli.convert\nheavy = {'bayling_convert', 'gguf', 'numpy', 'llama_cpp', 'torch'}\n"
    code += "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=True)


def test_converting_imports_neither_torch_nor_a_model(make_checkpoint: Make, tmp_path: Path) -> None:
    code = "import sys\nfrom bayling_convert import convert\nconvert(sys.argv[1], sys.argv[2])\n"
    code += "assert not {'torch', 'transformers', 'llama_cpp', 'bayling_finetune'} & set(sys.modules)"
    arguments = [str(make_checkpoint()), str(tmp_path / "out.gguf")]
    subprocess.run([sys.executable, "-c", code, *arguments], env=ENVIRONMENT, check=True)


@pytest.mark.parametrize("terminal", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_progress_is_for_terminals(terminal: bool, make_checkpoint: Make, tmp_path: Path) -> None:
    code = "from bayling_lite.cli.convert import convert; convert()"
    arguments = [
        sys.executable,
        "-c",
        code,
        str(make_checkpoint(said={"template": "bayling"})),
        "-o",
        str(tmp_path / "out.gguf"),
    ]
    environment = ENVIRONMENT | {"TERM": "xterm", "COLUMNS": "80"}
    if not terminal:
        shown = subprocess.run(arguments, env=environment, check=True, stderr=subprocess.PIPE, text=True).stderr
        assert shown.startswith("Wrote ")
        return
    screen, device = pty.openpty()
    process = subprocess.Popen(arguments, env=environment, stderr=device)
    os.close(device)
    shown = ""
    while True:
        try:
            data = os.read(screen, 4096)
        except OSError:  # the other end was closed
            break
        if not data:
            break
        shown += data.decode(errors="replace")
    os.close(screen)
    assert process.wait() == 0
    assert "Converting" in shown
    assert "100 %" in shown
    assert "  tensor 1 of 21\x1b[K" in shown
    assert shown.count("out.gguf:") == 1


def test_a_card_is_written_beside_and_no_readme_of_others_is_touched(make_checkpoint: Make, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("my notes")
    folder = make_checkpoint(said={"name": "tiny", "license": "CC-BY-SA-4.0", "languages": ["de", "zh"]})
    run(folder, "-o", tmp_path / "one.gguf", "--no-card", "-q")
    assert not (tmp_path / "one.README.md").exists()
    result = run(folder, "-o", tmp_path / "two.gguf")
    assert "two.README.md" in result.stderr
    assert (tmp_path / "README.md").read_text() == "my notes"
    card = (tmp_path / "two.README.md").read_text()
    assert "cc-by-sa-4.0" in card
    assert hashlib.sha256((tmp_path / "two.gguf").read_bytes()).hexdigest() in card


@pytest.mark.slow
def test_verifying_and_measuring(trained: Path, tmp_path: Path) -> None:
    dialogue = (
        '{"messages": [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": "The old man."}]}'
    )
    (tmp_path / "dialogues.jsonl").write_text(dialogue)
    output = tmp_path / "out.gguf"
    result = run(trained, "-o", output, "--verify", "--imatrix", "auto", "--dialogues", tmp_path / "dialogues.jsonl")
    assert result.exit_code == 0, result.exception
    assert "KL divergence, mean" in result.stdout
    assert "1 dialogues" in result.stdout
    header = GGUFReader(output).fields
    assert header["quantize.imatrix.dataset"].contents() == calibration_name(("en", "zh", "de"))
    card = (tmp_path / "README.md").read_text()
    assert "| KL divergence, mean |" in card
    assert "out.svg" in card
    assert "<svg" in (tmp_path / "out.svg").read_text()
    left = {"README.md", "dialogues.jsonl", "out.gguf", "out.svg"}
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == left


def test_an_importance_matrix_of_another_model(make_checkpoint: Make, tmp_path: Path) -> None:
    wrong = Imatrix({"blk.0.attn_q.weight": np.ones((1, 128), np.float32)}, {"blk.0.attn_q.weight": np.array([1])})
    wrong.write(tmp_path / "wrong.gguf")
    result = run(make_checkpoint(), "-o", tmp_path / "out.gguf", "--imatrix", tmp_path / "wrong.gguf")
    assert isinstance(result.exception, InputError)
    assert "another model" in str(result.exception)
    none = Imatrix({"something": np.ones((1, 128), np.float32)}, {"something": np.array([1])})
    none.write(tmp_path / "none.gguf")
    result = run(make_checkpoint("again"), "-o", tmp_path / "out.gguf", "--imatrix", tmp_path / "none.gguf")
    assert isinstance(result.exception, UsageError)
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize(
    ("file_type", "options", "said"),
    [
        ("F16", ["--verify"], "not quantized"),
        ("F16", ["--imatrix", "auto"], "in vain"),
        ("Q8_0", ["--imatrix", "auto"], "in vain"),
    ],
)
def test_what_would_be_in_vain(
    file_type: str, options: list[str], said: str, make_checkpoint: Make, tmp_path: Path
) -> None:
    result = run(make_checkpoint(), "-o", tmp_path / "out.gguf", "--type", file_type, *options)
    assert isinstance(result.exception, UsageError)
    assert said in str(result.exception)
    assert not (tmp_path / "out.gguf").exists()


def test_a_checkpoint_without_a_template_gets_a_warning(make_checkpoint: Make, tmp_path: Path) -> None:
    result = run(make_checkpoint(), "-o", tmp_path / "out.gguf")
    assert "Warning: No prompt template" in result.stderr
    assert "--template" in (tmp_path / "README.md").read_text()
    named = run(make_checkpoint("named"), "-o", tmp_path / "named.gguf", "--template", "bayling")
    assert "Warning" not in named.stderr


def test_an_adapter_alone_needs_its_base_and_nothing_of_a_model(make_checkpoint: Make, tmp_path: Path) -> None:
    folder = make_checkpoint()
    without = run(folder, "--adapter")
    assert isinstance(without.exception, UsageError)
    assert "--base" in str(without.exception)
    beside = run(folder, "--adapter", "--base", folder, "--verify")
    assert isinstance(beside.exception, UsageError)
    none = run(folder, "--adapter", "--base", folder, "-o", tmp_path / "out.gguf")
    assert isinstance(none.exception, CheckpointError)
    assert "adapter" in str(none.exception)
