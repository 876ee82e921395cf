"""The engine on llama.cpp: opened, asked, closed."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Self, Unpack

import llama_cpp.llama_cpp as lib

from bayling_lite.closing import Closing
from bayling_lite.engine.base import GenerationRequest, ModelInfo
from bayling_lite.engine.fingerprint import fingerprint
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.engine.llama.model import device, load_model, n_gpu_layers, shape_of, start_backend
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.plan import USUAL_KV_TYPE, EngineOptions, check_options, plan_context
from bayling_lite.engine.scheduler import Limits, Scheduler
from bayling_lite.engine.templates import choose_template, describe, placeholders
from bayling_lite.errors import ModelUnreadable
from bayling_lite.gguf_file import GGUFHeader, check_is_model, read_header
from bayling_lite.localization import _
from bayling_lite.messages import Conversation
from bayling_lite.reasons import reason

# Kinds of file (llama_ftype) whose weights llama.cpp computes with as they stand in it: F32, F16, Q8_0, BF16.
_UNPACKED = (0, 1, 7, 32)


class LlamaEngine(Closing):
    """An :class:`~bayling_lite.engine.base.Engine` that runs a GGUF file here. Close it, or use it in a ``with``."""

    def __init__(self, info: ModelInfo, scheduler: Scheduler) -> None:
        self._info = info
        self._scheduler = scheduler
        # For engines that are forgotten: at collection, and at the latest when the program ends.
        self._finalizer = weakref.finalize(self, scheduler.close)

    @classmethod
    def open(cls, path: str | Path, *, template: str | None = None, **options: Unpack[EngineOptions]) -> Self:
        """Load a GGUF file.

        Args:
            path: the file.
            template: the name of a prompt template, ``jinja`` for the file's own chat template, or a file with one
                (``.jinja``); None takes what the file asks for.
            options: see :class:`~bayling_lite.engine.plan.EngineOptions`.

        Raises:
            ModelNotFound: no such file.
            ModelUnreadable: not a complete GGUF, not one that llama.cpp can run, or without a known template.
            ModelError: not enough memory for the context.
            UsageError: an option out of its range.
        """
        check_options(options)
        header = read_header(Path(path))
        check_is_model(header)
        chosen = choose_template(header, template)
        replacements = placeholders(header)
        identity = _fingerprint(header)
        start_backend()
        repacked = header.number("general.file_type") not in _UNPACKED
        model = load_model(header.path, header.text("general.architecture"), options, repacked=repacked)
        try:
            shape = shape_of(model, header)
            plan = plan_context(shape, options, on_gpu=bool(n_gpu_layers(options)))
            vocabulary = LlamaVocabulary(
                model,
                space_prefix=header.flag("tokenizer.ggml.add_space_prefix"),
                ends=header.numbers("bayling.stop_token_ids"),
            )
            context = LlamaContext(model, plan)
        except BaseException:
            lib.llama_model_free(model)
            raise

        def free() -> None:
            vocabulary.close()
            lib.llama_model_free(model)

        try:
            scheduler = Scheduler(
                context,
                vocabulary,
                chosen,
                free,
                Limits(
                    plan.n_ctx,
                    plan.n_parallel,
                    plan.n_mixed,
                    options.get("drafting", True),
                    options.get("exact", False),
                ),
                replacements,
            )
        except BaseException:
            context.close()
            free()
            raise
        info = replace(
            describe(header, chosen, plan.n_ctx),
            device=device(options, plan.n_threads),
            n_ctx_train=shape.n_ctx_train,
            n_parallel=plan.n_parallel,
            can_search=context.can_rewind,
            fingerprint=identity,
            exact=options.get("exact", False),
            kv_type="" if plan.kv_type == USUAL_KV_TYPE else plan.kv_type,
        )
        return cls(info, scheduler)

    @property
    def info(self) -> ModelInfo:
        """What the file says of its model, and the size of the context."""
        return self._info

    def submit(self, request: GenerationRequest) -> StreamedGeneration:
        """Queue a request and return at once. Raises EngineClosed after :meth:`close`."""
        # The bound method keeps the engine alive for as long as someone holds the generation.
        generation = StreamedGeneration(request, self._interrupt)
        self._scheduler.submit(generation)
        return generation

    def _interrupt(self, generation: StreamedGeneration) -> None:
        self._scheduler.cancel(generation)

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the rendered conversation, BOS included. Raises EngineClosed after :meth:`close`."""
        return self._scheduler.count_tokens(conversation)

    def close(self) -> None:
        """Cancel what runs, fail what waits with EngineClosed, free the model. Idempotent."""
        self._finalizer()
        self._scheduler.close()  # also when another thread is closing: returns when it is done


def _fingerprint(header: GGUFHeader) -> str:
    try:
        return fingerprint((header.path, *header.parts))
    except OSError as error:
        raise ModelUnreadable(_("{path} cannot be read: {reason}.", path=header.path, reason=reason(error))) from error
