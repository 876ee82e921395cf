"""The family of BayLing-80: questions answered in order, by sampling as in the paper."""

from __future__ import annotations

from bayling_lite.evaluate.bayling80.answers import answer_scores, output_of
from bayling_lite.evaluate.bayling80.published import FAMILY, find_answers, find_reviews, read_outputs
from bayling_lite.evaluate.bayling80.questions import find_sets, read_set
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.values import Decoding, FixedScript, SetResult, Setup

MAX_TOKENS = 1024
TEMPERATURE = 0.7
"""Of an answer, in the paper."""


class BayLing80:
    """80 questions × one turn, several turns × English, Chinese.

    Measuring makes the answers; what they are worth says a judge (:mod:`bayling_lite.evaluate.bayling80.judging`), who
    compares them with another system's.
    """

    @property
    def name(self) -> str:
        """``bayling80``."""
        return FAMILY

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:
        """The sets that the data holds, in the paper's order."""
        return find_sets(data)

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:
        """Have the questions of a set answered, turn after turn.

        Raises:
            UsageError: there is no such set, or the data does not hold it.
            InputError: the data is damaged.
        """
        questions = read_set(data, set_name)
        asked = questions[: setup.limit]
        scripts = [FixedScript(question.id, question.turns) for question in asked]
        answered = generator.answer(scripts, decoding(setup), label=set_name, prompt="the questions, turn by turn")
        outputs = tuple(output_of(*pair) for pair in zip(asked, answered.answers, strict=True))
        return SetResult(
            system=setup.system,
            family=FAMILY,
            set_name=set_name,
            scores=answer_scores(outputs),
            outputs=outputs,
            run=answered.run,
            n_items=len(questions),
        )

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:
        """Published answers, then published reviews."""
        return (*find_answers(data), *find_reviews(data))

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:
        """Read published answers or reviews, or the answers of another program.

        Raises:
            UsageError: there is no such set, or its questions are needed, and the data does not hold them.
            InputError: a file is damaged, or is of another set.
        """
        return read_outputs(data, found)


def decoding(setup: Setup) -> Decoding:
    """As in the paper, or the beam search (1: greedy) that is asked for."""
    if setup.beam_size is not None:
        return Decoding(MAX_TOKENS, beam_size=setup.beam_size)
    return Decoding(MAX_TOKENS, temperature=TEMPERATURE, seed=setup.seed)
