"""Commands that change the draft, or go back to another one."""

from __future__ import annotations

from bayling_lite.chat import remarks
from bayling_lite.chat.commands.arguments import count_of
from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.chat.session.turns import Turn
from bayling_lite.localization import _, noted

_MOST_ALTERNATIVES = 9  # one key each


def _refine(desk: Desk, argument: str) -> Reply:
    return Reply(plan=desk.session.plan_refinement(argument))


def _shorter(desk: Desk, _argument: str) -> Reply:
    return Reply(plan=desk.session.plan_shorter())


def _longer(desk: Desk, _argument: str) -> Reply:
    return Reply(plan=desk.session.plan_longer())


def _edit(desk: Desk, argument: str) -> Reply:
    draft = desk.session.draft
    if argument or draft is None:
        return Reply(plan=desk.session.plan_edit(argument))
    edited = desk.screen.edit(draft.text)
    if edited is None or edited.strip() == draft.text.strip():
        return Reply((_("The draft is unchanged."),))
    return Reply(plan=desk.session.plan_edit(edited.strip("\n")))


def _regen(desk: Desk, _argument: str) -> Reply:
    return Reply(plan=desk.session.plan_again())


def _alt(desk: Desk, argument: str) -> Reply:
    desk.offer(count_of(argument, 3, most=_MOST_ALTERNATIVES))
    return Reply(keeps_choice=True)


def _pick(desk: Desk, argument: str) -> Reply:
    desk.pick(count_of(argument, 1))
    return Reply(keeps_choice=True)


def _undo(desk: Desk, _argument: str) -> Reply:
    turn = desk.session.undo()
    return Reply((_("Dropped: {line}", line=turn.plan.typed), *_current(desk, turn), *_still_in_force(desk, turn)))


def _redo(desk: Desk, _argument: str) -> Reply:
    turn = desk.session.redo()
    return Reply((_("Back again: {line}", line=turn.plan.typed), *_current(desk, turn)))


def _current(desk: Desk, turn: Turn) -> tuple[str, ...]:
    draft = desk.session.draft
    if turn.draft is None or draft is None:
        return ()
    return (_("The draft is again: {draft}", draft=draft.text),)


def _still_in_force(desk: Desk, turn: Turn) -> tuple[str, ...]:
    """What a command has put in force outlives the refinement that it began with."""
    command, preferences = turn.plan.typed.partition(" ")[0], desk.session.preferences
    if command == "/use":
        return tuple(
            _(
                "{term} is still in force; {change} ends it.",
                term=remarks.term_text(source, wanted),
                change=f"/unuse {source}",
            )
            for source, wanted in preferences.terms
            if wanted in turn.plan.required
        )
    if (command == "/formality" and preferences.formality) or (command == "/style" and preferences.style):
        return (_("{term} is still in force; {change} ends it.", term=turn.plan.typed, change=f"{command} off"),)
    return ()


REFINE = Group(
    noted("Change the draft"),
    (
        Command(
            "refine",
            noted("[TEXT]"),
            noted("feedback, not a text: this one, or the last line"),
            _refine,
            (
                ("/refine the rhythm is off", noted("the draft is changed, whatever the line looks like")),
                ("/refine", noted("the last line was feedback: the draft before it is changed instead")),
            ),
        ),
        Command("shorter", "", noted("say it in less"), _shorter),
        Command("longer", "", noted("say it in more"), _longer),
        Command(
            "edit",
            noted("[TEXT]"),
            noted("write the draft yourself, here or in your editor"),
            _edit,
            (
                ("/edit", noted("opens it in your editor ($VISUAL, $EDITOR); what you save counts")),
                ("/edit 早安，朋友。", noted("this is the draft from now on")),
            ),
        ),
        Command("regen", "", noted("answer the last turn again, differently"), _regen),
        Command(
            "alt",
            noted("[N]"),
            noted("show N (3) other versions, to choose one by its number"),
            _alt,
            (("/alt 3", noted("three other versions; press 1, 2 or 3, or go on typing to keep the draft")),),
        ),
        Command(
            "pick",
            noted("N"),
            noted("take version N of those that /alt showed"),
            _pick,
            (("/pick 2", noted("the second one is the draft now")),),
        ),
        Command(
            "undo",
            "",
            noted("drop the last turn: the draft before it is back"),
            _undo,
        ),
        Command("redo", "", noted("bring back what /undo dropped"), _redo),
    ),
)
