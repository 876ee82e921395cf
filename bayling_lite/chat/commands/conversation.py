"""Commands for the conversation: what the model is told, and what of it the model still sees."""

from __future__ import annotations

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.arguments import count_of
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.errors import UsageError
from bayling_lite.localization import _, noted


def _system(desk: Desk, argument: str) -> Reply:
    if argument:
        desk.session.prefer(system=None if argument.casefold() in ("default", "默认") else argument)
    system = desk.session.preferences.system
    shown = system if system is not None else _("the model's own")
    return Reply((_("System prompt of the chat: {system}", system=shown),))


def _clear(desk: Desk, _argument: str) -> Reply:
    desk.session.clear()
    return Reply((_("The conversation is empty."),))


def _drop(desk: Desk, argument: str) -> Reply:
    if desk.session.preferences.target is not None:
        if argument:
            raise UsageError(_("A draft goes on without all the versions before it, or with all: /drop alone."))
        if desk.session.draft_before is None:
            raise UsageError(_("There is no draft whose earlier versions could be left out."))
        desk.session.leave_out(len(desk.session.turns))
        return Reply((remarks.left_out_text(0, of_draft=True),))
    count = _older(desk, argument)
    desk.session.leave_out(count)
    return Reply((remarks.left_out_text(count),))


def _summarise(desk: Desk, argument: str) -> Reply:
    if desk.session.preferences.target is not None:
        raise UsageError(_("Only talk can be summed up, and each text begins afresh: /chat leaves translation mode."))
    desk.summarise(_older(desk, argument))
    return Reply()


def _older(desk: Desk, argument: str) -> int:
    """How many of the oldest turns are meant: by default all but the last."""
    count_of(argument, 1)  # what is no number is wrong before there are any turns, too
    ids = [turn.id for turn in desk.session.turns]
    last = desk.session.position.seen_after
    seen = len(ids) - (ids.index(last) + 1 if last in ids else 0)
    if seen < 1:
        raise UsageError(_("There are no older turns that the model sees."))
    return min(count_of(argument, max(1, seen - 1)), seen)


CONVERSATION = Group(
    noted("Conversation"),
    (
        Command(
            "system",
            noted("[TEXT]"),
            noted("set the chat's system prompt, or show it"),
            _system,
            (
                ("/system Answer in one sentence.", noted("chat answers follow this from now on")),
                ("/system default", noted("the model's own again")),
            ),
        ),
        Command("clear", "", noted("forget the conversation"), _clear),
        Command(
            "drop",
            noted("[N]"),
            noted("the model no longer sees the oldest N turns"),
            _drop,
            (
                ("/drop 4", noted("room for new turns; what was dropped stays in the kept session")),
                ("/drop", noted("all turns but the last; of a draft, the versions before it")),
            ),
        ),
        Command(
            "summarise",
            noted("[N]"),
            noted("the same, but the model sums them up first"),
            _summarise,
            (("/summarise", noted("all turns but the last, in short")),),
            aliases=("summarize",),
        ),
    ),
)
