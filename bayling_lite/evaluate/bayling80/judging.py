"""Having a judge compare two systems' answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from bayling_lite.engine.base import Engine
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.bayling80.judge_prompt import VERSION, harmless, judge_prompt, mark_of
from bayling_lite.evaluate.bayling80.published import FAMILY
from bayling_lite.evaluate.bayling80.questions import Question, wording_of
from bayling_lite.evaluate.bayling80.replies import read_scores
from bayling_lite.evaluate.bayling80.tolerance import TolerantEngine
from bayling_lite.evaluate.bayling80.verdicts import Order, Verdict, compared, comparison_scores
from bayling_lite.evaluate.generating import AnswerStore, Generator, Progress
from bayling_lite.evaluate.generating.course import added
from bayling_lite.evaluate.generating.keys import answer_key, turn_seed
from bayling_lite.evaluate.values import Answer, Decoding, Effort, FixedScript, Output, Run, SetResult
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording

_RETRY_TEMPERATURE = 0.7
_MORE_ROOM = 4
"""Times the tokens that a reply had which was cut off: it was thinking, or long-winded."""
_AT_A_SERVER = "server"
"""The template of a model at a server, whose fingerprint says where it is rather than what."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A model that compares answers: any engine, a GGUF or a server.

    Every question is put to it twice, the second time with the answers in each other's place. It answers at
    ``temperature``, by default greedily; a reply without two scores, a refusal and a failure are asked again up to
    ``retries`` times, by sampling with another seed each time. ``max_tokens`` bounds a reply, what a server's model
    thinks before it counted; after one that was cut off, the next one may be four times as long. ``wording`` None is
    the language of the questions. Replies are kept in the ``store`` under the judge that gave them, so that an
    interrupted judging goes on where it was, and no other judge's words get into it.
    """

    engine: Engine
    store: AnswerStore | None = None
    progress: Progress | None = None
    retries: int = 2
    max_tokens: int = 1024
    temperature: float = 0.0
    wording: Wording | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        """What the judging model is called."""
        return self.engine.info.name

    def signature(self, set_name: str) -> str:
        """How scores of a set come to be. Of a GGUF, its weights are told too: its name may stay when they change."""
        info = self.engine.info
        weights = f"weights:{info.fingerprint[:12]}|" if info.fingerprint and info.template != _AT_A_SERVER else ""
        return (
            f"judge:{self.name.replace('|', '/')}|{weights}prompt:{VERSION}|language:{self.language(set_name)}|"
            f"temperature:{self.temperature:g}|max_tokens:{self.max_tokens}|retries:{self.retries}|seed:{self.seed}|"
            "scale:1-10|orders:2|win:higher mean|tie:equal means|ratio:sum/sum|consistent:same outcome in both orders|"
            "unjudged:left out"
        )

    def language(self, set_name: str) -> Wording:
        """The language in which it is asked about a set."""
        return self.wording or wording_of(set_name)

    def decoding(self, attempt: int = 0, n_cut: int = 0) -> Decoding:
        """How it replies when it is asked for the so-manieth time again, after so many replies that were cut off."""
        temperature = max(self.temperature, _RETRY_TEMPERATURE) if attempt else self.temperature
        return Decoding(self.max_tokens * _MORE_ROOM**n_cut, temperature=temperature, seed=self.seed + attempt)


@dataclass(frozen=True, slots=True)
class Workload:
    """What a judge is to be asked, before it is asked again about anything.

    ``n_kept`` of ``n_requests`` are in the store; the others have about ``n_prompt`` tokens, and their replies have at
    most ``max_generated``.
    """

    n_requests: int = 0
    n_kept: int = 0
    n_prompt: int = 0
    max_generated: int = 0

    def __add__(self, other: Workload) -> Workload:
        return Workload(
            self.n_requests + other.n_requests,
            self.n_kept + other.n_kept,
            self.n_prompt + other.n_prompt,
            self.max_generated + other.max_generated,
        )


def judge_set(answers: SetResult, other: SetResult, judge: Judge) -> SetResult:
    """Have a judge compare a system's answers with another one's.

    The questions that both have answered are judged. Of the result, the run is that of ``answers``, ``judging`` that of
    the judge; how was judged is in the signature of its scores, and all that the judge said in the details of its
    outputs.

    Raises:
        UsageError: the results are not two systems' answers to the same set.
        InputError: they are not to the same questions, or have none in common.
        EngineError: the judge fails again and again; what it said is in the store.
    """
    pairs = _paired(answers, other)
    askings = _askings(pairs)
    run = _ask(askings, judge, judge.language(answers.set_name), answers.set_name)
    outputs = tuple(
        _compared(ours, theirs, (askings[2 * place], askings[2 * place + 1]))
        for place, (ours, theirs) in enumerate(pairs)
    )
    return replace(
        answers,
        against=other.system,
        judging=run,
        outputs=outputs,
        scores=comparison_scores(outputs, judge.signature(answers.set_name)),
    )


def workload(answers: SetResult, other: SetResult, judge: Judge) -> Workload:
    """How much there is to judge, each question asked once in each order; what has to be asked again comes on top.

    Raises:
        UsageError, InputError: as :func:`judge_set`.
    """
    info, language, decoding = judge.engine.info, judge.language(answers.set_name), judge.decoding()
    total = Workload()
    for asking in _askings(_paired(answers, other)):
        script = asking.script(language)
        conversation = Conversation().user(script.turns[0])
        request = decoding.request(conversation, seed=turn_seed(decoding.seed, script.id, 0), search=info.can_search)
        if judge.store and judge.store.get(answer_key(info, request), info.n_ctx):
            total += Workload(1, 1)
        else:
            total += Workload(1, 0, judge.engine.count_tokens(conversation), decoding.max_tokens)
    return total


def _askings(pairs: Iterable[tuple[Output, Output]]) -> list[_Asking]:
    return [_Asking(ours, theirs, own_first) for ours, theirs in pairs for own_first in (True, False)]


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
    def n_cut(self) -> int:
        """How many replies had not enough room."""
        return self._problems.count("length")

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
        shown = [harmless(one) for one in material]
        pair = read_scores(text, shown, mark=mark_of(material), cut_off=reply.problem == "length")
        if pair is not None:
            self._scores = pair if self._own_first else (pair[1], pair[0])
        self._replies.append(text)
        self._problems.append("" if pair else reply.problem or "nonsense")


def _ask(askings: Sequence[_Asking], judge: Judge, wording: Wording, label: str) -> Run:
    """Ask until there are scores, or the retries are used up. Gives how the judge was run, all attempts together."""
    generator = Generator(TolerantEngine(judge.engine), judge.store, progress=judge.progress)
    prompt = "two answers, 1 to 10 points each, asked twice with their places swapped"
    runs: list[Run] = []
    for attempt in range(judge.retries + 1):
        named = f"{label}: {judge.name}" + (f", again ({attempt})" if attempt else "")
        for n_cut, group in _by_room(asking for asking in askings if asking.open):
            scripts = [asking.script(wording) for asking in group]
            replies = generator.answer(scripts, judge.decoding(attempt, n_cut), label=named, prompt=prompt)
            runs.append(replies.run)
            for asking, reply in zip(group, replies.answers, strict=True):
                asking.take(reply)
    return replace(runs[0], effort=_together(run.effort or Effort() for run in runs))


def _by_room(askings: Iterable[_Asking]) -> Iterator[tuple[int, list[_Asking]]]:
    """Those together whose replies may be equally long."""
    ordered = sorted(askings, key=lambda asking: asking.n_cut)
    return ((n_cut, list(group)) for n_cut, group in groupby(ordered, key=lambda asking: asking.n_cut))


def _together(efforts: Iterable[Effort]) -> Effort:
    total = Effort()
    for effort in efforts:
        total = replace(added(total, effort), seconds=total.seconds + effort.seconds)
    return total


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
