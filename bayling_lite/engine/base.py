"""The Engine contract: a request goes in, a :class:`Generation` comes out at once and fills as tokens are made.

Anything that keeps this contract can stand behind the translator and the chat: llama.cpp here, a scripted engine in
tests, a remote server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

from bayling_lite.errors import UsageError
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation

FinishReason = Literal["stop", "length", "cancelled"]

MAX_BEAM_SIZE = 32
MAX_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen.

    ``temperature`` 0 is greedy decoding. ``seed`` None draws a fresh one; the same one gives the same text on the same
    machine, whatever else is in the batch, as exactly as the model is computed: with weights of 4 bits, llama.cpp's
    results differ in the second digit with the number of tokens computed together, and a choice between two tokens that
    are about as likely can fall either way. With F32 weights and an ``f32`` KV cache they agree to 1e-5;
    with the engine's option ``exact`` they are the same.
    ``top_k`` 0, ``top_p`` 1, ``min_p`` 0 and
    ``repeat_penalty`` 1 switch the respective filter off.

    Raises:
        UsageError: a value out of its range.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise UsageError(f"The temperature must be 0 or more, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        if not 0 <= self.min_p < 1:
            raise UsageError(f"min_p must be at least 0 and below 1, not {self.min_p}.")
        if self.top_k < 0:
            raise UsageError(f"top_k must be 0 or more, not {self.top_k}.")
        if self.repeat_penalty <= 0:
            raise UsageError(f"The repetition penalty must be above 0, not {self.repeat_penalty}.")


GREEDY = SamplingParams()


@dataclass(frozen=True, slots=True)
class SearchParams:
    """Beam search: several hypotheses side by side, the best whole one wins.

    ``beam_size`` hypotheses are kept. A finished one scores its log-probability divided by its length in tokens (the
    end token counts) to the power of ``length_penalty``: 0 prefers short ones, 1 is the mean per token. The best
    ``n_best`` are given. Every phrase of ``required`` appears in each of them, in any order, exactly as it is written
    and as words of their own: ``cat`` is not in ``category``, while Chinese has no word borders to look for.

    Raises:
        UsageError: a value out of its range, more results than beams, or a phrase without a character to see.
    """

    beam_size: int = 5
    length_penalty: float = 1.0
    n_best: int = 1
    required: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.beam_size <= MAX_BEAM_SIZE:
            raise UsageError(f"The beam size must be from 1 to {MAX_BEAM_SIZE}, not {self.beam_size}.")
        if not 1 <= self.n_best <= self.beam_size:
            raise UsageError(f"Results wanted must be from 1 to the beam size {self.beam_size}, not {self.n_best}.")
        if not all(phrase.strip() for phrase in self.required):
            raise UsageError("A required phrase cannot be empty.")


@dataclass(frozen=True, slots=True)
class Revision:
    """A former answer with a phrase put into it, and as little else changed as the model lets.

    ``text`` is the former answer. ``phrase`` takes the place of its characters from ``start`` to ``stop`` for each
    (start, stop) of ``places``, in order and apart from each other; with none given, the place is where the model finds
    the phrase likeliest. Every other token stays, unless another one is more than exp(``leaning``) times as likely:
    articles and endings may follow the new word, and after a few tokens the text goes on as it did. What is ``kept``,
    (start, stop) each, stays whatever the model finds likely, and no place is looked for there. ``variants`` are
    other ways to say the phrase in its one place; the likeliest is taken. A ``trial`` looks for the place and changes
    nothing: there is no answer, but :attr:`Completion.fit`.

    Raises:
        UsageError: an empty phrase, places or kept parts that are not in the text, not in order or not apart from each
            other, variants without one place, a trial of a place that is given, or a negative leaning.
    """

    text: str
    phrase: str
    places: tuple[tuple[int, int], ...] = ()
    leaning: float = 4.0
    variants: tuple[str, ...] = ()
    trial: bool = False
    kept: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not all(phrase.strip() for phrase in (self.phrase, *self.variants)):
            raise UsageError("A phrase to put in cannot be empty.")
        for named, spans in (("Places", self.places), ("Kept parts", self.kept)):
            if not _in_order(spans, len(self.text)):
                raise UsageError(f"{named} must be in the text and in order, not {spans}.")
        if self.kept and not _in_order(sorted((*self.places, *self.kept)), len(self.text)):
            raise UsageError(f"What is kept, {self.kept}, must be apart from the places, {self.places}.")
        if self.variants and len(self.places) != 1:
            raise UsageError("Variants of a phrase need one place for it.")
        if self.trial and self.places:
            raise UsageError("A trial looks for the place of a phrase: none can be given.")
        if not self.leaning >= 0:
            raise UsageError(f"The leaning towards the former answer must be 0 or more, not {self.leaning}.")


def _in_order(spans: Sequence[tuple[int, int]], size: int) -> bool:
    """Whether spans of a text are in it, one behind the other."""
    borders = [border for span in spans for border in span]
    return borders == sorted(borders) and all(0 <= border <= size for border in borders)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to generate: the next assistant turn of a conversation.

    ``max_tokens`` None means as many as the context holds; what a model thinks before its answer does not count.
    ``stop`` are strings that end the text (and are not in it).
    With ``search``, the text is found by beam search instead of sampling, and comes in one piece at the end.
    ``logprobs`` asks for the log-probability of every token of the answer, and of so many alternatives to each.
    ``revises`` lets the engine expect that most of the last answer stays: it guesses further ahead, and the text is the
    same either way. With ``revision``, the answer is that one, and it comes in one piece at the end too.

    Raises:
        UsageError: the conversation does not end with a user's turn, ``max_tokens`` is below 1, ``logprobs`` is out of
            range, or search and revision are combined with each other or with sampling.
    """

    conversation: Conversation
    sampling: SamplingParams = GREEDY
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    search: SearchParams | None = None
    logprobs: int | None = None
    revises: bool = False
    revision: Revision | None = None

    def __post_init__(self) -> None:
        messages = self.conversation.messages
        if not messages or messages[-1].role.value != "user":
            raise UsageError("A request must end with the user's turn.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise UsageError(f"max_tokens must be 1 or more, not {self.max_tokens}.")
        if "" in self.stop:
            raise UsageError("A stop string cannot be empty.")
        if self.logprobs is not None and not 0 <= self.logprobs <= MAX_LOGPROBS:
            raise UsageError(f"logprobs must be from 0 to {MAX_LOGPROBS}, not {self.logprobs}.")
        if self.search is not None and self.sampling != GREEDY:
            raise UsageError("Beam search takes the likeliest text: it cannot be combined with sampling parameters.")
        if self.search is not None and self.logprobs is not None:
            raise UsageError("A search gives log-probabilities of its hypotheses, not of their tokens.")
        if self.revision is not None and (self.search or self.sampling != GREEDY or self.logprobs is not None):
            raise UsageError("A revision cannot be combined with sampling parameters, a search or log-probabilities.")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One result of a search: its text, its score (see :class:`SearchParams`), and its log-probability.

    ``n_tokens`` counts without the end token; ``finished`` is false when it was cut off by the token limit.
    """

    text: str
    score: float
    logprob: float
    n_tokens: int
    finished: bool


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token of the answer, its natural log-probability before any sampling filter, and the likeliest in its place.

    ``top`` holds (token, log-probability), best first. A token that is part of a character shows as U+FFFD.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished generation.

    Token counts: ``n_prompt`` in the prompt, ``n_cached`` of them not evaluated again, ``n_generated`` in the answer
    (thoughts before it counted, the stop token not), of which ``n_drafted`` were guessed from the text before and
    confirmed. Times in seconds. ``hypotheses`` of a search, best first; ``reasoning`` is what a thinking model wrote
    before its answer. ``fit`` tells of the trial of a :class:`Revision` how well the phrase fits in its likeliest
    place, in nats: it can be compared with that of the same phrase in other answers.
    """

    text: str
    finish_reason: FinishReason
    n_prompt: int
    n_cached: int
    n_generated: int
    prompt_seconds: float
    generation_seconds: float
    n_drafted: int = 0
    hypotheses: tuple[Hypothesis, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    reasoning: str = ""
    fit: float | None = None

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens per second of decoding."""
        return self.n_generated / self.generation_seconds if self.generation_seconds else 0.0


class Generation(Protocol):
    """A running generation. Iterate it for pieces of text (whole characters only), or ask for the result.

    Cancelling is possible from any thread at any moment; the pieces then end and the result holds what there was, with
    finish reason ``cancelled``. Errors of the engine are raised where the pieces are read and by :meth:`result`.
    """

    def __iter__(self) -> Iterator[str]: ...

    def __aiter__(self) -> AsyncIterator[str]: ...

    def __await__(self) -> Generator[Any, None, Completion]:
        """Wait for the end without holding up the event loop: ``completion = await generation``."""
        ...

    def result(self, timeout: float | None = None) -> Completion:
        """Wait for the end. Raises TimeoutError after ``timeout`` seconds; the generation goes on."""
        ...

    def cancel(self) -> None:
        """Stop as soon as possible, prompt evaluation included. Does nothing when it has ended."""
        ...


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What an engine says of its model.

    ``n_ctx`` is the most tokens of one request; ``languages`` empty when the model does not say; ``demonstrator`` for
    the model that ships with the package; ``device`` says what computes it; ``n_ctx_train`` is the context it was
    trained with, 0 when that is not known. ``n_parallel`` requests are served at once;
    ``can_search`` says whether :class:`SearchParams` and :class:`Revision` are obeyed (a remote server may know nothing
    of them).
    ``fingerprint`` tells the weights from others, whatever the file is called; empty where that is not known.
    ``exact``: the same request gives the same text, bit for bit, whatever was asked before. ``kv_type`` is the number
    format of the KV cache where it is not the usual one.
    """

    name: str
    template: str
    n_ctx: int
    languages: tuple[Language, ...] = ()
    demonstrator: bool = False
    device: str = ""
    n_ctx_train: int = 0
    n_parallel: int = 1
    can_search: bool = False
    fingerprint: str = ""
    exact: bool = False
    kv_type: str = ""


@runtime_checkable
class Engine(Protocol):
    """Tokens in, tokens out. Safe to use from any thread."""

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        ...

    def submit(self, request: GenerationRequest) -> Generation:
        """Queue a request and return at once.

        Raises:
            EngineClosed: the engine was closed.
        """
        ...

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the rendered conversation, BOS included."""
        ...

    def close(self) -> None:
        """Cancel what runs and free the model. Idempotent."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
