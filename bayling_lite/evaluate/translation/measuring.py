"""From a parallel set to a result: have it translated, or take translations made elsewhere, and score them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayling_lite.evaluate.data import read_lines
from bayling_lite.evaluate.elsewhere import run_elsewhere
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.translation.comet import Comet
from bayling_lite.evaluate.translation.metrics import Scored, bounded_score, score_lines
from bayling_lite.evaluate.translation.parallel_set import ParallelSet, check_paired, one_line
from bayling_lite.evaluate.translation.resampling import N_SAMPLES, SEED
from bayling_lite.evaluate.values import Answer, Decoding, FixedScript, Output, Run, Score, SetResult, Setup
from bayling_lite.languages import Language
from bayling_lite.prompts import Wording, translation_instruction

MAX_TOKENS = 1024
"""The paper's, for translation."""
BEAM_SIZE = 5
REFERENCES = "references"
"""Where an output's details have all references, if there are several."""
STATISTICS = "statistics"
"""Where an output's details have the statistics that scores are computed of again, by metric."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How translations are scored: by COMET too, if there is one; with another tokenizer of BLEU than the usual."""

    comet: Comet | None = None
    tokenizer: str = ""


USUAL = Scoring()


def measure(test_set: ParallelSet, family: str, generator: Generator, setup: Setup, how: Scoring = USUAL) -> SetResult:
    """Have a set translated by the paper's instruction, and score that.

    Raises:
        EngineError: generating fails; what was answered is kept.
        UsageError: a package is missing that a score needs.
    """
    asked = test_set.first(setup.limit)
    scripts = [
        FixedScript(str(number), (translation_instruction(source, test_set.target, wording=setup.wording),))
        if source.strip()
        else FixedScript(str(number), ())
        for number, source in enumerate(asked.sources, 1)
    ]
    decoding = Decoding(MAX_TOKENS, beam_size=setup.beam_size or BEAM_SIZE, seed=setup.seed)
    prompt = instruction_words(test_set.target, setup.wording)
    answered = generator.answer(scripts, decoding, label=test_set.name, prompt=prompt)
    return _result(asked, len(test_set), family, setup.system, answered.answers, answered.run, how)


def score_outputs(
    test_set: ParallelSet,
    family: str,
    system: str,
    path: Path,
    how: Scoring = USUAL,
    *,
    wording: str = "",
    limit: int | None = None,
) -> SetResult:
    """Score translations made elsewhere: a file with one a line, of the whole set or of its first ``limit`` lines.

    Raises:
        InputError: it cannot be read, or has another number of lines than the set.
        UsageError: a package is missing that a score needs.
    """
    lines = read_lines(path)
    asked = test_set.first(limit)
    if len(lines) == len(test_set):
        lines = lines[:limit]
    check_paired(path, lines, test_set.origin or test_set.name, len(asked))
    answers = [Answer((line,), "" if line.strip() else "empty") for line in lines]
    return _result(asked, len(test_set), family, system, answers, run_elsewhere(path, prompt=wording), how)


def instruction_words(target: Language, wording: Wording) -> str:
    """The instruction as a report shows it, with dots for the sentence."""
    return translation_instruction("…", target, wording=wording)


def _result(
    test_set: ParallelSet,
    n_items: int,
    family: str,
    system: str,
    answers: Sequence[Answer],
    run: Run,
    how: Scoring,
) -> SetResult:
    hypotheses = [one_line(answer.texts[-1]) if answer.texts else "" for answer in answers]
    scored = score_lines(hypotheses, test_set.references, test_set.target, tokenizer=how.tokenizer)
    scores, statistics = scored.scores, scored.statistics
    if how.comet is not None:
        score, statistics = _with_comet(how.comet, test_set, hypotheses, scored)
        scores = (*scores, score)
    outputs = tuple(
        Output(
            id=str(number),
            asked=(test_set.sources[number - 1],) if test_set.sources else (),
            said=answer.texts,
            reference=test_set.references[0][number - 1],
            quality=quality,
            problem=answer.problem,
            details=_details(test_set, number, row),
        )
        for number, (answer, quality, row) in enumerate(zip(answers, scored.qualities, statistics, strict=True), 1)
    )
    return SetResult(system, family, test_set.name, scores, outputs, run, n_items)


def _details(test_set: ParallelSet, number: int, statistics: Mapping[str, list[float]]) -> dict[str, Any]:
    details: dict[str, Any] = {STATISTICS: dict(statistics)}
    if len(test_set.references) > 1:
        details[REFERENCES] = [lines[number - 1] for lines in test_set.references]
    return details


def _with_comet(
    comet: Comet, test_set: ParallelSet, hypotheses: Sequence[str], scored: Scored
) -> tuple[Score, tuple[dict[str, list[float]], ...]]:
    """The COMET score, in percent as tables print it, and the statistics with it."""
    made = comet.scores(test_set, hypotheses)
    table = np.array(made.segments)[:, None] * 100
    score = bounded_score("COMET", table, f"{made.signature}|bs:{N_SAMPLES}|seed:{SEED}")
    rows = zip(scored.statistics, table[:, 0].tolist(), strict=True)
    return score, tuple({**row, "COMET": [round(value, 6)]} for row, value in rows)
