"""The rows of ``engine_speed.py`` that hold the engine against itself: drafts, next turns, beams, memory."""

from __future__ import annotations

import itertools
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bayling_lite import Conversation, Message, Role
from bayling_lite.engine.base import Completion, GenerationRequest, SearchParams
from bayling_lite.prompts import use_instruction
from benchmarks.engine_rows import WARM_SEED, Row, Setting, conversation, in_turns, timed, translate_all
from benchmarks.replay import SteeredContext, open_steered, replayed
from benchmarks.sentences import sentences

_OTHER_WORDS = (
    "seven foxes argue quietly under an orange lantern; geometry, mirrors and thunder are what they mostly argue over, "
    "while mathematicians knit blue umbrellas for elephants"
)


def drafting(setting: Setting) -> Iterator[Row]:
    """A refinement that keeps four fifths of the draft, with drafting and without."""
    done: list[Completion] = []

    def side(drafting: bool) -> Callable[[int], float]:
        def refine(repeat: int) -> float:
            # One engine at a time: two in one process slow each other down even while one of them has nothing to do.
            opened, context = open_steered(setting.model, n_threads=setting.threads, n_parallel=4, drafting=drafting)
            with opened:
                draft, refined = _draft_and_refinement(context, repeat)
                asked = conversation(sentences(setting.repeats, 0)[repeat])
                first = replayed(opened, context, GenerationRequest(asked, max_tokens=len(draft)), draft)
                wish = Message(Role.USER, use_instruction("harbour"))
                turn = Conversation((*asked.messages, Message(Role.ASSISTANT, first.text), wish))
                request = GenerationRequest(turn, max_tokens=len(refined), revises=True)
                return timed(lambda: done.append(replayed(opened, context, request, refined)))

        return refine

    our_time, their_time = in_turns(setting, side(True), side(False))
    if any(ours.text != theirs.text for ours, theirs in zip(done[::2], done[1::2], strict=True)):
        raise RuntimeError("Drafting changed an answer.")
    yield Row(
        "refinement turn that keeps 80 % of the draft (replayed)",
        "the same without drafting",
        f"{our_time * 1e3:.1f} ms",
        f"{their_time * 1e3:.1f} ms",
        their_time / our_time,
        1.8,
        note=f"generation alone {_median_generation(done[1::2]) / _median_generation(done[::2]):.2f}; "
        f"{done[0].n_drafted} of {done[0].n_generated} tokens were drafts",
    )


def _median_generation(completions: Sequence[Completion]) -> float:
    return statistics.median(completion.generation_seconds for completion in completions)


def _draft_and_refinement(context: SteeredContext, repeat: int) -> tuple[list[int], list[int]]:
    """Two sentences as tokens, and the same with two places, a fifth of it in all, in other words."""
    draft = context.tokens_of(" ".join(sentences(2, 300 + repeat)))
    # Of other words than the sentences, or the new text would be found in the old.
    others = context.tokens_of(_OTHER_WORDS)
    n_new = round(len(draft) / 10)
    refined = list(draft)
    for number, start in enumerate((len(draft) // 4, len(draft) * 2 // 3)):
        refined[start : start + n_new] = others[number * n_new : (number + 1) * n_new]
    return draft, refined


def next_turn(setting: Setting) -> Iterator[Row]:
    """Time to the first token of a conversation's next turn, against a cold start of the same conversation."""
    ours, _ = open_steered(setting.model, n_threads=setting.threads, n_parallel=4, drafting=False)
    marks = itertools.count()  # at the beginning of a prompt, so that nothing of it is known
    with ours:
        for n_turns in (2, 5, 10):
            evaluated: dict[str, int] = {}

            def side(name: str, n_turns: int = n_turns, evaluated: dict[str, int] = evaluated) -> float:
                talk = _talk(n_turns, f"{next(marks)} is the number of this conversation.")
                if name == "next turn":
                    # All but the last turn was said before, with an answer of one token.
                    ours.submit(GenerationRequest(Conversation(talk.messages[:-2]), max_tokens=1)).result()
                started = time.perf_counter()
                completion = ours.submit(GenerationRequest(talk, max_tokens=1)).result()
                evaluated[name] = completion.n_prompt - completion.n_cached
                return time.perf_counter() - started

            warm, cold = in_turns(setting, lambda _: side("next turn"), lambda _: side("cold"))
            tokens = evaluated["next turn"] / evaluated["cold"]
            yield Row(
                f"first token of turn {n_turns + 1}, {evaluated['cold']} tokens of conversation",
                "cold start of the same",
                f"{warm * 1e3:.1f} ms",
                f"{cold * 1e3:.1f} ms",
                cold / warm,
                None,
                note=f"{evaluated['next turn']} tokens evaluated: {tokens:.0%} of them, {warm / cold:.0%} of the time",
            )


def _talk(n_turns: int, system: str) -> Conversation:
    """A conversation of so many turns and one more question."""
    said = iter(sentences(2 * n_turns + 1))
    messages = [Message(Role.SYSTEM, system)]
    for _ in range(n_turns):
        messages += [Message(Role.USER, next(said)), Message(Role.ASSISTANT, next(said))]
    return Conversation((*messages, Message(Role.USER, next(said))))


def beam(setting: Setting) -> Iterator[Row]:
    """Beam 5 against greedy, over the whole request and over its generation alone."""
    ours, _ = open_steered(setting.model, n_threads=setting.threads, drafting=False)
    generation: dict[bool, list[float]] = {True: [], False: []}

    def side(search: bool) -> Callable[[int], float]:
        def translate(repeat: int) -> float:
            total = 0.0
            # Other sentences for each side: neither finds its prompt in the cache.
            for text in sentences(4, 500 + 2 * repeat + search):
                request = GenerationRequest(
                    conversation(text),
                    max_tokens=setting.answer_tokens,
                    search=SearchParams(beam_size=5) if search else None,
                )
                started = time.perf_counter()
                completion = ours.submit(request).result()
                total += time.perf_counter() - started
                generation[search].append(completion.generation_seconds)
            return total

        return translate

    with ours:
        translate_all(ours, sentences(1, WARM_SEED), 2)
        searched, greedy = in_turns(setting, side(True), side(False))
    steps = statistics.median(generation[True]) / statistics.median(generation[False])
    yield Row(
        f"4 sentences of {setting.answer_tokens} tokens, beam 5",
        "greedy",
        f"{searched:.2f} s",
        f"{greedy:.2f} s",
        searched / greedy,
        2.5,
        at_most=True,
        note=f"generation alone {steps:.2f}",
    )


def memory(setting: Setting) -> Iterator[Row]:
    """Peak memory of a process of its own that translates."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.own_rows",
        str(setting.model),
        str(setting.threads),
        str(setting.n_parallel),
    ]
    used = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    model, cache, peak = setting.model.stat().st_size / 1e6, used["kv"] / 1e6, used["peak"] / 1e6
    yield Row(
        "peak memory, 32 segments",
        "model file + KV cache",
        f"{peak:,.0f} MB",
        f"{model:,.0f} + {cache:,.0f} MB",
        peak - model - cache,
        200.0,
        at_most=True,
        note=f"difference in MB; {used['before'] / 1e6:,.0f} MB of it is Python with its libraries",
    )


def _memory_child(model: Path, threads: int, n_parallel: int) -> None:
    before = _peak()
    engine, context = open_steered(model, n_threads=threads, n_parallel=n_parallel)
    with engine:
        translate_all(engine, sentences(32), 16)
        kv = context.plan.kv_bytes
    print(json.dumps({"before": before, "peak": _peak(), "kv": kv}))


def _peak() -> int:
    """The most memory this process has had, in bytes."""
    if sys.platform == "linux":
        # Not ru_maxrss: a new process begins with that of the one that started it.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    _memory_child(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
