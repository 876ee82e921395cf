"""``bayling glossary``: is a glossary fit to translate with?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from bayling_lite.cli.saying import say
from bayling_lite.terminal import printable


@click.group("glossary")
def glossary() -> None:
    """Glossaries, to translate with `--glossary`.

    \b
    Example:
      bayling glossary check terms.tsv --against manual.docx
    """  # noqa: D301 - click wants the character \b


@glossary.command("check", short_help="Find contradictions, duplicates and terms that never occur.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--against",
    "documents",
    multiple=True,
    metavar="DOCUMENT",
    help="List the terms that do not occur in it: a file, or all that are in a folder. Repeatable.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what a glossary cannot be used with.")
def check(file: Path, documents: tuple[str, ...], quiet: bool) -> int:
    """Say what is wrong with a glossary, or worth a look, line by line.

    A glossary is a TSV or CSV file: the word, its translation and, if you like, a note. A first line that names the
    columns is recognised. Found are words with two translations, lines that are there twice or lack a cell, stray
    white space, words that differ in case only, words inside other words, and terms that never occur.

    \b
    Examples:
      bayling glossary check terms.tsv
      bayling glossary check terms.tsv --against manual.docx --against help/

    \b
    Exit status: 0 fit to use, 1 with contradictions or empty cells.
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.translate.glossary_check import check_glossary, never_occurring
    from bayling_lite.translate.glossary_file import read_glossary
    from bayling_lite.units import counted

    read = read_glossary(file)
    found = check_glossary(read)
    if documents:
        found += never_occurring(read, _texts(documents))
    for finding in found:
        if finding.fatal or not quiet:
            click.echo(printable(f"{read.name}:{finding.line}: {finding.kind}: {finding.detail}", keep=""))
    if not quiet:
        counts = Counter(finding.kind for finding in found)
        languages = f" from {read.languages[0].english} to {read.languages[1].english}" if read.languages else ""
        summary = ", ".join(f"{kind} {count:,}" for kind, count in counts.items()) or "nothing to say"
        say(f"{read.name}: {counted(len(read.entries), 'term')}{languages}: {summary}.")
    return 1 if any(finding.fatal for finding in found) else 0


def _texts(names: tuple[str, ...]) -> Iterator[str]:
    """What is to be read in documents, unit by unit."""
    from bayling_lite.cli.files import read_source
    from bayling_lite.cli.inputs import find_inputs
    from bayling_lite.translate.formats import open_document
    from bayling_lite.translate.formats.sniffing import sniff

    for document in find_inputs(names).documents:
        source = read_source("-" if document.path is None else document.name)
        for unit in open_document(source, document.format or sniff(source.data)).units():
            yield unit.source.reads
