"""Document jobs in processes that are killed: what they asked, what they kept, and what they left on the disk.

One process imports everything and forks a child for every job, so that each costs a few milliseconds. Run it with
``python -m tests.translate.killing PART FOLDER``; it prints a line of JSON for every trial.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.messages import Conversation
from bayling_lite.translate.job.documents import translate_document
from bayling_lite.translate.store import Store
from tests.translate.pretending import asked_text, chinese

INSTANTS = 50
SENTENCES = 36
_THINKING = 0.002
_NAMES = ["Anna", "Peter", "Maria", "Johann", "Clara", "Robert", "Emma", "Felix", "Laura", "Simon", "Nina"]
_THINGS = ["book", "letter", "house", "garden", "river", "bridge", "picture", "window"]
# Enough at once that some are always under way, and room for neighbours.
_INFO = ModelInfo(name="large", template="bayling", n_ctx=4096, n_parallel=4)
UNDER_WAY = 2 * _INFO.n_parallel


def document() -> str:
    """Paragraphs of three sentences with markup in them; some sentences come again while they are under way."""
    numbers = (n - 2 if n % 8 in (4, 5) else n for n in range(SENTENCES))
    lines = [f"{_NAMES[n % 11]} *sees* the {_THINGS[n % 8]} number {n}." for n in numbers]
    paragraphs = [" ".join(lines[n : n + 3]) for n in range(0, SENTENCES, 3)]
    return "# The title\n\n" + "\n\n".join(paragraphs) + "\n"


class Place:
    """A folder of its own for a trial: the document, its store, its output, and a log for each job."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.source = folder / "document.md"
        self.source.write_text(document(), encoding="utf-8")
        self.store, self.output = folder / "kept" / "translations.sqlite", folder / "document.zh.md"
        self.jobs = 0

    def start(self, output: Path | None = None, before: Callable[[], None] | None = None) -> tuple[int, Path]:
        """Begin a job in a child: its process id, and the log of what it asks."""
        self.jobs += 1
        log = self.folder / f"asked-{self.jobs}"
        log.touch()
        child = os.fork()
        if child:
            return child, log
        status = 1
        try:
            if before is not None:
                before()
            self.translate(output or self.output, log)
            status = 0
        finally:
            os._exit(status)

    def run(self) -> Path:
        """A job that nobody disturbs; its log."""
        child, log = self.start()
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"the job in {self.folder} failed")
        return log

    def stored(self) -> set[str]:
        """The sources of the segments that are kept."""
        if not self.store.exists():
            return set()
        with Store.open(self.store) as store:
            return {segment.source for segment in store.segments()}

    def left(self) -> list[str]:
        """The files that are there besides those that should be."""
        known = {self.source, self.output, self.store.parent}
        return sorted(path.name for path in self.folder.iterdir() if path not in known and path.name[:6] != "asked-")

    def translate(self, output: Path, log: Path) -> None:
        """The job itself."""
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)

        def script(conversation: Conversation) -> str:
            os.write(descriptor, f"{asked_text(conversation)}\n".encode())
            time.sleep(_THINKING)
            text = chinese(conversation)
            # What stands around a sentence shows in its translation: where one comes twice, the first is to be asked.
            mark = chr(0x4E00 + zlib.crc32(conversation.messages[-1].content.encode()) % 3000)
            return f"{text[:-1]}{mark}{text[-1]}"

        engine = ScriptedEngine(script, info=_INFO)
        translate_document(
            self.source, "zh", engine=engine, output=output, source="en", store=self.store, overwrite=True
        )


def asked(log: Path) -> list[str]:
    """What a job asked; it may have been killed, but each line was written at once."""
    return log.read_text(encoding="utf-8").splitlines()


def kill(child: int, log: Path, lines: int, seconds: float) -> None:
    """Kill a job so long after it has asked for so many segments, or when it has ended."""
    while len(asked(log)) < lines:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return
        time.sleep(_THINKING / 10)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def at_random_instants(folder: Path) -> Iterator[dict[str, object]]:
    """Kill a job, some of them again, and let it go on undisturbed."""
    undisturbed = Place(folder / "undisturbed")
    undisturbed.run()
    everything = asked(Place(folder / "counted").run())
    whole = undisturbed.output.read_bytes()
    chance = random.Random(20260131)
    for number in range(INSTANTS):
        place = Place(folder / f"{number}")
        old = b"an older output" if number % 2 else None
        if old is not None:
            place.output.write_bytes(old)
        outputs, twice, lost = [], set[str](), 0
        kills = 2 if number % 5 == 0 else 1
        for _ in range(kills):
            kept = place.stored()
            child, log = place.start()
            # By what is done, not by the clock: how fast it goes depends on who else is at work.
            kill(child, log, chance.randrange(-2, len(everything) // kills + 1), chance.uniform(0, 4 * _THINKING))
            outputs.append(place.output.read_bytes() if place.output.exists() else None)
            twice |= kept & set(asked(log))
            lost = max(lost, len(set(asked(log)) - place.stored()))
        kept = place.stored()
        log = place.run()
        again = asked(log)
        yield {
            "kept": len(kept),
            "everything": len(everything),
            "asked and not kept": lost,
            "asked twice though kept": sorted(twice | (kept & set(again))),
            "same": place.output.read_bytes() == whole,
            "outputs in between": sorted({"none" if out is None else _which(out, old, whole) for out in outputs}),
            "asked in all": sorted(set(everything)) == sorted(kept | set(again)),
            "unfinished files in place": [name for name in place.left() if not name.startswith(".bayling-")],
        }


def _which(output: bytes, old: bytes | None, whole: bytes) -> str:
    return "old" if output == old else "whole" if output == whole else "BROKEN"


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_fsync() -> None:
    """All is written, nothing is sure to be on the disk."""
    os.fsync = _die


def before_rename() -> None:
    """The output is whole, under its temporary name."""
    Path.replace = _die  # type: ignore[assignment, method-assign]


def after_rename() -> None:
    """The output is there, and nobody was told."""
    rename = Path.replace

    def renamed(self: Path, target: Path) -> Path:
        rename(self, target)
        _die()
        return target

    Path.replace = renamed  # type: ignore[assignment, method-assign]


def at_the_end(folder: Path) -> Iterator[dict[str, object]]:
    """Kill a job between writing its output and telling so."""
    undisturbed = Place(folder / "undisturbed")
    undisturbed.run()
    whole = undisturbed.output.read_bytes()
    for before in (before_fsync, before_rename, after_rename):
        place = Place(folder / before.__name__)
        child, _ = place.start(before=before)
        _, status = os.waitpid(child, 0)
        output = _which(place.output.read_bytes(), None, whole) if place.output.exists() else "none"
        left = place.left()
        again = asked(place.run())
        yield {
            "point": before.__name__,
            "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
            "output": output,
            "left": [name.partition("-")[0] for name in left],
            "asked again": again,
            "same": place.output.read_bytes() == whole,
        }


def at_once(folder: Path) -> Iterator[dict[str, object]]:
    """Two jobs at once on one store, one of them killed in the middle, and one after them."""
    undisturbed = Place(folder / "undisturbed")
    undisturbed.run()
    whole = undisturbed.output.read_bytes()
    for killed in (False, True):
        place = Place(folder / f"{killed}")
        outputs = place.folder / "one.md", place.folder / "two.md"
        children = [place.start(output)[0] for output in outputs]
        if killed:
            while len(place.stored()) < SENTENCES // 4:
                time.sleep(0.001)
            os.kill(children[0], signal.SIGKILL)
        ends = [os.waitpid(child, 0)[1] for child in children]
        yield {
            "ends": [os.WTERMSIG(end) if os.WIFSIGNALED(end) else os.WEXITSTATUS(end) for end in ends],
            "same": [output.exists() and output.read_bytes() == whole for output in outputs],
            "asked by a third": asked(place.run()),
            "same by a third": place.output.read_bytes() == whole,
        }


PARTS = {"instants": at_random_instants, "end": at_the_end, "at-once": at_once}

if __name__ == "__main__":
    # A job in this very process loads all that the children then have.
    first = Place(Path(sys.argv[2]) / "first")
    (first.folder / "asked-0").touch()
    first.translate(first.output, first.folder / "asked-0")
    for trial in PARTS[sys.argv[1]](Path(sys.argv[2])):
        print(json.dumps(trial), flush=True)
