"""The family of exams: what it has, how it is asked, and what an answer is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bayling_lite import __version__
from bayling_lite.evaluate.data import DataFolder, paired
from bayling_lite.evaluate.elsewhere import run_elsewhere
from bayling_lite.evaluate.exams.grading import Rule, grade, signature
from bayling_lite.evaluate.exams.predictions import find_predictions, read_predictions
from bayling_lite.evaluate.exams.questions import Exam, Question, find_tasks, read_exam
from bayling_lite.evaluate.exams.summary import ACCURACY
from bayling_lite.evaluate.exams.tasks import Task
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.values import Answer, Decoding, FixedScript, Output, Run, Score, SetResult, Setup
from bayling_lite.prompts import Wording

DEFAULT_MAX_TOKENS = 512
"""The published outputs were cut off at 100, 512 or 1024 tokens, each task otherwise."""


class Exams:
    """A :class:`~bayling_lite.evaluate.families.Family`: the exams of AGIEval, asked zero-shot as the paper asked them.

    Every task is asked in the language of its questions, whatever wording is set up. Answers are greedy unless a beam
    is set up. An answer that is empty, or that could not be asked for, is wrong; one that was cut off counts by what
    there is of it, as in the published numbers.

    Args:
        rule: how the chosen option is found in an answer.
        max_tokens: the most tokens of an answer; models that think before they answer want more.
    """

    name = "exams"

    def __init__(self, rule: Rule = Rule.PAPER, *, max_tokens: int = DEFAULT_MAX_TOKENS) -> None:
        self.rule = rule
        self.max_tokens = max_tokens

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:
        """The tasks that the data holds, in the paper's order."""
        return find_tasks(data)

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:
        """Have a task's questions answered and score the answers."""
        exam = read_exam(data, set_name)
        asked = exam.questions[: setup.limit]
        scripts = [FixedScript(question.id, (question.prompt(exam.task),)) for question in asked]
        decoding = Decoding(self.max_tokens, beam_size=setup.beam_size or 1, seed=setup.seed)
        language = "Chinese" if exam.task.language is Wording.CHINESE else "English"
        prompt = f"zero-shot, {language}, at most {self.max_tokens} tokens"
        answered = generator.answer(scripts, decoding, label=set_name, prompt=prompt)
        return self._result(setup.system, exam, answered.answers, answered.run)

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:
        """Outputs of other systems that the data holds."""
        return find_predictions(data)

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:
        """Score outputs made elsewhere: line n is the answer to question n."""
        exam = read_exam(data, found.set_name)
        predictions = read_predictions(found.path)
        paired(found.path, len(predictions), f"the exam {exam.task.name}", len(exam.questions))
        answers = [
            Answer((prediction.text,), _problem(prediction.text, cut_off=prediction.cut_off))
            for prediction in predictions
        ]
        return self._result(found.system, exam, answers, run_elsewhere(found.path))

    def _result(self, system: str, exam: Exam, answers: Sequence[Answer], run: Run) -> SetResult:
        # With a limit there are fewer answers than questions.
        outputs = tuple(
            self._output(exam.task, question, answer) for question, answer in zip(exam.questions, answers, strict=False)
        )
        edition = f"|data:{exam.edition}" if exam.edition else ""
        signed = f"{signature(exam.task, self.rule)}{edition}|interval:wilson|version:{__version__}"
        return SetResult(
            system=system,
            family=self.name,
            set_name=exam.task.name,
            scores=(_accuracy(outputs, signed),),
            outputs=outputs,
            run=run,
            n_items=len(exam.questions),
        )

    def _output(self, task: Task, question: Question, answer: Answer) -> Output:
        said = answer.texts[-1] if answer.texts else ""
        graded = grade(task, question, said, self.rule)
        return Output(
            id=question.id,
            asked=(question.prompt(task),),
            said=answer.texts,
            reference=", ".join(question.label),
            quality=float(graded.right),
            problem=answer.problem,
            details={"found": graded.found, "label": list(question.label)},
        )


def _problem(text: str, *, cut_off: bool) -> str:
    if not text.strip():
        return "empty"
    return "length" if cut_off else ""


def _accuracy(outputs: Sequence[Output], signature: str) -> Score:
    """The share of right answers in percent, with Wilson's 95 % interval; 0 of nothing."""
    count = len(outputs)
    if not count:
        return Score(ACCURACY, 0.0, signature)
    share = sum(output.quality or 0.0 for output in outputs) / count
    z = 1.959964
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = ((centre + sign * spread) / (1 + z * z / count) for sign in (-1, 1))
    return Score(ACCURACY, 100 * share, signature, low=100 * max(low, 0.0), high=100 * min(high, 1.0))
