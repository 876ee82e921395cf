"""Does a model do as the user says? Refinements of held-out sentences: the word is there, and the rest is kept.

::

    python benchmarks/refinement.py --data DIR [--model FILE.gguf] [--recipe RECIPE.toml] [--json FILE]

Two tasks, each asked in the product's wordings:

- *another word in its own draft*: the model translates; the user wants one expression of that draft replaced by another
  of the same language, ``fix "A": it should be "B"``. What should come out is known exactly.
- *the right word for a wrong one*: a reference with one expression replaced by a foreign one is the draft; the user
  names both (``fix``) or only the right one (``use``).

Followed: the wanted expression stands in the new draft. Exact: the new draft is the old one with just that changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
from collections import defaultdict
from pathlib import Path

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues import DialogueBuilder, directions, expressions
from bayling_finetune.parallel import Pair, load_corpus
from bayling_lite import Conversation, LlamaEngine, Translator
from bayling_lite.catalogue import resolve
from bayling_lite.engine.base import Engine, GenerationRequest
from bayling_lite.prompts import fix_instruction
from bayling_lite.settings import Settings

_TINY = Path(bayling_finetune.__file__).parent / "recipes" / "tiny-refine.toml"


@dataclasses.dataclass(slots=True)
class Count:
    """How often of how often."""

    asked: int = 0
    followed: int = 0
    exact: int = 0

    def add(self, *, followed: bool, exact: bool) -> None:
        """One more answer."""
        self.asked += 1
        self.followed += followed
        self.exact += exact


def own_drafts(engine: Engine, pairs: list[Pair], count: int) -> Count:
    """Another word in the model's own draft."""
    translator, chance, result = Translator(engine), random.Random(1), Count()
    words: dict[str, list[str]] = defaultdict(list)
    sentences = [direction for pair in pairs for direction in directions(pair)]
    for sentence in sentences:
        spans = expressions(sentence.reference, sentence.target_language)
        words[sentence.target_language.code] += [sentence.reference[start:stop] for start, stop in spans]
    for sentence in sentences:
        if result.asked == count:
            break
        language = sentence.target_language
        draft = translator.translate(sentence.source, language, sentence.source_language)
        spans = [span for span in expressions(draft.text, language) if draft.text.count(draft.text[slice(*span)]) == 1]
        right = chance.choice(words[language.code])
        if not spans or right in draft.text:
            continue
        wrong = draft.text[slice(*chance.choice(spans))]
        if wrong[0].isupper() != right[0].isupper():
            continue
        refined = draft.refine(fix_instruction(wrong, right)).text
        result.add(followed=right in refined, exact=refined == draft.text.replace(wrong, right))
    return result


def spoilt_drafts(engine: Engine, pairs: list[Pair], recipe: Recipe, count: int) -> dict[str, Count]:
    """The right word for a wrong one, by wording."""
    data = dataclasses.replace(recipe.data, refinement_share=1.0, substitution_share=0.0)
    results = {"fix": Count(), "use": Count()}
    for dialogue in DialogueBuilder(pairs, data, seed=3).build():
        if dialogue.kind != "refinement" or dialogue.learnt[0]:
            continue
        messages = dialogue.conversation.messages
        request, wanted = messages[-2].content, messages[-1].content
        right = request.replace("“", '"').replace("”", '"').split('"')[-2]
        answer = engine.submit(GenerationRequest(Conversation(messages[:-1]), max_tokens=100)).result().text
        kind = "fix" if "should be" in request or "应为" in request else "use"
        results[kind].add(followed=right in answer, exact=answer == wanted)
        if sum(result.asked for result in results.values()) == count:
            break
    return results


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=_TINY)
    parser.add_argument("--model", default=None, help="GGUF file or name [the embedded model]")
    parser.add_argument("--count", type=int, default=400, help="refinements of each task")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    recipe = Recipe.load(chosen.recipe)
    pairs = [pair for pair in load_corpus(recipe, chosen.data).test if pair.text.everyday]
    random.Random(0).shuffle(pairs)
    with LlamaEngine.open(resolve(None, Settings.load(model=chosen.model))) as engine:
        spoilt = spoilt_drafts(engine, pairs, recipe, chosen.count)
        rows = {
            "another word in its own draft (fix)": own_drafts(engine, pairs, chosen.count),
            "the right word for a wrong one (fix)": spoilt["fix"],
            "the right word, the wrong one not named (use)": spoilt["use"],
        }
    sys.stdout.write("| refinement | asked | followed | exact |\n|---|---|---|---|\n")
    for name, row in rows.items():
        followed, exact = row.followed / max(1, row.asked), row.exact / max(1, row.asked)
        sys.stdout.write(f"| {name} | {row.asked} | {followed:.1%} | {exact:.1%} |\n")
    if chosen.json:
        values = {name: dataclasses.asdict(row) for name, row in rows.items()}
        chosen.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
