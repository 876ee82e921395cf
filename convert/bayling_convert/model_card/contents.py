"""What a model card tells: of the model, and of each of its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bayling_convert.proof.comparison import Comparison


@dataclass(frozen=True, slots=True)
class CardFile:
    """A GGUF file in the card's folder.

    ``sha256`` in hex, None where it is not known; ``imatrix`` says what its importance matrix was computed from, None
    where there was none; ``comparison`` with the unquantized model, and ``picture``, the name of its drawing beside.
    """

    name: str
    file_type: str
    n_bytes: int
    sha256: str | None = None
    imatrix: str | None = None
    comparison: Comparison | None = None
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class CardContents:
    """What the card says, the same for all files of a model but for ``files``.

    ``repository`` is the checkpoint's on the hub (OWNER/NAME) and ``revision`` its commit; ``source_url`` where else it
    is from. ``base`` is what the checkpoint was made from, in words or as OWNER/NAME. ``template`` names one of
    :data:`~bayling_lite.prompts.TEMPLATES`; without one, ``chat_template`` is the checkpoint's own (Jinja). ``stop``
    are the texts of the tokens that end an answer. ``made`` are sentences on what was done besides quantizing, such as
    adding a difference to its base.
    """

    name: str
    files: tuple[CardFile, ...]
    converter: str
    n_parameters: int | None = None
    context_length: int | None = None
    languages: tuple[str, ...] = ()
    template: str | None = None
    chat_template: str | None = None
    stop: tuple[str, ...] = ()
    placeholders: bool = False
    license: str | None = None
    base: str | None = None
    base_url: str | None = None
    repository: str | None = None
    revision: str | None = None
    source_url: str | None = None
    description: str | None = None
    demonstrator: bool = False
    datasets: tuple[str, ...] = ()
    recipe_sha256: str | None = None
    data_sha256: str | None = None
    made: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """A digest that is the same for all files of one model, however they are quantized, and for no other model."""
        said = (self.name, self.repository, self.source_url and not self.repository, self.base, self.n_parameters)
        return hashlib.sha256(repr((*said, self.license, self.recipe_sha256, self.data_sha256)).encode()).hexdigest()
