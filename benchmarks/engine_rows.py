"""The rows of ``engine_speed.py`` against other programs; each takes turns with a peer and says what came out."""

from __future__ import annotations

import dataclasses
import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bayling_lite import Conversation
from bayling_lite.engine.base import GenerationRequest
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.languages import find_language
from bayling_lite.prompts import BAYLING, translation_instruction, user_turn
from benchmarks.peers import LlamaServer, OneAtATime, ServerSettings, batched_bench, llama_bench
from benchmarks.replay import SteeredContext, open_steered
from benchmarks.sentences import sentences

_TARGET = find_language("zh")
WARM_SEED, _TUNE_SEED = 100, 200
_CELLS_EACH = 512


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One model and how it is measured. Times are medians of ``repeats`` runs."""

    model: Path
    tools: Path
    threads: int
    n_segments: int
    answer_tokens: int
    repeats: int
    n_parallel: int = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. ``ratio`` is how many times better ours is, or, with ``at_most``, how much more it takes."""

    what: str
    peer: str
    ours: str
    theirs: str
    ratio: float
    goal: float | None
    at_most: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


def conversation(sentence: str) -> Conversation:
    """What is asked for a segment."""
    return user_turn(translation_instruction(sentence, _TARGET))


def prompt_text(sentence: str) -> str:
    """The same, as the string that the peers are given. They put BOS before it themselves."""
    return BAYLING.text(conversation(sentence))


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turns(setting: Setting, *sides: Callable[[int], float]) -> list[float]:
    """The median of each side's seconds; every repetition asks all sides, with its number."""
    times = [[side(repeat) for side in sides] for repeat in range(setting.repeats)]
    return [statistics.median(side) for side in zip(*times, strict=True)]


def translate_all(engine: LlamaEngine, texts: Sequence[str], n_tokens: int) -> int:
    """Submit all segments at once and wait; returns the tokens that were evaluated for the prompts."""
    running = [engine.submit(GenerationRequest(conversation(text), max_tokens=n_tokens)) for text in texts]
    completions = [generation.result() for generation in running]
    if any(completion.n_generated != n_tokens for completion in completions):
        raise RuntimeError("An answer has another length than was asked for.")
    return sum(completion.n_prompt - completion.n_cached for completion in completions)


def _open(setting: Setting) -> tuple[LlamaEngine, SteeredContext]:
    # Without drafting: a random model repeats itself more than a translation does.
    return open_steered(setting.model, n_threads=setting.threads, n_parallel=setting.n_parallel, drafting=False)


def _per_second(setting: Setting, seconds: float) -> str:
    return f"{setting.n_segments / seconds:.2f} segments/s"


@functools.cache
def best_server(setting: Setting) -> ServerSettings:
    """The settings of llama-server that translate fastest here: slots, then a common buffer or one each."""
    texts = [prompt_text(text) for text in sentences(min(setting.n_segments, 48), _TUNE_SEED)]

    def seconds(settings: ServerSettings) -> float:
        with LlamaServer.start(
            setting.tools, setting.model, settings, threads=setting.threads, cells_each=_CELLS_EACH
        ) as server:
            server.complete(texts[:4], 2)
            taken = timed(lambda: server.complete(texts[4:], setting.answer_tokens))
        print(f"llama-server {settings}: {(len(texts) - 4) / taken:.2f} segments/s", file=sys.stderr)
        return taken

    best = min((ServerSettings(count, unified=False) for count in (4, 8, 16, 32)), key=seconds)
    return min((best, dataclasses.replace(best, unified=True)), key=seconds)


def server(setting: Setting) -> Iterator[Row]:
    """Translating all segments, against llama-server."""
    settings = best_server(setting)
    ours, _ = _open(setting)
    with (
        ours,
        LlamaServer.start(
            setting.tools, setting.model, settings, threads=setting.threads, cells_each=_CELLS_EACH
        ) as theirs,
    ):
        warm = sentences(settings.n_parallel, WARM_SEED)
        translate_all(ours, warm, 2)
        theirs.complete([prompt_text(text) for text in warm], 2)
        our_time, their_time = in_turns(
            setting,
            lambda repeat: timed(
                lambda: translate_all(ours, sentences(setting.n_segments, repeat), setting.answer_tokens)
            ),
            lambda repeat: timed(
                lambda: theirs.complete(
                    [prompt_text(text) for text in sentences(setting.n_segments, repeat)], setting.answer_tokens
                )
            ),
        )
    yield Row(
        f"{setting.n_segments} segments, {setting.answer_tokens} tokens each",
        f"llama-server {settings}",
        _per_second(setting, our_time),
        _per_second(setting, their_time),
        their_time / our_time,
        1.4,
    )


def llama_cpp_python(setting: Setting) -> Iterator[Row]:
    """The same, against one at a time. It gets fewer segments: its speed does not depend on their number."""
    few = max(4, setting.n_segments // 8)
    ours, _ = _open(setting)
    theirs = OneAtATime(setting.model, threads=setting.threads, n_ctx=1024)
    with ours:
        warm = sentences(setting.n_parallel, WARM_SEED)
        translate_all(ours, warm, 2)
        theirs.prepare([prompt_text(text) for text in warm[:4]], setting.answer_tokens)
        our_time, their_time = in_turns(
            setting,
            lambda repeat: timed(
                lambda: translate_all(ours, sentences(setting.n_segments, repeat), setting.answer_tokens)
            ),
            lambda repeat: (
                timed(
                    lambda: theirs.complete(
                        [prompt_text(text) for text in sentences(setting.n_segments, repeat)[:few]],
                        setting.answer_tokens,
                    )
                )
                * setting.n_segments
                / few
            ),
        )
    theirs.close()
    yield Row(
        f"{setting.n_segments} segments, {setting.answer_tokens} tokens each",
        "llama-cpp-python, one at a time",
        _per_second(setting, our_time),
        _per_second(setting, their_time),
        their_time / our_time,
        3.0,
    )


def ceiling(setting: Setting) -> Iterator[Row]:
    """The same, against what llama-batched-bench's speeds give for so many tokens."""
    ours, _ = _open(setting)
    n_prompt = ours.count_tokens(conversation(sentences(1, 0)[0]))
    evaluated: list[int] = []

    def our_side(repeat: int) -> float:
        texts = sentences(setting.n_segments, repeat)
        return timed(lambda: evaluated.append(translate_all(ours, texts, setting.answer_tokens)))

    def their_side(repeat: int) -> float:
        speed = batched_bench(
            setting.tools,
            setting.model,
            threads=setting.threads,
            width=setting.n_parallel,
            n_prompt=n_prompt,
            n_tokens=setting.answer_tokens,
        )
        # One token of an answer comes from the prompt's logits: the bench's count of decoded ones is one less for us.
        decoded = setting.n_segments * (setting.answer_tokens - 1)
        return evaluated[repeat] / speed.prompt + decoded / speed.decoding

    with ours:
        translate_all(ours, sentences(setting.n_parallel, WARM_SEED), 2)
        our_time, their_time = in_turns(setting, our_side, their_side)
    yield Row(
        f"{setting.n_segments} segments, {setting.answer_tokens} tokens each",
        f"llama-batched-bench -npl {setting.n_parallel}",
        _per_second(setting, our_time),
        _per_second(setting, their_time),
        their_time / our_time,
        0.95,
        note=f"{evaluated[0] / setting.n_segments:.0f} prompt tokens evaluated per segment",
    )


def single_stream(setting: Setting) -> Iterator[Row]:
    """Decoding one answer, against llama-bench."""
    n_tokens = setting.answer_tokens * 4
    ours, _ = _open(setting)
    depth = ours.count_tokens(conversation(sentences(1, 0)[0]))

    def our_side(repeat: int) -> float:
        # The first token comes from the prompt's logits, so that one more is asked for than is decoded.
        request = GenerationRequest(conversation(sentences(setting.repeats, 0)[repeat]), max_tokens=n_tokens + 1)
        return ours.submit(request).result().generation_seconds / n_tokens

    def their_side(_repeat: int) -> float:
        return 1 / llama_bench(setting.tools, setting.model, threads=setting.threads, depth=depth, n_tokens=n_tokens)

    with ours:
        our_time, their_time = in_turns(setting, our_side, their_side)
    yield Row(
        f"decoding one answer of {n_tokens} tokens",
        "llama-bench",
        f"{1 / our_time:.1f} tokens/s",
        f"{1 / their_time:.1f} tokens/s",
        their_time / our_time,
        # The overhead of a token is a constant, which a small model shows: there it is stated, without a goal.
        0.97 if setting.model.stat().st_size > 256e6 else None,
        note=f"{(our_time - their_time) * 1e3:+.3f} ms per token",
    )
