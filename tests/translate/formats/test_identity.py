"""Over 200 documents of all formats: what nobody changes comes back as it was, and a change can be undone."""

from __future__ import annotations

import io
import itertools
import re
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.errors import InputError
from bayling_lite.translate.formats import Document, format_of
from bayling_lite.translate.markup import Marked
from tests.translate.formats.rewriting import opened, same, shown, written
from tests.translate.formats.samples import MAKERS, Sample, samples

EACH = 11
ARCHIVES = ("docx", "pptx", "xlsx", "odt", "epub")


def parts(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_there_are_at_least_200() -> None:
    assert len(MAKERS) * EACH >= 200


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_changed_is_the_same_document(name: str) -> None:
    for sample in samples(EACH, (name,)):
        document = opened(sample.data, name)
        assert list(document.units()), sample.name
        if name == "pdf":
            text = written(document, same).decode()
            assert all(unit.source.reads in text for unit in document.units())
        else:
            assert written(document, same) == sample.data, sample.name


def ticked(source: Marked) -> str:
    """With a mark after the first letter."""
    return re.sub(r"([^\W\d_])", "\\1✓", source.text, count=1)


def unticked(source: Marked) -> str:
    return source.text.replace("✓", "")


def normal(data: bytes, document: Document) -> str:
    """A document of text without white space: lines of a paragraph may be broken anew (in a quotation, too)."""
    assert document.form is not None
    return re.sub(r"\n> |\s|\\N", "", data.decode(document.form.encoding))


# PDF is not written again, and a translated message is none to translate.
@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("pdf", "po", "xliff")])
def test_a_change_undone_is_the_same_document(name: str) -> None:
    for sample in samples(EACH, (name,)):
        document = opened(sample.data, name)
        changed = written(document, ticked, target="en")
        again = opened(changed, name)
        assert all("✓" in text for text in shown(again) if any(map(str.isalpha, text))), sample.name
        back = written(again, unticked, target="en")
        assert shown(opened(back, name)) == shown(document)
        if name in ARCHIVES:
            assert parts(back).keys() == parts(sample.data).keys()
        else:
            assert normal(back, document) == normal(sample.data, document), sample.name


def found() -> Iterator[Sample]:
    """Documents of the packages that are installed here."""
    for folder in (sysconfig.get_path("purelib"), "/usr/share"):
        for path in sorted(Path(folder).rglob("*")):
            format_ = format_of(path.suffix)
            if format_ is not None and format_.name != "txt" and path.is_file() and path.stat().st_size < 100_000:
                yield Sample(str(path), format_.name, path.read_bytes())


@pytest.mark.slow
def test_documents_that_are_found_here() -> None:
    few = itertools.chain.from_iterable(
        itertools.islice(group, 40)
        for _, group in itertools.groupby(
            sorted(found(), key=lambda sample: sample.format), lambda sample: sample.format
        )
    )
    for sample in few:
        try:
            document = opened(sample.data, sample.format)
        except InputError:
            continue
        if not (document.form is not None and document.form.guessed):
            assert written(document, same) == sample.data, sample.name
