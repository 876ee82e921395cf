"""What is sent: a request in OpenAI's form, with what it lacks where a server is known to take more."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bayling_lite.engine.base import GenerationRequest, SamplingParams

_MOST_STOPS = 4
"""OpenAI takes no more. The others are looked for here."""
UNASKED = ("top_k", "min_p", "repeat_penalty", "repetition_penalty")
"""What is sent to some makes though it is not set."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")
TRANSFORMERS = "transformers"
"""The make of ``transformers serve``, which its list of models does not tell: its answers do."""
# What a server's list of models says of its maker ("me": llama-cpp-python), and its word for a top_k that is off.
_TOP_K_OFF = {"vllm": -1, "sglang": -1, "llamacpp": 0, "me": 0}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server wants it said.

    ``make`` is what its list of models says of its maker, empty where it is not known. ``max_tokens`` is what it calls
    the bound of an answer; ``usage`` whether it can be asked to count tokens at the end of a stream.
    """

    make: str = ""
    max_tokens: str = "max_tokens"
    usage: bool = True

    @property
    def extended(self) -> bool:
        """Whether it takes ``top_k``, ``min_p`` and a repetition penalty, and has its own defaults for them.

        Then they are always sent: what :class:`~bayling_lite.engine.base.SamplingParams` calls off has to be said. To
        others, which may refuse a word that they do not know, they are sent only where they are set.
        """
        return self.make in _TOP_K_OFF


def body_of(
    request: GenerationRequest, model: str, dialect: Dialect, max_tokens: int | None, *, stream: bool
) -> dict[str, Any]:
    """The JSON of a request. Nothing in it depends on when it is sent."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": _encodable(model),
        "messages": [
            {"role": message.role.value, "content": _encodable(message.content)} for message in request.conversation
        ],
        "stream": stream,
        "temperature": sampling.temperature,
    }
    if stream and dialect.usage:
        body["stream_options"] = {"include_usage": True}
    if max_tokens is not None:
        body[dialect.max_tokens] = max_tokens
    if sampling.temperature:
        body["top_p"] = sampling.top_p
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if request.stop:
        body["stop"] = [_encodable(stop) for stop in request.stop[:_MOST_STOPS]]
    if request.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.logprobs}
    if dialect.make == TRANSFORMERS:
        return body | {"generation_config": _generation_config(sampling)}
    if sampling.top_k or dialect.extended:
        body["top_k"] = sampling.top_k or _TOP_K_OFF[dialect.make]
    if sampling.min_p or dialect.extended:
        body["min_p"] = sampling.min_p
    if sampling.repeat_penalty != 1 or dialect.extended:
        # llama.cpp's name for it, and everybody else's.
        body |= {"repeat_penalty": sampling.repeat_penalty, "repetition_penalty": sampling.repeat_penalty}
    return body


def is_of_transformers(chunk: Any, model: str) -> bool:
    """Whether an answer, or a piece of one, is from ``transformers serve``: it names the model's revision, too."""
    return isinstance(chunk, dict) and chunk.get("model") == f"{model}@main"


def _generation_config(sampling: SamplingParams) -> str:
    """All of the sampling for ``transformers serve``, in its own field, as JSON.

    It knows no other for ``top_k`` and the like, and takes what is not said from the checkpoint's
    ``generation_config.json``: its repetition penalty in greedy decoding too, and whether anything is sampled at all,
    whatever the temperature.
    """
    said: dict[str, Any] = {"do_sample": sampling.temperature > 0, "repetition_penalty": sampling.repeat_penalty}
    if sampling.temperature:
        said |= {"top_k": sampling.top_k, "min_p": sampling.min_p}
    return json.dumps(said)


def _encodable(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which have no UTF-8."""
    return _SURROGATE.sub("\ufffd", text)
