"""The table of ``/commands``: what a line does, what completion offers and what the documentation shows."""

from __future__ import annotations

from bayling_lite.chat.commands.command import Command, Desk, Reply
from bayling_lite.chat.commands.comparing import COMPARE
from bayling_lite.chat.commands.completing import Completion, Known, argument_completions
from bayling_lite.chat.commands.conversation import CONVERSATION
from bayling_lite.chat.commands.drafts import REFINE
from bayling_lite.chat.commands.files import KEEP
from bayling_lite.chat.commands.information import ABOUT
from bayling_lite.chat.commands.languages import TRANSLATE
from bayling_lite.chat.commands.terms import TERMS
from bayling_lite.errors import UsageError
from bayling_lite.localization import _, sentences

GROUPS = (TRANSLATE, REFINE, TERMS, COMPARE, CONVERSATION, KEEP, ABOUT)
COMMANDS: tuple[Command, ...] = tuple(command for group in GROUPS for command in group.commands)
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}


def is_command(line: str) -> bool:
    """Whether a line is a command: it begins with one slash. Two stand for one, literally.

    Several lines are one only under the name of a command, or pasting a text that begins with a path would fail.
    """
    named = line[1:].split(maxsplit=1)[:1]
    is_known = bool(named) and named[0].casefold() in _BY_NAME
    if line.startswith("／"):  # as Chinese input methods write it
        return is_known
    if not line.startswith("/") or line.startswith("//"):
        return False
    return "\n" not in line or is_known


def literal(line: str) -> str:
    """The text of a line that is no command: ``//`` at its beginning is one slash."""
    return line[1:] if line.startswith("//") else line


def execute(desk: Desk, line: str) -> Reply:
    """Do what a command line says.

    Raises:
        UsageError: no such command (the message names the nearest), a wrong argument, or nothing to act on.
        BaylingError: the model, where the command needs it, cannot be used.
    """
    name, argument = [*line[1:].split(maxsplit=1), "", ""][:2]
    command = find_command(name)
    if argument and not command.argument:
        raise UsageError(_("/{name} takes nothing after it.", name=command.name))
    if not argument and command.argument and not command.argument.startswith("["):
        raise UsageError(
            _("/{name} needs something after it: {usage}", name=command.name, usage=command.examples[0][0])
        )
    return command.run(desk, argument)


def find_command(name: str) -> Command:
    """The command of a name or an alias.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    command = _BY_NAME.get(name.casefold())
    if command is None:
        import difflib

        near = difflib.get_close_matches(name.casefold(), _BY_NAME, n=1, cutoff=0.5)
        raise UsageError(
            sentences(
                _("There is no command /{name}.", name=name),
                _("Did you mean /{name}?", name=near[0]) if near else "",
                _("/help lists them; // begins a line with a slash."),
            )
        )
    return command


def reference() -> str:
    """The commands as Markdown tables in English, for the documentation."""
    lines: list[str] = []
    for group in GROUPS:
        lines += ["", f"| {group.title} | |", "|---|---|"]
        lines += (f"| `{_cell(command.usage)}` | {_cell(command.help)} |" for command in group.commands)
    return "\n".join(lines[1:])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def completions(line: str, known: Known = Known()) -> list[Completion]:  # noqa: B008 - frozen
    """What can follow a command line as typed so far: (word, the part of it already typed, what it means)."""
    name, space, argument = line[1:].partition(" ")
    if not line.startswith("/") or line.startswith("//"):
        return []
    if not space:
        typed = name.casefold()
        return [(command.name, name, _(command.help)) for command in COMMANDS if command.name.startswith(typed)]
    command = _BY_NAME.get(name.casefold())
    return argument_completions(command, argument, known, COMMANDS) if command is not None else []
