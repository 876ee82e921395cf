"""Having dialogues written: many requests in flight, every answer kept, the result the same however often it stops."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from bayling_finetune.dialogues.values import Dialogue, Direction
from bayling_finetune.dialogues.writer.client import Endpoint, Question, Reply
from bayling_finetune.dialogues.writer.cost import Estimate, Prices, estimate
from bayling_finetune.dialogues.writer.flight import in_order
from bayling_finetune.dialogues.writer.store import ReplyStore
from bayling_finetune.dialogues.writer.tasks import LEAST_SCORE, TASKS, Task, Unusable, read_score
from bayling_lite.errors import EngineError

_ALL_REFUSED = 20
"""So many requests refused, and none taken: it is not about what they ask."""


@dataclass(frozen=True, slots=True)
class Commission:
    """One dialogue to be written: which task, about what, for a user of which language."""

    task: str
    direction: Direction
    language: str
    seed: int

    def random(self) -> Random:
        """The same for the same commission, whenever it is carried out."""
        text = f"{self.seed}:{self.task}:{self.language}:{self.direction.key()}"
        return Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))  # noqa: S311

    def question(self) -> Question:
        """The request to write."""
        return TASKS[self.task].question(self.direction, self.language, self.random())


@dataclass(slots=True)
class Outcome:
    """What came of it: dialogues written, left out by reason, and the tokens the server counted in this run."""

    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


def choose(
    directions: Iterable[Direction],
    *,
    number: int,
    seed: int,
    language: Callable[[Direction, Random], str],
    tasks: Sequence[str] = tuple(TASKS),
) -> list[Commission]:
    """Which directions are written about: ``number`` of them, by a hash of seed and text, the tasks in turn.

    A direction is worth writing about from about five words on. Memory: the directions that are chosen.
    """

    def rank(direction: Direction) -> int:
        text = f"{seed}:{direction.key()}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")

    worth = (direction for direction in directions if len(direction.reference.encode()) >= 24)
    chosen = heapq.nsmallest(number, worth, key=rank)
    commissions = []
    for place, direction in enumerate(chosen):
        random = Random(rank(direction))  # noqa: S311 - reproducible sampling
        commissions.append(Commission(tasks[place % len(tasks)], direction, language(direction, random), seed))
    return commissions


def forecast(
    commissions: Iterable[Commission], store: ReplyStore, model: str, *, prices: Prices | None = None
) -> Estimate:
    """What is still to be asked, and what it will cost."""
    kept = 0
    open_questions: list[tuple[Question, int]] = []
    for commission in commissions:
        pending = _pending(commission, store, model)
        if pending is None:
            kept += 1
            continue
        characters = len(TASKS[commission.task].fields) * max(80, len(commission.direction.reference.encode()))
        open_questions.append((pending, characters))
    return estimate(open_questions, kept=kept, prices=prices)


def _pending(commission: Commission, store: ReplyStore, model: str) -> Question | None:
    """What a commission still has to ask: its writing, or, when that is there, its rating; None if nothing."""
    missing: list[Question] = []

    def look_up(question: Question) -> Reply:
        reply = store.get(question.key(model))
        if reply is None:
            missing.append(question)
            return Reply("", refused="not asked yet")
        return reply

    _carry_out(commission, look_up)
    return missing[0] if missing else None


def write(
    commissions: Sequence[Commission],
    endpoint: Endpoint,
    store: ReplyStore,
    outcome: Outcome,
    *,
    parallel: int = 8,
    watch: Callable[[int], None] = lambda _: None,
) -> Iterator[Dialogue]:
    """The dialogues, in the order of the commissions; those whose answers are not believed are left out and counted.

    ``parallel`` requests are in flight. ``watch`` gets the number of commissions that are done. What ends this early,
    Ctrl-C or an error, does not wait for answers that are still to come.

    Raises:
        EngineError: the server cannot be reached, keeps failing, or refuses everything. Answers are kept.
        OutputError: answers cannot be kept.
    """

    def carry_out(commission: Commission) -> _Carried:
        asked: dict[str, Reply] = {}

        def ask(question: Question) -> Reply:
            key = question.key(endpoint.name)
            reply = store.get(key)
            if reply is None:
                asked[key] = reply = endpoint.ask(question)
                if not reply.refused:
                    store.put(key, reply)
            return reply

        return _Carried(*_carry_out(commission, ask), asked)

    refused = 0
    refusals: dict[str, Reply] = {}
    for done, carried in enumerate(in_order(carry_out, commissions, parallel), start=1):
        outcome.asked += len(carried.asked)
        outcome.prompt_tokens += sum(reply.prompt_tokens for reply in carried.asked.values())
        outcome.completion_tokens += sum(reply.completion_tokens for reply in carried.asked.values())
        refused += carried.refused
        refusals.update((key, reply) for key, reply in carried.asked.items() if reply.refused)
        if refused == done and done >= min(_ALL_REFUSED, len(commissions)):
            raise EngineError(f"The writer at {endpoint.url} refuses every request: {carried.reason}")
        if refused < done:
            # A server that takes some means the others. They are kept, so that the same is written again; those of a
            # server that takes none are not: with other settings it may take the same requests.
            while refusals:
                store.put(*refusals.popitem())
        watch(done)
        if carried.dialogue is None:
            outcome.left_out[carried.reason] += 1
        else:
            outcome.written += 1
            yield carried.dialogue


@dataclass(frozen=True, slots=True)
class _Carried:
    """A commission carried out: its dialogue, or why there is none; ``asked``: replies not kept before, by key."""

    dialogue: Dialogue | None
    reason: str
    refused: bool
    asked: dict[str, Reply]


class _Refused(Exception):
    """The server did not take a request; says why."""


def _carry_out(commission: Commission, ask: Callable[[Question], Reply]) -> tuple[Dialogue | None, str, bool]:
    """One dialogue, or why there is none, and whether that is because the request was refused."""
    task: Task = TASKS[commission.task]

    def answer(question: Question) -> str:
        reply = ask(question)
        if reply.refused:
            raise _Refused(reply.refused)
        return reply.text

    random = commission.random()
    question = task.question(commission.direction, commission.language, random)
    try:
        texts = task.read(answer(question), commission.direction)
        made = task.build(commission.direction, commission.language, texts, random)
        if read_score(answer(task.rating(made))) < LEAST_SCORE:
            return None, "rated too low", False
    except Unusable as reason:
        return None, str(reason), False
    except _Refused as reason:
        return None, str(reason), True
    return made, "", False
