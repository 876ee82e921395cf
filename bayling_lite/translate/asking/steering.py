"""How a whole text is to be translated, as the user says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bayling_lite.errors import UsageError
from bayling_lite.prompts import Wording
from bayling_lite.translate.asking.prefaces import text_preface

Formality = Literal["formal", "informal"]


@dataclass(frozen=True, slots=True)
class Steering:
    """What the user says about all of a text; empty where there is nothing to say.

    ``style`` is a few words ("plain, short sentences"), ``instruction`` goes to the model as it is, ``context`` says
    what the text is about.

    Raises:
        UsageError: an unknown formality.
    """

    formality: Formality | None = None
    style: str = ""
    instruction: str = ""
    context: str = ""

    def __post_init__(self) -> None:
        if self.formality not in (None, "formal", "informal"):
            raise UsageError(f"The formality is formal or informal, not {self.formality!r}.")

    def preface(self, wording: Wording) -> str:
        """What is said before every sentence: the same characters each time, so that they are evaluated once."""
        return text_preface(
            context=self.context,
            style=self.style,
            formality=self.formality,
            instruction=self.instruction,
            wording=wording,
        )
