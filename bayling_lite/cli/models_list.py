"""``bayling models list`` and ``bayling models show``: what is here, and what can be had."""

from __future__ import annotations

import dataclasses
import json
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.catalogue import CatalogueEntry
    from bayling_lite.inventory import InterruptedPull, ModelDescription

_LISTED_LANGUAGES = 8


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each model.")
def list_models(as_json: bool) -> None:
    """List the models that are here, and those that can be pulled."""
    from bayling_lite.inventory import ambiguous, fetchable, interrupted, local_models
    from bayling_lite.settings import Settings
    from bayling_lite.units import bytes_text

    settings = Settings.load()
    here, halves, there = list(local_models(settings)), interrupted(settings), fetchable(settings)
    if as_json:
        # In ASCII: file names, and what files say, may hold what no encoding takes, or what steers a terminal.
        for said in (*map(local_json, here), *map(half_json, halves), *map(entry_json, there)):
            click.echo(json.dumps(said))
        return
    _echo_table(("NAME", "TYPE", "SIZE", "LANGUAGES", "FROM"), [_local_row(model) for model in here])
    for bare, meant in ambiguous(settings):
        _echo_line(f"{bare} alone means {meant}.")
    if halves:
        click.echo()
        _echo_line("Not finished (bayling models rm --partial NAME drops it):")
        rows: list[tuple[str, ...]] = [
            (f"{half.name}:{half.type}", bytes_text(half.size), shlex.join(half.command)) for half in halves
        ]
        _echo_table(("NAME", "ON THE DISK", "GOES ON WITH"), rows)
    if there:
        click.echo()
        _echo_line("To be had with bayling models pull NAME, or OWNER/NAME of any repository:")
        _echo_table(("NAME", "DOWNLOAD", "AS Q4_K_M", "LANGUAGES", ""), [_entry_row(entry) for entry in there])


@click.command("show", short_help="Show all that is known of a model.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(name: str, as_json: bool) -> None:
    """Show all that is known of the model NAME, here or in the catalogue."""
    from bayling_lite.catalogue import find_entry, how_to_get
    from bayling_lite.errors import ModelNotFound
    from bayling_lite.inventory import find_model, interrupted
    from bayling_lite.quantizations import split_type
    from bayling_lite.settings import Settings

    settings = Settings.load()
    try:
        model = find_model(name, settings)
    except ModelNotFound:
        bare, wanted = split_type(name.removeprefix("hf://"))
        entry = find_entry(bare)
        if entry is None or entry.hub is None:
            raise
        if as_json:
            click.echo(json.dumps(entry_json(entry)))
        else:
            halves = [half for half in interrupted(settings) if half.name == entry.name]
            _echo_pairs([*_entry_pairs(entry), *map(_half_pair, halves)])
            click.echo()
            _echo_line(how_to_get(entry, settings, wanted))
        return
    halves = [half for half in interrupted(settings) if half.name == split_type(model.name)[0]]
    if as_json:
        said = local_json(model) | {"template_text": model.chat_template}
        click.echo(json.dumps(said))
        return
    _echo_pairs([*_local_pairs(model), *map(_half_pair, halves)])
    if model.chat_template:
        click.echo("chat template")
        click.echo("".join(f"    {line}\n" for line in printable(model.chat_template).splitlines()), nl=False)


def local_json(model: ModelDescription) -> dict[str, Any]:
    """What scripts are told of a model that is here."""
    said = dataclasses.asdict(model) | {"here": True, "path": str(model.path.absolute())}
    del said["chat_template"]
    return said


def half_json(half: InterruptedPull) -> dict[str, Any]:
    """What scripts are told of a pull that is not finished."""
    return dataclasses.asdict(half) | {"here": False, "interrupted": True}


def entry_json(entry: CatalogueEntry) -> dict[str, Any]:
    """What scripts are told of a model that can be pulled."""
    return dataclasses.asdict(entry) | {"here": False}


def _echo_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from bayling_lite.cli.tables import output_width, table

    lines = table(header, rows, output_width())
    has_header = len(lines) > 0 and lines[0].startswith(header[0])
    for number, line in enumerate(lines):
        click.echo(line if number or not has_header else _bold(line))


def _echo_line(text: str) -> None:
    from bayling_lite.cli.tables import output_width
    from bayling_lite.wrapping import wrapped

    text, width = printable(text, keep=""), output_width()
    click.echo(text if width is None else wrapped(text, width))


def _bold(text: str) -> str:
    import os

    # click takes styles out where standard output is no terminal.
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=True)


def _local_row(model: ModelDescription) -> tuple[str, ...]:
    from bayling_lite.units import bytes_text

    where = {"embedded": "ships with bayling-lite", "own": "your own file"}.get(model.origin)
    if model.record is not None:
        where = model.record.source
    elif model.origin == "pulled":
        where = "RECORD DAMAGED: bayling models verify"
    if model.kind == "adapter":
        where = "a LoRA adapter, for bayling convert"
    elif model.problem and model.architecture is None:
        where = "CANNOT BE USED: bayling models verify"
    size = bytes_text(model.size) if model.size else "missing"
    return model.name, model.type or "?", size, _some(model.languages), where or ""


def _some(languages: tuple[str, ...]) -> str:
    """So many that the table stays a table; ``show`` has them all."""
    more = len(languages) - _LISTED_LANGUAGES
    return " ".join((*languages[:_LISTED_LANGUAGES], *([f"+{more}"] if more > 0 else [])))


def _entry_row(entry: CatalogueEntry) -> tuple[str, ...]:
    from bayling_lite.quantizations import DEFAULT_TYPE, about_bytes
    from bayling_lite.units import bytes_text

    download = bytes_text(entry.download) if entry.download else "?"
    here = about_bytes(entry.parameters or 0, DEFAULT_TYPE)
    needs = f"needs {entry.base}: --base" if entry.kind == "delta" else ""
    return entry.name, f"~{download}", f"~{bytes_text(here)}" if here else "?", " ".join(entry.languages), needs


def _local_pairs(model: ModelDescription) -> list[tuple[str, str | None]]:
    from bayling_lite.units import bytes_text, count_text

    record = model.record
    exact = f" ({model.size:,} bytes)" if model.size >= 1000 else ""
    own_template = "the file's own chat template" if model.chat_template else None
    pairs: list[tuple[str, str | None]] = [
        ("name", model.name),
        ("kind", None if model.kind == "model" else "a LoRA adapter" if model.kind == "adapter" else model.kind),
        ("problem", model.problem),
        ("file", str(model.path.absolute())),
        ("size", f"{bytes_text(model.size)}{exact}"),
        ("type", model.type),
        ("parameters", f"about {count_text(model.parameters)}" if model.parameters else None),
        ("architecture", model.architecture),
        ("context", f"{model.context} tokens" if model.context else None),
        ("languages", " ".join(model.languages)),
        ("template", model.template or own_template),
        ("fine-tuned from", model.base),
        ("licence", model.licence),
    ]
    if record is not None:
        pairs += [
            ("source", record.source),
            ("revision", record.revision),
            ("source file", record.file or "a checkpoint, converted here"),
            ("base", record.base),
            ("SHA-256", record.sha256),
            ("pulled", f"{_minute(record.pulled)} by bayling-lite {record.bayling}"),
        ]
    return pairs


def _minute(time: str) -> str:
    """``2026-01-31 09:12 UTC``; what is no time stays as it is, for a record may come from anybody."""
    try:
        return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return time


def _half_pair(half: InterruptedPull) -> tuple[str, str]:
    from bayling_lite.units import bytes_text

    return "not finished", f"{half.type}, {bytes_text(half.size)} on the disk; goes on with: {shlex.join(half.command)}"


def _entry_pairs(entry: CatalogueEntry) -> list[tuple[str, str | None]]:
    from bayling_lite.units import bytes_text, count_text

    return [
        ("name", entry.name),
        ("also called", " ".join(entry.aliases)),
        ("source", f"hf://{entry.hub}"),
        ("kind", "a difference to its base" if entry.kind == "delta" else entry.kind),
        ("fine-tuned from", entry.base),
        ("parameters", f"about {count_text(entry.parameters)}" if entry.parameters else None),
        ("download", f"about {bytes_text(entry.download)}" if entry.download else None),
        ("languages", " ".join(entry.languages)),
        ("template", entry.template),
        ("licence", entry.licence),
    ]


def _echo_pairs(pairs: list[tuple[str, str | None]]) -> None:
    said = [(key, value) for key, value in pairs if value]
    width = max(len(key) for key, _ in said)
    for key, value in said:
        click.echo(f"{key:<{width}}  {printable(value, keep='')}")
