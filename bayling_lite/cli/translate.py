"""``bayling translate``: text files or standard input, into another language."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayling_lite.cli.files import (
    TextInput,
    check_output,
    derived_name,
    read_input,
    same_file,
    write_whole,
)
from bayling_lite.cli.options import EngineFlags, engine_options, output_options
from bayling_lite.cli.progress import Progress
from bayling_lite.encodings import check_encoding
from bayling_lite.engine.base import MAX_BEAM_SIZE
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.languages import Language, find_language
from bayling_lite.terminal import PrintableStream, printable

if TYPE_CHECKING:
    from bayling_lite.translate import Term, Translation, Translator

_UNTRANSLATED = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    files: tuple[str, ...]
    target: Language
    source: Language | None
    output: str | None
    force: bool
    terms: tuple[Term, ...]
    beam_size: int
    encoding: str | None
    show_detected_source: bool
    as_json: bool
    progress: bool
    quiet: bool

    def note(self, text: str) -> None:
        """Say something on stderr, unless the user wants quiet."""
        if not self.quiet:
            say(text)


@dataclass(frozen=True, slots=True)
class Job:
    """One input and where its translation goes: a file, or standard output for None."""

    input: TextInput
    output: Path | None


@click.command("translate", short_help="Translate text files, or standard input.")
@click.argument("files", nargs=-1, metavar="[FILES]...")
@click.option("--to", "--target-lang", "target", required=True, metavar="LANG", help="Into this language: zh, de, ...")
@click.option(
    "--from", "--source-lang", "source", default="auto", metavar="LANG", help="From this one.  [default: auto]"
)
@click.option("-o", "--output", metavar="FILE|DIR/", help="Write the translation there; - is standard output.")
@click.option("--force", is_flag=True, help="Overwrite existing outputs.")
@click.option(
    "--term",
    "terms",
    multiple=True,
    metavar="SRC=TGT",
    help="TGT stands where SRC occurs: guaranteed where the model can be searched, else asked for. Repeatable.",
)
@click.option(
    "--beam",
    "beam_size",
    type=click.IntRange(1, MAX_BEAM_SIZE),
    metavar="N",
    default=1,
    help="Search with N hypotheses: slower, often better.  [default: 1, no search]",
)
@click.option("--show-detected-source", is_flag=True, help="Say on stderr which language was detected.")
@click.option("--encoding", metavar="NAME", help="Of inputs and outputs.  [default: found out; output in UTF-8]")
@click.option("--json", "as_json", is_flag=True, help="Write a line of JSON per segment to standard output.")
@click.option("--no-progress", "progress", is_flag=True, flag_value=False, default=True, help="Show no progress.")
@engine_options
@output_options
def translate(engine: EngineFlags, **given: Any) -> int:
    """Translate text FILES, or standard input, sentence by sentence; layout stays.

    The translation of one input goes to standard output, unless -o names a file or a folder. Several inputs are
    written to -o DIR/, else beside each input: letter.txt and letter.en.txt become letter.zh.txt. Existing files
    are not overwritten without --force, and files appear whole or not at all. With --json, files are written only
    where -o says so.

    \b
    Examples:
      bayling translate letter.txt --to zh
      bayling translate letter.txt --to zh -o brief.txt
      bayling translate a.txt b.txt --to de -o translated/
      echo "Good morning." | bayling translate --to fr
      bayling translate notes.txt --to zh --term token=词元
      bayling translate letter.txt --to zh --beam 5

    \b
    Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some segments
    were left untranslated, 4 model not available, 130 interrupted.
    """  # noqa: D301 - click wants the character \b
    options = _checked(given)
    from bayling_lite.cli.opening import find_model, open_engine

    jobs = _plan(options)
    path, settings = find_model(engine)
    from bayling_lite.translate import Translator

    with open_engine(path, settings, template=engine.template, quiet=options.quiet) as opened:
        translator = Translator(opened, beam_size=options.beam_size)
        return max([_run(job, translator, options) for job in jobs], default=0)


def say(text: str) -> None:
    """One line on stderr."""
    click.echo(printable(text, keep=""), err=True)


def _checked(given: dict[str, Any]) -> Options:
    """The options, checked.

    Raises:
        UsageError: an unknown language or encoding, a term without ``=`` or with two translations, or nothing to
            translate.
    """
    from bayling_lite.translate.glossary import check_terms  # imports numpy, which --help does without

    source, encoding, files = given["source"], given["encoding"], given["files"]
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
    checked = given | {
        "files": files,
        "target": find_language(given["target"]),
        "source": None if source.strip().casefold() == "auto" else find_language(source),
        "terms": check_terms(map(_term, given["terms"])),
        "encoding": None if encoding is None else check_encoding(encoding),
    }
    return Options(**{field.name: checked[field.name] for field in fields(Options)})


def _term(text: str) -> Term:
    source, equals, target = (part.strip() for part in text.partition("="))
    if not (source and equals and target):
        raise UsageError(f"--term wants SOURCE=TARGET, for example --term token=词元, not {text!r}.")
    return source, target


def _plan(options: Options) -> list[Job]:
    """Read every input and see that every output can be written, before the long work.

    Raises:
        InputError: an input cannot be read.
        OutputError: an output cannot be written.
        UsageError: two inputs would have the same output.
    """
    outputs = _outputs(options)
    paths = [Path(name) for name in options.files if name != "-"]
    inputs = [read_input(name, options.encoding) for name in options.files]
    for position, output in enumerate(outputs):
        if output is None:
            continue
        if any(other is not None and same_file(output, other) for other in outputs[:position]):
            raise UsageError(f"Two inputs would both be written to {output}. Translate them one by one, with -o.")
        check_output(output, force=options.force, inputs=paths)
    for text in inputs:
        if text.guessed:
            options.note(f"{text.name}: read as {text.encoding}; --encoding names another.")
    return [Job(text, output) for text, output in zip(inputs, outputs, strict=True)]


def _outputs(options: Options) -> list[Path | None]:
    """Where the translation of each input goes; makes the folder that -o names."""
    several = len(options.files) > 1
    if options.output == "-" or (options.output is None and (options.as_json or not several)):
        return [None] * len(options.files)
    if options.output is None:
        return [None if name == "-" else _beside(Path(name), options.target) for name in options.files]
    folder = Path(options.output)
    if not (options.output.endswith("/") or folder.is_dir()):
        if several:
            raise UsageError(f"Several inputs need a folder to go to: -o {options.output}/")
        return [folder]
    if "-" in options.files:
        raise UsageError("What comes from standard input has no name: give -o a file, not a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
    return [folder / derived_name(Path(name), options.target) for name in options.files]


def _beside(path: Path, target: Language) -> Path:
    return path.with_name(derived_name(path, target))


def _run(job: Job, translator: Translator, options: Options) -> int:
    """Translate one input; gives the exit status."""
    # Standard output takes the text as it is made, unless an encoding was named, which may not be able to hold it.
    streamed = job.output is None and not options.as_json and options.encoding is None
    show, flush = _screen() if sys.stdout.isatty() else (_pipe, sys.stdout.flush)
    stream = translator.stream(job.input.text, options.target, options.source, terms=options.terms)
    progress = Progress(job.input.name, shown=options.progress and not options.quiet and not sys.stdout.isatty())
    try:
        for piece in stream:
            if streamed:
                show(piece)
            progress.update(stream.done, stream.total)
        translation = stream.result()
    finally:
        progress.end()
        stream.cancel()
        flush()
    if options.as_json:
        _write_json(job, translation)
    if job.output is not None:
        write_whole(job.output, _encoded(job, translation.text, options))
        if str(job.output) != options.output:  # a name the user has not given
            options.note(f"Wrote {job.output}")
    elif not options.as_json and not streamed:
        sys.stdout.buffer.write(_encoded(job, translation.text, options))
    _report(job, translation, options)
    return _UNTRANSLATED if translation.failed or translation.truncated else 0


def _screen() -> tuple[Callable[[str], None], Callable[[], None]]:
    """How to show text on a terminal: at once, nothing in it that steers the terminal, and whole lines at the end."""
    stream = PrintableStream()
    last = "\n"

    def show(piece: str) -> None:
        nonlocal last
        text = stream.feed(piece.replace("\r\n", "\n").replace("\r", "\n"))
        last = text[-1:] or last
        click.echo(text, nl=False)

    def flush() -> None:
        text = stream.flush()
        click.echo(text, nl=not (text or last).endswith("\n"))

    return show, flush


def _pipe(piece: str) -> None:
    """What is not a terminal gets UTF-8, unchanged, whatever the locale."""
    sys.stdout.buffer.write(piece.encode(errors="replace"))
    if "\n" in piece:
        sys.stdout.buffer.flush()


def _encoded(job: Job, text: str, options: Options) -> bytes:
    encoding = options.encoding or "utf-8"
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        say(f"{job.input.name}: the translation has characters that {encoding} has not; it is written in UTF-8.")
        return text.encode(errors="replace")


def _write_json(job: Job, translation: Translation) -> None:
    for index, segment in enumerate(translation.segments):
        line = {
            "file": job.input.name,
            "index": index,
            "source_language": translation.source and translation.source.code,
            "target_language": translation.target.code,
            "source": segment.source,
            "target": segment.text,
            "status": segment.status,
        }
        text = json.dumps(line, ensure_ascii=False) + "\n"
        if sys.stdout.isatty():
            click.echo(printable(text), nl=False)
        else:
            _pipe(text)


def _report(job: Job, translation: Translation, options: Options) -> None:
    """What the user should know besides the translation."""
    name, source = job.input.name, translation.source
    if options.show_detected_source:
        say(f"{name}: source language {'unknown' if source is None else f'{source.english} ({source.code})'}")
    if not job.input.text.strip("\ufeff \t\r\n"):
        options.note(f"{name} is empty: there is nothing to translate.")
    elif source is None:
        options.note(f"{name}: no words found to translate; the text is unchanged.")
    elif source == translation.target:
        how = "is" if options.source else "was taken for"
        options.note(
            f"{name} {how} {source.english} already; the text is unchanged."
            + ("" if options.source else " If it is not, name its language with --from.")
        )
    total = len(translation.segments)
    if translation.missing_terms:
        terms = ", ".join(dict.fromkeys(f"{word}={wanted}" for word, wanted in translation.missing_terms))
        say(f"{name}: the model could not be made to use {terms} in {len(translation.missing_terms)} places.")
    if translation.failed:
        say(f"{name}: {translation.failed} of {total} segments could not be translated and stand as they were.")
    if translation.truncated:
        say(f"{name}: {translation.truncated} of {total} segments were cut off: the model did not come to an end.")
