"""A small folder with test data of every family, in our own sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bayling_lite.evaluate.results import decode
from tests.evaluate.bayling80.small_set import write_questions
from tests.evaluate.exams.exam_files import question, write_exam
from tests.evaluate.interactive.small_sets import write_constrained
from tests.evaluate.translation.translated_sets import ENGLISH, GERMAN, write_lines

CHINESE = ("早上好。", "晚安。", "我喜欢茶。")
IN_ENGLISH = ("Good morning.", "Good night.", "I like tea.")
SETS = {
    "wmt22": ["zh-en", "en-de"],
    "constrained": ["en-de"],
    "refinement": ["en-de"],
    "bayling80": ["singleturn.en", "singleturn.zh", "multiturn.en", "multiturn.zh"],
    "exams": ["sat-math"],
}


def write_translation(folder: Path, times: int = 1) -> Path:
    """Two directions of WMT22: three sentences from Chinese, six so many times over from English."""
    for name, lines in (("zhen.src", CHINESE), ("zhen.ref", IN_ENGLISH), ("ende.ref", GERMAN * times)):
        write_lines(folder / name, lines)
    # No two of them are the same, so that each is asked.
    write_lines(folder / "ende.src", [f"{line} {n}" if n else line for n in range(times) for line in ENGLISH])
    return folder


def write_all(folder: Path) -> Path:
    """Every family's sets: see ``SETS``."""
    write_translation(folder)
    write_constrained(folder)
    write_questions(folder)
    write_exam(folder, "sat-math", [question("B"), question("C")])
    return folder


def said(path: Path) -> list[tuple[str, ...]]:
    """The outputs of a kept result."""
    return [output.said for output in decode(path).outputs]


def kept(path: Path) -> Any:
    """A kept result as JSON."""
    return json.loads(path.read_bytes())
