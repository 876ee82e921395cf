"""What quantizing costs: perplexity of a checkpoint's F32, Q8_0 and Q4_K_M files on held-out dialogues, side by side.

::

    python benchmarks/quantization_cost.py --data DIR [--recipe RECIPE.toml] [--json FILE] CHECKPOINT

The dialogues are built from the recipe's held-out test split: translations in all directions, constraints, refinements.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

import bayling_finetune
from bayling_convert import convert
from bayling_convert.verify import perplexity
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.builder import KINDS, both_ways, build
from bayling_finetune.dialogues.corpus import make_tools
from bayling_finetune.parallel import directions, load_corpus

_TINY = Path(bayling_finetune.__file__).parent / "recipes" / "tiny-refine.toml"
_TYPES = ("F32", "Q8_0", "Q4_K_M")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=_TINY)
    parser.add_argument("--pairs", type=int, default=300, help="sentence pairs to build dialogues from")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    recipe = Recipe.load(chosen.recipe)
    pairs = [pair for pair in load_corpus(recipe, chosen.data).test if pair.text.everyday]
    random.Random(0).shuffle(pairs)
    kinds = {kind: getattr(recipe.data.kinds, kind.value) for kind in KINDS}
    sentences = [directions(pair)[0] for pair in pairs]
    built = build(both_ways(sentences[: chosen.pairs]), kinds, make_tools(sentences), seed=0)
    dialogues = [dialogue.conversation for dialogue in built]
    files: list[dict[str, float | str]] = []
    sys.stdout.write(f"{len(dialogues)} dialogues\n| file | MB | perplexity | against F32 |\n|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as folder:
        for name in _TYPES:
            path = Path(folder) / f"{name}.gguf"
            size = convert(chosen.checkpoint, path, name).n_bytes / 1e6
            value = perplexity(path, dialogues)
            ratio = value / float(files[0]["perplexity"]) if files else 1.0
            files.append({"type": name, "megabytes": size, "perplexity": value, "ratio": ratio})
            sys.stdout.write(f"| {name} | {size:.1f} | {value:.3f} | ×{ratio:.4f} |\n")
            sys.stdout.flush()
    if chosen.json:
        chosen.json.write_text(json.dumps({"dialogues": len(dialogues), "files": files}) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
