"""What ``bayling chat`` is asked for: its options, checked before anything is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayling_lite.cli.steering import context_text, typed_terms
from bayling_lite.errors import UsageError
from bayling_lite.languages import AUTOMATIC, Language, find_language
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.making_room import OnOverflow
    from bayling_lite.chat.session.preferences import Preferences
    from bayling_lite.engine.base import SamplingParams
    from bayling_lite.translate.glossary import Term


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says.

    ``says`` are the preferences that it sets, by their names. ``prompt`` is the one text to answer. ``continued`` is
    the id of a session to go on with, empty for the last one, None for a new one. ``kept`` None: as is usual.
    """

    says: dict[str, Any]
    glossaries: tuple[Path, ...]
    sampling: SamplingParams
    prompt: str | None
    as_json: bool
    continued: str | None
    kept: bool | None
    on_overflow: OnOverflow

    @property
    def person(self) -> bool:
        """Whether somebody types the lines."""
        return self.prompt is None and not self.as_json and sys.stdin is not None and sys.stdin.isatty()

    @property
    def remembered(self) -> bool:
        """Whether the session joins the user's: what scripts ask for once would only be in the way there."""
        return self.kept if self.kept is not None else self.person or self.continued is not None

    def preferences(self, base: Preferences) -> Preferences:
        """What is in force at the beginning: what the command line says, and else what was.

        Raises:
            UsageError: there are glossaries, and no language that they are for; or they disagree.
            InputError: a glossary cannot be read.
        """
        preferences = replace(base, **self.says)
        if not self.glossaries:
            return preferences
        if preferences.target is None:
            raise UsageError(_("--glossary needs the language it is for: --to zh, for example."))
        return replace(
            preferences,
            glossary_terms=_glossary_terms(self.glossaries, preferences.target),
            glossaries=tuple(map(str, self.glossaries)),
        )


def checked(given: dict[str, Any]) -> Asked:
    """The options, checked.

    Raises:
        UsageError: an unknown language, a term without ``=`` or with two translations, options that exclude one
            another, nothing to read.
        InputError: a file of context, or the text for ``--prompt -``, cannot be read.
    """
    from bayling_lite.engine.base import SamplingParams

    if given["new"] and given["continued"] is not None:
        raise UsageError(_("--new begins a session, --continue goes on with one: choose one."))
    return Asked(
        says=_says(given),
        glossaries=given["glossaries"],
        sampling=SamplingParams(temperature=given["temperature"], seed=given["seed"]),
        prompt=_prompt(given["prompt"]),
        as_json=given["as_json"],
        continued=_continued(given["continued"]),
        kept=given["kept"],
        on_overflow=given["on_overflow"] or "ask",
    )


def _says(given: dict[str, Any]) -> dict[str, Any]:
    says: dict[str, Any] = {}
    if given["target"] is not None:
        says["target"] = find_language(given["target"])
    if given["source"] is not None:
        says["source"] = _source(given["source"])
    if given["system"] is not None:
        says["system"] = given["system"]
    if given["formality"] is not None:
        says["formality"] = given["formality"]
    if given["terms"]:
        says["terms"] = typed_terms(given["terms"])
    if style := given["style"].strip():
        says["style"] = style
    if given["context"].strip():
        says["context"] = context_text(given["context"])
    return says


def _source(name: str) -> Language | None:
    return None if name.strip().casefold() in AUTOMATIC else find_language(name)


def _continued(name: str | None) -> str | None:
    from bayling_lite.cli.chat import NEWEST

    if name is not None and not name.strip():
        raise UsageError(_("The session's id is empty: perhaps a variable of the shell is not set."))
    return "" if name == NEWEST else name


def _prompt(text: str | None) -> str | None:
    if text == "-":
        from bayling_lite.chat.screens.lines import LineReader

        if sys.stdin is None:
            raise UsageError(_("There is nothing to read: standard input is closed."))
        text = LineReader(sys.stdin.buffer).read_all()
    if text is not None and not text.strip():
        raise UsageError(_("There is nothing to answer: the text of --prompt is empty."))
    return text


def _glossary_terms(glossaries: Iterable[Path], target: Language) -> tuple[Term, ...]:
    from bayling_lite.cli.steering import all_terms

    return all_terms((), glossaries, target)
