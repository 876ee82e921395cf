"""Having a judge compare two systems' answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bayling_lite.engine.base import Engine
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.bayling80.judge_prompt import VERSION, judge_prompt, mark_of
from bayling_lite.evaluate.bayling80.published import FAMILY
from bayling_lite.evaluate.bayling80.questions import Question, wording_of
from bayling_lite.evaluate.bayling80.replies import read_scores
from bayling_lite.evaluate.bayling80.tolerance import TolerantEngine
from bayling_lite.evaluate.bayling80.verdicts import Order, Verdict, compared, comparison_scores
from bayling_lite.evaluate.generating import AnswerStore, Generator, Progress
from bayling_lite.evaluate.values import Answer, Decoding, FixedScript, Output, SetResult
from bayling_lite.prompts import Wording

_RETRY_TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True)
class Judge:
    """A model that compares answers: any engine, a GGUF or a server.

    Every question is put to it twice, the second time with the answers in each other's place. It answers greedily; a
    reply without two scores, a refusal and a failure are asked again up to ``retries`` times, by sampling with another
    seed each time. ``max_tokens`` bounds a reply. ``wording`` None is the language of the questions. Replies are kept
    in the ``store``, so that an interrupted judging goes on where it was.
    """

    engine: Engine
    store: AnswerStore | None = None
    progress: Progress | None = None
    retries: int = 2
    max_tokens: int = 1024
    wording: Wording | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        """What the judging model is called."""
        return self.engine.info.name

    def signature(self, set_name: str) -> str:
        """How scores of a set come to be."""
        name = self.name.replace("|", "/")
        wording = self.wording or wording_of(set_name)
        return (
            f"judge:{name}|prompt:{wording} {VERSION}|scale:1-10|orders:2|win:higher mean|tie:equal means|"
            f"ratio:sum/sum|unjudged:left out|retries:{self.retries}|seed:{self.seed}"
        )


def judge_set(answers: SetResult, other: SetResult, judge: Judge) -> SetResult:
    """Have a judge compare a system's answers with another one's.

    The questions that both have answered are judged. Of the result, the run is that of ``answers``; how it was judged
    is in the signature of its scores, and all that the judge said in the details of its outputs.

    Raises:
        UsageError: the results are not two systems' answers to the same set.
        InputError: they are not to the same questions, or have none in common.
        EngineError: the judge fails again and again; what it said is in the store.
    """
    pairs = _paired(answers, other)
    askings = [_Asking(ours, theirs, own_first) for ours, theirs in pairs for own_first in (True, False)]
    wording = judge.wording or wording_of(answers.set_name)
    _ask(askings, judge, wording, answers.set_name)
    outputs = tuple(
        _compared(ours, theirs, (askings[2 * place], askings[2 * place + 1]))
        for place, (ours, theirs) in enumerate(pairs)
    )
    return replace(
        answers,
        against=other.system,
        outputs=outputs,
        scores=comparison_scores(outputs, judge.signature(answers.set_name)),
    )


class _Asking:
    """One question in one order, and what the judge has said to it so far."""

    def __init__(self, ours: Output, theirs: Output, own_first: bool) -> None:
        first, second = (ours, theirs) if own_first else (theirs, ours)
        self._said = (first.said, second.said)
        self._turns = ours.asked
        self._own_first = own_first
        self._name = f"{ours.id} {'own first' if own_first else 'other first'}"
        self._replies: list[str] = []
        self._problems: list[str] = []
        self._scores: tuple[float, float] | None = None

    @property
    def open(self) -> bool:
        """Whether asking again may bring scores. What does not fit the judge's context now, will not fit later."""
        return self._scores is None and "context" not in self._problems

    @property
    def order(self) -> Order:
        """What came of it."""
        return Order(self._own_first, self._scores, tuple(self._replies), tuple(self._problems))

    def script(self, wording: Wording) -> FixedScript:
        """What the judge is asked."""
        return FixedScript(self._name, (judge_prompt(self._turns, *self._said, wording=wording),))

    def take(self, reply: Answer) -> None:
        """Read a reply."""
        first, second = self._said
        material = (*self._turns, *first, *second)
        text = reply.texts[0]
        pair = read_scores(text, material, mark=mark_of(material))
        if pair is not None:
            self._scores = pair if self._own_first else (pair[1], pair[0])
        self._replies.append(text)
        self._problems.append("" if pair else reply.problem or "nonsense")


def _ask(askings: Sequence[_Asking], judge: Judge, wording: Wording, label: str) -> None:
    generator = Generator(TolerantEngine(judge.engine), judge.store, progress=judge.progress)
    for attempt in range(judge.retries + 1):
        left = [asking for asking in askings if asking.open]
        if not left:
            return
        decoding = (
            replace(Decoding(judge.max_tokens), temperature=_RETRY_TEMPERATURE, seed=judge.seed + attempt)
            if attempt
            else Decoding(judge.max_tokens)
        )
        named = f"{label}: {judge.name}" + (f", again ({attempt})" if attempt else "")
        replies = generator.answer([asking.script(wording) for asking in left], decoding, label=named)
        for asking, reply in zip(left, replies.answers, strict=True):
            asking.take(reply)


def _compared(ours: Output, theirs: Output, askings: Iterable[_Asking]) -> Output:
    question = Question(ours.id, str(ours.details.get("category", "")), ours.asked)
    verdict = Verdict(tuple(asking.order for asking in askings))
    return compared(question, Answer(ours.said, ours.problem), Answer(theirs.said, theirs.problem), verdict)


def _paired(answers: SetResult, other: SetResult) -> list[tuple[Output, Output]]:
    for result in (answers, other):
        if result.family != FAMILY or result.against:
            raise UsageError(f"What {result.system} has of {result.set_name} are no answers to BayLing-80.")
    if answers.set_name != other.set_name:
        raise UsageError(f"Answers to {answers.set_name} cannot be compared with answers to {other.set_name}.")
    if answers.system == other.system:
        raise UsageError(f"Both systems are called {answers.system}. Name one of them otherwise (--name).")
    theirs = {output.id: output for output in other.outputs}
    pairs = [(output, theirs[output.id]) for output in answers.outputs if output.id in theirs]
    if not pairs:
        raise InputError(f"{answers.system} and {other.system} have answered no question of {answers.set_name} both.")
    for mine, their in pairs:
        if mine.asked != their.asked:
            raise InputError(
                f"Question {mine.id} of {answers.set_name} was another one for {other.system} than for "
                f"{answers.system}: their answers cannot be compared."
            )
    return pairs
