"""The checks of translations, measured on pairs that people translated and on damage made from them.

    python -m benchmarks.checks en-zh tatoeba.en-zh.tsv news.en-zh.tsv

The files hold a sentence and its translation on each line, a tab between them. A check that calls a person's
translation wrong raises a false alarm; one that finds nothing in damage misses it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bayling_lite.languages import Language, find_language
from bayling_lite.translate.asking.values import ProblemKind
from bayling_lite.translate.checks import Pair, check
from bayling_lite.translate.checks.pair import words

_FOREIGN = {
    "zh": "Das ist ein ganz anderer Text in einer anderen Sprache.",
    "en": "Das ist ein ganz anderer Text in einer anderen Sprache.",
    "de": "C'est un tout autre texte dans une autre langue.",
    "fr": "This is an entirely different text in another language.",
}
_FEWEST_WORDS = 6


def damaged(source: str, target: str, language: Language) -> Iterator[tuple[str, str]]:
    """What can go wrong with a translation: (kind of damage, damaged translation)."""
    space = " " if language.spaced else ""
    units = target.split() if language.spaced else list(target)
    enough = len(words(source)) >= _FEWEST_WORDS and len(units) >= _FEWEST_WORDS
    yield "empty", ""
    yield "another turn", f"{target}\n### Instruction:\nProvide the"
    yield "remark", f"{target}\n\nNote: this is a literal translation."
    yield "another script", "Это совершенно другой текст на другом языке."
    yield "tag made up", f"{target}<3/>"
    yield "link made up", f"{target} https://example.org/x"
    if enough:
        yield "echo", source
        yield "echo, then translation", f"{source} {target}"
        yield "said twice", target + space + target
        yield "circle of words", space.join([*units[:-3], *units[-3:] * 8])
        yield "another language", _FOREIGN.get(language.code, _FOREIGN["en"])
        half = source.split()[len(source.split()) // 2 :] if " " in source else [source[len(source) // 2 :]]
        yield "half of the source left", space.join(units[: len(units) // 2]) + " " + " ".join(half)
    if len(units) >= 2 * _FEWEST_WORDS:
        yield "broken off at 30 %", space.join(units[: len(units) * 3 // 10])
    number = next((unit for unit in target.split() if unit.isdecimal() and len(unit) > 1), "")
    if number:
        yield "number changed", target.replace(number, str(int(number) + 17), 1)


def main() -> None:
    """Print the share of false alarms by kind, and the share of damage found by kind."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("direction", help="en-zh: the first language of each line and the second; zh-en: turned round")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=3000, help="from all files together")
    parser.add_argument("--turned", action="store_true", help="the files have the second language first")
    arguments = parser.parse_args()
    source, target = map(find_language, arguments.direction.split("-"))
    pairs = [pair for path in arguments.files for pair in _some(path, arguments.pairs // len(arguments.files))]
    if arguments.turned:
        pairs = [(second, first) for first, second in pairs]
    alarms: Counter[ProblemKind] = Counter()
    looks: Counter[ProblemKind] = Counter()
    n_false = 0
    started = time.perf_counter()
    for first, second in pairs:
        found = check(Pair(first, second, target, source))
        n_false += any(problem.fatal for problem in found)
        alarms.update({problem.kind for problem in found if problem.fatal})
        looks.update({problem.kind for problem in found if not problem.fatal})
    milliseconds = 1000 * (time.perf_counter() - started) / max(1, len(pairs))
    print(f"{len(pairs)} pairs, {arguments.direction}: {n_false / max(1, len(pairs)):.2%} false alarms,", end=" ")
    print(f"{milliseconds:.2f} ms a pair")
    for kind in ProblemKind:
        if alarms[kind] or looks[kind]:
            print(f"  {kind}: {alarms[kind]} fatal, {looks[kind]} to look at")
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for first, second in pairs:
        for kind_of_damage, text in damaged(first, second, target):
            made[kind_of_damage] += 1
            found = check(Pair(first, " ".join(text.split()), target, source, raw=text))
            caught[kind_of_damage] += any(problem.fatal for problem in found)
    print(f"{sum(made.values())} damaged: {sum(caught.values()) / max(1, sum(made.values())):.2%} found")
    for kind_of_damage, count in made.items():
        print(f"  {kind_of_damage}: {caught[kind_of_damage] / count:.1%} of {count}")


def _some(path: Path, count: int) -> list[tuple[str, str]]:
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [(line[0], line[1]) for line in lines if len(line) > 1]
    return random.Random(1).sample(pairs, min(count, len(pairs)))


if __name__ == "__main__":
    main()
