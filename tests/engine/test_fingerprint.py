"""The fingerprint of a model: the same wherever its file lies, another where the weights are others."""

from __future__ import annotations

import shutil
from pathlib import Path

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.fingerprint import fingerprint
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from tests.conftest import MAKE_MODEL


def test_an_engine_says_which_weights_it_has(make_model: MAKE_MODEL, random_model: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "other name.gguf"
    shutil.copy(random_model, renamed)
    other = make_model(chain=("<0x0A>", "a", "</s>"))

    def asked(path: Path) -> str:
        with LlamaEngine.open(path, n_ctx=64, n_threads=1) as engine:
            return engine.info.fingerprint

    assert asked(random_model) == asked(renamed) == fingerprint([random_model])
    assert len(asked(renamed)) == 64
    assert asked(other) != asked(random_model)


def test_a_scripted_engine_says_what_it_was_told() -> None:
    assert ScriptedEngine().info.fingerprint == ""
    assert ScriptedEngine(info=ModelInfo("m", "bayling", 64, fingerprint="abc")).info.fingerprint == "abc"


def test_a_large_file_is_sampled_all_over(tmp_path: Path) -> None:
    size = 1 << 30
    path = tmp_path / "large"

    def written(*changed: int) -> str:
        path.unlink(missing_ok=True)
        with path.open("wb") as file:
            file.truncate(size)  # a file with holes: it takes no room
            for offset in changed:
                file.seek(offset)
                file.write(b"\x01" * (20 << 20) if offset + (20 << 20) < size else b"\x01")
        return fingerprint([path])

    seen = {written(), written(0), written(size // 3), written(size - 1)}
    assert len(seen) == 4


def test_files_of_a_model_count_together_and_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"abc")
    second.write_bytes(b"d")
    assert len({fingerprint([first, second]), fingerprint([second, first]), fingerprint([first])}) == 3
