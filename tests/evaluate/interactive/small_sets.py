"""Small sets of our own, in the forms that the public ones have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SENTENCES = (
    {"src": "Good morning, Mary.", "tgt": "Guten Morgen, Maria.", "constraint": ["Morgen", "Maria"]},
    {"src": "The bank is closed.", "tgt": "Die Bank ist zu.", "constraint": ["Bank"]},
    {"src": "I like tea.", "tgt": "Ich mag Tee.", "constraint": ["mag Tee", "Ich", "e"]},
    {"src": "Good night.", "tgt": "Gute Nacht.", "constraint": ["Gute Nacht"]},
)


def write_lines(path: Path, objects: Sequence[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects), encoding="utf-8")
    return path


def write_constrained(folder: Path, sentences: Sequence[Mapping[str, Any]] = SENTENCES, name: str = "en-de") -> Path:
    """A folder with one set of constrained translation."""
    target = name.rpartition("-")[2]
    write_lines(folder / "data" / f"constraints.{name}.{target}.jsonl", sentences)
    return folder


def write_outputs(path: Path, texts: Sequence[str | None]) -> Path:
    """Outputs for the set, with their sources, as the paper's authors published theirs."""
    return write_lines(path, [{**sentence, "hypo": text} for sentence, text in zip(SENTENCES, texts, strict=True)])
