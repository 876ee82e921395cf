"""A build from beginning to end: parallel text in, a file of dialogues and the report on it out.

::

    1. screen    every pair once: filters, test sets, fingerprints            (screening.py)
    2. gather    again: a sample for the aligner, repeated sentences          (corpus.py)
    3. learn     the aligner; sample expressions                              (corpus.py)
    4. make      again: the dialogues of each chunk, written in order         (making.py, output.py)

What 1 to 3 find is kept in the work folder, and so is what is written: the same command goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bayling_finetune.dialogues.alignment import AlignmentModel
from bayling_finetune.dialogues.builder import DRAFTED, both_ways, tried
from bayling_finetune.dialogues.contamination import Policy
from bayling_finetune.dialogues.corpus import Kept, gather, of_kept, tools_of
from bayling_finetune.dialogues.hashes import SeenHashes
from bayling_finetune.dialogues.making import Made, MakeChunk, given, hashes_of
from bayling_finetune.dialogues.output import DialogueOutput, check_place, locked, remove_work, work_folder
from bayling_finetune.dialogues.plan import Plan, Stage, Watch
from bayling_finetune.dialogues.pool import Pool, cores
from bayling_finetune.dialogues.report import InputFile, Report, described
from bayling_finetune.dialogues.screening import CHUNK, Screened, chunks, read_all, screen
from bayling_finetune.dialogues.sources import ParallelSource, Reason, Skipped
from bayling_finetune.dialogues.statistics import Statistics
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Direction
from bayling_lite.errors import BaylingError, InputError, OutputError

_FORMAT = 1
"""Of what a build writes: a part of another number is begun again."""


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build."""

    path: Path
    report: Report
    resumed: bool


def build_file(
    plan: Plan,
    path: Path,
    *,
    processes: int = 0,
    method: str | None = None,
    force: bool = False,
    command: str = "",
    watch: Watch = lambda *_: None,
) -> Built:
    """Build ``path``, a JSON Lines file (compressed where its name ends with ``.gz``), with ``processes`` (0: as many
    as there are cores). ``method`` is how these are started.

    Interrupted by whatever, the same call goes on from the last finished chunk; the file is the same in the end.

    Raises:
        OutputError: the file exists, cannot be written, or another process is building it.
        InputError: a source cannot be read; or pairs are in a test set and ``plan`` says to refuse that.
        UsageError: the plan cannot be.
    """  # fmt: skip
    plan.check()
    check_place(path, force=force)
    with ExitStack() as stack:
        folder = stack.enter_context(locked(work_folder(path)))
        check_place(path, force=force)  # another process may have finished it before the lock was free
        builder = _Builder(plan, path, folder, processes or cores(), method, watch)
        report, resumed = builder.run()
        report.command = command
        remove_work(folder)
    return Built(path, report, resumed)


class _Builder:
    """One build; the methods are its stages."""

    def __init__(self, plan: Plan, path: Path, folder: Path, processes: int, method: str | None, watch: Watch) -> None:
        self._plan = plan
        self._path = path
        self._folder = folder
        self._processes = processes
        self._method = method
        self._watch = watch
        self._inputs = [_digest(source) for source in plan.sources]
        self._count = 0

    def run(self) -> tuple[Report, bool]:
        plan = self._plan
        screened = self._screened()
        self._count = len(screened.verdicts)
        self._refuse_overlap(screened)
        kept, skipped = screened.kept(
            drop_overlap=plan.on_overlap is not Policy.ALLOW,
            duplicates=plan.filters.duplicates,
            limit=plan.limit,
            seed=plan.seed,
        )
        if not kept.any():
            raise InputError(f"No pair is left to build dialogues of: {_summary(skipped)}.")
        tools = self._tools(screened, kept)
        statistics, resumed = self._make(tools, kept)
        report = self._report(screened, skipped, statistics)
        report.pairs_used = int(kept.sum())
        report.options["instructions"] = dict(tools.instructions)
        return report, resumed

    def _screened(self) -> Screened:
        plan = self._plan
        fingerprint = _fingerprint(
            self._sources(), dataclasses.asdict(plan.filters), plan.test_sets and plan.test_sets.digest
        )
        place = self._folder / f"first-pass-{fingerprint}.npz"
        found = Screened.load(place)
        if found is None:
            found = screen(
                plan.sources,
                plan.filters,
                plan.test_sets,
                processes=self._processes,
                method=self._method,
                watch=lambda done: self._watch(Stage.SCREEN, done, 0),
            )
            self._keep(place, found.save)
        return found

    def _refuse_overlap(self, screened: Screened) -> None:
        overlap = screened.overlap
        if overlap.counts and self._plan.on_overlap is Policy.REFUSE:
            raise InputError(
                f"Some pairs are in a test set ({'. '.join(overlap.lines())}): scores of a model that learns them "
                "would mean nothing. --on-overlap drop leaves these pairs out, --on-overlap allow keeps them."
            )

    def _tools(self, screened: Screened, kept: Kept) -> Tools:
        plan = self._plan
        fingerprint = _fingerprint(
            self._sources(), plan.seed, dataclasses.asdict(plan.bounds), hashlib.sha256(kept.tobytes()).hexdigest()
        )
        model, rest = (self._folder / f"tools-{fingerprint}.{suffix}" for suffix in ("npz", "json"))
        tools = _read_tools(model, rest)
        if tools is None:
            total = int(kept.sum())
            self._watch(Stage.GATHER, 0, total)
            gathered = gather(self._pairs, screened.fingerprints, kept, plan.bounds, seed=plan.seed)
            self._watch(Stage.LEARN, 0, 0)
            tools = tools_of(gathered, plan.bounds, seed=plan.seed)
            lexicon, values = tools.lexicon, {"samples": tools.samples, "others": tools.others}
            assert isinstance(lexicon, AlignmentModel)  # noqa: S101 - made above
            self._keep(model, lexicon.save)
            self._keep(rest, lambda path: path.write_bytes(json.dumps(values).encode()))
        changes: dict[str, Any] = {}
        if plan.drafting is not None:
            changes["drafts"] = plan.drafting(self._to_correct(kept))
        if plan.instructions is not None:
            changes["instructions"] = dict(plan.instructions)
        return dataclasses.replace(tools, **changes)

    def _to_correct(self, kept: Kept) -> Iterator[Direction]:
        """The directions that are to give a dialogue about the mistakes of a draft."""
        plan = self._plan
        for direction in self._directions(kept):
            if any(kind in DRAFTED for kind in tried(direction, plan.kinds, plan.seed)):
                yield direction

    def _directions(self, kept: Kept) -> Iterator[Direction]:
        pairs = of_kept(self._pairs(), kept)
        return pairs if self._plan.one_way else both_ways(pairs)

    def _make(self, tools: Tools, kept: Kept) -> tuple[Statistics, bool]:
        total = int(kept.sum())
        with DialogueOutput(self._path, self._fingerprint(kept)) as output:
            resumed = output.resumed
            statistics = Statistics.of(output.state.counts) if resumed else Statistics()
            seen = SeenHashes()
            for hashes in hashes_of(output.lines()):
                seen.add(hashes)
            done = min(output.state.chunks * CHUNK, total)
            self._watch(Stage.MAKE, done, total)
            try:
                for made in self._made(tools, kept, skip=output.state.chunks):
                    data = made.without_repeats(seen)
                    statistics.merge(made.statistics)
                    output.append(data, statistics.to_dict())
                    done += made.n_pairs
                    self._watch(Stage.MAKE if made.n_pairs else Stage.ALSO, done, total)
                    if output.due:
                        output.note()
            except OutputError:
                raise
            except (KeyboardInterrupt, BaylingError):
                output.note()
                raise
            output.note()
            if not statistics.dialogues:
                raise InputError("None of the kinds that were asked for could be made of these pairs. Name others.")
            output.finish()
        return statistics, resumed

    def _made(self, tools: Tools, kept: Kept, *, skip: int) -> Iterator[Made]:
        """The chunks from number ``skip`` on: those of the pairs, then those made elsewhere."""
        plan, count = self._plan, -(-int(kept.sum()) // CHUNK)
        others = iter(plan.also(tools, self._directions(kept))) if plan.also is not None else iter(())
        work = MakeChunk(dict(plan.kinds), tools, plan.seed, plan.one_way, plan.max_characters, plan.tokenizer)
        with Pool(work, self._processes, method=self._method) as pool:
            pairs = of_kept(self._pairs(), kept)
            yield from pool.map(chunks(islice(pairs, skip * CHUNK, None), CHUNK))
        for chunk in islice(chunks(others, CHUNK), max(0, skip - count), None):
            yield given(chunk, max_characters=plan.max_characters, tokenizer=plan.tokenizer)

    def _pairs(self) -> Iterator[Direction]:
        """All pairs again, those that are not used among them.

        Raises:
            InputError: they are not as many as before.
        """
        number = 0
        for pair in read_all(self._plan.sources):
            number += 1
            if number <= self._count:
                yield pair
        if number != self._count:
            raise InputError("An input was changed while it was read. Call the same command again when it is complete.")

    def _sources(self) -> list[Any]:
        """What the pairs depend on: the files' contents and how they are read."""
        return [[digest, *_described(source)] for source, digest in zip(self._plan.sources, self._inputs, strict=True)]

    def _fingerprint(self, kept: Kept) -> str:
        plan = self._plan
        values = (
            *(_FORMAT, plan.version, self._sources(), hashlib.sha256(kept.tobytes()).hexdigest(), CHUNK),
            *({kind.value: share for kind, share in plan.kinds.items()}, plan.seed, plan.instructions, plan.one_way),
            *(plan.max_characters, plan.drafts_digest, plan.also_digest, str(plan.tokenizer or "")),
            *(dataclasses.asdict(plan.bounds), self._path.suffix == ".gz"),
        )
        return _fingerprint(*values)

    def _keep(self, path: Path, write: Callable[[Path], object]) -> None:
        """Keep what took long to find, whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        try:
            write(part)
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)  # the disk may be full of it
            raise OutputError(
                f"{path.parent} cannot be written: {error.strerror or error}. "
                "Make room, or choose another place with -o."
            ) from error

    def _report(self, screened: Screened, skipped: Skipped, statistics: Statistics) -> Report:
        plan = self._plan
        inputs = [
            InputFile(
                *(source.name, read, digest, f"{source.source.code}-{source.target.code}", source.origin),
                license=plan.licenses.get(source.name, ""),
            )
            for source, read, digest in zip(plan.sources, screened.read, self._inputs, strict=True)
        ]
        options = {
            "kinds": {kind.value: share for kind, share in plan.kinds.items() if share},
            "seed": plan.seed,
            "limit": plan.limit or None,
            "one_way": plan.one_way or None,
            "filters": dataclasses.asdict(plan.filters),
        }
        return Report(
            described(self._path),
            statistics,
            made_by=f"bayling-lite {plan.version}".strip(),
            inputs=inputs,
            pairs_read=len(screened.verdicts),
            skipped={reason.explanation: count for reason, count in skipped.items() if count},
            test_sets=list(plan.test_sets.names) if plan.test_sets else [],
            overlap=dict(screened.overlap.counts),
            on_overlap=plan.on_overlap.value,
            options=options,
        )


def _summary(skipped: Skipped) -> str:
    reasons = sorted(skipped.items(), key=lambda entry: -entry[1])
    return "; ".join(f"{count:,} left out, {Reason(reason).explanation}" for reason, count in reasons if count) or (
        "the sources hold none"
    )


def _read_tools(model: Path, rest: Path) -> Tools | None:
    try:
        values = json.loads(rest.read_bytes())
        others = {key: tuple(texts) for key, texts in values["others"].items()}
        return Tools(AlignmentModel.load(model), values["samples"], others)
    except (OSError, ValueError, KeyError, InputError):
        return None


def _described(source: ParallelSource) -> list[Any]:
    return [
        *(source.source.code, source.target.code, source.resolved_format().value, list(source.columns)),
        *(source.encoding, source.origin, source.weight, source.max_words),
    ]


def _digest(source: ParallelSource) -> str:
    """SHA-256 of a source's file; of two, of both in turn."""
    digest = hashlib.sha256()
    for path in source.paths:
        try:
            with path.open("rb") as file:
                own = hashlib.file_digest(file, "sha256")
        except FileNotFoundError:
            raise InputError(f"There is no file {path}.") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
        if len(source.paths) == 1:
            return own.hexdigest()
        digest.update(own.digest())
    return digest.hexdigest()


def _fingerprint(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:32]
