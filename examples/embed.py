"""bayling-lite inside another program: open the engine once, translate, stream, refine.

::

    python examples/embed.py "Can you see me?" de "Könnt ihr"
"""

from __future__ import annotations

import sys

from bayling_lite import LlamaEngine, Translator
from bayling_lite.catalogue import embedded_model


def main(text: str, target: str, word: str) -> None:
    """Print a draft as it is made, then one with the word in it."""
    with LlamaEngine.open(embedded_model()) as engine:
        stream = Translator(engine).stream(text, target)
        for piece in stream:
            print(piece, end="", flush=True)
        print()
        draft = stream.result()
        print(draft.refine(f'Use the word "{word}".', required=word).text)


if __name__ == "__main__":
    main(*sys.argv[1:4])
