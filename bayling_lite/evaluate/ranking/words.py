"""What the ranking page says, in the language of whoever reads it: several people use one server at once."""

from __future__ import annotations

import functools
import gettext

from bayling_lite.evaluate.ranking.values import Aspect
from bayling_lite.localization import LOCALES, noted

LANGUAGES = {"en": "English", "zh": "中文"}
_FOLDERS = {"zh": "zh_CN"}

_TEXTS = {
    "title": noted("Which is better?"),
    "welcome": noted(
        "Rank what several systems wrote. Which is which you will not see; the same output is shown once."
    ),
    "name": noted("Your name"),
    "name_hint": noted("Your rankings are found again by it, in any browser."),
    "begin": noted("Begin"),
    "name_needed": noted("Type a name of at most 80 characters."),
    "done_of": noted("{done} of {total} done"),
    "item": noted("Item {number}"),
    "asked": noted("What was asked"),
    "phrases": noted("These words must occur:"),
    "reference": noted("Reference"),
    "output": noted("Output {letter}"),
    "no_answer": noted("(no answer)"),
    "said_same": noted("All systems wrote the same: there is nothing to rank."),
    "place": noted("Output {letter}, {aspect}: place {place}"),
    "place_of": noted("Output {letter}: {aspect}"),
    "previous": noted("Previous"),
    "next": noted("Next"),
    "skip": noted("Skip…"),
    "overview": noted("Overview"),
    "scale": noted("1 is best; equal numbers are a tie."),
    "keys": noted("Keys: 1–9 give a place, ← → move, Backspace takes back."),
    "keys_more": noted("Enter: next, P: previous, S: skip."),
    "skip_title": noted("Why do you skip this item?"),
    "skip_it": noted("Skip this item"),
    "cancel": noted("Cancel"),
    "skipped": noted("Skipped: {reason}"),
    "other": noted("Another reason"),
    "missing": noted("Places that are missing: {count}"),
    "saved": noted("Kept"),
    "saving": noted("Being kept…"),
    "unsaved": noted("Not kept yet: the server does not answer. Tried again every two seconds; leave the page open."),
    "refused": noted("This could not be kept: {reason}"),
    "changed": noted("This item was changed in another window. Reload the page."),
    "not_you": noted("not you?"),
    "all_done": noted("All done. Thank you!"),
    "change": noted("Every ranking can still be changed: choose an item."),
    "ranked": noted("ranked"),
    "begun": noted("begun"),
    "skipped_mark": noted("skipped"),
    "open": noted("open"),
    "continue": noted("Continue"),
    "no_script": noted("This page needs JavaScript."),
    "no_token": noted("This address is not complete. Ask for the whole one, with what stands after the question mark."),
    "no_page": noted("There is no such page."),
    "disk": noted("The server cannot write. Tell whoever runs it."),
    "too_old": noted("This does not fit the item. Reload the page."),
    "foreign": noted("This did not come from the ranking page itself."),
    "try_again": noted("To the beginning"),
}
_ASPECTS = {
    Aspect.TRANSLATION: (
        noted("Translation"),
        noted("Is the meaning there, all of it and nothing else, in good language?"),
    ),
    Aspect.INSTRUCTIONS: (
        noted("Instruction following"),
        noted("Was done what was asked for, as it was asked for?"),
    ),
    Aspect.INTERACTION: (
        noted("Multi-turn interaction"),
        noted("Does each answer build on what was said before, keeping what was to stay?"),
    ),
}
REASONS = {
    "language": noted("I do not know one of the languages"),
    "source": noted("What was asked makes no sense"),
    "undecided": noted("I cannot tell"),
}
"""Why an item may be skipped, by the word that is kept; another reason is kept as it was typed."""


class Words:
    """The texts of one language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._translations = _translations(self.language)

    def __call__(self, key: str, /, **values: object) -> str:
        """A text by its key, with ``{name}`` replaced by the value of that name."""
        text = self._translations.gettext(_TEXTS[key])
        return text.format(**values) if values else text

    def aspect(self, aspect: Aspect) -> str:
        """What an aspect is called."""
        return self._translations.gettext(_ASPECTS[aspect][0])

    def question(self, aspect: Aspect) -> str:
        """What a person asks themselves of an output, by an aspect."""
        return self._translations.gettext(_ASPECTS[aspect][1])

    def reasons(self) -> dict[str, str]:
        """The usual reasons to skip an item."""
        return {key: self._translations.gettext(text) for key, text in REASONS.items()}

    def reason(self, skipped: str) -> str:
        """Why an item was skipped."""
        return self.reasons().get(skipped, skipped)


@functools.cache
def _translations(language: str) -> gettext.NullTranslations:
    folder = _FOLDERS.get(language)
    return gettext.translation("bayling", LOCALES, [folder], fallback=True) if folder else gettext.NullTranslations()


def preferred(accepted: str) -> str:
    """The first of our languages in an ``Accept-Language`` header, which lists the best first as browsers send it."""
    codes = (part.partition(";")[0].strip().casefold().split("-")[0] for part in accepted.split(","))
    return next((code for code in codes if code in LANGUAGES), "en")
