"""The table of ``/commands``: what ``/help`` prints, what completion offers and what the documentation shows."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Plan
from bayling_lite.errors import UsageError
from bayling_lite.languages import LANGUAGES, Language, find_language


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command comes to: lines to show, a turn to run, or leaving."""

    lines: tuple[str, ...] = ()
    plan: Plan | None = None
    leave: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``argument`` is empty for none and in brackets for one that may be left out."""

    name: str
    argument: str
    help: str
    run: Callable[[Session, str], Reply]
    aliases: tuple[str, ...] = ()
    completes: Literal["", "language", "source"] = ""

    @property
    def usage(self) -> str:
        """``/name ARGUMENT``."""
        return f"/{self.name} {self.argument}".rstrip()


def is_command(line: str) -> bool:
    """Whether a line is a command: it begins with one slash. Two stand for one, literally.

    Several lines are one only under the name of a command, or pasting a text that begins with a path would fail.
    """
    if not line.startswith("/") or line.startswith("//"):
        return False
    return "\n" not in line or line[1:].split(maxsplit=1)[0].casefold() in _BY_NAME


def literal(line: str) -> str:
    """The text of a line that is no command: ``//`` at its beginning is one slash."""
    return line[1:] if line.startswith("//") else line


def execute(session: Session, line: str) -> Reply:
    """Do what a command line says.

    Raises:
        UsageError: no such command (the message names the nearest), a wrong argument, or nothing to act on.
        BaylingError: the model, where the command needs it, cannot be used.
    """
    name, argument = [*line[1:].split(maxsplit=1), "", ""][:2]
    command = find_command(name)
    if argument and not command.argument:
        raise UsageError(f"/{command.name} takes nothing after it.")
    if not argument and command.argument and not command.argument.startswith("["):
        raise UsageError(f"/{command.name} needs something after it: {command.usage}")
    return command.run(session, argument)


def find_command(name: str) -> Command:
    """The command of a name or an alias.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    command = _BY_NAME.get(name.casefold())
    if command is None:
        near = difflib.get_close_matches(name.casefold(), _BY_NAME, n=1, cutoff=0.5)
        hint = f" Did you mean /{near[0]}?" if near else ""
        raise UsageError(f"There is no command /{name}.{hint} /help lists them; // begins a line with a slash.")
    return command


def reference() -> str:
    """The commands as a Markdown table, for the documentation."""
    rows = (f"| `{command.usage}` | {command.help} |" for command in COMMANDS)
    return "\n".join(("| command | what it does |", "|---|---|", *rows))


def language_label(language: Language) -> str:
    """``Chinese (zh)``."""
    return f"{language.english} ({language.code})"


# In the order of the table below.


def _to(session: Session, argument: str) -> Reply:
    session.target = find_language(argument)
    origin = language_label(session.source) if session.source else "any language"
    return Reply((f"Lines are translated from {origin} into {language_label(session.target)}. /chat ends that.",))


def _from(session: Session, argument: str) -> Reply:
    session.source = None if argument.casefold() == "auto" else find_language(argument)
    if session.source is None:
        return Reply(("The source language is detected from each text.",))
    return Reply((f"Texts are taken to be {language_label(session.source)}.",))


def _chat(session: Session, _: str) -> Reply:
    session.target = None
    return Reply(("Lines are answered. /to LANG translates again.",))


def _refine(session: Session, argument: str) -> Reply:
    return Reply(plan=session.plan_refinement(argument))


def _new(session: Session, argument: str) -> Reply:
    return Reply(plan=session.plan_new(argument))


def _undo(session: Session, _: str) -> Reply:
    turn = session.undo()
    if turn is None:
        raise UsageError("There is no turn to drop.")
    draft = session.draft
    back = (f"The draft is again: {draft.text}",) if turn.draft is not None and draft is not None else ()
    return Reply((f"Dropped: {turn.plan.typed}", *back))


def _again(session: Session, _: str) -> Reply:
    return Reply(plan=session.plan_again())


def _clear(session: Session, _: str) -> Reply:
    session.clear()
    return Reply(("The conversation is empty.",))


def _system(session: Session, argument: str) -> Reply:
    if argument:
        session.system = None if argument.casefold() == "default" else argument
    shown = session.system if session.system is not None else "the model's own"
    return Reply((f"System prompt of the chat: {shown}",))


def _stats(session: Session, _: str) -> Reply:
    used, n_ctx = session.context_tokens(), session.engine.info.n_ctx
    lines = [f"Turns: {len(session.turns)}. Context of the next: {used} of {n_ctx} tokens ({used / n_ctx:.0%})."]
    if session.turns:
        last = session.turns[-1]
        lines.append(
            f"Last answer: {last.n_tokens} tokens in {last.seconds:.2f} s, "
            f"the first after {last.seconds_to_first:.2f} s; {last.tokens_per_second:.1f} tokens/s."
        )
    return Reply(tuple(lines))


def _model(session: Session, _: str) -> Reply:
    info = session.engine.info
    languages = ", ".join(map(language_label, info.languages)) or "the file does not say"
    return Reply(
        (
            f"Model: {info.name}",
            f"Prompt template: {info.template}. Context: {info.n_ctx} tokens.",
            *((f"Runs on: {info.device}",) if info.device else ()),
            f"Languages: {languages}",
        )
    )


def _help(_: Session, argument: str) -> Reply:
    if argument:
        command = find_command(argument.removeprefix("/"))
        also = f" Also: {', '.join('/' + alias for alias in command.aliases)}." if command.aliases else ""
        return Reply((f"{command.usage}: {command.help}{also}",))
    return Reply(help_lines())


def _bye(_: Session, __: str) -> Reply:
    return Reply(leave=True)


def help_lines() -> tuple[str, ...]:
    """What ``/help`` shows."""
    width = max(len(command.usage) for command in COMMANDS)
    rows = (f"{command.usage:<{width}}  {command.help}" for command in COMMANDS)
    return (*rows, "", *_KEYS)


_KEYS = (
    "After /to LANG a line is translated; one that reads like feedback on the last draft refines it:",
    '  use "X"   A should be B   replace A with B   more formal   shorter   把A改成B   更正式一点',
    '""" begins a text of several lines, """ ends it. // sends a line that begins with a slash.',
    "Ctrl-C stops an answer and keeps what there is of it. Ctrl-R searches the history. Ctrl-D leaves.",
)

COMMANDS: tuple[Command, ...] = (
    Command("to", "LANG", "translate lines into this language (zh, de, French, 中文, ...)", _to, (), "language"),
    Command("from", "LANG", "take texts to be in this language; auto detects it", _from, (), "source"),
    Command("chat", "", "leave translation mode: lines are answered", _chat),
    Command("refine", "[TEXT]", "take a line for feedback; alone: the last line was feedback, not a text", _refine),
    Command("new", "[TEXT]", "take a line for a new text; alone: the last line was a text, not feedback", _new),
    Command("undo", "", "drop the last turn", _undo),
    Command("regen", "", "answer the last turn again, differently", _again),
    Command("clear", "", "forget the conversation", _clear),
    Command("system", "[TEXT]", "set the chat's system prompt, or show it; default: the model's own", _system),
    Command("stats", "", "tokens in the context, time and speed of the last answer", _stats),
    Command("model", "", "show the model, its context, what it runs on and its languages", _model),
    Command("help", "[COMMAND]", "show this", _help, ("?",)),
    Command("bye", "", "leave", _bye, ("quit", "exit")),
)
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}


def completions(line: str) -> list[tuple[str, str, str]]:
    """What can follow a command line as typed so far: (word, the part of it already typed, what it means)."""
    name, space, argument = line[1:].partition(" ")
    if not line.startswith("/") or line.startswith("//"):
        return []
    if not space:
        return [(command.name, name, command.help) for command in COMMANDS if command.name.startswith(name.casefold())]
    command = _BY_NAME.get(name.casefold())
    if command is None or not command.completes:
        return []
    choices = [(language.code, f"{language.english}, {language.own}") for language in LANGUAGES]
    if command.completes == "source":
        choices.insert(0, ("auto", "detect it from each text"))
    typed = argument.casefold()
    return [
        (code, argument, meaning)
        for code, meaning in choices
        if code.startswith(typed) or any(name.startswith(typed) for name in meaning.casefold().split(", "))
    ]
