"""How a whole text is to be translated, as the user says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import UsageError
from bayling_lite.localization import _
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
            raise UsageError(_("The formality is formal or informal, not {formality!r}.", formality=self.formality))

    def preface(self, wording: Wording) -> str:
        """What is said before every sentence: the same characters each time, so that they are evaluated once."""
        return text_preface(
            context=self.context,
            style=self.style,
            formality=self.formality,
            instruction=self.instruction,
            wording=wording,
        )

    def heeded_preface(self, info: ModelInfo, wording: Wording) -> str:
        """What is said to this model: a demonstrator cannot follow it, and translates worse with it, so nothing."""
        return "" if info.demonstrator else self.preface(wording)

    def note(self, info: ModelInfo, wording: Wording) -> str:
        """What a user should know of what this model makes of it; empty where all is well."""
        if self.heeded_preface(info, wording) == self.preface(wording):
            return ""
        return _(
            "{model} is too small to follow a style, a formality, an instruction or a context, and translates worse "
            "with one: they are left out. For larger models: bayling models list",
            model=info.name,
        )
