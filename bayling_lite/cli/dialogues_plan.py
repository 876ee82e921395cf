"""From the options of ``bayling dialogues build`` to a plan, and through it to the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.cli.dialogues_models import Drafting, Writing
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.languages import Language, find_language

if TYPE_CHECKING:
    from bayling_finetune.dialogues.building import Built
    from bayling_finetune.dialogues.plan import Plan, Stage
    from bayling_finetune.dialogues.sources import ParallelSource
    from bayling_finetune.dialogues.values import Kind

Show = Callable[["Stage", int, int], None]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line says; the names are those of the command's parameters."""

    files: tuple[Path, ...]
    output: Path
    source: str | None
    target: str | None
    specs: tuple[str, ...]
    form: str | None
    columns: str | None
    encoding: str | None
    kinds: str | None
    instructions: str | None
    licenses: tuple[str, ...]
    one_way: bool
    seed: int
    limit: int | None
    test_sets: tuple[str, ...]
    on_overlap: str
    max_words: int
    max_ratio: float
    no_language_check: bool
    keep_duplicates: bool
    drafts: str | None
    draft_share: float
    writer: str | None
    writer_model: str
    writer_dialogues: int
    writer_kinds: str
    writer_price: str | None
    writer_parallel: int
    yes: bool
    tokenizer: Path | None
    processes: int | None
    report: Path | None
    no_report: bool
    force: bool
    quiet: bool
    no_progress: bool


def carry_out(choices: Choices, command: str, version: str, show: Show) -> tuple[Built, list[Path]]:
    """Build what was asked for; the build, and the paths of everything that was written.

    Raises:
        BaylingError: something is wrong with the options, the inputs or the output.
    """
    from bayling_finetune.dialogues.building import build_file
    from bayling_finetune.dialogues.report import report_path

    if choices.output == Path("-"):
        raise UsageError("Dialogues are not written to standard output, where nothing could be resumed: name a file.")
    page = None if choices.no_report else choices.report or report_path(choices.output)
    if page is not None and page.suffix != ".html":
        raise UsageError(f"The report is an HTML page: give {page} a name that ends with .html.")
    if page is not None and not page.resolve().parent.is_dir():
        option = "another file with -o" if choices.report is None else "another page with --report"
        raise OutputError(f"There is no folder {page.resolve().parent}. Make it, or choose {option}.")
    built = build_file(
        make_plan(choices, version, show),
        choices.output,
        processes=choices.processes or 0,
        force=choices.force,
        command=command,
        watch=show,
    )
    return built, [built.path, *(built.report.write(page) if page is not None else ())]


def make_plan(choices: Choices, version: str, show: Show) -> Plan:
    """The plan of these choices.

    Raises:
        UsageError: they cannot be.
        InputError: a test set cannot be read.
        ModelError: the model of the drafts is not here.
    """
    from bayling_finetune.dialogues.contamination import Policy, TestSets
    from bayling_finetune.dialogues.filters import Filters
    from bayling_finetune.dialogues.plan import Plan

    sources = tuple(_sources(choices))
    drafting = Drafting(choices, show) if choices.drafts is not None else None
    writing = Writing.chosen(choices)
    return Plan(
        sources=sources,
        kinds=_kinds(choices.kinds),
        seed=choices.seed,
        instructions=_instructions(choices.instructions),
        filters=Filters(
            max_words=choices.max_words,
            max_ratio=choices.max_ratio,
            languages=not choices.no_language_check,
            duplicates=not choices.keep_duplicates,
        ),
        test_sets=TestSets.load(choices.test_sets, choices.encoding) if choices.test_sets else None,
        on_overlap=Policy(choices.on_overlap),
        limit=choices.limit or 0,
        one_way=choices.one_way,
        drafting=drafting,
        drafts_digest=drafting.digest if drafting is not None else "",
        also=writing,
        also_digest=writing.digest if writing is not None else "",
        tokenizer=choices.tokenizer,
        licenses=_licenses(choices.licenses, sources),
        version=version,
    )


def _sources(choices: Choices) -> Iterable[ParallelSource]:
    from bayling_finetune.dialogues.sources import Format, ParallelSource

    if not choices.files and not choices.specs:
        raise UsageError("No input is named. Name files, such as news.en-zh.tsv, or use --input.")
    form = Format(choices.form) if choices.form else None
    columns = tuple(choices.columns.split(",")) if choices.columns else ()
    named = [((path,), *_languages(path, choices)) for path in choices.files]
    for paths, source, target in (*named, *map(_spec, choices.specs)):
        if any(path.resolve() == choices.output.resolve() for path in paths):
            raise UsageError(f"{choices.output} is an input; it is never overwritten. Choose another output with -o.")
        # Two files are text, line by line, whatever the others are.
        own = (None, ()) if len(paths) > 1 else (form, columns)
        name = "+".join(path.name for path in paths)
        yield ParallelSource(paths, source, target, *own, encoding=choices.encoding, origin=name)


def _licenses(texts: tuple[str, ...], sources: tuple[ParallelSource, ...]) -> dict[str, str]:
    """By the source's name: what was said of it, else what was said of all."""
    every = " ".join(text for text in texts if "=" not in text)
    own = dict(text.split("=", 1) for text in texts if "=" in text)
    names = {source.name for source in sources} | {source.origin for source in sources}
    if unknown := sorted(own.keys() - names):
        raise UsageError(f"--license: {unknown[0]} is no input. There are: {', '.join(sorted(names))}.")
    return {source.name: own.get(source.name) or own.get(source.origin) or every for source in sources}


def _languages(path: Path, choices: Choices) -> tuple[Language, Language]:
    from bayling_finetune.dialogues.sources import languages_in_name

    if choices.source and choices.target:
        return find_language(choices.source), find_language(choices.target)
    if choices.source or choices.target:
        raise UsageError("--from and --to belong together: name the languages of both sides.")
    found = languages_in_name(path)
    if found is None:
        raise UsageError(
            f"Which languages {path} holds is not in its name: name them with --from and --to. "
            "Two aligned files are named by --input, such as --input en-fr=a.en,a.fr."
        )
    return found


def _spec(spec: str) -> tuple[tuple[Path, ...], Language, Language]:
    pair, equals, names = spec.partition("=")
    codes = pair.split("-")
    if not equals or not names or len(codes) != 2:
        raise UsageError(f"--input {spec}: expected languages and one or two files, such as en-de=news.tsv.")
    files = (names,) if Path(names).exists() else tuple(names.split(","))
    return tuple(map(Path, files)), find_language(codes[0]), find_language(codes[1])


def _shares(text: str, option: str) -> dict[str, float]:
    """``translation=1,correction=0.3``."""
    shares: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        try:
            shares[name.strip().casefold()] = float(value)
        except ValueError:
            raise UsageError(f"{option}: {part!r} should be a name and a number, such as {name}=0.5.") from None
    if not shares:
        raise UsageError(f"{option} names nothing.")
    return shares


def _kinds(text: str | None) -> dict[Kind, float]:
    from bayling_finetune.dialogues.builder import KINDS
    from bayling_finetune.dialogues.plan import INTERACTIVE
    from bayling_finetune.dialogues.values import Kind

    if text is None:
        return dict(INTERACTIVE)
    shares = _shares(text, "--kinds")
    for name in shares:
        if name not in KINDS:
            raise UsageError(f"--kinds: there is no kind {name!r}. There are: {', '.join(KINDS)}.")
    return {Kind(name): share for name, share in shares.items()}


def _instructions(text: str | None) -> dict[str, float] | None:
    from bayling_finetune.dialogues.wording import LANGUAGES

    if text is None:
        return None
    shares = {find_language(name).code: share for name, share in _shares(text, "--instructions").items()}
    for code, share in shares.items():
        if code not in LANGUAGES:
            raise UsageError(f"--instructions: users speak {', '.join(LANGUAGES)} here, not {code}.")
        if share < 0:
            raise UsageError(f"--instructions: the share of {code} must be 0 or more.")
    if not any(shares.values()):
        raise UsageError("--instructions: every language has the share 0.")
    return shares
