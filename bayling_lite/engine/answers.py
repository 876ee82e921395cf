"""An answer as it grows, and the token ids behind the last answers' texts."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from bayling_lite.engine.base import FinishReason
from bayling_lite.engine.decoder import Logits
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.text import TextStream
from bayling_lite.engine.tokens import Vocabulary

_REMEMBERED_ANSWERS = 512
# Logits are kept of the last answers (the sentences of a paragraph), and of those that are being written, as long as
# they take no more than this: 32 tokens of the largest vocabularies, 500 of small ones.
_REMEMBERED_LOGITS, _LOGITS_BYTES = 64, 2**24


class Answer:
    """The answer as it grows: its tokens, and their text on its way to the reader."""

    def __init__(self, vocabulary: Vocabulary, generation: StreamedGeneration, stream: TextStream) -> None:
        self.tokens: list[int] = []
        self.stream = stream
        self._generation = generation
        self._vocabulary = vocabulary
        self._pieces: list[str] = []

    def add(self, token: int) -> bool:
        """Take a token, hand on the text that is ready; true when a stop string ended the text."""
        self.tokens.append(token)
        self._push(feed(self.stream, token, self._vocabulary))
        return self.stream.stopped

    def end(self, reason: FinishReason) -> str:
        """Hand on the rest; returns the whole text."""
        self._push(self.stream.finish(cut=reason != "stop"))
        return "".join(self._pieces)

    def _push(self, piece: str) -> None:
        self._pieces.append(piece)
        self._generation.push(piece)


def feed(stream: TextStream, token: int, vocabulary: Vocabulary) -> str:
    """Give a token to a text; returns what of it is ready. Control tokens have no text, only a name."""
    piece = vocabulary.piece(token)
    return stream.feed(piece, vocabulary.name(token) if not piece and vocabulary.is_control(token) else None)


def shown(stream: TextStream, tokens: Iterable[int], vocabulary: Vocabulary, *, cut: bool) -> str:
    """The text that the reader sees of a whole answer; ``cut`` if it did not end by itself."""
    pieces = []
    for token in tokens:
        pieces.append(feed(stream, token, vocabulary))
        if stream.stopped:
            break
    pieces.append(stream.finish(cut=cut))
    return "".join(pieces)


class Answers:
    """The token ids behind the last answers' texts, so that the next turn finds them in memory.

    A text can be written in many ways in tokens, and a model does not always choose the tokenizer's. Without ``keep``
    nothing is known of any answer.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._ids: OrderedDict[tuple[bytes, str], tuple[int, ...]] = OrderedDict()
        self._logits: OrderedDict[tuple[bytes, str], Logits] = OrderedDict()
        self._n_written = 0  # bytes of logits of answers that are being written

    def remember(self, prompt: Sequence[int], text: str, tokens: Sequence[int]) -> None:
        """Keep the tokens of an answer, the whole of its text."""
        if not self._keep:
            return
        if tokens:
            self._ids[_digest(prompt), text] = tuple(tokens)
            if len(self._ids) > _REMEMBERED_ANSWERS:
                self._ids.popitem(last=False)

    def recall(self, prompt: Sequence[int], text: str) -> tuple[int, ...] | None:
        """The tokens that this text had as the answer to this prompt; None when nobody knows."""
        return self._ids.get((_digest(prompt), text))

    def note(self, n_bytes: int) -> bool:
        """Whether an answer that is being written may keep so many more bytes of logits (fewer, when negative)."""
        fits = self._n_written + n_bytes <= _LOGITS_BYTES
        self._n_written += n_bytes * fits
        return fits

    def remember_logits(self, prompt: Sequence[int], text: str, logits: Logits) -> None:
        """Keep the logits after a prompt and after each token of its answer, shape (n + 1, n_vocab)."""
        if not self._keep:
            return
        self._logits[_digest(prompt), text] = logits
        while len(self._logits) > 1 and (
            len(self._logits) > _REMEMBERED_LOGITS or sum(kept.nbytes for kept in self._logits.values()) > _LOGITS_BYTES
        ):
            self._logits.popitem(last=False)

    def recall_logits(self, prompt: Sequence[int], text: str, n_tokens: int) -> Logits | None:
        """The logits after a prompt and after each token of this answer to it; None where they are forgotten."""
        logits = self._logits.get((_digest(prompt), text))
        return logits if logits is not None and len(logits) == n_tokens + 1 else None


def _digest(ids: Sequence[int]) -> bytes:
    return hashlib.blake2b(array("i", ids).tobytes(), digest_size=16).digest()
