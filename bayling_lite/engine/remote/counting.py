"""How many tokens a conversation has, as far as that can be said without the model's tokenizer."""

from __future__ import annotations

from bayling_lite.messages import Conversation

_BYTES = 3
_FRAME = 4


def estimate(conversation: Conversation) -> int:
    """Tokens, an estimate: one for 3 bytes of UTF-8, 4 around each message, and 3 before the answer.

    Chinese has then a token per character, English one for 3 letters: more, rather than fewer, than most tokenizers
    make of them.
    """
    sizes = (len(message.content.encode("utf-8", "surrogatepass")) for message in conversation)
    return 3 + sum(_FRAME + -(-size // _BYTES) for size in sizes)
