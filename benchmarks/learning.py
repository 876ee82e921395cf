"""Do dialogues teach what translation pairs alone do not? The paper's claim, in small, on held-out sentences.

::

    for recipe in pairs pairs-more dialogues-more; do
        bayling finetune benchmarks/recipes/$recipe.toml --data DIR
        bayling convert runs/learning-$recipe/checkpoint -o $recipe.gguf --type F16
    done
    python -m benchmarks.learning --data DIR --recipe benchmarks/recipes/dialogues-more.toml *.gguf

For every model one row of each kind of question, greedy decoding, no search that guarantees anything:

- *translation*: BLEU and chrF of plain requests in the product's wording, each direction with its own tokenizer,
  averaged;
- *constraint*: the share of required phrases that stand in the answer, case and all; the product's wording;
- *refinement*: the last request of a held-out dialogue of several turns, with everything before it as it should be.
  Followed: every word that the right answer has and the draft before had not is in the answer, and every word that had
  to go is gone. Exact: the answer is the right one, character for character.

``--json`` writes the figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.builder import build
from bayling_finetune.dialogues.corpus import make_tools
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.words import words
from bayling_finetune.parallel import directions, load_corpus
from bayling_lite import Conversation, LlamaEngine
from bayling_lite.engine.base import Engine, GenerationRequest
from bayling_lite.languages import find_language
from bayling_lite.prompts import translation_instruction

_ANSWER = 160  # tokens
_SEED = 7


@dataclasses.dataclass(slots=True)
class Questions:
    """What every model is asked. ``constraints`` go with the phrases that have to be there."""

    translations: dict[str, list[Dialogue]]
    constraints: list[tuple[Dialogue, list[str]]]
    refinements: dict[Kind, list[Dialogue]]


def questions(recipe: Recipe, data: Path, count: int) -> Questions:
    """``count`` translations a direction, ``count`` constraints and ``count`` refinements of each kind."""
    corpus = load_corpus(recipe, data)
    tools = make_tools(directions(pair)[0] for pair in corpus.train)
    held_out = [directions(pair)[0] for pair in corpus.test if pair.text.everyday]
    random.Random(0).shuffle(held_out)
    sides = [side for direction in held_out for side in (direction, direction.reversed())]
    kinds = (Kind.CORRECTION, Kind.REPLACEMENT, Kind.FORMALITY, Kind.LENGTH, Kind.STYLE, Kind.CONVERSATION)

    def made(kind: Kind) -> Iterator[Dialogue]:
        return build(sides, {kind: 1.0}, tools, _SEED)

    translations: dict[str, list[Dialogue]] = defaultdict(list)
    constraints: list[tuple[Dialogue, list[str]]] = []
    for side in sides:
        if len(translations[side.pair]) < count:
            request = translation_instruction(side.source, side.target_language)
            translations[side.pair].append(dialogue(side, Kind.TRANSLATION, request, side.reference))
        if len(constraints) < count and (phrases := _phrases(side, tools)):
            request = translation_instruction(side.source, side.target_language, terms=phrases)
            constraints.append((dialogue(side, Kind.CONSTRAINT, request, side.reference), phrases))
    refinements = {kind: [entry for entry in made(kind) if entry.turns > 1][:count] for kind in kinds}
    return Questions(dict(translations), constraints, refinements)


def _phrases(direction: Direction, tools: Tools) -> list[str]:
    """One or two phrases of the reference that the aligner is sure of."""
    sure = [phrase for phrase in tools.lexicon.phrases(direction) if phrase.content]
    texts = sorted({direction.reference[slice(*phrase.reference)] for phrase in sure})
    chance = random.Random(direction.key())
    return chance.sample(texts, min(len(texts), chance.choice((1, 2))))


def answers(engine: Engine, dialogues: Sequence[Dialogue]) -> list[str]:
    """What a model says in the place of each dialogue's last answer."""
    requests = [
        GenerationRequest(Conversation(dialogue.conversation.messages[:-1]), max_tokens=_ANSWER)
        for dialogue in dialogues
    ]
    running = [engine.submit(request) for request in requests]
    return [generation.result().text.strip() for generation in running]


def followed(dialogue: Dialogue, answer: str) -> bool:
    """Whether the answer has the words it had to get, and none of those that had to go."""
    right, draft = dialogue.conversation.messages[-1].content, dialogue.conversation.messages[-3].content
    language = find_language(dialogue.target_language)

    def split(text: str) -> set[str]:
        return {text[word.start : word.end] for word in words(text, language)}

    wanted, before, got = split(right), split(draft), split(answer)
    return wanted - before <= got and not (before - wanted) & got


def measure(engine: Engine, asked: Questions) -> dict[str, Any]:
    """All figures of one model; shares from 0 to 1."""
    bleu, chrf = [], []
    for name, dialogues in sorted(asked.translations.items()):
        said = answers(engine, dialogues)
        references = [[dialogue.conversation.messages[-1].content for dialogue in dialogues]]
        chinese = find_language(name.split("-")[1]).code == "zh"
        bleu.append(BLEU(tokenize="zh" if chinese else "13a").corpus_score(said, references).score)
        chrf.append(CHRF().corpus_score(said, references).score)
    figures: dict[str, Any] = {"BLEU": fmean(bleu), "chrF": fmean(chrf)}
    said = answers(engine, [dialogue for dialogue, _ in asked.constraints])
    there = [
        phrase in answer for (_, phrases), answer in zip(asked.constraints, said, strict=True) for phrase in phrases
    ]
    figures["constraint"] = fmean(there) if there else 0.0
    for kind, dialogues in asked.refinements.items():
        if dialogues:
            said = answers(engine, dialogues)
            pairs = list(zip(dialogues, said, strict=True))
            figures[f"{kind.value}, followed"] = fmean(followed(dialogue, answer) for dialogue, answer in pairs)
            exact = (dialogue.conversation.messages[-1].content == answer for dialogue, answer in pairs)
            figures[f"{kind.value}, exact"] = fmean(exact)
    return figures


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", type=Path, help="GGUF files")
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, required=True, help="whose held-out sentences are asked about")
    parser.add_argument("--count", type=int, default=200, help="questions of each kind")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    asked = questions(Recipe.load(chosen.recipe), chosen.data, chosen.count)
    rows: dict[str, dict[str, Any]] = {}
    for model in chosen.models:
        with LlamaEngine.open(model) as engine:
            rows[model.stem] = measure(engine, asked)
    sys.stdout.write(f"| | {' | '.join(rows)} |\n|---|{'---|' * len(rows)}\n")
    for name in next(iter(rows.values())):
        shown = (f"{row[name]:.1f}" if name in ("BLEU", "chrF") else f"{row[name]:.1%}" for row in rows.values())
        sys.stdout.write(f"| {name} | {' | '.join(shown)} |\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
