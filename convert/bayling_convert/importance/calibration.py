"""Refinement dialogues to calibrate and to measure with: translate, "use this word", the refined draft.

Quantizing should keep what the model is used for, so the default calibration text is of that kind. The sentences are
our own (``calibration.toml``), parallel in four languages, each with another wording. Even ones calibrate, odd ones
are held out: no sentence stands on both sides.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, fix_instruction, translation_instruction, use_instruction

LANGUAGES = ("en", "zh", "de", "fr")
"""The languages there are sentences in."""

_PLACE = re.compile(r"\{([^|{}]+)\|([^|{}]+)\}")
_MOST_SENTENCES = 3
"""In one dialogue; a session with a translator rarely ends after one."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as first drafted and as refined, and the expression ``wrong`` that gave way to ``right``."""

    draft: str
    refined: str
    wrong: str
    right: str

    @classmethod
    def parse(cls, text: str) -> Sentence:
        """Read ``It {starts|begins} at nine.``

        Raises:
            ValueError: there is no such place in the text.
        """
        place = _PLACE.search(text)
        if place is None:
            raise ValueError(f"no {{draft|refined}} in {text!r}")
        return cls(_PLACE.sub(r"\1", text), _PLACE.sub(r"\2", text), place[1], place[2])


Item = Mapping[str, Sentence]
"""One meaning by language."""


def calibration_dialogues(languages: Iterable[str] = (), n: int = 100, *, seed: int = 0) -> list[Conversation]:
    """``n`` refinement dialogues in all directions between the languages, instructed in English and Chinese.

    Args:
        languages: BCP-47 codes of what the model speaks. Those without sentences here are left out; where fewer than
            two are left, all four are taken: activations in related text beat none.
        n: how many; each has 1 to 3 sentences and 1 to 9 turns of the user.
        seed: the same arguments give the same dialogues, anywhere.

    Raises:
        UsageError: ``n`` is negative.
    """
    return _dialogues(_items()[0::2], languages, n, seed)


def held_out_dialogues(languages: Iterable[str] = (), n: int = 50, *, seed: int = 0) -> list[Conversation]:
    """The same from sentences that ``calibration_dialogues`` never shows, to measure what quantizing costs.

    Raises:
        UsageError: ``n`` is negative.
    """
    return _dialogues(_items()[1::2], languages, n, seed)


def calibration_name(languages: Iterable[str] = ()) -> str:
    """What the calibration dialogues between these languages are called in an importance matrix's record."""
    return f"bayling refinement dialogues ({', '.join(_spoken(languages))})"


@functools.cache
def _items() -> tuple[Item, ...]:
    text = (resources.files("bayling_convert.importance") / "calibration.toml").read_text(encoding="utf-8")
    return tuple({code: Sentence.parse(item[code]) for code in LANGUAGES} for item in tomllib.loads(text)["items"])


def _dialogues(items: tuple[Item, ...], languages: Iterable[str], n: int, seed: int) -> list[Conversation]:
    if n < 0:
        raise UsageError(f"There cannot be {n} dialogues; ask for 0 or more.")
    chance = random.Random(seed)  # noqa: S311 - nothing secret about it
    tasks = _tasks(items, list(itertools.permutations(_spoken(languages), 2)), chance)
    return [_dialogue(tasks, chance) for _ in range(n)]


def _spoken(languages: Iterable[str]) -> list[str]:
    wanted = {code.replace("_", "-").split("-")[0].casefold() for code in languages}
    spoken = [code for code in LANGUAGES if code in wanted]
    return spoken if len(spoken) > 1 else list(LANGUAGES)


@dataclass(frozen=True, slots=True)
class _Task:
    """A sentence to be translated: its source text, and the target with its two wordings."""

    source: str
    target: Sentence
    language: str


def _tasks(items: tuple[Item, ...], directions: list[tuple[str, str]], chance: random.Random) -> Iterator[_Task]:
    """Every item in every direction, shuffled; then again in another order, without end."""
    everything = list(itertools.product(items, directions))
    while True:
        chance.shuffle(everything)
        for item, (source, target) in everything:
            text = chance.choice((item[source].draft, item[source].refined))
            yield _Task(text, item[target], target)


def _dialogue(tasks: Iterator[_Task], chance: random.Random) -> Conversation:
    dialogue = Conversation()
    wording = chance.choice(list(Wording))
    for _ in range(chance.randint(1, _MOST_SENTENCES)):
        dialogue = _translated(dialogue, next(tasks), wording, chance)
    return dialogue


def _translated(dialogue: Conversation, task: _Task, wording: Wording, chance: random.Random) -> Conversation:
    """The dialogue with one more sentence translated and put right."""
    language, target = find_language(task.language), task.target
    if chance.random() < 0.15:
        ask = translation_instruction(task.source, language, terms=[target.right], wording=wording)
        return dialogue.user(ask).assistant(target.refined)
    ask = translation_instruction(task.source, language, wording=wording)
    dialogue = dialogue.user(ask).assistant(target.draft)
    if chance.random() < 0.5:
        dialogue = dialogue.user(use_instruction(target.right, wording=wording))
    else:
        dialogue = dialogue.user(fix_instruction(target.wrong, target.right, wording=wording))
    dialogue = dialogue.assistant(target.refined)
    if chance.random() < 0.2:  # some change their mind
        back = fix_instruction(target.right, target.wrong, wording=wording)
        dialogue = dialogue.user(back).assistant(target.draft)
    return dialogue
