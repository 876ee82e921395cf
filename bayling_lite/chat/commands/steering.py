"""Commands that say how all texts are to be translated from now on: formality, style, context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.arguments import OFF, path_of
from bayling_lite.chat.commands.command import Command, Desk, Reply, by_command
from bayling_lite.chat.session.turns import Plan
from bayling_lite.errors import InputError, UsageError
from bayling_lite.localization import _, noted
from bayling_lite.reasons import reason

if TYPE_CHECKING:
    from bayling_lite.translate.asking.steering import Formality

_FORMAL: dict[Formality, str] = {"formal": noted("Make it more formal."), "informal": noted("Make it less formal.")}
_FORMALITIES: dict[str, Formality] = {
    "formal": "formal",
    "正式": "formal",
    "informal": "informal",
    "不正式": "informal",
    "非正式": "informal",
    "随意": "informal",
    "口语": "informal",
}
_SHOWN: dict[Formality, str] = {"formal": noted("formal"), "informal": noted("informal")}
_LONGEST_CONTEXT = 20_000
_LONGEST_SHOWN = 200


def _formality(desk: Desk, argument: str) -> Reply:
    now = desk.session.preferences.formality
    if not argument:
        return Reply((_in_force(_("Formality"), _(_SHOWN[now]) if now is not None else ""),))
    if argument.casefold() in OFF:
        desk.session.prefer(formality=None)
        return Reply((_in_force(_("Formality"), ""),))
    formality = _FORMALITIES.get(argument.casefold())
    if formality is None:
        raise UsageError(_("The formality is formal, informal or off, not “{argument}”.", argument=argument))
    desk.session.prefer(formality=formality)
    plan = _steered(desk, _(_FORMAL[formality]), f"/formality {formality}")
    return Reply((_in_force(_("Formality"), _(_SHOWN[formality])),), _of_steering(desk), plan)


def _style(desk: Desk, argument: str) -> Reply:
    if not argument:
        return Reply((_in_force(_("Style"), _beginning(desk.session.preferences.style)),))
    style = "" if argument.casefold() in OFF else argument
    desk.session.prefer(style=style)
    if not style:
        return Reply((_in_force(_("Style"), ""),))
    plan = _steered(desk, _("Rewrite it in this style: {style}", style=style), f"/style {style}")
    return Reply((_in_force(_("Style"), _beginning(style)),), _of_steering(desk), plan)


def _context(desk: Desk, argument: str) -> Reply:
    if not argument:
        return Reply((_in_force(_("Context"), _beginning(desk.session.preferences.context)),))
    context = "" if argument.casefold() in OFF else _read(argument)
    desk.session.prefer(context=context)
    return Reply((_in_force(_("Context"), _beginning(context)),), _of_steering(desk) if context else "")


def _steered(desk: Desk, instruction: str, typed: str) -> Plan | None:
    """The refinement that brings what is in force into the draft. None for a model that it would only confuse."""
    draft = desk.session.draft
    if _of_steering(desk) or draft is None or draft.target != desk.session.preferences.target:
        return None
    return by_command(desk.session.plan_style(instruction), typed)


def _of_steering(desk: Desk) -> str:
    """What to say of a model that cannot be steered."""
    return remarks.unsteerable_text(desk.info) if desk.info is not None and desk.info.demonstrator else ""


def _in_force(what: str, value: str) -> str:
    return _("{what}: {value}", what=what, value=value or _("none"))


def _beginning(text: str) -> str:
    """A text, or as much of it as one can look at."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _read(argument: str) -> str:
    """The text itself, or with ``@`` before it what is in a file."""
    if not argument.startswith("@"):
        return argument
    if not argument[1:].strip():
        raise UsageError(_("/{name} needs something after it: {usage}", name="context", usage="/context @about.txt"))
    path = path_of(argument[1:])
    try:
        with path.open("rb") as file:
            data = file.read(4 * _LONGEST_CONTEXT + 1)
    except (OSError, ValueError) as error:
        raise InputError(_("{path} cannot be read: {reason}.", path=path, reason=reason(error))) from error
    from bayling_lite.translate.formats import Source
    from bayling_lite.translate.formats.decoding import decode

    text = decode(Source(str(path), data)).text.removeprefix("\ufeff").strip()
    if len(text) > _LONGEST_CONTEXT:
        raise InputError(_("{path} is too long to be told with every sentence.", path=path))
    return text


STEERING = (
    Command(
        "formality",
        noted("[HOW]"),
        noted("formal, informal, or off"),
        _formality,
        (("/formality formal", noted("this draft, and all that follows, is to be formal")),),
        completes="formality",
    ),
    Command(
        "style",
        noted("[TEXT]"),
        noted("say how texts are to sound; or off"),
        _style,
        (("/style plain, short sentences", noted("this draft, and all that follows, in this style")),),
    ),
    Command(
        "context",
        noted("[TEXT]"),
        noted("say what texts are about, here or as @FILE; or off"),
        _context,
        (
            ("/context subtitles of a film about bees", noted("known with every text from now on")),
            ("/context @about.txt", noted("the same, from a file")),
        ),
        completes="attached file",
    ),
)
