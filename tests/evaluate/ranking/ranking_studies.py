"""Small studies for the tests, and a server that runs beside them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bayling_lite.evaluate.ranking.opening import Making, open_study
from bayling_lite.evaluate.ranking.serving import RankingServer
from bayling_lite.evaluate.ranking.store import StudyStore

Turns = str | Sequence[str]


def write_outputs(folder: Path, asked: Sequence[Turns], outputs: Mapping[str, Sequence[Turns]]) -> Making:
    """Write files of outputs, and give what a study of them is made of. The files' names say nothing but a number."""
    source = folder / "asked.jsonl"
    source.write_text("".join(json.dumps({"asked": each}) + "\n" for each in asked), encoding="utf-8")
    systems = []
    for number, (system, texts) in enumerate(outputs.items()):
        path = folder / f"file-of-{system}-{number}.jsonl"
        path.write_text("".join(json.dumps({"said": each}) + "\n" for each in texts), encoding="utf-8")
        systems.append(f"{system}={path}")
    return Making(systems=tuple(systems), source=source, seed=7)


def new_store(folder: Path, asked: Sequence[Turns], outputs: Mapping[str, Sequence[Turns]]) -> StudyStore:
    """A study that was just begun."""
    return open_study(folder / "out", "study", write_outputs(folder, asked, outputs))[0]


@contextlib.contextmanager
def served(store: StudyStore, **options: object) -> Iterator[RankingServer]:
    """The study's page, while the block runs."""
    server = RankingServer(store, **options)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(timeout=20)
        assert not thread.is_alive()
