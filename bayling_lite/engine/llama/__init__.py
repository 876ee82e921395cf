"""GGUF models on llama.cpp. The only package that imports llama_cpp; its failures become those of ``errors``.

It works on the low-level API (models, contexts, batches, sampler chains), which llama-cpp-python binds one to one:
https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

from bayling_lite.engine.llama.engine import LlamaEngine

__all__ = ["LlamaEngine"]
