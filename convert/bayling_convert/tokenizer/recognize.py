"""What a published checkpoint does not say of itself: which of the known models it is, and how to talk to it.

A model is known by the repository it comes from. How to talk to it is told by its tokenizer and its chat template, for
what a model is called says nothing of that: "bayling-2-8b" does not tell that it is a LLaMA 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.tokenizer.pieces import PieceType, Vocab
from bayling_lite.prompts import BAYLING_3, TEMPLATES, PromptTemplate

Known = TypeVar("Known")


def find_known(files: CheckpointFiles, table: Mapping[str, Known]) -> Known | None:
    """The entry of ``table`` (keys ``OWNER/NAME``) for the repository that a checkpoint comes from.

    Of a folder only the name is left of that: it has to be the repository's, or that of the hub's cache for it. A copy
    under another name is not known, and a model trained further is another one.
    """
    place = files.where.removeprefix("hf://").partition("@")[0].casefold()
    for repository, entry in table.items():
        owner, _, name = repository.casefold().rpartition("/")
        if files.source is not None or files.remote:
            if place == repository.casefold():
                return entry
        elif files.name.casefold() == name or f"models--{owner}--{name}" in place.replace("\\", "/").split("/"):
            return entry
    return None


def recognize_template(vocab: Vocab, chat_template: str | None) -> PromptTemplate | None:
    """The template of a checkpoint that names none; None when it is to be talked to by its own chat template.

    Its chat template may be one of ours, as our training saves it. Without any, LLaMA 3's tokens leave only one of ours
    to use; nothing can be told of a tokenizer without them.
    """
    if chat_template is not None:
        return next((known for known in TEMPLATES.values() if known.jinja.strip() == chat_template.strip()), None)
    control = {piece.text for piece in vocab.pieces if piece.kind is PieceType.CONTROL}
    return BAYLING_3 if all(part.token in control for part in BAYLING_3.specials) else None
