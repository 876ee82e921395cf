"""The embedded model for tests of the engine: its vocabulary, and its weights in transformers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import pytest

from bayling_lite.engine.llama.vocabulary import LlamaVocabulary


@pytest.fixture(scope="module")
def vocabulary(tiny_model: Path) -> Iterator[LlamaVocabulary]:
    params = lib.llama_model_default_params()
    params.vocab_only = True
    model = lib.llama_model_load_from_file(str(tiny_model).encode(), params)
    yield LlamaVocabulary(model, space_prefix=False)
    lib.llama_model_free(model)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Iterator[Any]:
    import torch

    from tests.engine.reference import reference_model

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model gains nothing by two, and loses much where another program runs
    yield reference_model(tiny_model)
    torch.set_num_threads(n_threads)
