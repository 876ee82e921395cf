"""The formats of exports: which a file's name means, and what each says of sessions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.chat.records.values import StoredSession
from bayling_lite.errors import OutputError, UsageError
from bayling_lite.localization import _, plural
from bayling_lite.reasons import reason


@dataclass(frozen=True, slots=True)
class Exported:
    """The text of a file. ``count`` is of what it holds, ``what`` names format and count for the user."""

    text: str
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format. The first of the ``suffixes`` is its own."""

    name: str
    suffixes: tuple[str, ...]
    export: Callable[[Sequence[StoredSession]], Exported]


def _markdown(sessions: Sequence[StoredSession]) -> Exported:
    from bayling_lite.chat.records.exports.markdown import markdown

    count = sum(turn.on_path for session in sessions for turn in session.turns)
    return Exported(markdown(sessions), count, plural("Markdown, {count} turn", "Markdown, {count} turns", count))


def _json(sessions: Sequence[StoredSession]) -> Exported:
    from bayling_lite.chat.records.exports.json_file import dump

    count = sum(len(session.turns) for session in sessions)
    return Exported(dump(sessions), count, plural("JSON, {count} turn", "JSON, {count} turns", count))


def _tmx(sessions: Sequence[StoredSession]) -> Exported:
    from bayling_lite.chat.records.exports.tmx import tmx, units

    count = len(units(sessions))
    return Exported(tmx(sessions), count, plural("TMX, {count} translation", "TMX, {count} translations", count))


def _dialogues(sessions: Sequence[StoredSession]) -> Exported:
    from bayling_lite.chat.records.exports.dialogues import dialogues, dump

    lines = dialogues(sessions)
    what = plural(
        "training dialogues, {count} dialogue; it holds your text, what you said about its translation, and the "
        "versions, as they are: read it before you share it",
        "training dialogues, {count} dialogues; they hold your texts, what you said about their translations, and the "
        "versions, as they are: read them before you share them",
        len(lines),
    )
    return Exported(dump(lines), len(lines), what)


FORMATS = (
    ExportFormat("md", (".md", ".markdown"), _markdown),
    ExportFormat("json", (".json",), _json),
    ExportFormat("tmx", (".tmx",), _tmx),
    ExportFormat("dialogues", (".jsonl",), _dialogues),
)
_SUFFIXES = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}
_NAMES = {format_.name: format_ for format_ in FORMATS}


def format_named(name: str) -> ExportFormat:
    """The format of a name: md, json, tmx or dialogues.

    Raises:
        UsageError: there is none of that name.
    """
    found = _NAMES.get(name.strip().casefold())
    if found is None:
        raise UsageError(_("There is no format {name!r}. There are: {known}.", name=name, known=", ".join(_NAMES)))
    return found


def format_of(path: Path) -> ExportFormat:
    """The format that a file's name means.

    Raises:
        UsageError: none.
    """
    found = _SUFFIXES.get(path.suffix.casefold())
    if found is None:
        raise UsageError(
            _(
                "What {path} is to be is not told by its name: it should end with .md (to read), .json (to go on "
                "with), .tmx (a translation memory) or .jsonl (dialogues to train on).",
                path=path,
            )
        )
    return found


def write(path: Path, exported: Exported, *, overwrite: bool = False) -> None:
    """Write a file, whole or not at all.

    Raises:
        OutputError: it exists and ``overwrite`` is false, is a folder, or cannot be written; then what was there still
            is.
    """
    from bayling_lite.whole_file import replace_whole

    try:
        if path.is_dir():
            raise OutputError(_("{path} is a folder. Name a file in it.", path=path))
        if path.is_file() and not overwrite:
            raise OutputError(_("{path} exists, and is as it was. Name another file.", path=path))
        data = exported.text.encode("utf-8", "replace")
        if path.exists() and not path.is_file():  # a device or a pipe, which is not replaced but written to
            path.write_bytes(data)
        else:
            # What a link leads to is replaced, not the link.
            replace_whole(Path(os.path.realpath(path)) if path.is_symlink() else path, data)
    except OSError as error:
        raise OutputError(_("{path} cannot be written: {reason}.", path=path, reason=reason(error))) from error
