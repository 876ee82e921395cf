"""Chats in processes that are killed: what they had said, and what is kept of it.

One process imports everything and forks a child for every chat, so that each costs a few milliseconds. Run it with
``python -m tests.chat.records.killed_chats FOLDER``; it prints a line of JSON for every trial.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bayling_lite.chat.records.store import SessionStore
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.languages import find_language
from bayling_lite.translate import Translator

TRIALS = 15
_PIECE_SECONDS = 0.002
ANSWER = " ".join(f"Wort{number}" for number in range(12))


def chat(store: SessionStore, log: int) -> None:
    """Go on with the last session, or begin one, and never end: turn after turn, each told of when it is kept."""

    def told(what: str, **more: Any) -> None:
        os.write(log, (json.dumps({"what": what, **more}) + "\n").encode())

    engine = ScriptedEngine([ANSWER] * 1000, delay=_PIECE_SECONDS)
    preferences = Preferences(target=find_language("de"), source=find_language("en"))
    newest = store.newest()
    kept, recorder = (
        (None, store.create("m", preferences)) if newest is None else store.resume(newest, Translator(engine))
    )
    session = Session(engine, preferences, recorder=recorder, kept=kept)
    told("opened", turns=[turn.answer for turn in session.turns])
    while True:
        line = f"Line {time.monotonic_ns()}."
        running = session.start(session.plan_new(line))
        told("typed", line=line)
        running.finish()
        told("answered", line=line)
        if session.recording_problem:
            told("problem", problem=session.recording_problem)


def trial(folder: Path, seconds: float) -> dict[str, Any]:
    """Let a child chat for so long, kill it, and say what it had told and what is kept."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        chat(SessionStore.open(folder / "sessions.sqlite"), os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
        os._exit(1)
    while not log.exists() or not log.read_bytes():
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    with SessionStore.open(folder / "sessions.sqlite") as store:
        whole = store.database.run("PRAGMA integrity_check")
        sessions = store.summaries()
        turns = store.turns(sessions[0].id) if sessions else ()
        return {
            "told": told,
            "sessions": len(sessions),
            "open": [summary.id for summary in sessions if store.is_open(summary.id)],
            "whole": whole == [("ok",)],
            "kept": {
                turn.typed: {"answer": turn.answer, "state": turn.state, "on_path": turn.on_path} for turn in turns
            },
        }


def main(folder: Path) -> None:
    """All trials, one after another on the same store."""
    chance = random.Random(7)
    for _number in range(TRIALS):
        print(json.dumps(trial(folder, chance.uniform(0, 0.1))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
