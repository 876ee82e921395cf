"""``bayling models list`` and ``bayling models show``: what is here, and what can be had."""

from __future__ import annotations

import dataclasses
import json
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
    from bayling_lite.inventory import fetchable, interrupted, local_models
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
    if halves:
        click.echo()
        click.echo("Not finished; bayling models pull NAME goes on, bayling models rm NAME drops it:")
        _echo_table(("NAME", "ON THE DISK"), [(f"{half.name}:{half.type}", bytes_text(half.size)) for half in halves])
    if there:
        click.echo()
        click.echo("To be had with bayling models pull NAME, or OWNER/NAME of any repository:")
        _echo_table(("NAME", "DOWNLOAD", "AS Q4_K_M", "LANGUAGES", ""), [_entry_row(entry) for entry in there])


@click.command("show", short_help="Show all that is known of a model.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(name: str, as_json: bool) -> None:
    """Show all that is known of the model NAME, here or in the catalogue."""
    from bayling_lite.catalogue import find_entry, how_to_get
    from bayling_lite.errors import ModelNotFound
    from bayling_lite.inventory import find_model
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
            _echo_pairs(_entry_pairs(entry))
            click.echo()
            click.echo(how_to_get(entry, settings, wanted))
        return
    if as_json:
        said = local_json(model) | {"template_text": model.chat_template}
        click.echo(json.dumps(said))
        return
    _echo_pairs(_local_pairs(model))
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


def _bold(text: str) -> str:
    import os

    # click takes styles out where standard output is no terminal.
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=True)


def _local_row(model: ModelDescription) -> tuple[str, ...]:
    from bayling_lite.units import bytes_text

    where = {"embedded": "ships with bayling-lite", "own": "your own file"}.get(model.origin)
    if model.record is not None:
        where = model.record.source
    if model.problem:
        where = "CANNOT BE USED: bayling models verify"
    return model.name, model.type or "?", bytes_text(model.size), _some(model.languages), where or ""


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
    from bayling_lite.units import bytes_text

    record = model.record
    own_template = "the file's own chat template" if model.chat_template else None
    pairs: list[tuple[str, str | None]] = [
        ("name", model.name),
        ("problem", model.problem),
        ("file", str(model.path.absolute())),
        ("size", f"{bytes_text(model.size)} ({model.size:,} bytes)"),
        ("type", model.type),
        ("parameters", model.parameters),
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
            ("pulled", f"{record.pulled} by bayling-lite {record.bayling}"),
        ]
    return pairs


def _entry_pairs(entry: CatalogueEntry) -> list[tuple[str, str | None]]:
    from bayling_lite.units import bytes_text

    return [
        ("name", entry.name),
        ("also called", " ".join(entry.aliases)),
        ("source", f"hf://{entry.hub}"),
        ("kind", "a difference to its base" if entry.kind == "delta" else entry.kind),
        ("fine-tuned from", entry.base),
        ("parameters", f"about {entry.parameters / 1e9:.2f} B" if entry.parameters else None),
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
