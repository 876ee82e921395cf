"""Where each translation goes, found out before the long work."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.cli.files import check_output
from bayling_lite.cli.inputs import Input, Inputs, find_inputs
from bayling_lite.cli.translate_options import Options
from bayling_lite.cli.translate_report import is_report
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.languages import Language
from bayling_lite.translate.job.naming import derived_name, without_language

# What an option about reading is for.
_TABLES, BINARY = ("csv", "tsv", "xlsx"), ("docx", "pptx", "xlsx", "odt", "epub", "pdf")
# A PDF is not written again.
_BECOMES = {"pdf": (".txt", ".html")}


@dataclass(frozen=True, slots=True)
class Work:
    """One input and where its translation goes: a file, or standard output for None.

    ``named``: the user gave the output's very name.
    """

    input: Input
    output: Path | None
    named: bool = False


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """What is to be done, in order, and what was passed over: a path and why."""

    works: tuple[Work, ...]
    skipped: tuple[tuple[Path, str], ...]


def plan(options: Options) -> WorkPlan:
    """Find every input and see that every output can be written.

    Raises:
        InputError: an input cannot be read, or there is none in a folder.
        OutputError: an output cannot be written.
        UsageError: two inputs would have the same output.
    """
    asking, reading = options.asking, options.reading
    found = find_inputs(reading.files, reading.format, source=asking.source, target=asking.target)
    found = _without_outputs(found, options.writing.output)
    _check_reading(found.documents, options)
    works = _works(found.documents, options)
    _check_different(works)
    if not options.dry_run:
        _check(works, reading.aids, force=options.writing.force)
        _check_report(works, options)
    return WorkPlan(tuple(works), found.skipped)


def _check_reading(documents: tuple[Input, ...], options: Options) -> None:
    """See to it that no option about reading is for nothing. What standard input is, is not known yet."""
    reading = options.reading
    names = {document.format and document.format.name for document in documents}
    for option, given, kinds, fits in (
        ("--keys", reading.chosen.keys, "JSON", names & {None, "json", "jsonl"}),
        ("--columns", reading.chosen.columns, "tables (CSV, TSV, Excel)", names & {None, *_TABLES}),
        ("--encoding", reading.encoding, "documents of text", names - {*BINARY}),
    ):
        if given and names and not fits:
            raise UsageError(f"{option} is for {kinds}: leave it out, or name with --format what the input is.")
    if reading.format is not None and documents and all(document.folder is not None for document in documents):
        raise UsageError("--format says what single files are. In a folder, their names say it: leave it out.")


def _without_outputs(found: Inputs, output: str | None) -> Inputs:
    """What a folder holds besides the folder of the outputs, which may be inside."""
    if output is None or output == "-":
        return found
    folder = Path(os.path.realpath(output))
    inside = {
        document.path
        for document in found.documents
        if document.folder is not None
        and document.folder.resolve() != folder
        and document.path is not None
        and folder in document.path.resolve().parents
    }
    skipped = [(path, "it is in the folder of the outputs") for path in inside if path is not None]
    kept = tuple(document for document in found.documents if document.path not in inside)
    return Inputs(kept, (*found.skipped, *sorted(skipped)))


def _works(documents: tuple[Input, ...], options: Options) -> list[Work]:
    writing, target = options.writing, options.asking.target
    folders = any(document.folder is not None for document in documents)
    one = len(documents) == 1 and not folders
    if writing.output == "-" or (writing.output is None and (writing.as_json or one)):
        return [Work(document, None) for document in documents]
    if writing.output is None:
        return [Work(document, _beside(document, target, bilingual=writing.bilingual)) for document in documents]
    folder = Path(writing.output)
    if not (folders or writing.output.endswith("/") or folder.is_dir()):
        if not one:
            raise UsageError(f"Several inputs need a folder to go to: -o {writing.output}/")
        return [Work(documents[0], folder, named=True)]
    if any(document.path is None for document in documents):
        raise UsageError("What comes from standard input has no name: give -o a file, not a folder.")
    return [Work(document, folder / _below(document, target, bilingual=writing.bilingual)) for document in documents]


def _beside(document: Input, target: Language, *, bilingual: bool) -> Path | None:
    """The output beside an input; of a folder, in a folder beside that."""
    if document.path is None:
        return None
    below = _below(document, target, bilingual=bilingual)
    if document.folder is None:
        return document.path.with_name(str(below))
    folder = document.folder if document.folder.name not in ("", "..") else document.folder.resolve()
    if not folder.name:
        raise UsageError(f"Say with -o where the translations of {document.folder} are to go.")
    return folder.with_name(f"{without_language(folder.name)[0]}.{target.code}") / below


def _below(document: Input, target: Language, *, bilingual: bool) -> Path:
    """The output's path in its folder. In the copy of a folder names stay, so that links between documents hold."""
    assert document.path is not None  # noqa: S101 - standard input has been dealt with
    suffix = document.path.suffix
    if document.format is not None and document.format.name in _BECOMES:
        suffix = _BECOMES[document.format.name][bilingual]
    if document.folder is None:
        return Path(derived_name(document.path, target, suffix))
    below = document.path.relative_to(document.folder)
    stem, code = without_language(below.stem)
    return below.with_name(f"{stem}.{target.code}{suffix}" if code else f"{stem}{suffix}")


def _check_different(works: Iterable[Work]) -> None:
    taken: set[Path] = set()
    for work in works:
        if work.output is None:
            continue
        place = Path(os.path.realpath(work.output))
        if place in taken:
            raise UsageError(f"Two inputs would both be written to {work.output}. Translate them one by one, with -o.")
        taken.add(place)


def _check(works: Sequence[Work], aids: Iterable[Path], *, force: bool) -> None:
    inputs: defaultdict[tuple[int, int], list[Path]] = defaultdict(list)
    for path in _read(works, aids):
        inputs[_identity(path)].append(path)
    for work in works:
        if work.output is None:
            continue
        if work.named or work.output.parent.is_dir():
            same = inputs[_identity(work.output)] if work.output.exists() else []
            check_output(work.output, force=force, inputs=same)
        else:
            _check_folder(work.output.parent)


def _check_report(works: Sequence[Work], options: Options) -> None:
    """A report is written again by the call that goes on with an interrupted one; so one may be there already."""
    report = options.writing.report
    if report is None:
        return
    if str(report) == "-":
        raise UsageError("--report wants a file. --json writes what becomes of each segment to standard output.")
    force = options.writing.force or is_report(report)
    check_output(report, force=force, inputs=list(_read(works, options.reading.aids)))
    if any(work.output is not None and os.path.realpath(work.output) == os.path.realpath(report) for work in works):
        raise UsageError(f"The report and a translation would both be written to {report}.")


def _read(works: Iterable[Work], aids: Iterable[Path]) -> Iterator[Path]:
    """The files that are read, which are never overwritten."""
    yield from (work.input.path for work in works if work.input.path is not None)
    yield from (path for path in aids if path.exists())


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _check_folder(folder: Path) -> None:
    """See to it that a folder can be made."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "no permission" if there.is_dir() else f"{there} is a file"
        raise OutputError(f"The folder {folder} cannot be made: {why}.")
