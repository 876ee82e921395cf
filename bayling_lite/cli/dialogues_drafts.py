"""Asking a model for drafts, for the dialogues that correct them."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.engine.base import Engine, Generation, GenerationRequest
from bayling_lite.errors import ContextOverflow, InputError
from bayling_lite.prompts import translation_instruction, user_turn

if TYPE_CHECKING:
    from bayling_finetune.dialogues.drafts import Draft, DraftStore
    from bayling_finetune.dialogues.values import Direction

# Requests that wait in the engine, for each that it works at: it is never to run dry while the oldest is a long one.
_AHEAD, _FEWEST_WAITING = 3, 4
# A translation has at most a few times the tokens of its source; a model that makes more goes round in circles.
_TOKENS_PER_SOURCE_TOKEN = 2
_FEWEST_TOKENS = 32
# Of the file of a model, this much tells it from any other.
_SAMPLES, _SAMPLE_BYTES = 64, 1 << 16
# The prompt and the decoding that make a draft, for the fingerprint: another number where they change.
_METHOD = 1


def fingerprint(model: Path) -> str:
    """What the drafts of a model are kept under: its size and a hash of samples of its file, read in milliseconds.

    Raises:
        InputError: it cannot be read.
    """
    try:
        size = model.stat().st_size
        digest = hashlib.blake2b(f"{_METHOD} {size}".encode(), digest_size=16)
        with model.open("rb") as file:
            for number in range(_SAMPLES):
                file.seek(max(0, size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    except OSError as error:
        raise InputError(f"The model {model} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def make_drafts(
    engine: Engine,
    directions: Iterable[Direction],
    store: DraftStore,
    *,
    progress: Callable[[int], None] = lambda done: None,  # noqa: ARG005 - a caller that shows nothing
) -> int:
    """Ask for a draft of every direction that has none, many at once, and keep each as it comes.

    Directions whose languages the model does not know are passed over. ``progress`` is told how many directions are
    done, those included that were there already. Whatever stops this, Ctrl-C for example: what is kept stays, and the
    next call goes on there.

    Returns:
        How many drafts were made.

    Raises:
        EngineError: generating failed.
        OutputError: the store cannot be written.
    """
    waiting: deque[tuple[Direction, Generation]] = deque()
    most = max(_FEWEST_WAITING, _AHEAD * engine.info.n_parallel)
    known, limit = set(engine.info.languages), _Limit(engine)
    passed = made = 0

    def keep_oldest() -> int:
        direction, generation = waiting[0]
        store.put(direction, _draft(direction, generation))
        waiting.popleft()
        return 1

    try:
        for direction in directions:
            languages = {direction.source_language, direction.target_language}
            if (known and not languages <= known) or store.find(direction) is not None:
                passed += 1
            else:
                waiting.append((direction, engine.submit(_request(direction, limit))))
                made += keep_oldest() if len(waiting) >= most else 0
            progress(passed + made)
        while waiting:
            made += keep_oldest()
            progress(passed + made)
    finally:
        for _, generation in waiting:
            generation.cancel()
    return made


class _Limit:
    """The longest answer to a source, in tokens."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._frame = engine.count_tokens(user_turn(""))

    def __call__(self, source: str) -> int:
        tokens = self._engine.count_tokens(user_turn(source)) - self._frame
        return max(_FEWEST_TOKENS, _TOKENS_PER_SOURCE_TOKEN * tokens)


def _request(direction: Direction, limit: _Limit) -> GenerationRequest:
    asked = translation_instruction(direction.source, direction.target_language)
    return GenerationRequest(user_turn(asked), max_tokens=limit(direction.source))


def _draft(direction: Direction, generation: Generation) -> Draft:
    from bayling_finetune.dialogues.drafts import Draft, Problem, judge

    try:
        completion = generation.result()
    except ContextOverflow:
        return Draft("", Problem.TOO_LONG)
    return judge(direction, completion.text, finished=completion.finish_reason == "stop")
