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
import re
import sys
from collections import defaultdict
from pathlib import Path

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_finetune.parallel import Pair, directions, load_corpus
from bayling_lite import Conversation, LlamaEngine, Translator
from bayling_lite.catalogue import resolve
from bayling_lite.engine.base import Engine, GenerationRequest
from bayling_lite.languages import Language
from bayling_lite.prompts import fix_instruction, translation_instruction, use_instruction
from bayling_lite.settings import Settings

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
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


def expressions(text: str, language: Language) -> list[tuple[int, int]]:
    """Spans that a user might name: words of at least three letters, or two to four Han characters."""
    if language.spaced:
        return [match.span() for match in _WORD.finditer(text) if len(match.group()) >= 3]
    return [
        (start, start + length)
        for run in _HAN_RUN.finditer(text)
        for length in (2, 3, 4)
        for start in range(run.start(), run.end() - length + 1)
    ]


def words_of(pairs: list[Pair]) -> dict[str, list[str]]:
    """Every expression of the pairs, by the code of its language."""
    words: dict[str, list[str]] = defaultdict(list)
    for sentence in (direction for pair in pairs for direction in directions(pair)):
        spans = expressions(sentence.reference, sentence.target_language)
        words[sentence.target_language.code] += [sentence.reference[start:stop] for start, stop in spans]
    return words


def own_drafts(engine: Engine, pairs: list[Pair], count: int) -> Count:
    """Another word in the model's own draft."""
    translator, chance, result = Translator(engine), random.Random(1), Count()
    words = words_of(pairs)
    for sentence in (direction for pair in pairs for direction in directions(pair)):
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


def spoilt_drafts(engine: Engine, pairs: list[Pair], count: int) -> dict[str, Count]:
    """The right word for a wrong one, by wording."""
    chance, words = random.Random(3), words_of(pairs)
    results = {"fix": Count(), "use": Count()}
    for sentence in (direction for pair in pairs for direction in directions(pair)):
        language, wanted = sentence.target_language, sentence.reference
        spans = [span for span in expressions(wanted, language) if wanted.count(wanted[slice(*span)]) == 1]
        if not spans:
            continue
        start, stop = chance.choice(spans)
        right, wrong = wanted[start:stop], chance.choice(words[language.code])
        if wrong in wanted or right in wrong:
            continue
        kind = chance.choice(("fix", "use"))
        feedback = fix_instruction(wrong, right) if kind == "fix" else use_instruction(right)
        request = translation_instruction(sentence.source, language)
        draft = wanted[:start] + wrong + wanted[stop:]
        conversation = Conversation().user(request).assistant(draft).user(feedback)
        answer = engine.submit(GenerationRequest(conversation, max_tokens=100)).result().text
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
        spoilt = spoilt_drafts(engine, pairs, chosen.count)
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
