"""The vocabulary of a loaded model."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import llama_cpp.llama_cpp as lib

from bayling_lite.errors import EngineClosed, EngineError
from bayling_lite.localization import _


class LlamaVocabulary:
    """The vocabulary of a loaded model. Safe to use from any thread.

    ``space_prefix`` is the file's ``tokenizer.ggml.add_space_prefix``. ``ends`` are tokens that end an answer by the
    file's word; llama.cpp itself knows one of each kind, and some by their names.
    """

    def __init__(self, model: Any, *, space_prefix: bool | None, ends: Iterable[int] = ()) -> None:
        self._handle = lib.llama_model_get_vocab(model)
        self._lock = threading.RLock()
        self._closed = False
        bos, eos = lib.llama_vocab_bos(self._handle), lib.llama_vocab_eos(self._handle)
        self.bos_token: int | None = bos if bos >= 0 else None
        self.bos: int | None = bos if bos >= 0 and lib.llama_vocab_get_add_bos(self._handle) else None
        self.eos: int | None = eos if eos >= 0 else None
        # As llama.cpp: only SentencePiece vocabularies have the prefix, and have it unless the file says otherwise.
        sentencepiece = lib.llama_vocab_type(self._handle) == lib.LLAMA_VOCAB_TYPE_SPM
        self.space_prefix: bool = sentencepiece and space_prefix is not False
        self.size: int = lib.llama_vocab_n_tokens(self._handle)
        self._ends = frozenset(ends)
        self._pieces: dict[int, bytes] = {}

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the model from being freed meanwhile.

        Raises:
            EngineClosed: it was freed.
        """
        with self._lock:
            if self._closed:
                raise EngineClosed(_("The engine was closed."))
            yield

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of a text, without BOS; ``special`` recognises control tokens by their names.

        Raises:
            EngineClosed: the model was freed.
        """
        data = text.encode(errors="replace")  # a lone surrogate has no UTF-8
        room = len(data) + 8
        with self.in_use():
            for _ in range(2):
                ids = (lib.llama_token * room)()
                count: int = lib.llama_tokenize(self._handle, data, len(data), ids, room, False, special)
                if count >= 0:
                    return list(ids[:count])
                room = -count  # more ids than bytes: it says how many
        raise EngineError(f"A text of {len(data)} bytes could not be tokenized.")

    def is_control(self, token: int) -> bool:
        """Whether the token steers the model and stands for no text."""
        return bool(lib.llama_vocab_is_control(self._handle, token))

    def is_added(self, token: int) -> bool:
        """Whether the token is a user-defined one: :meth:`tokenize` finds its name in every text."""
        return bool(lib.llama_vocab_get_attr(self._handle, token) & lib.LLAMA_TOKEN_ATTR_USER_DEFINED)

    def strips(self, token: int) -> tuple[bool, bool]:
        """Whether the token swallows the white space before it, and after it, when it is recognised by its name."""
        attributes = lib.llama_vocab_get_attr(self._handle, token)
        return bool(attributes & lib.LLAMA_TOKEN_ATTR_LSTRIP), bool(attributes & lib.LLAMA_TOKEN_ATTR_RSTRIP)

    def is_end(self, token: int) -> bool:
        """Whether the vocabulary says that this token ends an answer (EOS, end of turn, ...)."""
        return token in self._ends or bool(lib.llama_vocab_is_eog(self._handle, token))

    def name(self, token: int) -> str:
        """The token as the vocabulary writes it."""
        text: bytes = lib.llama_vocab_get_text(self._handle, token)
        return text.decode(errors="replace")

    def piece(self, token: int) -> bytes:
        """The bytes that the token stands for in a text; empty for control tokens."""
        known = self._pieces.get(token)
        if known is None:
            room = 64
            buffer = ctypes.create_string_buffer(room)
            length = lib.llama_token_to_piece(self._handle, token, buffer, room, 0, False)
            if length < 0:
                room = -length
                buffer = ctypes.create_string_buffer(room)
                length = lib.llama_token_to_piece(self._handle, token, buffer, room, 0, False)
            known = self._pieces[token] = buffer.raw[:length]
        return known

    def close(self) -> None:
        """The model is about to be freed; wait for tokenizing in other threads."""
        with self._lock:
            self._closed = True
