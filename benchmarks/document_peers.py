"""What survives a translation of a document: ours beside argos-translate-files, the document mode of LibreTranslate.

::

    python -m venv peer && peer/bin/pip install argos-translate-files
    python -m benchmarks.document_peers --peer-python peer/bin/python

Both sides have the same engine, which gives the text in capitals and keeps tags, so that only the handling of documents
is compared.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.languages import find_language
from bayling_lite.translate.formats import Layout, Source, TranslatedUnit, format_of, open_document
from bayling_lite.translate.job.cutting import cut
from bayling_lite.translate.markup import tagged
from benchmarks.document_features import SPECIMENS, Feature, Specimen

_PEER = """
import json, re, sys
from argostranslatefiles import argostranslatefiles
from argostranslate.translate import Hypothesis, ITranslation, Language

class Capitals(ITranslation):
    from_lang, to_lang = Language("en", "English"), Language("zh", "Chinese")
    def hypotheses(self, text, num_hypotheses=4):
        asked.append(text)
        return [Hypothesis("".join(p if p.startswith("<") else p.upper() for p in re.split("(<[^>]*>)", text)), 0)]

for path in sys.argv[1:]:
    asked = []
    try:
        written = argostranslatefiles.translate_file(Capitals(), path)
    except Exception as error:
        written = f"failed: {type(error).__name__}: {error}"
    print("RESULT " + json.dumps({"written": written, "asked": asked}), flush=True)
"""


def capitals(text: str) -> str:
    """The engine of both sides."""
    return "".join(piece if piece.startswith("<") else piece.upper() for piece in re.split("(<[^>]*>)", text))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A translated document, or why there is none; and what the engine was asked for."""

    document: bytes | str
    asked: tuple[str, ...]


def ours(specimen: Specimen) -> Outcome:
    """A document translated by us, from the tags a model sees and back."""
    format_ = format_of(specimen.suffix)
    assert format_ is not None
    document = open_document(Source(f"specimen{specimen.suffix}", specimen.data), format_)
    asked: list[str] = []

    def translations() -> Iterator[TranslatedUnit]:
        for unit in document.units():
            target: list[str] = []
            parts = cut(unit, 400, 800)
            for piece in parts.pieces:
                seen = tagged(piece.source)
                asked.append(seen.text)
                target.append(seen.restore(capitals(seen.text)))
            yield TranslatedUnit(unit.source, parts.joined(target, english))

    english = find_language("en")
    pieces = document.write(translations(), Layout(english, english))
    return Outcome(b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces), tuple(asked))


def theirs(specimens: list[Specimen], python: Path) -> list[Outcome]:
    """The documents translated by the peer; where it fails, what it says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"specimen{index}{specimen.suffix}" for index, specimen in enumerate(specimens)]
        for path, specimen in zip(paths, specimens, strict=True):
            path.write_bytes(specimen.data)
        command = [str(python), "-c", _PEER, *map(str, paths)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout.splitlines()
        results = [json.loads(line.removeprefix("RESULT ")) for line in said if line.startswith("RESULT ")]
        return [
            Outcome(
                Path(found).read_bytes() if (found := str(result["written"])).startswith(name) else found,
                tuple(result["asked"]),
            )
            for result in results
        ]


def gets(sentence: str, outcome: Outcome) -> str:
    """Whether the engine was asked for a sentence as a whole, markup aside."""
    bare = (" ".join(re.sub("<[^>]*>", "", text).split()) for text in outcome.asked)
    return "yes" if any(sentence in text for text in bare) else "**no**"


def survives(feature: Feature, outcome: Outcome) -> str:
    """``yes``, ``no``, or how it failed."""
    if isinstance(outcome.document, str):
        return outcome.document
    try:
        return "yes" if feature.survived(outcome.document) else "**no**"
    except (ValueError, KeyError, StopIteration, IndexError, OSError) as error:
        return f"**no** ({type(error).__name__})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    arguments = parser.parse_args()
    specimens = [make() for make in SPECIMENS]
    peer = theirs(specimens, arguments.peer_python)
    print("| format | what | bayling-lite | argos-translate-files |\n|---|---|---|---|")
    totals = [0, 0, 0]
    for specimen, document in zip(specimens, peer, strict=True):
        mine = ours(specimen)
        rows = [(feature.what, survives(feature, mine), survives(feature, document)) for feature in specimen.features]
        rows += [
            (f"the engine gets “{sentence}” whole", gets(sentence, mine), gets(sentence, document))
            for sentence in specimen.sentences
        ]
        for what, left, right in rows:
            totals = [totals[0] + 1, totals[1] + (left == "yes"), totals[2] + (right == "yes")]
            print(f"| {specimen.suffix[1:]} | {what} | {left} | {right} |")
    print(f"| all | {totals[0]} | {totals[1]} | {totals[2]} |")


if __name__ == "__main__":
    main()
