"""What the prompt does not wait for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

# Each costs more than the prompt itself has time for, or is needed by few.
HEAVY = {
    *("torch", "transformers", "numpy", "llama_cpp", "gguf", "jinja2", "sentencepiece", "huggingface_hub", "httpx"),
    *("py3langid", "pygments", "sqlite3", "filelock", "charset_normalizer"),
    *("bayling_lite.translate.translator", "bayling_lite.translate.checks", "bayling_lite.translate.job"),
    *("bayling_lite.translate.results", "bayling_lite.translate.stream", "bayling_lite.translate.segments"),
    *("bayling_lite.translate.refining", "bayling_lite.engine.llama", "bayling_lite.engine.scheduler"),
    *("bayling_lite.chat.reading.feedback", "bayling_lite.chat.screens.markdown", "bayling_lite.chat.screens.changes"),
    *("bayling_lite.chat.records.store", "bayling_lite.chat.records.exports", "bayling_lite.database"),
}

# Ends the program when the prompt has been drawn for the first time, and tells what has been imported until then.
PROGRAM = """
import json, os, sys
from prompt_toolkit.application import Application

drawn = Application._redraw

def redraw(app, *arguments, **options):
    drawn(app, *arguments, **options)
    with open(os.environ["MODULES"], "w", encoding="utf-8") as file:
        json.dump(sorted(sys.modules), file)
    os._exit(0)

Application._redraw = redraw
from bayling_lite.cli import chat_main
chat_main(sys.argv[1:])
"""


@pytest.mark.parametrize("arguments", [["--to", "de"], []], ids=["translation", "chat"])
def test_the_prompt_is_drawn_before_anything_heavy_is_imported(tmp_path: Path, arguments: list[str]) -> None:
    listed = tmp_path / "modules.json"
    environment = {
        **os.environ,
        "MODULES": str(listed),
        "TERM": "xterm-256color",
        "BAYLING_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    terminal, inside = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=inside,
            stdout=inside,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=60,
            check=False,
        )
    finally:
        os.close(inside)
        os.close(terminal)
    assert done.returncode == 0, done.stderr.decode()
    modules = json.loads(listed.read_text(encoding="utf-8"))
    assert "prompt_toolkit" in modules
    assert not HEAVY.intersection(modules)
