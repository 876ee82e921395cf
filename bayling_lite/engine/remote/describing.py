"""What a server says of its models: which one is asked, and how much it holds."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.remote.address import Address
from bayling_lite.engine.remote.http import failures, parse, read_some
from bayling_lite.engine.remote.refusals import Saying, refusal
from bayling_lite.engine.remote.unreachable import nonsense, unreachable
from bayling_lite.errors import EngineError, ServerTimeout, UsageError

UNKNOWN_CONTEXT = 1 << 20
"""Tokens. More than servers hold, since it is theirs to say what does not fit."""

_LONGEST_LIST = 1 << 24
_SECONDS = 30.0
_LOADING = 503
_NO_LIST = (403, 404, 405, 500, 501)  # or none for this key; 500 of transformers serve, where nothing was downloaded
_N_CTX = ("max_model_len", "loaded_context_length", "context_length", "context_window", "max_context_length")
_NAMED = 5  # models, in a message


@dataclass(frozen=True, slots=True)
class Described:
    """The model that is asked, and the make of the server (``vllm``, ``llamacpp``), empty where it is not known."""

    info: ModelInfo
    make: str


async def describe(client: Any, address: Address, model: str, n_parallel: int, timeout: float) -> Described:
    """Ask a server for its models (``GET /models``).

    Raises:
        UsageError: no model is named, and the server has several.
        EngineError: it cannot be reached, refuses the key, speaks another protocol, or names no model.
    """
    entries = await _models(client, address, model, timeout)
    name = model or _only(address, entries)
    entry: dict[str, Any] = next((entry for entry in entries if entry.get("id") == name), {})
    meta: dict[str, Any] = entry["meta"] if isinstance(entry.get("meta"), dict) else {}
    make: str = entry["owned_by"] if isinstance(entry.get("owned_by"), str) else ""
    served = next((n for n in (_number(entry.get(field)) for field in _N_CTX) if n), 0) or _number(meta.get("n_ctx"))
    if make == "llamacpp" and not served:
        served = await _slot_size(client, address, timeout)
    n_ctx_train = _number(meta.get("n_ctx_train"))
    info = ModelInfo(
        name=name,
        template="server",
        n_ctx=served or n_ctx_train or UNKNOWN_CONTEXT,
        n_ctx_train=n_ctx_train,
        device=f"server {address.host}",
        n_parallel=n_parallel,
        fingerprint=_fingerprint(address, name, entry, meta),
    )
    return Described(info, make.casefold())


def _fingerprint(address: Address, name: str, entry: dict[str, Any], meta: dict[str, Any]) -> str:
    """A SHA-256, in hex, of where the model is, its name, and what the server says of its weights.

    No server tells them exactly. One name means other weights on other servers (``default``, a LoRA's name), and each
    may be quantized in its own way: so the address belongs to it. What was kept of answers is found again from the same
    server only, which costs at most asking once more; mixing two models' answers would make the results wrong.
    """
    told = [entry.get("root"), *(meta.get(field) for field in ("n_params", "size", "n_vocab"))]
    identity = json.dumps([address.url, name, *told], sort_keys=True, default=str)
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


def _only(address: Address, entries: list[dict[str, Any]]) -> str:
    names = [entry["id"] for entry in entries]
    if not names:
        raise EngineError(f"{address} names no model. Name one with --server-model.")
    if len(names) > 1:
        some = ", ".join(address.clean(name) for name in names[:_NAMED])
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise UsageError(f"{address} has several models: {some}{more}. Name one with --server-model.")
    return str(names[0])


async def _models(client: Any, address: Address, model: str, timeout: float) -> list[dict[str, Any]]:
    """The entries of the list that have a name. A server without a list has none, which is no harm to who names one."""
    try:
        async with asyncio.timeout(timeout):
            status, headers, body = await _get(client, f"{address.url}/models")
            while status == _LOADING:  # llama-server, while it loads the model
                await asyncio.sleep(min(1.0, timeout / 4))
                status, headers, body = await _get(client, f"{address.url}/models")
    except TimeoutError as error:
        raise ServerTimeout(f"{address} did not answer for {timeout:g} seconds. Is it still loading?") from error
    except failures() as error:
        raise unreachable(address, error) from error
    value = parse(body)
    saying = Saying.of(status, value, body.decode("utf-8", "replace"))
    if model and (status in _NO_LIST or saying.lacks_scope):
        return []
    if status == 500:
        raise EngineError(f"{address} fails to list its models (500). Name the one to ask with --server-model.")
    if status != 200 or (isinstance(value, dict) and value.get("error")):
        raise refusal(address, model, saying, headers).error
    entries = value.get("data") if isinstance(value, dict) else None
    if entries is None and isinstance(value, dict):
        entries = []  # of Ollama without models: null
    if not isinstance(entries, list):
        raise nonsense(address)
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"]]


async def _slot_size(client: Any, address: Address, timeout: float) -> int:
    """Tokens of one request to a llama-server, which its list of models does not tell; 0 where it does not say."""
    try:
        async with asyncio.timeout(min(timeout, _SECONDS)):
            status, _, body = await _get(client, f"{address.url.removesuffix('/v1')}/props")
    except failures():
        return 0
    value = parse(body) if status == 200 else None
    settings = value.get("default_generation_settings") if isinstance(value, dict) else None
    return _number(settings.get("n_ctx")) if isinstance(settings, dict) else 0


async def _get(client: Any, url: str) -> tuple[int, Any, bytes]:
    async with client.stream("GET", url) as response:
        return response.status_code, response.headers, await read_some(response, _LONGEST_LIST)


def _number(value: object) -> int:
    return value if type(value) is int and 0 < value < 10**9 else 0
