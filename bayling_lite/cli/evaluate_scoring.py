"""Options of how translations are scored, which several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from bayling_lite.evaluate.translation.measuring import Scoring
    from bayling_lite.evaluate.values import SetResult
    from bayling_lite.languages import Language

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ScoringFlags:
    """What the command line says of scoring. ``comet`` runs COMET's program, ``comet_scores`` reads what it wrote."""

    tokenize: str
    comet: bool
    comet_program: str
    comet_model: str | None
    comet_gpus: int
    comet_scores: Path | None
    lines: Path | None

    @property
    def given(self) -> str:
        """The first of these options that was given, of those that do something alone; empty for none."""
        options = {
            "--tokenize": self.tokenize,
            "--comet": self.comet,
            "--comet-scores": self.comet_scores,
            "--lines": self.lines,
        }
        return next((name for name, value in options.items() if value), "")

    def how(self) -> Scoring:
        """How to score.

        Raises:
            UsageError: COMET is to be run and to be read as well, or there is no such tokenizer.
        """
        from bayling_lite.errors import UsageError
        from bayling_lite.evaluate.translation.comet import DEFAULT_MODEL, Comet, CometFile, CometProgram
        from bayling_lite.evaluate.translation.measuring import Scoring
        from bayling_lite.evaluate.translation.metrics import check_tokenizer

        if self.comet and self.comet_scores is not None:
            raise UsageError("--comet makes the scores that --comet-scores reads: give one of them.")
        # Before the long work, not after it.
        check_tokenizer(self.tokenize or "13a")
        model = self.comet_model or DEFAULT_MODEL
        comet: Comet | None = None
        if self.comet_scores is not None:
            comet = CometFile(self.comet_scores, model)
        elif self.comet:
            comet = CometProgram(model, self.comet_program, self.comet_gpus)
        if comet is not None:
            comet.check()
        return Scoring(comet, self.tokenize)

    def write_lines(self, results: Iterable[SetResult]) -> None:
        """Write results as plain lines, where that is wanted."""
        from bayling_lite.evaluate.translation.plain_lines import write_lines

        if self.lines is not None:
            for result in results:
                write_lines(result, self.lines)


def say_doubts(results: Iterable[SetResult], direction: tuple[Language, Language] | None = None) -> None:
    """Tell, on standard error, what a person should look at before they believe scores.

    ``direction`` is source and target, where they are not what the set is called.
    """
    from bayling_lite.cli.saying import say
    from bayling_lite.evaluate.translation.doubts import doubts
    from bayling_lite.evaluate.translation.wmt22 import languages

    for result in results:
        for doubt in doubts(result, *(direction or languages(result.set_name))):
            say(doubt)


def scoring_options(function: Function) -> Function:
    """How translations are scored: the parameter ``scoring``, a :class:`ScoringFlags`."""
    decorators = (
        click.option(
            "--tokenize",
            default="",
            metavar="NAME",
            help="sacreBLEU's tokenizer for BLEU.  [default: 13a; zh, ja-mecab, ko-mecab, char for Thai]",
        ),
        click.option("--comet", is_flag=True, help="Score with COMET, too: runs comet-score of unbabel-comet."),
        click.option(
            "--comet-program", default="comet-score", metavar="FILE", help="Where it is.  [default: on the PATH]"
        ),
        click.option(
            "--comet-model", metavar="NAME|FILE", help="COMET's model, or a .ckpt file.  [default: wmt22-comet-da]"
        ),
        click.option("--comet-gpus", type=click.IntRange(min=0), default=0, metavar="N", help="GPUs for COMET."),
        click.option(
            "--comet-scores",
            type=click.Path(path_type=Path),
            metavar="FILE|DIR",
            help="COMET scores made elsewhere: what comet-score --to_json wrote, or a number a line; a folder has one "
            "such file for each set, zh-en.json.",
        ),
        click.option(
            "--lines",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Write source, translation and reference as plain lines, too: DIR/SYSTEM/SET.hypo.",
        ),
    )

    @functools.wraps(function)
    def collected(**given: Any) -> Any:
        own = {field.name: given.pop(field.name) for field in fields(ScoringFlags)}
        return function(scoring=ScoringFlags(**own), **given)

    decorated: Any = collected
    # In --help, options stand in the order of their decorators, read from above.
    for decorate in reversed(decorators):
        decorated = decorate(decorated)
    return cast(Function, decorated)
