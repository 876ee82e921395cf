"""Sentences to translate: as many as wanted, of mixed length, made on the spot from a small grammar."""

from __future__ import annotations

import random

_SUBJECTS = ("The teacher", "My sister", "A friend of mine", "The old man next door", "Nobody in the village", "She")
_VERBS = ("reads", "has written", "would like to buy", "never forgot", "is looking for", "talked about", "describes")
_OBJECTS = (
    "a book",
    "the letter",
    "two tickets for the evening train",
    "the house by the river",
    "some bread",
    "a song about winter",
    "the contract that was signed in {number}",
    "every photograph of the harbour",
)
_ENDS = ("", " today", " before breakfast", " on the way to the station", " with {number} other people")
_CLAUSES = (
    ", although the weather was bad",
    ", because the shop closes at {number} o'clock",
    " and then went home without saying a word to anyone",
    ", which surprised all of us when we heard about it the next morning",
    ", as the newspaper reported after the meeting of the committee",
)


def sentences(count: int, seed: int = 1) -> list[str]:
    """Different English sentences of 4 to about 40 words, the same ones for the same seed."""
    chance, made = random.Random(seed), dict[str, None]()
    while len(made) < count:
        words = f"{chance.choice(_SUBJECTS)} {chance.choice(_VERBS)} {chance.choice(_OBJECTS)}{chance.choice(_ENDS)}"
        words += "".join(chance.sample(_CLAUSES, chance.choice((0, 0, 1, 1, 2, 3))))
        while "{number}" in words:
            words = words.replace("{number}", str(chance.randint(2, 2000)), 1)
        made[words + "."] = None
    return list(made)
