"""What ``bayling translate`` is asked for: its options, checked before anything is loaded."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayling_lite.cli.saying import say
from bayling_lite.cli.steering import all_terms, context_file, context_text
from bayling_lite.encodings import check_encoding
from bayling_lite.errors import UsageError
from bayling_lite.languages import Language, find_language

if TYPE_CHECKING:
    from bayling_lite.translate.asking.steering import Steering
    from bayling_lite.translate.formats import Format, FormatOptions
    from bayling_lite.translate.glossary import Term


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read. ``format`` None: told by their names, else by how they begin.

    ``aids`` are the other files that are read: glossaries, memories, what the texts are about.
    """

    files: tuple[str, ...]
    format: Format | None
    encoding: str | None
    chosen: FormatOptions
    aids: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of the model."""

    target: Language
    source: Language | None
    terms: tuple[Term, ...]
    steering: Steering
    beam_size: int
    alternatives: int
    memories: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written, and where."""

    output: str | None
    force: bool
    bilingual: bool
    as_json: bool
    report: Path | None
    show_detected_source: bool
    progress: bool
    quiet: bool

    def note(self, text: str) -> None:
        """Say something on stderr, unless the user wants quiet."""
        if not self.quiet:
            say(text)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. ``resume``: the store is read and written; ``retranslate``: not read."""

    reading: Reading
    asking: Asking
    writing: Writing
    dry_run: bool
    resume: bool
    retranslate: bool


def checked(given: dict[str, Any]) -> Options:
    """The options, checked.

    Raises:
        UsageError: an unknown language, format or encoding; a term without ``=`` or with two translations; options that
            exclude one another; nothing to translate.
        InputError: a glossary or a file of context cannot be read.
    """
    reading = _reading(given)
    writing = Writing(
        given["output"],
        given["force"],
        given["bilingual"],
        given["as_json"],
        given["report"],
        given["show_detected_source"],
        given["progress"],
        given["quiet"],
    )
    options = Options(
        reading, _asking(given), writing, given["dry_run"], resume=given["resume"], retranslate=given["retranslate"]
    )
    if options.retranslate and not options.resume:
        raise UsageError("--no-resume leaves the store alone, --retranslate replaces what is in it: choose one.")
    if given["alternatives"] and given["bilingual"]:
        raise UsageError("--alternatives and --bilingual exclude one another.")
    if options.dry_run and writing.report is not None:
        raise UsageError("--dry-run translates nothing that there could be a report of. For programs there is --json.")
    if writing.bilingual and writing.as_json and writing.output in (None, "-"):
        raise UsageError("--bilingual is about the document, which --json leaves out: name a file for it with -o.")
    return options


def _reading(given: dict[str, Any]) -> Reading:
    from bayling_lite.translate.formats import FormatOptions, find_format

    files = given["files"]
    if not files:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "Nothing to translate: name a file, or pipe text in, for example "
                '`echo "Good morning." | bayling translate --to zh`. To type text, use bayling-chat, or - as the file.'
            )
        files = ("-",)
    if "" in files or given["output"] == "":
        raise UsageError("A file's name is empty: perhaps a variable of the shell is not set.")
    if files.count("-") > 1:
        raise UsageError("Standard input (-) can be named once only.")
    columns = [column.strip() for listed in given["columns"] for column in listed.split(",")]
    if "" in columns or not all(path.strip() for path in given["keys"]):
        raise UsageError("--columns wants names or numbers, for example --columns title,3; --keys wants paths.")
    return Reading(
        files,
        None if given["format_name"] is None else find_format(given["format_name"]),
        None if given["encoding"] is None else check_encoding(given["encoding"]),
        FormatOptions(keys=given["keys"], columns=tuple(columns)),
        (*given["glossaries"], *given["memories"], *context_file(given["context"])),
    )


def _asking(given: dict[str, Any]) -> Asking:
    from bayling_lite.translate.asking.steering import Steering

    target, source = find_language(given["target"]), given["source"]
    return Asking(
        target,
        None if source.strip().casefold() == "auto" else find_language(source),
        all_terms(given["terms"], given["glossaries"], target),
        Steering(
            given["formality"], given["style"].strip(), given["instruction"].strip(), context_text(given["context"])
        ),
        given["beam_size"],
        given["alternatives"],
        given["memories"],
    )
