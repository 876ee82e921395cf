"""What can follow a command line as it is typed: commands, languages, files, sessions, terms, models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.chat.commands.command import Command, Completes
from bayling_lite.chat.keeping import SessionEntry
from bayling_lite.languages import LANGUAGES
from bayling_lite.localization import _, listed

if TYPE_CHECKING:
    from bayling_lite.translate.glossary import Term


Completion = tuple[str, str, str]
"""A word, the part of it that is typed already, and what it means."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to complete besides commands; ``sessions`` and ``models`` are only asked where one is wanted."""

    terms: tuple[Term, ...] = ()
    sessions: Callable[[], Iterable[SessionEntry]] = tuple
    models: Callable[[], Iterable[tuple[str, str]]] = tuple


def argument_completions(
    command: Command, argument: str, known: Known, commands: Iterable[Command]
) -> list[Completion]:
    """What the argument of a command can go on with."""
    choices = _CHOICES.get(command.completes)
    if choices is not None:
        return choices(argument)
    if command.completes == "command":
        typed = argument.removeprefix("/").casefold()
        return [(each.name, argument, _(each.help)) for each in commands if each.name.startswith(typed)]
    if command.completes == "saved":
        return [*_sessions(argument, known), *_files(argument)]
    if command.completes == "model":
        return [*_models(argument, known), *_files(argument, ending=".gguf")]
    if command.completes == "term":
        return _terms(command, argument, known)
    return []


def _languages(argument: str) -> list[Completion]:
    typed = argument.casefold()
    return [
        (language.code, argument, listed(dict.fromkeys((language.localized, language.own))))
        for language in LANGUAGES
        if any(
            name.casefold().startswith(typed)
            for name in (language.code, language.english, language.chinese, language.own)
        )
    ]


def _sources(argument: str) -> list[Completion]:
    return [*_fixed(argument, ("auto", _("detect it from each text"))), *_languages(argument)]


def _formalities(argument: str) -> list[Completion]:
    return _fixed(
        argument, ("formal", _("as to a stranger")), ("informal", _("as to a friend")), ("off", _("as the model likes"))
    )


def _fixed(argument: str, *choices: tuple[str, str]) -> list[Completion]:
    return [(word, argument, meaning) for word, meaning in choices if word.startswith(argument.casefold())]


def _attached(argument: str) -> list[Completion]:
    return list(_files(argument[1:])) if argument.startswith("@") else []


def _terms(command: Command, argument: str, known: Known) -> list[Completion]:
    """The terms that can be ended, or changed."""
    typed = argument.casefold()
    if command.name == "unuse":
        every = _fixed(argument, ("all", _("every term")))
        return [
            *((source, argument, wanted) for source, wanted in known.terms if source.casefold().startswith(typed)),
            *(every if known.terms else ()),
        ]
    return [
        (f"{wanted}={source}", argument, "") for source, wanted in known.terms if wanted.casefold().startswith(typed)
    ]


def _sessions(argument: str, known: Known) -> Iterator[Completion]:
    for entry in known.sessions():
        if entry.id.startswith(argument.casefold()):
            yield entry.id, argument, entry.title


def _models(argument: str, known: Known) -> Iterator[Completion]:
    for name, meaning in known.models():
        if name.casefold().startswith(argument.casefold()):
            yield name, argument, meaning


def _files(argument: str, *, ending: str = "") -> Iterator[Completion]:
    """Files of this ending, and folders, that a path can go on with; hidden ones where their dot is typed."""
    folder, slash, begun = argument.rpartition("/")
    if os.sep != "/" and os.sep in argument:
        folder, slash, begun = argument.replace(os.sep, "/").rpartition("/")
    try:
        place = Path(f"{folder}/" if folder or slash else ".").expanduser()
        with os.scandir(place) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(begun))
    except (OSError, ValueError, RuntimeError):  # nothing there, nothing that may be looked at, nobody's home
        return
    for name, is_folder in found:
        if (begun.startswith(".") or not name.startswith(".")) and (is_folder or name.casefold().endswith(ending)):
            yield (name + "/" if is_folder else name), begun, _("folder") if is_folder else ""


_CHOICES: dict[Completes, Callable[[str], list[Completion]]] = {
    "language": _languages,
    "source": _sources,
    "formality": _formalities,
    "file": lambda argument: list(_files(argument)),
    "attached file": _attached,
}
