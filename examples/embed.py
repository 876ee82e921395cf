"""bayling-lite inside another program: open the engine once, translate, stream, refine.

::

    python examples/embed.py "Where is the station?" de
"""

from __future__ import annotations

import sys

from bayling_lite import LlamaEngine, Translator
from bayling_lite.catalogue import embedded_model


def main(text: str, target: str) -> None:
    """Print a draft as it is made, then a refined one."""
    with LlamaEngine.open(embedded_model()) as engine:
        stream = Translator(engine).stream(text, target)
        for piece in stream:
            print(piece, end="", flush=True)
        print()
        draft = stream.result()
        word = draft.text.split()[-1].strip(".?!。？！")
        print(draft.refine(f'Use the word "{word}".').text)


if __name__ == "__main__":
    main(*sys.argv[1:3])
