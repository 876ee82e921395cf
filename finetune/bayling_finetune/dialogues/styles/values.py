"""Another writing of a text, and which style one asks for to get it."""

from __future__ import annotations

from dataclasses import dataclass

from bayling_finetune.dialogues.wording import Style


@dataclass(frozen=True, slots=True)
class Variant:
    """The same text in another style, and nothing else changed.

    ``style`` is what one asks for to get from the text to ``text``; ``back``, to get from ``text`` to exactly the text
    as it was. None where asking for it might as well give something else.
    """

    text: str
    style: Style
    back: Style | None
