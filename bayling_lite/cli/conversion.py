"""What ``bayling convert`` does: find the files, convert, measure, verify, write the card."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite import __version__
from bayling_lite.catalogue import HUB_PREFIX
from bayling_lite.checkpoints import CheckpointPlace, known_of, short_name
from bayling_lite.cli.saying import say
from bayling_lite.cli.transfer import ByteProgress
from bayling_lite.errors import UsageError
from bayling_lite.quantizations import BITS_PER_WEIGHT
from bayling_lite.units import bytes_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayling_convert import CheckpointFiles, Provenance, Step
    from bayling_convert.importance.imatrix import Imatrix
    from bayling_convert.making import Made
    from bayling_lite.hub import Hub, Repository
    from bayling_lite.messages import Conversation
    from bayling_lite.pulling.measure import Measure

_STEPS = {
    "measuring importances": ("Measuring importances", "tokens"),
    "dialogues": ("Comparing dialogues", "steps"),
    "translations": ("Comparing translations", "steps"),
}
"""What stands before the count of what is not counted in bytes, and what is counted."""


@dataclass(frozen=True, slots=True)
class Done:
    """What to tell the user: lines about what was written, warnings, and the table of what quantizing cost.

    Interrupted, the file is whole, but was not compared with the unquantized model.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    report: str | None = None
    interrupted: bool = False


@dataclass(slots=True)
class Conversion:
    """One run of the command; the names are those of its options."""

    checkpoint: str
    output: Path | None
    file_type: str | None
    base: str | None
    template: str | None
    imatrix: str | None
    verify: bool
    dialogues: Path | None
    keep: bool
    card: bool
    force: bool
    quiet: bool = False
    _bytes: ByteProgress = field(default_factory=lambda: ByteProgress(shown=False))
    _measure: Measure | None = None
    _converted: int = 0
    _fetches: bool = False
    _interrupted: bool = False

    @contextlib.contextmanager
    def showing(self, wanted: bool) -> Iterator[None]:
        """Show progress while the block runs."""
        self._bytes = ByteProgress(shown=wanted)
        try:
            yield
        finally:
            self.end_progress()

    def end_progress(self, *, interrupted: bool = False) -> None:
        """Take the line away."""
        self._bytes.end(interrupted=interrupted)

    @property
    def fetches(self) -> bool:
        """Whether anything comes from the hub, as far as is known by now."""
        return self._fetches

    @property
    def has_come(self) -> bool:
        """Whether anything came by now."""
        return self._bytes.has_come

    def run(self) -> Done:
        """Convert, and all that was asked for besides."""
        from bayling_convert.making import VerificationInterrupted, make

        measure = self.imatrix == "auto"
        file_type = (self.file_type or "Q4_K_M").upper()
        path = self._path(file_type)
        with self._work_folder(path) as work:
            # What is read twice or more is fetched once.
            hold = measure or self.verify
            place, base = self._places()
            self._measure = self._measured(file_type, place, base)
            files = self._files(place, work, hold=hold)
            known = self._known(files, place)
            self._announce(place, base, known.license)
            try:
                made = make(
                    files,
                    path,
                    file_type,
                    base=self._files(base, work, hold=hold) if base else None,
                    template=self.template,
                    provenance=known,
                    imatrix=self._imatrix(),
                    measure=measure,
                    verify=self.verify,
                    dialogues=self._dialogues(),
                    overwrite=self.force,
                    progress=self._on_bytes,
                    steps=self._on_steps,
                )
            except VerificationInterrupted as stopped:
                made, self._interrupted = stopped.made, True
            self._keep_small_files(work, place, base)
            card = self._write_card(made, files) if self.card else ()
        return Done((_told(made), *card), made.converted.warnings, _report(made), self._interrupted)

    def write_adapter(self) -> Done:
        """Write a LoRA adapter alone."""
        from bayling_convert import convert_adapter

        beside = (self.template, self.imatrix, self.verify, self.dialogues)
        if any(beside):
            raise UsageError("--adapter writes the adapter alone: --template, --imatrix and --verify are for a model.")
        if self.base is None:
            raise UsageError("--adapter needs --base, the checkpoint the adapter was trained on, for its shape.")
        file_type = (self.file_type or "F16").upper()
        path = self._path(file_type)
        with self._work_folder(path) as work:
            place, base = self._places()
            assert base is not None  # noqa: S101 - checked above
            # Of its base only the shape is read.
            self._measure = self._measured(file_type, place)
            self._announce(place)
            files, shaping = self._files(place, work), self._files(base, work)
            convert_adapter(files, shaping, path, file_type, overwrite=self.force, progress=self._on_bytes)
            self._keep_small_files(work, place, base)
        return Done((f"Wrote {path}: a LoRA adapter, {file_type}, {bytes_text(path.stat().st_size)}.",))

    def _path(self, file_type: str) -> Path:
        if self.output == Path("-"):
            raise UsageError("A model is not written to standard output: name a file with -o.")
        return self.output or Path(f"{short_name(self.checkpoint)}.{file_type}.gguf")

    @contextlib.contextmanager
    def _work_folder(self, path: Path) -> Iterator[Path]:
        """Where what is fetched lies while it is worked on; it stays for the next run when the work is interrupted."""
        from bayling_convert.output import check_place

        # Nothing is asked of the hub for a file that cannot be written.
        check_place(path, overwrite=self.force)
        work = path.with_name(f".{path.name}.download")
        yield work
        shutil.rmtree(work, ignore_errors=True)

    def _places(self) -> tuple[CheckpointPlace, CheckpointPlace | None]:
        """Where the checkpoint and its base are."""
        from bayling_lite.pulling.measure import sentence

        def open_hub() -> Hub:
            from bayling_lite.hub import Hub
            from bayling_lite.settings import Settings

            self._fetches = True
            return Hub(offline=Settings.load().offline, notice=lambda words: self._bytes(0, 0, sentence(words)))

        place = CheckpointPlace.find(self.checkpoint, open_hub)
        base = CheckpointPlace.find(self.base, open_hub) if self.base is not None else None
        return place, base

    def _measured(self, file_type: str, *places: CheckpointPlace | None) -> Measure:
        """What is fetched and converted."""
        from bayling_lite.pulling.measure import Measure, weights_to_fetch

        missing = {path: size for one in _repositories(*places) for path, size in weights_to_fetch(one).items()}
        result = round(sum(missing.values()) / 16 * BITS_PER_WEIGHT.get(file_type, 16.0))
        return Measure(missing, result, self._bytes)

    def _announce(
        self, place: CheckpointPlace, base: CheckpointPlace | None = None, licence: str | None = None
    ) -> None:
        """What is fetched, and under which licence; nothing where nothing is."""
        from bayling_lite.pulling.plan import fetched_weights, read_licence

        repositories = _repositories(place, base)
        said = [licence or read_licence(one) if one is place.repository else read_licence(one) for one in repositories]
        self._bytes.end()  # what was said while the hub was asked
        if self.quiet or not repositories:
            return
        for one, its_licence in zip(repositories, said, strict=True):
            say(f"{one.id} at {one.commit[:12]}; licence: {its_licence or 'not stated'}")
        to_fetch = sum(fetched_weights(one)[0] for one in repositories)
        say(f"To fetch: {bytes_text(to_fetch) if to_fetch else 'nothing, it is in the shared cache'}")

    def _files(self, place: CheckpointPlace, work: Path, *, hold: bool = False) -> CheckpointFiles:
        """Each repository's files come into a folder of their own."""
        name = place.repository.id.replace("/", "--") if place.repository is not None else ""
        told = self._measure.fetching(place.repository) if self._measure and place.repository else None
        return place.files(work / name, keep=self.keep, hold=hold, progress=told)

    def _keep_small_files(self, work: Path, *places: CheckpointPlace | None) -> None:
        for place in places:
            if self.keep and place is not None:
                place.keep_small_files(work / "small")

    def _imatrix(self) -> Imatrix | None:
        from bayling_convert.importance.imatrix import read_imatrix

        return None if self.imatrix in (None, "auto") else read_imatrix(Path(str(self.imatrix)))

    def _dialogues(self) -> Sequence[Conversation] | None:
        from bayling_convert.verify import read_dialogues

        return read_dialogues(self.dialogues) if self.dialogues is not None else None

    def _on_bytes(self, step: Step) -> None:
        assert self._measure is not None  # noqa: S101 - made when the files were found
        if step.done < self._converted:  # once unquantized, then as it was asked for
            self._bytes.begin()
            self._measure.begin()
        self._converted = step.done
        self._measure.converting(step)

    def _on_steps(self, done: int, total: int, what: str) -> None:
        self._bytes.steps(done, total, *_STEPS[what])

    def _write_card(self, made: Made, files: CheckpointFiles) -> tuple[str, ...]:
        from bayling_convert.making import card_of
        from bayling_convert.model_card.card import write_card

        repository = files.where.removeprefix(HUB_PREFIX) if files.remote else None
        contents = card_of(made, converter=f"bayling-lite {__version__}", repository=repository)
        written = write_card(made.converted.path.parent, contents)
        return (f"Wrote {', '.join(map(str, written))}: the model card, fit for uploading beside it.",)

    def _known(self, files: CheckpointFiles, place: CheckpointPlace) -> Provenance:
        """What the catalogue, or the repository's card, says of a checkpoint, and at what revision it is read."""
        from bayling_convert.tokenizer.recognize import find_known
        from bayling_lite.catalogue import catalogue

        entry = find_known(files, {entry.hub: entry for entry in catalogue().values() if entry.hub})
        if place.repository is None:
            return known_of(entry, licence=None, revision=None)
        from bayling_lite.pulling.plan import read_licence

        licence = read_licence(place.repository) if entry is None else None
        return known_of(entry, licence=licence, revision=place.repository.commit)


def _repositories(*places: CheckpointPlace | None) -> list[Repository]:
    return [one.repository for one in places if one is not None and one.repository is not None]


def _told(made: Made) -> str:
    done = made.converted
    sizes = f"{done.n_parameters / 1e6:,.1f} M parameters, {bytes_text(done.n_bytes)}"
    return f"Wrote {done.path}: {done.file_type}, {sizes}."


def _report(made: Made) -> str | None:
    if made.comparison is None:
        return None
    from bayling_convert.verify import for_stdout

    return for_stdout(made.comparison)
