"""How well a model translates sentences it was never trained on: BLEU and chrF for every direction of a recipe.

::

    python benchmarks/translation_quality.py --data DIR [--model FILE.gguf] [--recipe RECIPE.toml] [--sentences 500]

The sentences are the recipe's held-out test split of everyday text, which neither training nor its evaluation sees:
pairs go by a hash of their English sentence, the same in every file. One reference each; greedy decoding; the product's
own path (``Translator``). Scores carry their signatures (sacreBLEU). ``--json`` writes everything, outputs included.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.parallel import directions, fingerprint, load_corpus
from bayling_lite import LANGUAGES, LlamaEngine, Translator, detect_language
from bayling_lite.catalogue import resolve
from bayling_lite.settings import Settings

_TINY = Path(bayling_finetune.__file__).parent / "recipes" / "tiny.toml"


@dataclass(frozen=True, slots=True)
class Score:
    """One direction's result. ``right_language`` is the share of outputs in the target language."""

    direction: str
    sentences: int
    bleu: float
    chrf: float
    right_language: float
    bleu_signature: str
    chrf_signature: str


def held_out(recipe: Recipe, data: Path, count: int) -> dict[str, list[Direction]]:
    """Up to ``count`` everyday test sentences for every direction, each source once."""
    chosen: dict[str, list[Direction]] = {}
    seen: set[tuple[str, str]] = set()
    pairs = [pair for pair in load_corpus(recipe, data).test if pair.text.everyday]
    random.Random(0).shuffle(pairs)
    for pair in pairs:
        for direction in directions(pair):
            name = f"{direction.source_language}-{direction.target_language}"
            key = (name, fingerprint(direction.source))
            if key not in seen and len(chosen.setdefault(name, [])) < count:
                seen.add(key)
                chosen[name].append(direction)
    return chosen


def score(name: str, sentences: list[Direction], translator: Translator) -> tuple[Score, list[dict[str, str]]]:
    """Translate and measure one direction."""
    target = sentences[0].target_language
    outputs = [translator.translate(sentence.source, target, sentence.source_language).text for sentence in sentences]
    references = [[sentence.reference for sentence in sentences]]
    bleu, chrf = BLEU(tokenize="zh" if target.code == "zh" else "13a"), CHRF()
    candidates = [language for language in LANGUAGES if language in translator.engine.info.languages] or list(LANGUAGES)
    right = sum(detect_language(output, candidates) == target for output in outputs)
    result = Score(
        name,
        len(sentences),
        bleu.corpus_score(outputs, references).score,
        chrf.corpus_score(outputs, references).score,
        right / len(sentences),
        str(bleu.get_signature()),
        str(chrf.get_signature()),
    )
    examples = [
        {"source": sentence.source, "reference": sentence.reference, "output": output}
        for sentence, output in zip(sentences, outputs, strict=True)
    ]
    return result, examples


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=_TINY)
    parser.add_argument("--model", default=None, help="GGUF file or name [the embedded model]")
    parser.add_argument("--sentences", type=int, default=500, help="of each direction")
    parser.add_argument("--json", type=Path, help="write scores and outputs to this file")
    chosen = parser.parse_args()
    settings = Settings.load(model=chosen.model)
    report: dict[str, Any] = {}
    path = resolve(None, settings)
    with LlamaEngine.open(path) as engine:
        translator = Translator(engine)
        sys.stdout.write("| direction | sentences | BLEU | chrF | right language |\n|---|---|---|---|---|\n")
        for name, sentences in sorted(held_out(Recipe.load(chosen.recipe), chosen.data, chosen.sentences).items()):
            result, examples = score(name, sentences, translator)
            sys.stdout.write(
                f"| {name} | {result.sentences} | {result.bleu:.1f} | {result.chrf:.1f} "
                f"| {result.right_language:.1%} |\n"
            )
            sys.stdout.flush()
            report[name] = {
                "model": path.name,
                "bleu": result.bleu,
                "chrf": result.chrf,
                "right_language": result.right_language,
                "signatures": [result.bleu_signature, result.chrf_signature],
                "examples": examples,
            }
    if chosen.json:
        chosen.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
