"""``bayling memory``: what has been translated, kept for the next time, and memories from elsewhere.

``list``, ``info`` and ``search`` are in memory_show.py.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.lazy import suggest
from bayling_lite.cli.memory_show import info, list_memory, open_store, search
from bayling_lite.cli.saying import say

if TYPE_CHECKING:
    from bayling_lite.settings import Settings
    from bayling_lite.translate.store import Selection

_SECONDS_PER_DAY = 86_400
_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class MemoryGroup(click.Group):
    """The group, which says what was meant by a command that there is not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        suggest(self, ctx, args)
        return super().resolve_command(ctx, args)


@click.group("memory", cls=MemoryGroup)
def memory() -> None:
    """Translations that are kept: finished segments, and translation memories (TMX).

    What `bayling translate` has finished is in the store, and is not translated again. Translation memories that were
    imported are looked at as well: what is in them word for word is taken, what is similar helps the model.

    \b
    Examples:
      bayling memory list
      bayling memory import company.tmx
      bayling memory export mine.tmx --from en --to zh
      bayling memory search "annual report"
      bayling memory clear --older-than 365
    """  # noqa: D301 - click wants the character \b


@click.command("import", short_help="Take translation memories in, for all translations to come.")
@click.argument("files", metavar="FILE.tmx...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--no-progress", is_flag=True, help="Show no progress.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def import_memory(files: tuple[Path, ...], no_progress: bool, quiet: bool) -> None:
    """Take the TMX files FILE.tmx... in, for all translations to come.

    For one translation, `bayling translate --tm FILE.tmx` does the same. The files are copied in a form that is fast
    to search, and are not needed any more. A file that is there already is not taken in twice.

    \b
    Example:
      bayling memory import company.tmx glossary.tmx
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.transfer import ByteProgress
    from bayling_lite.settings import Settings
    from bayling_lite.translate.memory import TranslationMemory
    from bayling_lite.units import counted

    with TranslationMemory.open(Settings.load()) as opened:
        for file in files:
            progress = ByteProgress(shown=not quiet and not no_progress)
            try:
                about, is_new = opened.import_tmx(file, lambda done, total: progress(done, total, "Indexing"))  # noqa: B023 - called in this turn
            finally:
                progress.end()
            if not quiet:
                what = "" if is_new else "There already: "
                say(f"{what}{file.name}: {counted(about.units, 'unit')} in {' '.join(about.languages)}.")
        if opened.note and not quiet:
            say(opened.note)


@click.command("export", short_help="Write finished segments as a TMX file.")
@click.argument("file", metavar="FILE.tmx", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--from", "source", metavar="LANG", help="Only segments from this language.")
@click.option("--to", "target", metavar="LANG", help="Only segments into this language.")
@click.option("--model", metavar="NAME", help="Only what this model has translated.")
@click.option("--since", type=click.DateTime(_DATES), metavar="DATE", help="Only what was finished since: 2026-01-31.")
@click.option("-f", "--force", is_flag=True, help="Overwrite FILE.tmx.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def export(
    file: Path,
    source: str | None,
    target: str | None,
    model: str | None,
    since: datetime | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write the finished segments as TMX 1.4b into FILE.tmx, or - for standard output.

    \b
    Examples:
      bayling memory export mine.tmx
      bayling memory export - --from en --to zh --since 2026-01-31 | xz > mine.tmx.xz
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.files import check_output
    from bayling_lite.settings import Settings
    from bayling_lite.translate.job.writing import whole_output
    from bayling_lite.translate.memory.from_store import as_unit
    from bayling_lite.translate.memory.tmx_writer import write_tmx
    from bayling_lite.translate.store import FILE_NAME, Selection, Store
    from bayling_lite.units import counted

    settings = Settings.load()
    path = settings.data_dir / FILE_NAME
    selection = Selection(_code(source), _code(target), model, since.timestamp() if since else None)
    if str(file) != "-":
        check_output(file, force=force, inputs=[path])
    with open_store(settings) or Store.open(path) as store:
        count = sum(found.segments for found in store.counts(selection))
        lines = write_tmx(map(as_unit, store.segments(selection)), source_language=_code(source) or "*all*")
        if str(file) == "-":
            for line in lines:
                sys.stdout.buffer.write(line.encode())
        else:
            with whole_output(file) as out:
                for line in lines:
                    out.write(line.encode())
    if not quiet:
        say(f"{counted(count, 'segment')} written.")


@click.command("clear", short_help="Remove finished segments, or imported memories.")
@click.option("--older-than", type=click.IntRange(min=0), metavar="DAYS", help="Only what is older.")
@click.option("--model", metavar="NAME", help="Only what this model has translated.")
@click.option("--from", "source", metavar="LANG", help="Only segments from this language.")
@click.option("--to", "target", metavar="LANG", help="Only segments into this language.")
@click.option("--imported", is_flag=True, help="Remove the memories that were imported; segments stay.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def clear(
    older_than: int | None,
    model: str | None,
    source: str | None,
    target: str | None,
    imported: bool,
    yes: bool,
    quiet: bool,
) -> None:
    """Remove finished segments, all or those that the options say; documents stay as they are.

    It says what will go and asks first; without a terminal, --yes has to say that it is meant.

    \b
    Examples:
      bayling memory clear --older-than 365
      bayling memory clear --model bayling-tiny --yes
      bayling memory clear --imported
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.errors import UsageError
    from bayling_lite.settings import Settings
    from bayling_lite.translate.store import Selection

    settings = Settings.load()
    before = None if older_than is None else time.time() - older_than * _SECONDS_PER_DAY
    selection = Selection(_code(source), _code(target), model, before=before)
    if imported:
        if selection != Selection():
            raise UsageError("--imported removes whole memories: it goes with no other choice.")
        _clear_imported(settings, yes=yes, quiet=quiet)
    else:
        _clear_store(settings, selection, yes=yes, quiet=quiet)


def _clear_store(settings: Settings, selection: Selection, *, yes: bool, quiet: bool) -> None:
    from bayling_lite.errors import InputError
    from bayling_lite.translate.store import FILE_NAME, Selection, Store
    from bayling_lite.units import counted

    path = settings.data_dir / FILE_NAME
    try:
        if not path.exists():
            say("There is nothing to remove.")
            return
        with Store.open(path) as store:
            count = sum(found.segments for found in store.counts(selection))
            if not count:
                say("There is nothing to remove.")
                return
            _ask(f"Finished segments to remove: {count:,}. They would have to be translated again.", yes=yes)
            removed = store.remove(selection)
    except InputError as error:
        if selection != Selection():
            raise
        # What cannot be read can be thrown away, if that is what is wanted.
        say(str(error))
        _ask(f"The file {path} will be removed with all that is in it.", yes=yes)
        _remove_file(path)
        return
    if not quiet:
        say(f"Removed {counted(removed, 'segment')}.")


def _remove_file(path: Path) -> None:
    from bayling_lite.errors import OutputError

    for end in ("", "-wal", "-shm"):
        try:
            path.with_name(path.name + end).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path} cannot be removed: {error.strerror or error}.") from error


def _clear_imported(settings: Settings, *, yes: bool, quiet: bool) -> None:
    from bayling_lite.translate.memory.memory import forget, imported
    from bayling_lite.units import bytes_text

    folders = settings.data_dir / "memory", settings.cache_dir / "memory"
    found = imported(folders[0])
    if not found and not imported(folders[1]):
        say("There is nothing to remove.")
        return
    _ask(f"Imported memories to remove: {len(found)}, and what is kept of those named with --tm.", yes=yes)
    freed = sum(map(forget, folders))
    if not quiet:
        say(f"Removed {bytes_text(freed)}.")


def _ask(what: str, *, yes: bool) -> None:
    from bayling_lite.errors import UsageError

    if yes:
        return
    say(what)
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("Nothing was removed: there is no terminal to ask in. --yes says that it is meant.")
    click.confirm("Remove?", abort=True, err=True)


def _code(name: str | None) -> str | None:
    from bayling_lite.languages import find_language

    return None if name is None else find_language(name).code


for command in (list_memory, info, search, import_memory, export, clear):
    memory.add_command(command)
