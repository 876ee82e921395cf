"""How the results came to be: runs, signatures, and the outputs that have problems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bayling_lite.evaluate.report.values import ProblemLine, RunLine, SignatureLine
from bayling_lite.evaluate.values import Effort, SetResult

_CHINESE = re.compile("[\u4e00-\u9fff]")


def run_lines(results: Iterable[SetResult]) -> tuple[RunLine, ...]:
    """One line for the sets of a family that a system was run on in the same way; of a comparison, its judge was."""
    alike: dict[tuple[str, ...], list[SetResult]] = {}
    for result in results:
        run = result.run
        who = result.system
        if result.judging:
            # The run of the answers is that of another result.
            run, who = result.judging, f"judge of {result.system} vs. {result.against}"
            result = replace(result, system=who, run=run)  # as if the judge had been measured
        # Of outputs made elsewhere, each file has its own name: they are one line all the same. So are prompts that
        # differ in the language that they name, but not English and Chinese wordings.
        made = ("elsewhere",) if run.origin else (run.model, run.fingerprint, run.template, run.device)
        wording = "Chinese" if _CHINESE.search(run.prompt) else ""
        key = (who, result.family, run.decoding, wording, *made)
        alike.setdefault(key, []).append(result)
    return tuple(map(_run_line, alike.values()))


def _run_line(results: Sequence[SetResult]) -> RunLine:
    first, run = results[0], results[0].run
    efforts = [result.run.effort or Effort() for result in results]
    days = sorted({result.run.date[:10] for result in results} - {""})
    return RunLine(
        system=first.system,
        family=first.family,
        sets=tuple(dict.fromkeys(result.set_name for result in results)),
        model=run.model,
        fingerprint=run.fingerprint,
        template=run.template,
        device=run.device,
        decoding=run.decoding,
        prompts=tuple(dict.fromkeys(result.run.prompt for result in results if result.run.prompt)),
        origins=tuple(dict.fromkeys(result.run.origin for result in results if result.run.origin)),
        dates=tuple(dict.fromkeys((days[0], days[-1]))) if days else (),
        n_outputs=sum(len(result.outputs) for result in results),
        n_asked=sum(effort.n_asked for effort in efforts),
        n_reused=sum(effort.n_reused for effort in efforts),
        n_prompt=sum(effort.n_prompt for effort in efforts),
        n_generated=sum(effort.n_generated for effort in efforts),
        seconds=sum(effort.seconds for effort in efforts),
    )


def signature_lines(results: Iterable[SetResult]) -> tuple[SignatureLine, ...]:
    """Each way in which a metric was computed, with the sets of a family that it was computed so on."""
    lines: dict[tuple[str, str, str], list[str]] = {}
    for result in results:
        for score in result.scores:
            if score.signature:
                lines.setdefault((result.family, score.metric, score.signature), []).append(result.set_name)
    return tuple(
        SignatureLine(family, metric, tuple(dict.fromkeys(sets)), signature)
        for (family, metric, signature), sets in lines.items()
    )


def problem_lines(results: Iterable[SetResult]) -> tuple[ProblemLine, ...]:
    """The results that have problems, or do not cover their set."""
    return tuple(
        ProblemLine(
            system=result.system,
            family=result.family,
            set_name=result.set_name,
            n_outputs=len(result.outputs),
            n_items=result.n_items,
            problems=tuple(Counter(output.problem for output in result.outputs if output.problem).most_common()),
        )
        for result in results
        if result.problems or not result.whole
    )
