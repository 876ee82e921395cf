"""Commands that keep a session, bring one back, and hand its translations on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.arguments import path_of
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.chat.keeping import Written
from bayling_lite.chat.screens.screen import Question
from bayling_lite.localization import _, noted

_MOST_SESSIONS = 20
_LONGEST_TITLE = 50


class _Write(Protocol):
    def __call__(self, path: Path, *, overwrite: bool = False) -> Written: ...


def _save(desk: Desk, argument: str) -> Reply:
    return _written(desk, path_of(argument), desk.keeping.save)


def _export(desk: Desk, argument: str) -> Reply:
    return _written(desk, path_of(argument), desk.keeping.export)


def _written(desk: Desk, path: Path, write: _Write) -> Reply:
    """Write a file; one that is there already only if the user says so. Where nobody can say so, writing fails."""
    there = _is_there(path)
    overwrite = there and desk.screen.ask(_overwriting(path)) == "o"
    if there and desk.screen.asks and not overwrite:
        return Reply((_("{path} is as it was.", path=path),), keeps_choice=True)
    written = write(path, overwrite=overwrite)
    return Reply((_("Written: {path} ({what})", path=written.path, what=written.what),), keeps_choice=True)


def _is_there(path: Path) -> bool:
    """Whether there is such a file. What no file can be named, writing will say."""
    try:
        return path.is_file()
    except OSError:
        return False


def _overwriting(path: Path) -> Question:
    return Question(_("{path} is there already.", path=path), (("n", _("leave it as it is")), ("o", _("overwrite it"))))


def _load(desk: Desk, argument: str) -> Reply:
    path = path_of(argument)
    kept, recorder = desk.keeping.load(str(path), desk.session.engine)
    desk.go_on(kept, recorder)
    return Reply(remarks.going_on(desk.session, desk.keeping.title or argument))


def _sessions(desk: Desk, _argument: str) -> Reply:
    entries = desk.keeping.sessions(_MOST_SESSIONS)
    if not entries:
        return Reply((_("No session is kept yet."),), keeps_choice=True)
    lines = tuple(
        f"{'*' if entry.id == desk.keeping.id else ' '} {entry.id}  {entry.changed.astimezone():%Y-%m-%d %H:%M}  "
        f"{entry.n_turns:>4}  {_shortened(entry.title)}"
        for entry in entries
    )
    return Reply(
        (*lines, _("/load ID goes on with one; `bayling sessions` lists, searches and removes.")), keeps_choice=True
    )


def _shortened(title: str) -> str:
    line = " ".join(title.split())
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"


def _title(desk: Desk, argument: str) -> Reply:
    if argument:
        desk.keeping.rename(" ".join(argument.split()))
    title = desk.keeping.title
    return Reply((_("Title: {title}", title=title or _("none yet")),), keeps_choice=True)


KEEP = Group(
    noted("Keep and export"),
    (
        Command(
            "save",
            noted("FILE"),
            noted("write this session to a file, to go on with it anywhere"),
            _save,
            (("/save bees.json", noted("everything, undone versions included")),),
            completes="file",
        ),
        Command(
            "load",
            noted("FILE|ID"),
            noted("go on with a saved file, or a session of /sessions"),
            _load,
            (
                ("/load bees.json", noted("where it was when it was saved")),
                ("/load 3f2a91c0", noted("the kept session of this id")),
            ),
            completes="saved",
        ),
        Command(
            "export",
            noted("FILE"),
            noted("write translations: .md, .tmx, .json, .jsonl to train on"),
            _export,
            (
                ("/export bees.md", noted("texts, drafts and what was said, to read")),
                ("/export bees.tmx", noted("each text with its last draft, for a translation memory")),
                ("/export bees.jsonl", noted("dialogues with your corrections, for bayling finetune")),
            ),
            completes="file",
        ),
        Command("sessions", "", noted("list the kept sessions"), _sessions),
        Command(
            "title",
            noted("[TEXT]"),
            noted("name this session, or show its name"),
            _title,
            (("/title The bee film", noted("its name in /sessions")),),
        ),
    ),
)
