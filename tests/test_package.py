"""The wheel: complete, small enough, and able to translate by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout by the project's own build system, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_all_three_packages_the_model_and_the_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    models = [name for name in sizes if name.endswith(".gguf")]
    assert models == ["bayling_lite/models/bayling-tiny/bayling-tiny.Q4_K_M.gguf"]
    assert 1_000_000 < sizes[models[0]] <= 20_000_000
    for name in (
        "bayling_lite/py.typed",
        "bayling_lite/models/catalogue.toml",
        "bayling_lite/models/bayling-tiny/README.md",
        "bayling_convert/pipeline.py",
        "bayling_finetune/recipes/tiny.toml",
    ):
        assert name in sizes
    assert sum("licenses" in name for name in sizes) == 2


@pytest.mark.slow
def test_an_installed_wheel_finds_its_model_and_translates(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "import bayling_lite; from bayling_lite.cli import main; assert 'site' in bayling_lite.__file__; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "translate", "--to", "zh"],
        input="Good morning. How are you?\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert any("\u4e00" <= character <= "\u9fff" for character in done.stdout)
    assert done.stderr.startswith("bayling-tiny is a small demonstrator."), "the first run says so"
