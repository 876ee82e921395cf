"""Refinements as the product does them: is the word there, is the rest kept, and how long does it take?

::

    python benchmarks/scripted_refinements.py --data DIR [--model FILE.gguf] [--recipe RECIPE.toml] [--json FILE]

A set of scripted refinements: drafts of the model's own, and what a user who knows better says of them. The user
knows the reference. Where the draft has one expression and the reference another in its place, that one is wanted:
``fix`` names both, ``use`` the wanted one only. Which expression it should replace is known here, never told to the
product in the second case. Each text is translated and its draft refined at once, as in a chat, and both are timed.

``paragraph`` is ``use`` in a paragraph of two to five sentences on one line: which of them is meant is not told either.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import itertools
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.parallel import Pair, directions, load_corpus
from bayling_lite import LlamaEngine, Translation, Translator
from bayling_lite.catalogue import resolve
from bayling_lite.engine.base import Engine
from bayling_lite.engine.words import occurs
from bayling_lite.evaluate.interactive.kept import longest_common, token_spans, tokens
from bayling_lite.languages import Language
from bayling_lite.prompts import fix_instruction, use_instruction
from bayling_lite.settings import Settings

Kind = Literal["fix", "use", "paragraph"]

_TINY = Path(bayling_finetune.__file__).parent / "recipes" / "tiny-refine.toml"
_MOST_WORDS, _MOST_CHARACTERS = 2, 4
_FEWEST_WORDS = 4
"""Of a draft: with fewer there is nothing to keep."""
_SENTENCES = (2, 5)
"""In a paragraph."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scripted:
    """A text, and what is said of its draft: ``right`` is wanted in the place of ``wrong``. ``rest`` is what stands
    before and after the sentence of the draft that is meant.
    """

    sentences: tuple[Direction, ...]
    draft: str
    rest: tuple[str, str]
    wrong: str
    right: str
    kind: Kind

    @property
    def source(self) -> str:
        """The text."""
        return _joined(self.sentences)

    @property
    def instruction(self) -> str:
        """What the user says."""
        return fix_instruction(self.wrong, self.right) if self.kind == "fix" else use_instruction(self.right)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one: times in seconds; ``kept`` of the ``untouched`` tokens of the draft stand in the new one. It is
    ``placed`` right where the word is in its sentence, and all others are as they were.
    """

    scripted: Scripted
    refined: str
    present: bool
    placed: bool
    untouched: int
    kept: int
    exact: bool
    seconds: float
    fresh_seconds: float


def script(translator: Translator, pairs: list[Pair], count: int) -> list[Scripted]:
    """As many refinements of each direction and kind as make ``count``."""
    sides = [direction for pair in pairs for direction in directions(pair)]
    names = sorted({_name(sentence) for sentence in sides})
    share, done, chance = -(-count // len(names)), Counter[str](), random.Random(5)
    result: list[Scripted] = []
    for sentence in sides:
        name = _name(sentence)
        if done[name] == share or len(result) == count:
            continue
        draft = translator.translate(sentence.source, sentence.target_language, sentence.source_language).text
        found = list(_replaceable(draft, sentence.reference, sentence.target_language))
        if len(tokens(draft)) >= _FEWEST_WORDS and found:
            wrong, right = chance.choice(found)
            kind: Kind = "use" if done[name] % 2 else "fix"
            result.append(Scripted((sentence,), draft, ("", ""), wrong, right, kind))
            done[name] += 1
    return result


def script_paragraphs(translator: Translator, pairs: list[Pair], count: int) -> list[Scripted]:
    """As many refinements of paragraphs as make ``count``, of each direction and number of sentences."""
    by_name: dict[str, list[Direction]] = {}
    for pair in pairs:
        for sentence in directions(pair):
            by_name.setdefault(_name(sentence), []).append(sentence)
    share, chance = -(-count // len(by_name)), random.Random(5)
    result: list[Scripted] = []
    for name in sorted(by_name):
        left, done = iter(by_name[name]), 0
        while done < share and len(result) < count:
            fewest, most = _SENTENCES
            group = tuple(itertools.islice(left, fewest + done % (most - fewest + 1)))
            if not group:
                break
            draft = translator.translate(_joined(group), group[0].target_language, group[0].source_language)
            if scripted := _in_paragraph(draft, group, chance):
                result.append(scripted)
                done += 1
    return result


def _in_paragraph(draft: Translation, group: tuple[Direction, ...], chance: random.Random) -> Scripted | None:
    """A word wanted in one of some sentences; None where none of them can be told by it."""
    if [segment.source for segment in draft.segments] != [sentence.source for sentence in group]:
        return None
    found = [
        (number, wrong, right)
        for number, sentence in enumerate(group)
        for wrong, right in _replaceable(draft.segments[number].text, sentence.reference, draft.target)
        if draft.text.count(wrong) == 1 and right not in draft.text and right not in draft.source_text
    ]
    if not found:
        return None
    number, wrong, right = chance.choice(found)
    start = 0
    for segment in draft.segments[:number]:
        start = draft.text.index(segment.text, start) + len(segment.text)
    start = draft.text.index(draft.segments[number].text, start)
    rest = draft.text[:start], draft.text[start + len(draft.segments[number].text) :]
    return Scripted(group, draft.text, rest, wrong, right, "paragraph")


def _joined(sentences: tuple[Direction, ...]) -> str:
    return (" " if sentences[0].source_language.spaced else "").join(sentence.source for sentence in sentences)


def carry_out(translator: Translator, scripted: Scripted) -> Outcome | None:
    """Translate the text afresh, as in a chat, then refine the draft; both are timed from the call to the result.

    Sentences that are translated together may come out another time in other words (4-bit weights): then another word
    is wanted, or none.
    """
    sentence = scripted.sentences[0]
    started = time.perf_counter()
    draft = translator.translate(scripted.source, sentence.target_language, sentence.source_language)
    drafted = time.perf_counter()
    if scripted.kind == "paragraph" and draft.text != scripted.draft:
        other = _in_paragraph(draft, scripted.sentences, random.Random(5))
        if other is None:
            return None
        scripted = other
    refining = time.perf_counter()
    refined = draft.refine(scripted.instruction, required=scripted.right)
    ended = time.perf_counter()
    return _judged(scripted, draft, refined, ended - refining, drafted - started)


def _judged(scripted: Scripted, draft: Translation, refined: Translation, seconds: float, fresh: float) -> Outcome:
    before, _, after = draft.text.partition(scripted.wrong)
    untouched = tokens(before) + tokens(after)
    head, tail = scripted.rest
    around = refined.text.startswith(head) and refined.text.endswith(tail)
    return Outcome(
        scripted,
        refined.text,
        occurs(scripted.right, refined.text),
        around and occurs(scripted.right, refined.text[len(head) : len(refined.text) - len(tail)]),
        len(untouched),
        longest_common(untouched, tokens(refined.text)),
        refined.text == before + scripted.right + after,
        seconds,
        fresh,
    )


def _replaceable(draft: str, reference: str, language: Language) -> Iterator[tuple[str, str]]:
    """Expressions of the draft, each with the one that the reference has in its place."""
    spans, wanted = token_spans(draft), token_spans(reference)
    matcher = difflib.SequenceMatcher(
        None, [draft[a:b] for a, b in spans], [reference[a:b] for a, b in wanted], autojunk=False
    )
    most = _MOST_WORDS if language.spaced else _MOST_CHARACTERS
    for operation, start, stop, there, until in matcher.get_opcodes():
        if operation != "replace" or stop - start > most or until - there > most:
            continue
        wrong = draft[spans[start][0] : spans[stop - 1][1]]
        right = reference[wanted[there][0] : wanted[until - 1][1]]
        alike = wrong[0].isupper() == right[0].isupper()
        if alike and _is_expression(wrong) and _is_expression(right) and draft.count(wrong) == 1 and right not in draft:
            yield wrong, right


def _is_expression(text: str) -> bool:
    return len(text) >= 2 and all(char.isalpha() or char in " '’-" for char in text)


def _name(sentence: Direction) -> str:
    return f"{sentence.source_language.code}-{sentence.target_language.code}"


def figures(
    engine: Engine, pairs: list[Pair], count: int, n_paragraphs: int, rounds: int
) -> dict[str, dict[str, float]]:
    """The figures by kind; the texts are gone through ``rounds`` times. ``all`` are the single sentences."""
    translator = Translator(engine)
    items = script(translator, pairs, count) + script_paragraphs(translator, pairs, n_paragraphs)
    outcomes = [one for _ in range(rounds) for item in items if (one := carry_out(translator, item))]
    fix, use, paragraph = (
        [one for one in outcomes if one.scripted.kind == kind] for kind in ("fix", "use", "paragraph")
    )
    by_kind = {"fix": fix, "use": use, "all": fix + use, "paragraph": paragraph}
    return {kind: _figures(chosen) for kind, chosen in by_kind.items() if chosen}


def _figures(outcomes: list[Outcome]) -> dict[str, float]:
    seconds = statistics.median(one.seconds for one in outcomes)
    fresh = statistics.median(one.fresh_seconds for one in outcomes)
    return {
        "asked": len(outcomes),
        "present": statistics.mean(one.present for one in outcomes),
        "placed": statistics.mean(one.placed for one in outcomes),
        "kept": sum(one.kept for one in outcomes) / sum(one.untouched for one in outcomes),
        "exact": statistics.mean(one.exact for one in outcomes),
        "seconds": seconds,
        "fresh_seconds": fresh,
        "ratio": seconds / fresh,
        "median_of_ratios": statistics.median(one.seconds / one.fresh_seconds for one in outcomes),
    }


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=_TINY)
    parser.add_argument("--model", default=None, help="GGUF file or name [the embedded model]")
    parser.add_argument("--count", type=int, default=300, help="refinements of single sentences")
    parser.add_argument("--paragraphs", type=int, default=120, help="refinements of paragraphs")
    parser.add_argument("--rounds", type=int, default=5, help="times that they are gone through")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    pairs = [pair for pair in load_corpus(Recipe.load(chosen.recipe), chosen.data).test if pair.text.everyday]
    random.Random(0).shuffle(pairs)
    with LlamaEngine.open(resolve(None, Settings.load(model=chosen.model))) as engine:
        rows = figures(engine, pairs, chosen.count, chosen.paragraphs, chosen.rounds)
    sys.stdout.write(
        "| refinement | asked | word present | in its sentence, others as they were | untouched tokens kept | exact | "
        "seconds | fresh translation | ratio | median of ratios |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    for kind, row in rows.items():
        sys.stdout.write(
            f"| {kind} | {row['asked']} | {row['present']:.1%} | {row['placed']:.1%} | {row['kept']:.1%} | "
            f"{row['exact']:.1%} | {row['seconds']:.4f} | {row['fresh_seconds']:.4f} | {row['ratio']:.2f} | "
            f"{row['median_of_ratios']:.2f} |\n"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
