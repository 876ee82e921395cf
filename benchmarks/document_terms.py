"""Glossary terms in documents: how many that are required are there, reported missing, or missing without a word.

::

    python -m benchmarks.document_terms --data DIR [--model FILE.gguf] [--recipe RECIPE.toml] [--sentences 100]

For each direction of the recipe a document of held-out development sentences is translated by a document job, with a
glossary of one or two terms for every sentence: a word of the source, and what could stand in a glossary for it, a word
or two of the reference (two to four characters of Chinese) that are no small words. A term is required wherever its
word stands, and looked for in the translation by this file, not by the product: as it is written, in any case, as words
of their own. One that is not there is *reported* if the job says so of the segment, or leaves the segment in the source
language as failed; else it is *silently missing*, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import bayling_finetune
from bayling_finetune.config import Recipe
from bayling_finetune.dialogues.values import Direction
from bayling_lite import LlamaEngine
from bayling_lite.catalogue import resolve
from bayling_lite.languages import Language
from bayling_lite.settings import Settings
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.asking.values import ProblemKind
from bayling_lite.translate.checks.function_words import is_small
from bayling_lite.translate.formats import FormatOptions, Source, find_format, open_document
from bayling_lite.translate.glossary import Term
from bayling_lite.translate.job.document_job import DocumentJob
from bayling_lite.translate.job.report import SegmentRecord
from benchmarks.constrained_search import tasks

_TINY = Path(bayling_finetune.__file__).parent / "recipes" / "tiny.toml"
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_SHORTEST = 4


def glossary(sentences: Iterable[Direction], chance: random.Random) -> list[Term]:
    """One or two terms for each sentence.

    None is within another, or like it but for its case: of two such terms only the longer one, or the one that is
    written as in the text, would be required.
    """
    terms: dict[str, str] = {}
    for sentence in sentences:
        words = _entries(sentence.source, sentence.source_language, chance)
        wanted = _entries(sentence.reference, sentence.target_language, chance)
        for word, translation in list(zip(words, wanted, strict=False))[: chance.choice((1, 1, 2))]:
            if not any(word.lower() in known.lower() or known.lower() in word.lower() for known in terms):
                terms[word] = translation
    return list(terms.items())


def _entries(text: str, language: Language, chance: random.Random) -> list[str]:
    """Words of a text that a glossary could hold, in any order, none of them within another."""
    if not language.spaced:
        runs = [found[0] for found in _HAN.finditer(text) if len(found[0]) > 1]
        sizes = [min(len(run), chance.choice((2, 2, 3, 4))) for run in runs]
        starts = [chance.randrange(len(run) - size + 1) for run, size in zip(runs, sizes, strict=True)]
        found = [run[start : start + size] for run, start, size in zip(runs, starts, sizes, strict=True)]
    else:
        found = []
        for run in re.split(r"[^\w' ’-]+", text):
            words = [word for word in _WORD.findall(run) if len(word) >= _SHORTEST and not is_small(word.lower())]
            two = " ".join(words[:2])
            # "red car" is one entry where it stands so.
            found += [two, *words[2:]] if " " in two and two in run and chance.random() < 0.3 else words
    chance.shuffle(found)
    return list(dict.fromkeys(found))


def stands(term: str, text: str, language: Language) -> bool:
    """Whether a term stands in a text as words of their own."""
    if not language.spaced:
        return term.lower() in text.lower()
    return re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.IGNORECASE) is not None


def count(records: Iterable[SegmentRecord], terms: list[Term], source: Language, target: Language) -> Counter[str]:
    """What became of every term where its word stands, looked at without the product's help."""
    found: Counter[str] = Counter()
    for record in records:
        reported = " ".join(problem.detail for problem in record.problems if problem.kind is ProblemKind.TERMS)
        found["failed segments"] += record.status == "failed"
        for word, wanted in terms:
            if not stands(word, record.source, source):
                continue
            if stands(wanted, record.target, target):
                fate = "present"
            elif record.status == "failed":
                fate = "failed"
            else:
                fate = "reported" if f"{word} → {wanted}" in reported else "silent"
            found["required"] += 1
            found[fate] += 1
    return found


def translate(translator: SegmentTranslator, sentences: list[Direction], terms: list[Term]) -> list[SegmentRecord]:
    """The segments of a document of a sentence a line."""
    text = "".join(f"{' '.join(sentence.source.split())}\n\n" for sentence in sentences)
    document = open_document(Source("sentences.txt", text.encode()), find_format("txt"), FormatOptions())
    records: list[SegmentRecord] = []
    source, target = sentences[0].source_language, sentences[0].target_language
    job = DocumentJob(document, translator, source=source, target=target, terms=terms, on_segment=records.append)
    for _ in job.run():
        pass
    return records


def main() -> int:
    """Print the table; 1 if any term is missing without a word."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=_TINY)
    parser.add_argument("--model", default=None, help="GGUF file or name [the embedded model]")
    parser.add_argument("--sentences", type=int, default=100, help="of each direction")
    chosen = parser.parse_args()
    total: Counter[str] = Counter()
    columns = ("segments", "required", "present", "reported", "failed", "silent")
    print(f"| direction | {' | '.join(columns)} | failed segments | seconds |\n|{'---|' * (len(columns) + 3)}")
    with LlamaEngine.open(resolve(None, Settings.load(model=chosen.model))) as engine:
        translator = SegmentTranslator(engine)
        by_direction = tasks(Recipe.load(chosen.recipe), chosen.data, "development", chosen.sentences)
        for name, todo in sorted(by_direction.items()):
            sentences = [task.direction for task in todo]
            terms = glossary(sentences, random.Random(name))
            began = time.perf_counter()
            records = translate(translator, sentences, terms)
            seconds = time.perf_counter() - began
            found = count(records, terms, sentences[0].source_language, sentences[0].target_language)
            found["segments"] = len(records)
            total += found
            row = [name, *(found[column] for column in columns), found["failed segments"], f"{seconds:.0f}"]
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    row = ["all", *(total[column] for column in columns), total["failed segments"], ""]
    print(f"| {' | '.join(map(str, row))} |")
    return 1 if total["silent"] else 0


if __name__ == "__main__":
    sys.exit(main())
