"""Constrained translation: one to three phrases that the translation must have (arXiv 2306.10968)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.elsewhere import run_elsewhere
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.generating.course import added
from bayling_lite.evaluate.interactive.constrained_files import (
    ConstrainedSentence,
    ConstrainedSet,
    find_constrained_outputs,
    find_constrained_sets,
    read_constrained_set,
    read_hypotheses,
)
from bayling_lite.evaluate.interactive.phrases import phrase_scores, phrase_statistics, present
from bayling_lite.evaluate.translation.measuring import STATISTICS
from bayling_lite.evaluate.translation.metrics import score_lines
from bayling_lite.evaluate.translation.parallel_set import one_line
from bayling_lite.evaluate.values import Answer, Decoding, Effort, Output, Run, SetResult, Setup, Turn
from bayling_lite.languages import Language
from bayling_lite.prompts import Wording, translation_instruction

BEAM_SIZE, MAX_TOKENS = 5, 150
"""The paper's."""
GUARANTEED = ", guaranteed"
"""What the name of a system ends with where required words were put in for certain."""
_CHINESE = ".zh_prompt"


@dataclass(frozen=True, slots=True)
class ConstrainedScript:
    """One request for a translation. ``required``: the phrases that a search has to put into it."""

    id: str
    request: str
    required: tuple[str, ...] = ()

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """The request; then nothing more."""
        return None if answers else Turn(self.request, self.required)


@dataclass(frozen=True, slots=True)
class Constrained:
    """The family ``constrained``; its sets are pairs of languages.

    The phrases are asked for in the prompt, as in the paper. ``guaranteed``: the search has to put them in as well,
    exactly and as words of their own; a system measured so has another name in the results. ``any_case`` scores the
    phrases without regard to capital letters, too.
    """

    guaranteed: bool = False
    any_case: bool = False

    @property
    def name(self) -> str:
        """``constrained``."""
        return "constrained"

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:
        """The sets that the data holds, in the paper's order."""
        return find_constrained_sets(data)

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:
        """Have a set translated and score the translations.

        Where the phrases of a sentence cannot all be put in, it is asked for by the prompt alone, and marked.

        Raises:
            UsageError: phrases are to be guaranteed by an engine that cannot search.
        """
        if self.guaranteed:
            check_searchable(generator)
        chosen = read_constrained_set(data, set_name)
        sentences = chosen.sentences[: setup.limit]
        requests = [
            translation_instruction(sentence.source, chosen.target, terms=sentence.phrases, wording=setup.wording)
            for sentence in sentences
        ]
        scripts = [
            ConstrainedScript(str(number), request, sentence.phrases if self.guaranteed else ())
            for number, (request, sentence) in enumerate(zip(requests, sentences, strict=True), 1)
        ]
        decoding = Decoding(MAX_TOKENS, beam_size=setup.beam_size or BEAM_SIZE, seed=setup.seed)
        label = f"{self.name} {set_name}"
        answered = generator.answer(scripts, decoding, label=label, prompt=_prompt(chosen.target, setup.wording))
        answers, run = list(answered.answers), answered.run
        if impossible := [place for place, answer in enumerate(answers) if answer.problem == "impossible"]:
            plain = [replace(scripts[place], required=()) for place in impossible]
            again = generator.answer(plain, decoding, label=label)
            for place, answer in zip(impossible, again.answers, strict=True):
                answers[place] = replace(answer, problem="impossible")
            run = replace(run, effort=_sum(answered.effort, again.effort))
        system = f"{setup.system}{GUARANTEED}" if self.guaranteed else setup.system
        return self._result(chosen, sentences, answers, system, run)

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:
        """Outputs that lie in folders named after their systems, by system, in the paper's order.

        Of those that were asked for in Chinese, the system is called ``SYSTEM.zh_prompt``.
        """
        sets = find_constrained_sets(data)
        found = [
            FoundOutputs(path.absolute().parent.name + (_CHINESE if chinese else ""), set_name, path)
            for path, set_name, chinese in find_constrained_outputs(data)
        ]
        return tuple(
            sorted(found, key=lambda one: (one.system, sets.index(one.set_name) if one.set_name in sets else len(sets)))
        )

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:
        """Score outputs: JSON lines as published, or plain lines, in the order of the set.

        Raises:
            InputError: they do not belong to the set, or cannot be read.
        """
        chosen = read_constrained_set(data, found.set_name)
        texts = read_hypotheses(found.path, chosen)
        answers = [Answer((text,), "" if text.strip() else "empty") for text in texts]
        chinese = found.path.name.removesuffix(".jsonl").endswith(_CHINESE)
        run = run_elsewhere(found.path, prompt=_prompt(chosen.target, Wording.CHINESE) if chinese else "")
        return self._result(chosen, chosen.sentences, answers, found.system, run)

    def _result(
        self,
        chosen: ConstrainedSet,
        sentences: Sequence[ConstrainedSentence],
        answers: Sequence[Answer],
        system: str,
        run: Run,
    ) -> SetResult:
        texts = [answer.texts[0] for answer in answers]
        scored = score_lines(
            [one_line(text) for text in texts], [[sentence.reference for sentence in sentences]], chosen.target
        )
        cases = (False, True) if self.any_case else (False,)
        statistics = [
            {"BLEU": row["BLEU"]}
            | {
                name: counts
                for any_case in cases
                for name, counts in phrase_statistics(
                    present(sentence.phrases, text, any_case=any_case), any_case=any_case
                ).items()
            }
            for sentence, text, row in zip(sentences, texts, scored.statistics, strict=True)
        ]
        outputs = tuple(
            _output(str(number), sentence, answer, quality, row)
            for number, (sentence, answer, quality, row) in enumerate(
                zip(sentences, answers, scored.qualities, statistics, strict=True), 1
            )
        )
        scores = [*phrase_scores(statistics), *(score for score in scored.scores if score.metric == "BLEU")]
        if self.any_case:
            scores += phrase_scores(statistics, any_case=True)
        return SetResult(system, self.name, chosen.name, tuple(scores), outputs, run, len(chosen.sentences))


def check_searchable(generator: Generator) -> None:
    """See that an engine can be made to write required words.

    Raises:
        UsageError: it cannot.
    """
    info = generator.engine.info
    if not info.can_search:
        raise UsageError(
            f"{info.name} cannot be searched, so that nothing can be guaranteed. Leave --guaranteed out, or measure a "
            "GGUF on this machine."
        )


def _output(
    number: str, sentence: ConstrainedSentence, answer: Answer, similarity: float, statistics: dict[str, list[float]]
) -> Output:
    found = present(sentence.phrases, answer.texts[0])
    # Half of it the phrases, half the rest of the translation: a text that is nothing but its phrases is none.
    share = sum(found) / len(found) if found else 1.0
    return Output(
        id=number,
        asked=(sentence.source,),
        said=answer.texts,
        reference=sentence.reference,
        quality=(share + similarity) / 2,
        problem=answer.problem,
        details={"phrases": list(sentence.phrases), "present": list(found), STATISTICS: statistics},
    )


def _prompt(target: Language, wording: Wording) -> str:
    """The instruction as a report shows it, with dots for what differs."""
    return translation_instruction("…", target, terms=("…", "…"), wording=wording)


def _sum(one: Effort, other: Effort) -> Effort:
    return replace(added(one, other), seconds=one.seconds + other.seconds)
