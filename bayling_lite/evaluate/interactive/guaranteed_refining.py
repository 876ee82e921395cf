"""Dialogues carried out with the program's own refinement, which puts the wanted words in, and keeps the rest."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bayling_lite import __version__
from bayling_lite.errors import ContextOverflow
from bayling_lite.evaluate.generating import Answered, Generator
from bayling_lite.evaluate.generating.course import added
from bayling_lite.evaluate.generating.generator import run_now
from bayling_lite.evaluate.generating.store import StoredAnswer
from bayling_lite.evaluate.interactive.counted_engine import CountedEngine
from bayling_lite.evaluate.interactive.dialogue_course import SaidWish, said_wishes
from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue, as_json
from bayling_lite.evaluate.values import Answer, Effort
from bayling_lite.prompts import Wording
from bayling_lite.translate.results import Translation
from bayling_lite.translate.translator import Translator

# Dialogues under way for each request that the engine computes at once.
_PER_PARALLEL = 2


@dataclass(frozen=True, slots=True)
class _Refined:
    """A dialogue that came to its end. ``seconds`` are counted by who waits for it."""

    answer: Answer
    effort: Effort


class GuaranteedRefiner:
    """Carries dialogues out with :class:`~bayling_lite.translate.translator.Translator`, several at once.

    Each is kept in the generator's store when it has come to its end, and not carried out again.
    """

    def __init__(self, generator: Generator, *, wording: Wording, beam_size: int) -> None:
        self._generator = generator
        self._wording = wording
        self._beam_size = beam_size
        self._stopped = threading.Event()

    def answer(self, dialogues: Sequence[RefinementDialogue], *, label: str, prompt: str) -> Answered:
        """Have every dialogue carried out to its end.

        Raises:
            EngineError: the engine fails, or was closed.
        """
        info = self._generator.engine.info
        started, effort = time.perf_counter(), Effort()
        answers: dict[int, Answer] = {}
        with self._told(label, len(dialogues)), self._pool(info.n_parallel) as pool:
            waiting = {pool.submit(self._carried_out, one): place for place, one in enumerate(dialogues)}
            for place, refined in _ended(waiting):
                answers[place] = refined.answer
                effort = added(effort, refined.effort)
                if self._generator.progress:
                    self._generator.progress.advance(refined.effort.n_generated)
        if effort.n_asked:
            effort = replace(effort, seconds=time.perf_counter() - started)
        decoding = "the program's refinement"
        if self._beam_size > 1:
            decoding = f"beam {self._beam_size}, {decoding}"
        run = run_now(info, decoding, prompt, effort)
        return Answered(tuple(answers[place] for place in range(len(dialogues))), effort, decoding, run)

    def _carried_out(self, dialogue: RefinementDialogue) -> _Refined:
        store, key, n_ctx = self._generator.store, self._key(dialogue), self._generator.engine.info.n_ctx
        stored = store.get(key, n_ctx)
        if stored is not None:
            return _Refined(_decoded(stored.text), Effort(n_reused=1))
        engine = CountedEngine(self._generator.engine)
        translator = Translator(engine, wording=self._wording, beam_size=self._beam_size)
        answer = self._refined(translator, dialogue)
        effort = engine.take()
        if answer.problem != "context":
            text = json.dumps({"texts": answer.texts, "problem": answer.problem})
            if not store.keep(key, StoredAnswer(text, "stop", effort.n_prompt, effort.n_generated)):
                # Another process was first.
                stored = store.get(key, n_ctx)
                answer = _decoded(stored.text) if stored else answer
        return _Refined(answer, effort)

    def _refined(self, translator: Translator, dialogue: RefinementDialogue) -> Answer:
        texts: list[str] = []
        draft: Translation | None = None
        problem = ""
        try:
            draft = translator.translate(dialogue.text, dialogue.target, dialogue.source)
            texts.append(draft.text)
            while draft.text.strip() and (said := self._next(dialogue, texts)):
                if self._stopped.is_set():
                    raise CancelledError
                draft = _changed(draft, said)
                texts.append(draft.text)
            problem = _problem(draft)
        except ContextOverflow:
            problem = "context"
        # What was wished of a draft that there is not is counted as not done.
        texts = texts or [""]
        while self._next(dialogue, texts):
            texts.append("")
        return Answer(tuple(texts), problem)

    def _next(self, dialogue: RefinementDialogue, texts: list[str]) -> SaidWish | None:
        said = said_wishes(dialogue, tuple(texts), self._wording)
        return next((one for one in said if one.place == len(texts) - 1), None)

    def _key(self, dialogue: RefinementDialogue) -> str:
        info = self._generator.engine.info
        asked = [
            *("refinement", __version__, info.fingerprint or info.name, info.template, self._wording.value),
            *(self._beam_size, as_json(dialogue)),
        ]
        return hashlib.sha256(json.dumps(asked).encode("ascii")).hexdigest()

    @contextmanager
    def _told(self, label: str, total: int) -> Iterator[None]:
        progress = self._generator.progress
        if progress:
            progress.start(label, total)
        try:
            yield
        finally:
            if progress:
                progress.end()

    @contextmanager
    def _pool(self, n_parallel: int) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(_PER_PARALLEL * n_parallel, thread_name_prefix="refinement")
        try:
            yield pool
        finally:
            # At the end nothing is under way any more; otherwise each ends with the turn that it is at.
            self._stopped.set()
            pool.shutdown(cancel_futures=True)
            self._stopped.clear()


def _ended(waiting: dict[Future[_Refined], int]) -> Iterator[tuple[int, _Refined]]:
    left = set(waiting)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        for future in done:
            yield waiting[future], future.result()


def _changed(draft: Translation, said: SaidWish) -> Translation:
    if not said.wish.say and (said.wish.shorter or said.wish.longer):
        return (draft.shorter() if said.wish.shorter else draft.longer()).result()
    return draft.refine(said.say, required=said.wish.contains)


def _problem(draft: Translation) -> str:
    if draft.failed or not draft.text.strip():
        return "empty"
    return "length" if draft.truncated else ""


def _decoded(text: str) -> Answer:
    value = json.loads(text)
    return Answer(tuple(value["texts"]), value["problem"])
