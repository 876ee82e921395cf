"""What it costs, or gains, to require phrases: BLEU and share of phrases with constrained search, and with beam search.

::

    python -m benchmarks.constrained_search --data DIR [--model FILE.gguf] [--recipe RECIPE.toml] [--sentences 50]

One to three phrases of one to three words (one to four characters of Chinese) are cut from the reference of every
held-out sentence. Both searches get the same prompt, which asks for the phrases; only one of them must obey. The
constants of the search were chosen on the development split (``--split development``), so the test split is the
default. Phrase rate: share of phrases that stand in the output exactly, as words of their own; "whole" is the share of
sentences with all of theirs; "finished" the share that the model ended by itself.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sacrebleu.metrics.bleu import BLEU

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.parallel import directions, fingerprint, load_corpus
from bayling_lite import LlamaEngine
from bayling_lite.catalogue import resolve
from bayling_lite.engine.base import Completion, Engine, GenerationRequest, SearchParams
from bayling_lite.engine.words import occurs
from bayling_lite.languages import Language
from bayling_lite.prompts import translation_instruction, user_turn
from bayling_lite.settings import Settings

_TINY = Path(bayling_finetune.__file__).parent / "recipes" / "tiny.toml"
_MAX_TOKENS = 150  # as in arXiv 2306.10968
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Task:
    """A sentence to translate and the phrases that its translation must have."""

    direction: Direction
    phrases: tuple[str, ...]

    def request(self, search: SearchParams) -> GenerationRequest:
        """Ask for the translation, and for the phrases in words."""
        target = self.direction.target_language
        instruction = translation_instruction(self.direction.source, target, terms=self.phrases)
        return GenerationRequest(user_turn(instruction), max_tokens=_MAX_TOKENS, search=search)


@dataclass(frozen=True, slots=True)
class Score:
    """What one kind of search made of the tasks of one direction; shares of 1, time in seconds for all of them."""

    direction: str
    search: str
    sentences: int
    bleu: float
    phrase_rate: float
    whole: float
    finished: float
    seconds: float
    bleu_signature: str


def cut_phrases(reference: str, language: Language, chance: random.Random) -> tuple[str, ...]:
    """One to three phrases that stand in a reference without overlapping; fewer where it is short."""
    units = [found.span() for found in (_WORD if language.spaced else _HAN).finditer(reference)]
    wanted, taken, phrases = chance.randint(1, 3), set[int](), list[str]()
    for _ in range(20):
        size = chance.choice((1, 1, 2, 3) if language.spaced else (1, 2, 2, 3, 4))
        if len(phrases) == wanted or size > len(units):
            break
        first = chance.randrange(len(units) - size + 1)
        phrase = reference[units[first][0] : units[first + size - 1][1]]
        places = set(range(first, first + size))
        one_piece = re.fullmatch(r"[\w' ’-]+" if language.spaced else r"\w+", phrase)
        if one_piece and not taken & places and occurs(phrase, reference):
            taken |= places
            phrases.append(phrase)
    return tuple(phrases)


def tasks(recipe: Recipe, data: Path, split: str, count: int) -> dict[str, list[Task]]:
    """Up to ``count`` everyday sentences of a held-out split for every direction, each source once."""
    chance = random.Random(split)
    pairs = [pair for pair in getattr(load_corpus(recipe, data), split) if pair.text.everyday]
    chance.shuffle(pairs)
    chosen: dict[str, list[Task]] = {}
    seen: set[tuple[str, str]] = set()
    for direction in itertools.chain.from_iterable(map(directions, pairs)):
        name = f"{direction.source_language}-{direction.target_language}"
        key = (name, fingerprint(direction.source))
        phrases = cut_phrases(direction.reference, direction.target_language, chance)
        if phrases and key not in seen and len(chosen.setdefault(name, [])) < count:
            seen.add(key)
            chosen[name].append(Task(direction, phrases))
    return chosen


def translate(engine: Engine, todo: list[Task], *, beam_size: int, required: bool) -> tuple[list[Completion], float]:
    """The translations, and the seconds that they took together."""
    began = time.perf_counter()
    running = [
        engine.submit(task.request(SearchParams(beam_size, required=task.phrases if required else ()))) for task in todo
    ]
    return [generation.result() for generation in running], time.perf_counter() - began


def score(name: str, search: str, todo: list[Task], completions: list[Completion], seconds: float) -> Score:
    """Measure one direction."""
    texts = [completion.text for completion in completions]
    there = [[occurs(phrase, text) for phrase in task.phrases] for task, text in zip(todo, texts, strict=True)]
    found = list(itertools.chain.from_iterable(there))
    bleu = BLEU(tokenize="zh" if todo[0].direction.target_language.code == "zh" else "13a")
    return Score(
        name,
        search,
        len(todo),
        bleu.corpus_score(texts, [[task.direction.reference for task in todo]]).score,
        sum(found) / len(found),
        sum(map(all, there)) / len(there),
        sum(completion.finish_reason == "stop" for completion in completions) / len(todo),
        seconds,
        str(bleu.get_signature()),
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=_TINY)
    parser.add_argument("--model", default=None, help="GGUF file or name [the embedded model]")
    parser.add_argument("--split", choices=("development", "test"), default="test")
    parser.add_argument("--sentences", type=int, default=50, help="of each direction")
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write scores and outputs to this file")
    chosen = parser.parse_args()
    report: list[dict[str, Any]] = []
    means: dict[str, list[float]] = {}
    by_direction = tasks(Recipe.load(chosen.recipe), chosen.data, chosen.split, chosen.sentences)
    with LlamaEngine.open(resolve(None, Settings.load(model=chosen.model))) as engine:
        columns = "direction | search | sentences | BLEU | phrases | whole | finished | seconds"
        sys.stdout.write(f"| {columns} |\n|{'---|' * 8}\n")
        for name, todo in sorted(by_direction.items()):
            for required in (False, True):
                completions, seconds = translate(engine, todo, beam_size=chosen.beam_size, required=required)
                search = "constrained" if required else f"beam {chosen.beam_size}"
                result = score(name, search, todo, completions, seconds)
                means.setdefault(search, []).append(result.bleu)
                sys.stdout.write(
                    f"| {name} | {search} | {result.sentences} | {result.bleu:.1f} | {result.phrase_rate:.1%} "
                    f"| {result.whole:.1%} | {result.finished:.1%} | {result.seconds:.1f} |\n"
                )
                sys.stdout.flush()
                report.append(_entry(result, todo, completions))
    for search, scores in means.items():
        sys.stdout.write(f"\nMean BLEU, {search}: {sum(scores) / len(scores):.2f}\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _entry(result: Score, todo: list[Task], completions: list[Completion]) -> dict[str, Any]:
    return {
        **{name: getattr(result, name) for name in Score.__slots__},
        "examples": [
            {
                "source": task.direction.source,
                "reference": task.direction.reference,
                "phrases": task.phrases,
                "output": completion.text,
            }
            for task, completion in zip(todo, completions, strict=True)
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
