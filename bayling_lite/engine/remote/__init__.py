"""The Engine contract over any server that speaks OpenAI's chat protocol: vLLM, llama-server, Ollama, OpenAI, others.

The way of a request::

    engine.py ──► desk.py ──► sending.py ──► body.py            what is sent
    (submit)      (a thread    (tries it,    events.py, reply.py   what comes back, piece by piece
                   with an     until it      refusals.py           what a server says instead of an answer
                   event loop) works)

The protocol: https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

from bayling_lite.engine.remote.engine import RemoteEngine

__all__ = ["RemoteEngine"]
