"""``bayling memory list``, ``info`` and ``search``: what is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.saying import say
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.settings import Settings
    from bayling_lite.translate.memory.index import About
    from bayling_lite.translate.store import Store, StoreCount


@click.command("list", short_help="List what is kept, by direction and model.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each direction and model, and each memory.")
def list_memory(as_json: bool) -> None:
    """List how many segments are kept, by direction and model, and the memories that were imported.

    \b
    Example:
      bayling memory list
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.settings import Settings

    settings = Settings.load()
    counts, memories = _counts(settings), _memories(settings)
    if as_json:
        for count in counts:
            click.echo(json.dumps(_count_json(count)))
        for about in memories:
            click.echo(json.dumps(_about_json(about)))
        return
    if not counts and not memories:
        say("Nothing is kept yet: `bayling translate` keeps what it finishes, `bayling memory import` takes TMX files.")
        return
    if counts:
        rows = [
            (
                count.source_language or "?",
                count.target_language,
                count.model,
                f"{count.segments:,}",
                _day(count.newest),
            )
            for count in counts
        ]
        _echo_table(("FROM", "TO", "MODEL", "SEGMENTS", "NEWEST"), rows)
    if counts and memories:
        click.echo()
    if memories:
        lines = [(about.name, " ".join(about.languages), f"{about.units:,}", about.created[:10]) for about in memories]
        _echo_table(("MEMORY", "LANGUAGES", "UNITS", "IMPORTED"), lines)


@click.command("info", short_help="Say where it is kept, and how much room it takes.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def info(as_json: bool) -> None:
    """Say where the store and the imported memories are, what they hold and how much room they take.

    \b
    Example:
      bayling memory info
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.settings import Settings
    from bayling_lite.translate.memory.memory import imported
    from bayling_lite.translate.store import FILE_NAME
    from bayling_lite.units import bytes_text, counted

    settings = Settings.load()
    path, own, cache = settings.data_dir / FILE_NAME, settings.data_dir / "memory", settings.cache_dir / "memory"
    size = segments = 0
    store = open_store(settings)
    if store is not None:
        with store:
            size, segments = store.size, sum(count.segments for count in store.counts())
    memories = _memories(settings)
    units, bytes_own = sum(about.units for about in memories), sum(about.size for about in memories)
    bytes_cached = sum(index.stat().st_size for index in imported(cache))
    if as_json:
        said = {
            "store": {"path": str(path), "segments": segments, "bytes": size},
            "imported": {"path": str(own), "memories": len(memories), "units": units, "bytes": bytes_own},
            "cache": {"path": str(cache), "bytes": bytes_cached},
        }
        click.echo(json.dumps(said))
        return
    for name, where, what in (
        ("store", path, f"{counted(segments, 'segment')}, {bytes_text(size)}"),
        (
            "imported",
            own,
            f"{counted(len(memories), 'memory', 'memories')} with {counted(units, 'unit')}, {bytes_text(bytes_own)}",
        ),
        ("cache", cache, f"{bytes_text(bytes_cached)}, of memories named with --tm"),
    ):
        click.echo(printable(f"{name:<9} {where} ({what})", keep=""))


@click.command("search", short_help="Find kept translations that hold a text.")
@click.argument("text")
@click.option("-n", "--most", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
def search(text: str, most: int, as_json: bool) -> None:
    """Find kept translations that hold TEXT, on either side: first of the store, then of imported memories.

    \b
    Example:
      bayling memory search "annual report"
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.settings import Settings

    count = 0
    for where, texts in _found(Settings.load(), text, most):
        count += 1
        if as_json:
            click.echo(json.dumps({"in": where, "texts": [{"language": name, "text": said} for name, said in texts]}))
            continue
        for name, said in texts:
            click.echo(printable(f"{name or '?':<3} {' '.join(said.split())}", keep=""))
        click.echo(printable(f"    {where}\n", keep="\n"))
    if not count:
        say("Nothing is kept that holds this.")


def _found(settings: Settings, text: str, most: int) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Where each was found, and its texts with their languages."""
    import itertools

    from bayling_lite.errors import UsageError
    from bayling_lite.translate.memory import TranslationMemory
    from bayling_lite.translate.store import Selection

    if not text.strip():
        raise UsageError("A text to look for cannot be empty.")
    found: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    store = open_store(settings)
    if store is not None:
        with store:
            for segment in itertools.islice(store.segments(Selection(text=text)), most):
                texts = (segment.source_language, segment.source), (segment.target_language, segment.target)
                found.append((f"{segment.model}, {_day(segment.created)}", texts))
    if len(found) < most:
        with TranslationMemory.open(settings) as memory:
            found += [("imported", unit) for unit in memory.search(text, most - len(found))]
    return found


def open_store(settings: Settings) -> Store | None:
    """The user's store, if there is one. To look at it, a file that cannot be written does."""
    from bayling_lite.errors import OutputError
    from bayling_lite.translate.store import FILE_NAME, Store

    path = settings.data_dir / FILE_NAME
    if not path.exists():
        return None
    try:
        return Store.open(path)
    except OutputError:
        return Store.open(path, readonly=True)


def _counts(settings: Settings) -> tuple[StoreCount, ...]:
    store = open_store(settings)
    if store is None:
        return ()
    with store:
        return store.counts()


def _memories(settings: Settings) -> tuple[About, ...]:
    from bayling_lite.translate.memory import TranslationMemory

    with TranslationMemory.open(settings) as memory:
        return memory.memories


def _count_json(count: StoreCount) -> dict[str, object]:
    return {
        "kind": "segments",
        "from": count.source_language or None,
        "to": count.target_language,
        "model": count.model,
        "segments": count.segments,
        "newest": datetime.fromtimestamp(count.newest, UTC).isoformat(timespec="seconds"),
    }


def _about_json(about: About) -> dict[str, object]:
    return {
        "kind": "memory",
        "name": about.name,
        "languages": list(about.languages),
        "units": about.units,
        "imported": about.created,
        "bytes": about.size,
        "path": str(about.path),
    }


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d}"


def _echo_table(header: tuple[str, ...], rows: Sequence[Sequence[str]]) -> None:
    from bayling_lite.cli.tables import output_width, table

    for line in table(header, rows, output_width()):
        click.echo(line)
