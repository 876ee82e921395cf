"""Small sets of translation and results on them, for tests."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from pathlib import Path

from bayling_lite.evaluate.translation.measuring import score_outputs
from bayling_lite.evaluate.translation.parallel_set import ParallelSet
from bayling_lite.evaluate.values import SetResult
from bayling_lite.languages import find_language

ENGLISH = (
    "The bridge over the river was closed for repairs on Monday.",
    "She bought two loaves of bread and a jar of honey.",
    "Our train leaves at half past six from platform four.",
    "The committee will decide about the budget next week.",
    "He forgot his umbrella at the library again.",
    "Children under twelve may visit the museum for free.",
)
GERMAN = (
    "Die Brücke über den Fluss war am Montag wegen Reparaturen gesperrt.",
    "Sie kaufte zwei Laibe Brot und ein Glas Honig.",
    "Unser Zug fährt um halb sieben von Gleis vier ab.",
    "Der Ausschuss wird nächste Woche über den Haushalt entscheiden.",
    "Er hat schon wieder seinen Regenschirm in der Bibliothek vergessen.",
    "Kinder unter zwölf Jahren dürfen das Museum kostenlos besuchen.",
)
ROUGH = (
    "Die Brücke über dem Fluss wurde am Montag für Reparaturen geschlossen.",
    "Sie kaufte zwei Brote und ein Glas Honig.",
    "Unser Zug verlässt um sechs Uhr dreißig von Gleis vier.",
    "Der Ausschuss wird nächste Woche über das Budget entscheiden.",
    "Er vergaß seinen Schirm wieder in der Bibliothek.",
    "",
)


def german_set(times: int = 1) -> ParallelSet:
    """The sentences above, so many times over."""
    return ParallelSet(
        "small", find_language("en"), find_language("de"), ENGLISH * times, (GERMAN * times,), "small.de"
    )


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    """A file with a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def german_result(folder: Path, system: str, lines: Sequence[str]) -> SetResult:
    """What translations of the small set, or of its repetition, are worth."""
    times = len(lines) // len(GERMAN)
    path = write_lines(folder / f"{system}.de", lines)
    result = score_outputs(german_set(times), "translation", system, path)
    assert datetime.datetime.fromisoformat(result.run.date).tzinfo is not None
    return result


def write_comet_json(path: Path, lines: Sequence[str], scores: Sequence[object], name: str = "out.de") -> Path:
    """What ``comet-score --to_json`` writes."""
    rows = [{"src": "", "mt": line, "ref": "", "COMET": score} for line, score in zip(lines, scores, strict=False)]
    path.write_text(json.dumps({name: rows}), encoding="utf-8")
    return path
