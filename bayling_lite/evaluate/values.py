"""The values of an evaluation: what is asked, what came of it, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bayling_lite.engine.base import GenerationRequest, SamplingParams, SearchParams
from bayling_lite.errors import UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user says next. ``required`` are phrases that a search has to put into the answer."""

    text: str
    required: tuple[str, ...] = ()


class Script(Protocol):
    """One item of a test set as a dialogue: the user's turns, each of which may depend on the answers before it."""

    @property
    def id(self) -> str:
        """What the item is called in its set; it seeds its sampling."""
        ...

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """The user's next turn after these answers; None at the end. The first is asked for with no answers."""
        ...


@dataclass(frozen=True, slots=True)
class FixedScript:
    """Turns that are said whatever is answered."""

    id: str
    turns: tuple[str, ...]

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """The turn after so many answers."""
        return Turn(self.turns[len(answers)]) if len(answers) < len(self.turns) else None


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers are chosen: ``beam_size`` above 1 is beam search, else ``temperature`` (0: greedy).

    ``max_tokens`` bounds each answer. With a temperature, every turn of every script has a seed of its own, made of
    ``seed``, the script's id and the number of the turn: an answer does not depend on what else is asked.

    Raises:
        UsageError: beam search and a temperature at once, or a value out of range.
    """

    max_tokens: int
    beam_size: int = 1
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise UsageError(f"The most tokens of an answer must be 1 or more, not {self.max_tokens}.")
        if self.beam_size > 1 and self.temperature > 0:
            raise UsageError("Beam search takes the likeliest text: give a beam size or a temperature, not both.")
        SearchParams(beam_size=self.beam_size)
        SamplingParams(temperature=self.temperature)

    def __str__(self) -> str:
        if self.beam_size > 1:
            return f"beam {self.beam_size}"
        return f"temperature {self.temperature:g}, seed {self.seed}" if self.temperature else "greedy"

    def request(
        self, conversation: Conversation, *, seed: int, required: tuple[str, ...] = (), search: bool = True
    ) -> GenerationRequest:
        """A request for the next answer. Without ``search`` (the engine has none), beam search becomes greedy."""
        if search and (self.beam_size > 1 or required):
            params = SearchParams(beam_size=self.beam_size, required=required)
            return GenerationRequest(conversation, max_tokens=self.max_tokens, search=params)
        sampling = SamplingParams(temperature=self.temperature, seed=seed if self.temperature else None)
        return GenerationRequest(conversation, sampling=sampling, max_tokens=self.max_tokens)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system said to one script: ``texts`` turn by turn, empty strings for turns that could not be asked.

    ``problem`` says what is wrong with it, empty for nothing: ``context`` (a turn did not fit the model's context),
    ``length`` (an answer was cut off at ``max_tokens``), ``empty`` (an answer without a character to see),
    ``refused`` (the server did not take the request), ``impossible`` (the required phrases cannot all be said).
    """

    texts: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Effort:
    """What answering took, of all that was answered now: tokens, requests, and seconds on the clock.

    ``n_reused`` requests were in the store already and are not among ``n_asked``.
    """

    n_asked: int = 0
    n_reused: int = 0
    n_prompt: int = 0
    n_generated: int = 0
    seconds: float = 0.0

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens per second on the clock, all requests together."""
        return self.n_generated / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Setup:
    """How a system is to be measured: what one command says for all sets.

    ``beam_size`` None is what the paper did for the task. ``limit``: only so many items of each set, from the first.
    """

    system: str
    wording: Wording = Wording.ENGLISH
    beam_size: int | None = None
    limit: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """How outputs came to be. Of outputs made elsewhere, only ``origin`` (a file's name) and ``date`` are known.

    ``date`` is in ISO 8601, UTC; of a file, when it was last written. ``decoding`` and ``prompt`` in words for people:
    ``beam 5``, ``greedy``, the wording.
    """

    date: str
    origin: str = ""
    model: str = ""
    fingerprint: str = ""
    template: str = ""
    device: str = ""
    decoding: str = ""
    prompt: str = ""
    effort: Effort | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One number of one set. ``value`` is in the unit the field prints: BLEU points, percent, a count.

    ``signature`` says exactly how it was computed: sacreBLEU's signature of BLEU and chrF++, else metric, rule and
    version in the same form (``rule:substring|case:sensitive|average:micro``). ``low`` and ``high`` bound its 95 %
    interval where one was computed.
    """

    metric: str
    value: float
    signature: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One item of a set with what the system said.

    ``asked`` holds the item as a person reads it, turn by turn: of a translation its source. ``quality`` in 0–1 is how
    good this one is by itself (sentence chrF++, right or wrong, phrases present), to find where systems differ;
    None where that cannot be said. ``details`` is JSON: what the family needs to compute its scores again.
    ``problem`` as in :class:`Answer`, or ``unjudged`` (a judge gave no scores that can be read).
    """

    id: str
    asked: tuple[str, ...]
    said: tuple[str, ...]
    reference: str = ""
    quality: float | None = None
    problem: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetResult:
    """What one system is worth on one set of a family.

    ``family`` and ``set_name`` as in :mod:`bayling_lite.evaluate.families`: ``wmt22``, ``zh-en``. ``against`` names
    the other system of a comparison (BayLing-80), and ``judging`` how its judge was run: ``run`` is always that of the
    answers. ``n_items`` is the size of the whole set: with fewer ``outputs``, only its first ones were measured, and
    every table says so. ``scores`` in the order of the table's columns.
    """

    system: str
    family: str
    set_name: str
    scores: tuple[Score, ...]
    outputs: tuple[Output, ...]
    run: Run
    n_items: int
    against: str = ""
    judging: Run | None = None

    @property
    def whole(self) -> bool:
        """Whether all items of the set were measured."""
        return len(self.outputs) == self.n_items

    @property
    def problems(self) -> int:
        """Outputs with a problem."""
        return sum(bool(output.problem) for output in self.outputs)

    def score(self, metric: str) -> Score | None:
        """The score of a metric, None where there is none."""
        return next((score for score in self.scores if score.metric == metric), None)

    def named(self, system: str) -> SetResult:
        """The same under another name of the system."""
        return replace(self, system=system)
