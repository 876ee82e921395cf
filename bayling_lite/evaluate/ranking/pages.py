"""The pages' HTML. Whatever a system wrote is text in it, never markup; nothing in it says which system it was."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.evaluate.ranking.values import Aspect, Ballot, Dialogue, Item
from bayling_lite.evaluate.ranking.votes import letter
from bayling_lite.evaluate.ranking.words import LANGUAGES, Words

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")
STATIC = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
"""Files that pages load, and their media types."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person is: items done, and all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked, empty where it stands above all outputs already, and what was answered."""

    asked: str
    said: str


@dataclass(frozen=True, slots=True)
class Card:
    """One output as it is shown. ``places`` has what was given to it by each aspect, None where nothing was."""

    letter: str
    turns: tuple[Turn, ...]
    places: tuple[int | None, ...]


def start_page(words: Words, *, trouble: str = "", name: str = "") -> str:
    """The page that asks for a name."""
    return _render("start.html", words, trouble=trouble, name=name, person="", progress=None)


def trouble_page(words: Words, trouble: str) -> str:
    """A page that says what is wrong."""
    return _render("trouble.html", words, trouble=trouble, person="", progress=None)


def overview_page(words: Words, person: str, states: Sequence[str], progress: Progress) -> str:
    """All items with their states: ``ranked``, ``begun``, ``skipped_mark`` or ``open``."""
    going_on = next((number for number, state in enumerate(states, 1) if state in ("open", "begun")), None)
    return _render("overview.html", words, person=person, states=states, progress=progress, going_on=going_on)


def item_page(
    words: Words,
    person: str,
    *,
    mark: str,
    position: int,
    item: Item,
    aspects: Sequence[Aspect],
    groups: Sequence[Sequence[int]],
    ballot: Ballot | None,
    progress: Progress,
    next_address: str,
) -> str:
    """One item to rank: ``groups`` are the systems in the order in which the person sees their outputs.

    ``mark`` is that of the study, which the page's ballots have with them.
    """
    common = _common([item.outputs[group[0]] for group in groups])
    cards = [
        Card(letter(place), _turns(item.outputs[group[0]], len(common)), _places(ballot, aspects, group[0]))
        for place, group in enumerate(groups)
    ]
    return _render(
        "item.html",
        words,
        person=person,
        mark=mark,
        progress=progress,
        next=next_address,
        number=position + 1,
        item=item,
        common=common,
        cards=cards,
        aspects=aspects,
        skipped=ballot.skipped if ballot else "",
        seconds=ballot.seconds if ballot else 0.0,
        after=ballot.number if ballot else 0,
    )


def _common(outputs: Sequence[Dialogue]) -> tuple[str, ...]:
    """What all were asked first, which stands above all outputs; what is asked later stands between the answers."""
    return outputs[0].asked[:1]


def _turns(output: Dialogue, n_common: int) -> tuple[Turn, ...]:
    pairs = enumerate(zip(output.asked, output.said, strict=True))
    return tuple(Turn("" if number < n_common else asked, said) for number, (asked, said) in pairs)


def _places(ballot: Ballot | None, aspects: Sequence[Aspect], system: int) -> tuple[int | None, ...]:
    return tuple(ballot.ranks.get(aspect, {}).get(system) if ballot else None for aspect in aspects)


def _render(template: str, words: Words, **values: object) -> str:
    page = _environment().get_template(template).render(t=words, languages=LANGUAGES, **values)
    return _visible(page)


def _visible(text: str) -> str:
    """With a mark for every character that has no place in a page, or would turn the text around."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2  # not for --help

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
