"""Commands that tell something, and the one that leaves."""

from __future__ import annotations

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.arguments import unquoted
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.chat.commands.helping import command_help, help_lines
from bayling_lite.localization import _, listed, noted, plural


def _stats(desk: Desk, _argument: str) -> Reply:
    session = desk.session
    used, n_ctx = session.context_tokens(), session.engine.info.n_ctx
    lines = [
        _(
            "Turns: {count}. Context of the next: {used} of {n_ctx} tokens ({share}).",
            count=len(session.turns),
            used=used,
            n_ctx=n_ctx,
            share=f"{used / n_ctx:.0%}",
        )
    ]
    # A turn that no model made (an edited draft, a chosen version) took no time.
    last = next((turn for turn in reversed(session.turns) if turn.seconds and turn.n_tokens), None)
    if last is not None:
        lines.append(
            plural(
                "Last answer: {count} token in {seconds} s, the first after {first} s; {speed} tokens/s.",
                "Last answer: {count} tokens in {seconds} s, the first after {first} s; {speed} tokens/s.",
                last.n_tokens,
                seconds=f"{last.seconds:.2f}",
                first=f"{last.seconds_to_first:.2f}",
                speed=f"{last.tokens_per_second:.1f}",
            )
        )
    return Reply(tuple(lines), keeps_choice=True)


def _model(desk: Desk, argument: str) -> Reply:
    if argument:
        desk.model_change.begin(unquoted(argument))
        return Reply(keeps_choice=True)
    info = desk.session.engine.info
    languages = listed(map(remarks.language_label, info.languages)) or _("the file does not say")
    lines = [
        _("Model: {model}", model=info.name),
        _("Prompt template: {template}. Context: {n_ctx} tokens.", template=info.template, n_ctx=info.n_ctx),
    ]
    if info.device:
        lines.append(_("Runs on: {device}", device=info.device))
    lines.append(_("Languages: {languages}", languages=languages))
    return Reply(tuple(lines), keeps_choice=True)


def _help(desk: Desk, argument: str) -> Reply:
    from bayling_lite.chat.commands.table import GROUPS, find_command

    if argument:
        return Reply(command_help(find_command(argument.removeprefix("/"))), keeps_choice=True)
    return Reply(help_lines(GROUPS, keys=desk.screen.has_keys), keeps_choice=True)


def _bye(_desk: Desk, _argument: str) -> Reply:
    return Reply(leave=True)


ABOUT = Group(
    noted("About"),
    (
        Command("stats", "", noted("tokens in the context, speed of the last answer"), _stats),
        Command(
            "model",
            noted("[MODEL]"),
            noted("show the model, or go on with another: a name or a file"),
            _model,
            (
                ("/model", noted("its name, its languages and what it runs on")),
                ("/model bayling-2-7b", noted("one that `bayling models list` shows; the session goes on")),
                ("/model ~/models/mine.gguf", noted("a GGUF file")),
            ),
            completes="model",
        ),
        Command(
            "help",
            noted("[COMMAND]"),
            noted("show this, or more about one command"),
            _help,
            (("/help use", noted("what /use does, with examples")),),
            aliases=("?",),
            completes="command",
        ),
        Command("bye", "", noted("leave"), _bye, aliases=("quit", "exit")),
    ),
)
