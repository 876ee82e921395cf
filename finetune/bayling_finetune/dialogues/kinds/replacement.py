"""Replacement: the draft is right, and the user wants some other word in a place of it, once to three times.

The other word says the same where that is known: another translation of the sentence has it there, the word aligner has
seen it stand for the same word of the source, or it is listed as a synonym. Elsewhere it is one for something of the
same kind: what the user wants to say is the user's business, but the answer is a sentence. The draft is the reference
and learnt, and so is every answer: it is what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.changes import Change
from bayling_finetune.dialogues.differences import Edit
from bayling_finetune.dialogues.feedback import Stage
from bayling_finetune.dialogues.interchangeable import OF_THE_SAME_KIND, SYNONYMS
from bayling_finetune.dialogues.kinds.correction import TOO_LONG
from bayling_finetune.dialogues.places import Replacement, fits, single_replacement
from bayling_finetune.dialogues.spoiling import Reference
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say
from bayling_lite.prompts import Wording, fix_instruction

_TIMES = (1, 1, 1, 2, 2, 3)
_ATTEMPTS = 4
_OTHER_MEANING = 0.5
"""How often a word is replaced by one that means something else, where there is none of the same meaning."""
# The product's own wording calls the old word wrong; others that do so would be untrue of a draft that is right.
_FIX = 0.35


@dataclass(frozen=True, slots=True)
class ReplacementMaker:
    """Makes dialogues in which words of a draft are replaced as the user likes."""

    kind: Kind = Kind.REPLACEMENT

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue about this direction; None where no word can be named, or no other one is at hand."""
        if len(direction.reference) > TOO_LONG:
            return None
        spoken = tools.instruction_language(direction, random)
        code = direction.target_language.code
        reference = Reference(direction, tools.lexicon)
        choice = _of_the_same_meaning(reference, tools)
        if not choice and random.random() < _OTHER_MEANING:
            choice = _of_another_meaning(reference)
        done: tuple[Edit, ...] = ()
        said: list[str] = []
        for _ in range(random.choice(_TIMES)):
            found = _one_of(choice, reference, done, random)
            if found is None:
                break
            edit, (wrong, right) = found
            done = (*done, edit)
            said += (_request(spoken, wrong, right, random), _stage(reference, done).now)
        if not done:
            return None
        asked = say(Intent.TRANSLATE, spoken, random, text=direction.source, target=code)
        return dialogue(direction, self.kind, asked, direction.reference, *said)


def _request(spoken: str, wrong: str, right: str, random: Random) -> str:
    if spoken in set(Wording) and random.random() < _FIX:
        return fix_instruction(wrong, right, wording=Wording(spoken))
    return say(Intent.REPLACE, spoken, random, wrong=wrong, right=right)


def _of_the_same_meaning(reference: Reference, tools: Tools) -> list[Replacement]:
    """Words of the reference, each with others for the same."""
    direction, language = reference.direction, reference.language
    listed = SYNONYMS.get(language.code, {})
    found = [
        (phrase.reference, other)
        for phrase in reference.phrases
        for other in tools.lexicon.alternatives(direction, phrase)
        if phrase.reference in reference.free
    ]
    found += [
        (span, other)
        for span in sorted(reference.free)
        for other in listed.get(reference.text[slice(*span)], ())
        if reference.fits(span, other)
    ]
    if language.spaced:
        others = (
            single_replacement(reference.text, other, language) for other in tools.others.get(direction.key(), ())
        )
        found += [other for other in others if other is not None]
    return found


def _of_another_meaning(reference: Reference) -> list[Replacement]:
    """Words of the reference, each with others for things of the same kind.

    Nothing else would do: of words that were merely seen between the same neighbours, half make no sentence.
    """
    listed = OF_THE_SAME_KIND.get(reference.language.code, {})
    return [(span, other) for span in sorted(reference.free) for other in listed.get(reference.text[slice(*span)], ())]


def _one_of(
    choice: Sequence[Replacement], reference: Reference, done: tuple[Edit, ...], random: Random
) -> tuple[Edit, tuple[str, str]] | None:
    """A place that was not touched yet, another expression for it, and how both are quoted."""
    for (start, stop), other in random.sample(choice, min(len(choice), 2 * _ATTEMPTS)):
        if (start, stop) == (0, len(reference.text)):
            continue  # that would be another sentence
        if any(not reference.words_between((start, stop), (edit.start, edit.stop)) for edit in done):
            continue
        edit = Edit(start, reference.text[start:stop], other, start, Change.WRONG)
        stage = _stage(reference, done, edit)
        place = start + sum(len(earlier.new) - len(earlier.old) for earlier in done if earlier.start < start)
        quoted = stage.quoted(edit)
        if (
            quoted is not None
            and stage.added(edit)
            and fits(stage.then, (place, place + len(other)), reference.language)
        ):
            return edit, quoted
    return None


def _stage(reference: Reference, done: tuple[Edit, ...], *step: Edit) -> Stage:
    return Stage(reference.text, done, step, reference.language)
