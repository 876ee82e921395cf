"""What a single key would do at an empty prompt just now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.driver import Driver

# A digit is one key; further versions are chosen by /pick.
_MAX_DIGIT = 9


@dataclass(frozen=True, slots=True)
class Offers:
    """``choices`` is how many versions of the draft a digit can choose from, ``flip`` how Tab would read the line that
    was just answered instead, in the interface's language; empty when it can be read in one way only.
    """

    choices: int = 0
    flip: str = ""

    def hint(self) -> str:
        """The keys and what they do, shortly."""
        if self.choices:
            digits = "1" if self.choices == 1 else f"1–{self.choices}"
            return _("{digits} chooses · Esc keeps the draft", digits=digits)
        return _("Tab if it was {reading}", reading=self.flip) if self.flip else ""


def offers_of(driver: Driver) -> Offers:
    """What is offered after the turns so far. Changes nothing, and waits for nothing."""
    flip = driver.doubt if driver.doubt and driver.session.other_reading() is not None else ""
    return Offers(min(len(driver.choosing), _MAX_DIGIT), flip)
