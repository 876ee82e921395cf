"""Measuring, as the commands of ``bayling evaluate`` share it: from their options to kept results."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.evaluate_options import DATA_VARIABLE, MeasuringFlags
from bayling_lite.cli.opening import find_model, open_engine
from bayling_lite.cli.progress import StatusLine, counted
from bayling_lite.cli.progress_line import Window
from bayling_lite.cli.saying import say
from bayling_lite.cli.sectioned import typed_command
from bayling_lite.cli.stopping import stoppable
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import Family
from bayling_lite.evaluate.generating import FILE_NAME, AnswerStore, Generator
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import Effort, SetResult, Setup
from bayling_lite.prompts import Wording
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.engine.base import Engine

WHERE_DATA_IS = (
    "Name the folder that holds the test data with --data, or in "
    f"{DATA_VARIABLE}. The paper's is in the public repositories ictnlp/BayLing and ruixiangcui/AGIEval: "
    "a checkout of them will do as it is."
)


def data_folder(data: Sequence[Path]) -> DataFolder:
    """The folders that hold the test data.

    Raises:
        UsageError: none is named.
        InputError: one is not there.
    """
    if not data:
        raise UsageError(WHERE_DATA_IS)
    return DataFolder(data)


@contextlib.contextmanager
def measuring_engine(flags: MeasuringFlags) -> Iterator[tuple[Engine, Setup]]:
    """The engine that is to be measured, open, and how to measure it.

    Raises:
        ModelError, EngineError: it cannot be used, or the server does not answer.
        UsageError: options that contradict each other.
    """
    if flags.server is None and flags.server_model is not None:
        raise UsageError("--server-model names a model of --server: give both.")
    with _opened(flags) as engine:
        setup = Setup(
            system=flags.name or engine.info.name,
            wording=Wording(flags.wording),
            beam_size=flags.beam,
            limit=flags.limit,
            seed=flags.seed,
        )
        yield engine, setup


def _opened(flags: MeasuringFlags) -> contextlib.AbstractContextManager[Engine]:
    if flags.server is not None:
        from bayling_lite.engine.remote import RemoteEngine

        # What the server can do at once is its own affair; that is only how much it is asked at once.
        parallel = flags.engine.settings.get("parallel")
        if parallel is None:
            return RemoteEngine.open(flags.server, flags.server_model or "")
        return RemoteEngine.open(flags.server, flags.server_model or "", n_parallel=parallel)
    path, settings = find_model(flags.engine)
    return open_engine(path, settings, template=flags.engine.template, quiet=flags.quiet)


@contextlib.contextmanager
def measuring_generator(flags: MeasuringFlags) -> Iterator[tuple[Generator, Setup]]:
    """A generator on the engine that is to be measured, which keeps its answers in the results folder.

    Ctrl-C and SIGTERM end the work at once, and the user is told how it goes on.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(stoppable())
            engine, setup = stack.enter_context(measuring_engine(flags))
            store = stack.enter_context(AnswerStore(flags.out / FILE_NAME))
            progress = MeasuringProgress(shown=not flags.quiet and not flags.no_progress)
            yield Generator(engine, store, progress=progress), setup
        except KeyboardInterrupt:
            say(f"What is answered is kept; this goes on: {typed_command(click.get_current_context())}")
            raise


def run_family(family: Family, sets: Sequence[str], flags: MeasuringFlags) -> tuple[SetResult, ...]:
    """Measure sets of a family, all that the data holds where none is named; keep and print each as it is done.

    Raises:
        UsageError: the data holds none of the family's sets, or not one that is named.
        BaylingError: whatever stops a measurement; the sets before are kept.
    """
    data = data_folder(flags.data)
    chosen = choose_sets(family, data, sets)
    with measuring_generator(flags) as (generator, setup):
        results = measure_sets(family, data, chosen, generator, setup, flags)
    if not flags.quiet:
        say_where(flags.out)
    return results


def choose_sets(family: Family, data: DataFolder, sets: Sequence[str]) -> tuple[str, ...]:
    """The sets to measure, each once: those named, else all that the data holds.

    Raises:
        UsageError: it holds none of them, or not one that is named.
    """
    there = family.find_sets(data)
    folders = " and ".join(map(str, data.folders))
    if not there:
        raise UsageError(f"There is no set of {family.name} in {folders}. {WHERE_DATA_IS}")
    for name in sets:
        if name not in there:
            raise UsageError(f"There is no set {name} of {family.name} in {folders}. There are: {', '.join(there)}.")
    return tuple(dict.fromkeys(sets)) or there


def measure_sets(
    family: Family,
    data: DataFolder,
    sets: Sequence[str],
    generator: Generator,
    setup: Setup,
    flags: MeasuringFlags,
) -> tuple[SetResult, ...]:
    """Measure sets one after the other; keep and print each as it is done."""
    results = []
    folder = ResultsFolder(flags.out)
    for name in sets:
        result = family.measure(data, name, generator, setup)
        keep(result, folder)
        show_result(result, quiet=flags.quiet)
        results.append(result)
    return tuple(results)


def keep(result: SetResult, folder: ResultsFolder) -> Path:
    """Write a result; one that another model made under the same name is replaced, which the user is told of."""
    path = folder.file_of(result)
    before = ""
    if path.exists():
        with contextlib.suppress(InputError):
            before = folder.read_one(result).run.fingerprint
    if before and result.run.fingerprint and before != result.run.fingerprint:
        say(
            f"Warning: {path} held the result of another model that was called {result.system} as well. "
            "It is replaced; --name keeps models apart."
        )
    return folder.write(result)


def show_result(result: SetResult, *, quiet: bool = False) -> None:
    """Print a result in one line, and on standard error how fast it was."""
    scores = "  ".join(f"{score.metric} {number(score.value)}" for score in result.scores)
    against = f" against {result.against}" if result.against else ""
    counts = f"{len(result.outputs):,} of {result.n_items:,}" if not result.whole else f"{result.n_items:,}"
    problems = f", {result.problems:,} with problems" if result.problems else ""
    click.echo(printable(f"{result.set_name}{against}  {scores}  ({counts} items{problems})", keep=""))
    if result.run.effort is not None and not quiet:
        say(f"  {effort_text(result.run.effort)}")


def number(value: float) -> str:
    """A score as tables print it: two digits, counts without any."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def effort_text(effort: Effort) -> str:
    """``2,037 answers in 62.1 s, 1,234 tokens/s; 12 were kept from before``."""
    parts = []
    if effort.n_asked:
        parts.append(
            f"{effort.n_asked:,} answers in {effort.seconds:,.1f} s, {effort.tokens_per_second:,.0f} tokens/s generated"
        )
    if effort.n_reused:
        parts.append(f"{effort.n_reused:,} answers were kept from before")
    return "; ".join(parts) or "Nothing had to be asked"


def say_where(out: Path) -> None:
    """Where the results are, and what is made of them."""
    report = "bayling evaluate report" + ("" if out == Path("evaluation") else f" --out {out}")
    say(f"Results are in {out}. All of them as one page: {report}")


class MeasuringProgress:
    """How far a set is, on standard error."""

    def __init__(self, *, shown: bool) -> None:
        self._line = StatusLine(wanted=shown)
        self._label, self._total, self._done = "", 0, 0
        self._tokens = 0
        self._items = Window()
        self._speed = Window()

    def start(self, label: str, total: int) -> None:
        """A set of so many items begins."""
        self._label, self._total, self._done, self._tokens = label, total, 0, 0
        self._items, self._speed = Window(), Window()
        self._show(force=True)

    def advance(self, n_generated: int) -> None:
        """An item is answered."""
        self._done += 1
        self._tokens += n_generated
        self._show()

    def end(self) -> None:
        """Take the line away."""
        self._line.end()

    def _show(self, *, force: bool = False) -> None:
        now = time.monotonic()
        self._items.add(self._done, now)
        self._speed.add(self._tokens, now)
        if not (self._line.due() or (force and self._line.shown)):
            return
        shown = counted(self._label, self._done, self._total, "items", self._items.rate)
        rate = self._speed.rate
        self._line.show(replace(shown, detail=f"{rate:,.0f} tokens/s" if rate else ""))
