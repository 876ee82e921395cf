"""Back and forth: up to six turns about one sentence, with thanks, changes of mind and undo.

The versions of the translation are a stack. A change puts a version on it, undo takes one off, thanks and "once more"
leave it alone; every answer but the one to thanks is the version on top. Only changes are made that are certain:
another word in a place of the draft, another form of address or style, another translation that is clearly shorter or
longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from bayling_finetune.dialogues.interchangeable import OF_THE_SAME_KIND, SYNONYMS
from bayling_finetune.dialogues.kinds.formality import registers
from bayling_finetune.dialogues.kinds.length import compared, say_the_same
from bayling_finetune.dialogues.kinds.style import likely
from bayling_finetune.dialogues.kinds.translation import request
from bayling_finetune.dialogues.markup import code_spans, overlaps
from bayling_finetune.dialogues.places import Replacement, Span, fits, only_place, single_replacement
from bayling_finetune.dialogues.styles import variants
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say, style_words
from bayling_finetune.dialogues.words import words
from bayling_lite.languages import Language

_TURNS: Mapping[int, float] = {2: 2, 3: 3, 4: 3, 5: 2, 6: 1}
"""How many answers a conversation has, by weight; fewer where the sentence gives no more."""
_LONGEST = 300
"""Of a reference, in characters: nobody goes back and forth over a page."""
_ATTEMPTS = 4
_THANKS_AT_THE_END = 0.35
_OTHER_MEANING = 0.4
"""How often a word is replaced by one that means something else, where there is none of the same meaning."""
_OLD_WORD = 0.3
"""How often a change of mind is for the word that was there before."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the user says, and the version that it leads to. ``place``: of the word it replaced, half-open span."""

    said: str
    text: str
    place: Span | None = None


@dataclass(slots=True)
class _State:
    """Where a conversation is: the versions that can be gone back to, all that were seen, how the last came about."""

    direction: Direction
    tools: Tools
    spoken: str
    versions: list[str]
    others: tuple[str, ...]
    turns: list[str] = field(default_factory=list)
    last: Intent = Intent.TRANSLATE
    replaced: Span | None = None
    changes: int = 0
    undone: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """The version on top."""
        return self.versions[-1]


_Step = Callable[[_State, Random], Change | None]


@dataclass(frozen=True, slots=True)
class ConversationMaker:
    """Makes conversations of two to six turns."""

    kind: Kind = Kind.CONVERSATION

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A conversation; None where nothing about the sentence can be changed for certain."""
        if len(direction.reference) > _LONGEST:
            return None
        spoken, asked = request(direction, tools, random)
        others = tuple(tools.others.get(direction.key(), ()))
        state = _State(direction, tools, spoken, [direction.reference], others, [asked, direction.reference])
        state.seen.add(direction.reference)
        wanted = random.choices(list(_TURNS), list(_TURNS.values()))[0]
        thanks = wanted > 2 and random.random() < _THANKS_AT_THE_END
        for _ in range(wanted - 1 - thanks):
            if not _go_on(state, random):
                break
        if not state.changes:
            return None
        if thanks and state.last is not Intent.THANKS:
            _be_thanked(state, random)
        return dialogue(direction, self.kind, *state.turns)


def _go_on(state: _State, random: Random) -> bool:
    """One turn more; whether there was one to make."""
    weights: dict[Intent, float] = {Intent.REPLACE: 8, Intent.FORMAL: 5, Intent.STYLE: 3, Intent.SHORTER: 3}
    if state.changes:
        weights[Intent.THANKS] = 0.6 if state.last is not Intent.THANKS else 0
        weights[Intent.AGAIN] = 0.8 if state.last is not Intent.AGAIN else 0
        # Twice without a change between it would be unclear which version is "the one before".
        if len(state.versions) > 1 and not state.undone:
            weights[Intent.UNDO] = 5
        if state.replaced is not None:
            weights[Intent.MIND] = 4
    while any(weights.values()):
        intent = random.choices(list(weights), list(weights.values()))[0]
        if intent in _CHANGES:
            change = _CHANGES[intent](state, random)
            if change is not None:
                _apply(state, intent, change)
                return True
        elif intent is Intent.UNDO:
            _undo(state, random)
            return True
        elif intent is Intent.THANKS:
            _be_thanked(state, random)
            return True
        else:
            state.turns += (say(Intent.AGAIN, state.spoken, random), state.text)
            state.last = Intent.AGAIN
            return True
        del weights[intent]
    return False


def _apply(state: _State, intent: Intent, change: Change) -> None:
    state.versions.append(change.text)
    state.seen.add(change.text)
    state.turns += (change.said, change.text)
    state.last, state.replaced = intent, change.place
    state.changes += 1
    state.undone = False


def _undo(state: _State, random: Random) -> None:
    said = say(random.choice((Intent.UNDO, Intent.UNDO, Intent.BACK)), state.spoken, random)
    state.versions.pop()
    state.turns += (said, state.text)
    state.last, state.replaced, state.undone = Intent.UNDO, None, True


def _be_thanked(state: _State, random: Random) -> None:
    state.turns += (say(Intent.THANKS, state.spoken, random), say(Intent.WELCOME, state.spoken, random))
    state.last, state.replaced = Intent.THANKS, None


def _another_word(state: _State, random: Random) -> Change | None:
    """Another word: another translation's, where the two differ in one place only; one of the same meaning; or, now
    and then, of the same kind.
    """  # fmt: skip
    choice = _of_other_translations(state) or _listed(state, SYNONYMS)
    if not choice and random.random() < _OTHER_MEANING:
        choice = _listed(state, OF_THE_SAME_KIND)
    for place, right in random.sample(choice, min(len(choice), _ATTEMPTS)):
        change = _replaced(state, place, right, Intent.REPLACE, random)
        if change is not None and change.text not in state.seen:
            return change
    return None


def _of_other_translations(state: _State) -> list[Replacement]:
    language = state.direction.target_language
    others = state.others if language.spaced else ()
    return [found for other in others if (found := single_replacement(state.text, other, language)) is not None]


def _listed(state: _State, lists: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[Replacement]:
    """Words of the version on top, each with every word that can take its place."""
    language = state.direction.target_language
    listed = lists.get(language.code, {})
    code = code_spans(state.text)
    places = [span for word in words(state.text, language) if not overlaps(span := (word.start, word.end), code)]
    return [((start, stop), right) for start, stop in places for right in listed.get(state.text[start:stop], ())]


def _other_word_after_all(state: _State, random: Random) -> Change | None:
    """Yet another word in the place that was just changed; or, once, the one that was there."""
    if state.replaced is None:
        return None
    start, stop = state.replaced
    before = state.versions[-2]
    was = before[start : len(before) - (len(state.text) - stop)]
    code = state.direction.target_language.code
    listed = (*SYNONYMS.get(code, {}).get(was, ()), *OF_THE_SAME_KIND.get(code, {}).get(was, ()))
    new = [right for right in listed if right not in state.text]
    rights = random.sample(new, min(len(new), _ATTEMPTS)) if random.random() >= _OLD_WORD else []
    for right in (*rights, *((was,) if state.last is not Intent.MIND else ())):
        change = _replaced(state, state.replaced, right, Intent.MIND, random)
        if change is not None and (right == was or change.text not in state.seen):
            return change
    return None


def _replaced(state: _State, place: Span, right: str, intent: Intent, random: Random) -> Change | None:
    """The change of one word, where both words can be named without doubt."""
    start, stop = place
    wrong = state.text[start:stop]
    text = state.text[:start] + right + state.text[stop:]
    language = state.direction.target_language
    clear = only_place(state.text, wrong, language) == place and right.casefold() not in state.text.casefold()
    if not clear or text.count(right) != 1 or not fits(text, (start, start + len(right)), language):
        return None
    named = {"wrong": wrong} if intent is Intent.REPLACE else {}
    return Change(say(intent, state.spoken, random, right=right, **named), text, (start, start + len(right)))


def _register(state: _State, random: Random) -> Change | None:
    """More or less formal."""
    code = state.direction.target_language.code
    texts: tuple[str | None, ...] = state.others if code in ("de", "fr") else (None,)
    found = [
        register
        for text in texts
        for draft, register in registers(state.text, text, code)
        if draft == state.text and register.text not in state.seen
    ]
    if not found:
        return None
    register = random.choice(found)
    return Change(register.asked(state.spoken, random), register.text)


def _style(state: _State, random: Random) -> Change | None:
    """Another spelling, other quotation marks."""
    new = [
        variant for variant in variants(state.text, state.direction.target_language) if variant.text not in state.seen
    ]
    found = likely(new, random)
    if not found:
        return None
    variant = random.choice(found)
    wish = say(Intent.STYLE, state.spoken, random, style=style_words(variant.style, state.spoken, random))
    return Change(wish, variant.text)


def _length(state: _State, random: Random) -> Change | None:
    """Another translation, clearly shorter or longer, as long as no word of this one was chosen by the user."""
    language = state.direction.target_language
    known = (state.direction.reference, *state.others)
    found = list(_of_other_length(state, known, language)) if state.text in known else []
    if not found:
        return None
    intent, text = random.choice(found)
    return Change(say(intent, state.spoken, random), text)


def _of_other_length(state: _State, known: tuple[str, ...], language: Language) -> Iterator[tuple[Intent, str]]:
    for other in known:
        intent = compared(state.text, other, language)
        if intent is not None and other not in state.seen and say_the_same(state.text, other, language):
            yield intent, other


_CHANGES: Mapping[Intent, _Step] = {
    Intent.REPLACE: _another_word,
    Intent.MIND: _other_word_after_all,
    Intent.FORMAL: _register,
    Intent.STYLE: _style,
    Intent.SHORTER: _length,
}
