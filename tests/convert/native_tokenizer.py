"""llama.cpp's tokenizer, from nothing but the vocabulary that a conversion writes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import llama_cpp.llama_cpp as lib
from gguf import GGUFWriter

from bayling_convert.metadata import add_tokenizer
from bayling_convert.tokenizer.pieces import Vocab
from bayling_lite.engine.llama.model import start_backend
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary


@contextlib.contextmanager
def native_vocabulary(vocab: Vocab, *, ends: Iterable[int] = ()) -> Iterator[LlamaVocabulary]:
    """A file without tensors, opened by llama.cpp for its vocabulary alone."""
    start_backend()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.gguf"
        writer = GGUFWriter(path, "llama")
        add_tokenizer(writer, vocab)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        params = lib.llama_model_default_params()
        params.vocab_only = True
        model = lib.llama_model_load_from_file(os.fsencode(path), params)
        assert model, "llama.cpp cannot open the vocabulary"
        try:
            yield LlamaVocabulary(model, space_prefix=vocab.add_space_prefix, ends=ends)
        finally:
            lib.llama_model_free(model)
