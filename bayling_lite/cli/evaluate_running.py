"""Measuring, as the commands of ``bayling evaluate`` share it: from their options to kept results."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.evaluate_options import DATA_VARIABLE, DEFAULT_OUT, MeasuringFlags
from bayling_lite.cli.opening import find_model, open_engine
from bayling_lite.cli.progress import StatusLine, counted
from bayling_lite.cli.progress_line import Window, clock
from bayling_lite.cli.saying import say
from bayling_lite.cli.sectioned import typed_command
from bayling_lite.cli.stopping import INTERRUPTED, stoppable
from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import Family
from bayling_lite.evaluate.generating import FILE_NAME, AnswerStore, Generator
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import Effort, Run, SetResult, Setup
from bayling_lite.prompts import Wording
from bayling_lite.terminal import is_dumb, printable
from bayling_lite.units import counted as so_many

if TYPE_CHECKING:
    from bayling_lite.engine.base import Engine

_SCORED_BY_BLEU = ("wmt22", "translation", "constrained", "refinement")
_LONG = 600
"""Seconds from which on a time is told in minutes and hours."""

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
def measuring_engine(flags: MeasuringFlags, *, key: str | None = None) -> Iterator[tuple[Engine, Setup]]:
    """The engine that is to be measured, open, and how to measure it. ``key`` None is the server's usual one.

    Raises:
        ModelError, EngineError: it cannot be used, or the server does not answer.
        UsageError: options that contradict each other.
    """
    if flags.server is None and flags.server_model is not None:
        raise UsageError("--server-model names a model of --server: give both.")
    with _opened(flags, key) as engine:
        setup = Setup(
            system=flags.name or engine.info.name,
            wording=Wording(flags.wording),
            beam_size=flags.beam,
            limit=flags.limit,
            seed=flags.seed,
        )
        yield engine, setup


def _opened(flags: MeasuringFlags, key: str | None) -> contextlib.AbstractContextManager[Engine]:
    if flags.server is not None:
        from bayling_lite.engine.remote import RemoteEngine

        # What the server can do at once is its own affair; that is only how much it is asked at once.
        parallel = flags.engine.settings.get("parallel")
        if parallel is None:
            return RemoteEngine.open(flags.server, flags.server_model or "", key=key)
        return RemoteEngine.open(flags.server, flags.server_model or "", key=key, n_parallel=parallel)
    path, settings = find_model(flags.engine)
    return open_engine(path, settings, template=flags.engine.template, quiet=flags.quiet, exact=flags.exact)


@contextlib.contextmanager
def measuring_generator(flags: MeasuringFlags, *, key: str | None = None) -> Iterator[tuple[Generator, Setup]]:
    """A generator on the engine that is to be measured, which keeps its answers in the results folder.

    Ctrl-C and SIGTERM end the work at once, and the user is told how it goes on.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(stoppable())
            _check_out(flags.out)
            engine, setup = stack.enter_context(measuring_engine(flags, key=key))
            store = stack.enter_context(AnswerStore(flags.out / FILE_NAME))
            progress = MeasuringProgress(shown=not flags.quiet and not flags.no_progress)
            yield Generator(engine, store, progress=progress), setup
        except KeyboardInterrupt:
            context = click.get_current_context()
            if sys.stderr.isatty() and not is_dumb():
                click.echo("\r\x1b[K", nl=False, err=True)  # over the ^C that the terminal has shown
            say(f"Interrupted. What is answered is kept; this goes on: {typed_command(context)}")
            context.exit(INTERRUPTED)


def _check_out(out: Path) -> None:
    """See that results can be written, before a model is loaded. Nothing is made yet.

    Raises:
        OutputError: they cannot.
    """
    there = next(each for each in (out.absolute(), *out.absolute().parents) if each.exists())
    if not there.is_dir():
        raise OutputError(f"{there} is a file, no folder for results: name another one with --out.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"Nothing can be written in {there}: see to its permissions, or name another with --out.")


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
        UsageError: it holds none of them, or not one that is named, or a package is missing that scores need.
    """
    there = family.find_sets(data)
    folders = " and ".join(map(str, data.folders))
    if not there:
        raise UsageError(f"There is no set of {family.name} in {folders}. {WHERE_DATA_IS}")
    for name in sets:
        if name not in there:
            raise UsageError(f"There is no set {name} of {family.name} in {folders}. There are: {', '.join(there)}.")
    check_scoring(family)
    return tuple(dict.fromkeys(sets)) or there


def check_scoring(*families: Family) -> None:
    """See to what scores need, before the long work and not after it.

    Raises:
        UsageError: a package is missing.
    """
    if any(family.name in _SCORED_BY_BLEU for family in families):
        from bayling_lite.evaluate.translation.metrics import check_tokenizer

        check_tokenizer("13a")


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
        keep(result, folder, quiet=flags.quiet)
        show_result(result, quiet=flags.quiet)
        results.append(result)
    return tuple(results)


def keep(result: SetResult, folder: ResultsFolder, *, quiet: bool = False) -> Path:
    """Write a result in the place of an older one, which the user is told of where that one was another.

    Where nothing was asked now, since all was in the store, it goes on telling of the run in which it was.
    """
    path = folder.file_of(result)
    before = None
    if path.exists():
        with contextlib.suppress(InputError):
            before = folder.read_one(result)
    if before is not None:
        if _same_work(before, result):
            result = replace(result, run=before.run)
        if _same_judging(before.judging, result.judging):
            result = replace(result, judging=before.judging)
        if not quiet and (other := _other(before, result)):
            say(f"Warning: {path} held {other}. It is replaced; --name keeps results apart.")
    return folder.write(result)


def _same_work(before: SetResult, result: SetResult) -> bool:
    """Whether the answers are those of an older result, made in the same way, and none of them was made now."""
    runs = [replace(each.run, date="", effort=None) for each in (before, result)]
    said = [[output.said for output in each.outputs] for each in (before, result)]
    return result.run.effort is not None and not result.run.effort.n_asked and runs[0] == runs[1] and said[0] == said[1]


def _same_judging(before: Run | None, judging: Run | None) -> bool:
    """Whether the same judge was asked in the same way, and nothing now."""
    if before is None or judging is None or judging.effort is None or judging.effort.n_asked:
        return False
    return replace(before, date="", effort=None) == replace(judging, date="", effort=None)


def _other(before: SetResult, result: SetResult) -> str:
    """What an older result was, if it is not of the same work as the one that takes its place."""
    old, new = before.run, result.run
    if bool(old.model) != bool(new.model):
        made = "a model measured here" if old.model else "outputs made elsewhere"
        return f"the result of {made}, called {result.system} as well"
    if (old.fingerprint or old.model) != (new.fingerprint or new.model):
        return f"the result of another model that was called {result.system} as well"
    if new.model and (old.decoding, old.prompt, old.template) != (new.decoding, new.prompt, new.template):
        return f"a result of the same model asked in another way ({old.decoding}; {old.prompt})"
    judge, judging = before.judging, result.judging
    if judge and judging and (judge.model, judge.fingerprint) != (judging.model, judging.fingerprint):
        return f"what another judge, {judge.model}, had said"
    if len(before.outputs) > len(result.outputs):
        return f"the result of {so_many(len(before.outputs), 'item')}, more than these {len(result.outputs):,}"
    if any(first.reference != second.reference for first, second in zip(before.outputs, result.outputs, strict=False)):
        return f"the result on another test set that was called {result.set_name} as well"
    if not new.model and any(
        first.said != second.said for first, second in zip(before.outputs, result.outputs, strict=False)
    ):
        return f"the result of other outputs that were called {result.system} as well"
    return ""


def show_result(result: SetResult, *, quiet: bool = False) -> None:
    """Print a result in one line, and on standard error how fast it was."""
    scores = "  ".join(f"{score.metric} {number(score.value)}" for score in result.scores)
    against = f" against {result.against}" if result.against else ""
    part = "" if result.whole else f"{len(result.outputs):,} of "
    counts = f"{part}{so_many(result.n_items, 'item')}"
    click.echo(printable(f"{result.set_name}{against}  {scores}  ({counts}{_problems(result)})", keep=""))
    run = result.judging or result.run
    if run.effort is not None and not quiet:
        say(f"  {effort_text(run.effort)}")


def _problems(result: SetResult) -> str:
    """``, 12 empty, 3 cut off at the most tokens``."""
    from bayling_lite.evaluate.report.words import PROBLEMS

    found = Counter(output.problem for output in result.outputs if output.problem)
    return "".join(f", {count:,} {PROBLEMS.get(name, name)}" for name, count in found.most_common())


def number(value: float) -> str:
    """A score as tables print it: two digits, counts without any."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def effort_text(effort: Effort) -> str:
    """``2,037 answers in 62.1 s, 1,234 tokens/s; 12 were kept from before``."""
    parts = []
    if effort.n_asked:
        seconds = f"{effort.seconds:.1f} s" if effort.seconds < _LONG else clock(effort.seconds)
        parts.append(
            f"{so_many(effort.n_asked, 'answer')} in {seconds}, {effort.tokens_per_second:,.0f} tokens/s generated"
        )
    if effort.n_reused:
        verb = "was" if effort.n_reused == 1 else "were"
        parts.append(f"{so_many(effort.n_reused, 'answer')} {verb} kept from before")
    return "; ".join(parts) or "Nothing was asked"


def say_where(out: Path) -> None:
    """Where the results are, and what is made of them."""
    report = "bayling evaluate report" + ("" if out == DEFAULT_OUT else f" --out {shlex.quote(str(out))}")
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
