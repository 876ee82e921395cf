"""``bayling convert``."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from gguf import GGUFReader

from bayling_convert import FileType
from bayling_lite.cli.convert import convert
from bayling_lite.errors import CheckpointError, OutputError

Make = Callable[..., Path]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'convert'}", "PYTHONWARNINGS": "error"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(convert, list(map(str, arguments)))


def test_the_default_is_four_bits_in_a_file_named_after_the_folder(
    make_checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(make_checkpoint("my-model"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "Wrote my-model.Q4_K_M.gguf: Q4_K_M, 1.5 M parameters, 0.9 MB.\n"
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


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_for_terminals(terminal: bool, make_checkpoint: Make, tmp_path: Path) -> None:
    code = "from bayling_lite.cli.convert import convert; convert()"
    arguments = [sys.executable, "-c", code, str(make_checkpoint()), "-o", str(tmp_path / "out.gguf")]
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
    assert "100%" in shown
    assert shown.count("Wrote ") == 1
