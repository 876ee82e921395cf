"""What the user has said once and what is in force from then on: languages, terms, style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

# The prompt shows what is in force before anything is translated: translating is imported when it is needed.
if TYPE_CHECKING:
    from bayling_lite.languages import Language
    from bayling_lite.translate.asking.steering import Formality, Steering
    from bayling_lite.translate.glossary import Term


@dataclass(frozen=True, slots=True)
class Preferences:
    """How lines are answered and translated until the user says otherwise.

    ``target`` is the language to translate into, None for chat mode; ``source`` the language to translate from, None to
    detect it. ``system`` is the system prompt of chat turns, None for the model's own. ``terms``, which the user named
    one by one, and ``glossary_terms``, of the files ``glossaries``, are guaranteed in every translation and refinement
    whose source has their word. ``formality``, ``style`` and ``context`` are as in
    :class:`~bayling_lite.translate.asking.steering.Steering`.
    """

    target: Language | None = None
    source: Language | None = None
    system: str | None = None
    terms: tuple[Term, ...] = ()
    glossary_terms: tuple[Term, ...] = ()
    glossaries: tuple[str, ...] = ()
    formality: Formality | None = None
    style: str = ""
    context: str = ""

    @property
    def steering(self) -> Steering:
        """What a translator is told."""
        from bayling_lite.translate.asking.steering import Steering

        return Steering(formality=self.formality, style=self.style, context=self.context)

    @property
    def terms_in_force(self) -> tuple[Term, ...]:
        """All terms, each source word once: what the user named goes before a glossary, in whatever case."""
        named, glossary = dict(self.terms), dict(self.glossary_terms)
        # A glossary with several cases of a word tells them apart, so only the one that the user wrote is meant.
        meant = {word.casefold() for word in named if word not in glossary}
        if meant:
            glossary = {word: wanted for word, wanted in glossary.items() if word.casefold() not in meant}
        return tuple({**glossary, **named}.items())


class PreferenceChanges(TypedDict, total=False):
    """Some of :class:`Preferences`, by name."""

    target: Language | None
    source: Language | None
    system: str | None
    terms: tuple[Term, ...]
    glossary_terms: tuple[Term, ...]
    glossaries: tuple[str, ...]
    formality: Formality | None
    style: str
    context: str
