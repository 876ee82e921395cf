"""Sets of scripted refinements: what is to be translated, and what a user then says of the drafts.

A set is a file of JSON lines, one dialogue a line. Its sets are found in the data as ``refinement.NAME.jsonl``. A line
that a translator may write (here broken for reading)::

    {"from": "en", "to": "de", "text": "Can you meet me at the bank tomorrow?",
     "turns": [{"contains": ["Ufer"]},
               {"say": "Please address the reader politely.", "formality": "formal"},
               {"say": "Too long.", "shorter": true}]}

Of a dialogue:

``from``, ``to``, ``text``   languages (codes or names), and what is to be translated
``turns``                    what the user says of the drafts, one after the other
``reference``                a translation; where all dialogues have one, in one language, drafts get a BLEU, too
``id``                       its name; without one, the number of its line

Of a turn, ``say`` is what the user says; all else says how to tell that it was done:

``contains``    phrases that the new draft must have, exactly and as words of their own
``absent``      phrases that it must not have, in whatever case
``shorter``     true (5 % at least), or a share: 0.8 is at most 80 % of the draft's letters and digits
``longer``      true (5 % at least), or a factor: 1.2 is at least 120 %
``language``    the language that it must be in
``formality``   "formal" or "informal", where words show it (see :mod:`bayling_lite.evaluate.interactive.formality`)
``keep``        phrases that must stay if the draft has them, all else being free; without it, the rest must stay
``kind``        what turns of this kind are called in the tables; without it, the check's own name
``always``      true: said even where the draft is as wanted already

``say`` may be left out with one phrase in ``contains`` ('Use the word "Ufer".'), with one more in ``absent`` ('Fix
"Bank": it should be "Ufer".'), with ``shorter`` and with ``longer``: then it is what the program itself would say. A
turn without a check is said, and not judged. What the draft has already is not asked for, unless ``always``.

Drafts are judged as they are: what a model says around one, or quotation marks, belongs to it. Words of scripts without
spaces (Chinese, Japanese, Thai) are found inside others. No rule sees whether a phrase stands where it should: to have
it replace another one, name that in ``absent``; and a ``reference`` gives the drafts a BLEU.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.engine.words import occurs
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import read_lines
from bayling_lite.evaluate.interactive.formality import MARKS, Formality
from bayling_lite.languages import Language, find_language

_DIALOGUE_KEYS = ("id", "from", "to", "text", "reference", "turns")
_TURN_KEYS = ("say", "contains", "absent", "shorter", "longer", "language", "formality", "keep", "kind", "always")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user says of a draft (empty: as the program words it), and how to tell that it was done.

    ``shorter`` and ``longer`` are the length asked for as a share of the draft's, 0 where none is asked for.
    """

    say: str = ""
    contains: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    shorter: float = 0.0
    longer: float = 0.0
    language: Language | None = None
    formality: Formality | None = None
    keep: tuple[str, ...] = ()
    kind: str = ""
    always: bool = False

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of what is checked."""
        named = {
            "word": self.contains,
            "absence": self.absent,
            "shorter": self.shorter,
            "longer": self.longer,
            "language": self.language,
            "formality": self.formality,
        }
        return tuple(name for name, value in named.items() if value)

    @property
    def name(self) -> str:
        """What turns like this are called in the tables."""
        if self.kind:
            return self.kind
        if self.checks == ("word", "absence"):
            return "replacement"
        return self.checks[0] if len(self.checks) == 1 else "several" if self.checks else "open"

    @property
    def speaks_for_itself(self) -> bool:
        """Whether the program has words of its own for it."""
        one = len(self.contains) == 1 and len(self.absent) <= 1
        return (self.checks in (("word",), ("word", "absence")) and one) or self.checks in (("shorter",), ("longer",))


@dataclass(frozen=True, slots=True)
class RefinementDialogue:
    """A text, and what is said of the drafts of its translation."""

    id: str
    source: Language
    target: Language
    text: str
    wishes: tuple[Wish, ...]
    reference: str = ""


def contradict(contains: Iterable[str], absent: Sequence[str]) -> bool:
    """Whether a text with each of some phrases has one that it must not have, in whatever case."""
    return any(occurs(wrong.lower(), phrase.lower()) for phrase in contains for wrong in absent)


def read_refinement_set(path: Path) -> tuple[RefinementDialogue, ...]:
    """Read a set.

    Raises:
        InputError: it cannot be read, is empty, or a line is not as it should be; the message names the line, and what
            is wrong.
    """
    dialogues = []
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            try:
                dialogues.append(_dialogue(json.loads(line), str(number)))
            except (ValueError, RecursionError, UsageError) as error:
                raise InputError(f"{path}, line {number}: {_sentence(error)}") from error
    if not dialogues:
        raise InputError(f"{path} holds no dialogue.")
    ids: set[str] = set()
    for dialogue in dialogues:
        if dialogue.id in ids:
            raise InputError(f"{path}: two dialogues are called {dialogue.id!r}.")
        ids.add(dialogue.id)
    return tuple(dialogues)


def refinement_lines(dialogues: Iterable[RefinementDialogue]) -> str:
    """Dialogues as the text of a file that :func:`read_refinement_set` reads."""
    return "".join(f"{json.dumps(as_json(dialogue), ensure_ascii=False)}\n" for dialogue in dialogues)


def as_json(dialogue: RefinementDialogue) -> dict[str, Any]:
    """A dialogue as it stands in a file, without what is left at its default."""
    turns = [
        {
            "say": wish.say,
            "contains": list(wish.contains),
            "absent": list(wish.absent),
            "shorter": True if wish.shorter == 1 else wish.shorter,
            "longer": True if wish.longer == 1 else wish.longer,
            "language": wish.language and wish.language.code,
            "formality": wish.formality,
            "keep": list(wish.keep),
            "kind": wish.kind,
            "always": wish.always,
        }
        for wish in dialogue.wishes
    ]
    head = {"id": dialogue.id, "from": dialogue.source.code, "to": dialogue.target.code, "text": dialogue.text}
    if dialogue.reference:
        head["reference"] = dialogue.reference
    return head | {"turns": [{name: value for name, value in turn.items() if value} for turn in turns]}


def _dialogue(value: object, number: str) -> RefinementDialogue:
    if not isinstance(value, dict):
        raise ValueError("a JSON object was expected, in braces.")
    _only(value, _DIALOGUE_KEYS, "a dialogue")
    source, target = (find_language(_text(value, name)) for name in ("from", "to"))
    if source == target:
        raise ValueError(f'"from" and "to" are both {source.english}.')
    turns = value.get("turns")
    if not isinstance(turns, list) or not turns:
        raise ValueError('"turns" should be a list of what the user says, and not empty.')
    wishes = []
    for place, turn in enumerate(turns, 1):
        try:
            wishes.append(_wish(turn, target))
        except (ValueError, UsageError) as error:
            raise ValueError(f"turn {place}: {_sentence(error)}") from error
    name = value.get("id", number)
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise ValueError('"id" should be a text or a number.')
    reference = _text(value, "reference") if "reference" in value else ""
    return RefinementDialogue(str(name), source, target, _text(value, "text"), tuple(wishes), reference)


def _wish(value: object, target: Language) -> Wish:
    if not isinstance(value, dict):
        raise ValueError("a JSON object was expected, in braces.")
    _only(value, _TURN_KEYS, "a turn")
    formality = value.get("formality")
    if formality is not None and formality not in ("formal", "informal"):
        raise ValueError(f'"formality" should be "formal" or "informal", not {formality!r}.')
    language = find_language(_text(value, "language")) if "language" in value else None
    spoken = language or target
    if formality and spoken.code not in MARKS:
        raise ValueError(
            f"there is no rule for formality in {spoken.english}, only in {', '.join(sorted(MARKS))}. "
            "Leave the check out: the turn is said, and not judged."
        )
    if not isinstance(value.get("always", False), bool):
        raise ValueError('"always" should be true or false.')
    wish = Wish(
        say=_text(value, "say") if "say" in value else "",
        contains=_phrases(value, "contains"),
        absent=_phrases(value, "absent"),
        shorter=_share(value, "shorter", 0, 1),
        longer=_share(value, "longer", 1, 100),
        language=language,
        formality=formality,
        keep=_phrases(value, "keep"),
        kind=_text(value, "kind") if "kind" in value else "",
        always=bool(value.get("always")),
    )
    if wish.shorter and wish.longer:
        raise ValueError("a draft cannot become shorter and longer at once.")
    if contradict(wish.contains, wish.absent):
        raise ValueError('no draft can have what "contains" says without what "absent" says.')
    if not wish.say and not wish.speaks_for_itself:
        raise ValueError(
            'without "say", there should be one phrase in "contains" (and at most one in "absent"), or "shorter" or '
            '"longer" alone.'
        )
    return wish


def _only(value: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    unknown = [name for name in value if name not in names]
    if unknown:
        raise ValueError(f"{what} has no {unknown[0]!r}; it may have {', '.join(names)}.")


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f'"{name}" should be a text, and not empty.')
    return text


def _phrases(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    phrases = value.get(name, [])
    if isinstance(phrases, str):
        phrases = [phrases]
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) and phrase.strip() for phrase in phrases):
        raise ValueError(f'"{name}" should be a list of phrases, none of them empty.')
    return tuple(phrase.strip() for phrase in phrases)


def _share(value: Mapping[str, Any], name: str, low: float, high: float) -> float:
    share = value.get(name, False)
    if isinstance(share, bool):
        return float(share)
    if not isinstance(share, int | float) or not low < share < high:
        raise ValueError(f'"{name}" should be true, or a number between {low:g} and {high:g}.')
    return float(share)


def _sentence(error: BaseException) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"this is no JSON ({error})."
    return str(error)
