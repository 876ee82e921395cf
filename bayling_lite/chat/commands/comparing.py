"""Commands that look at the draft from another side, and leave it as it is."""

from __future__ import annotations

from bayling_lite.chat.commands.command import Command, Desk, Group, Reply
from bayling_lite.errors import UsageError
from bayling_lite.localization import _, noted


def _diff(desk: Desk, _argument: str) -> Reply:
    draft, before = desk.session.draft, desk.session.draft_before
    if draft is None:
        raise UsageError(_("There is no draft to compare yet: translate something first."))
    if before is None:
        raise UsageError(_("This is the first draft of its text: say what to change, then /diff shows what changed."))
    if before.text == draft.text:
        return Reply((_("The draft is the same as the one before."),), keeps_choice=True)
    from bayling_lite.chat import differences

    desk.screen.changes(differences.changes(before.text, draft.text, draft.target))
    return Reply(keeps_choice=True)


def _back(desk: Desk, _argument: str) -> Reply:
    return Reply(plan=desk.session.plan_back())


def _explain(desk: Desk, argument: str) -> Reply:
    plan = desk.session.plan_explanation(argument)
    info = desk.session.engine.info
    if info.demonstrator:
        raise UsageError(
            _("{model} was trained to translate, it cannot explain: another model (/model) can.", model=info.name)
        )
    return Reply(plan=plan)


COMPARE = Group(
    noted("Compare"),
    (
        Command("diff", "", noted("show what changed since the draft before"), _diff),
        Command("back", "", noted("translate the draft back, to see what it says"), _back),
        Command(
            "explain",
            noted("[QUESTION]"),
            noted("ask the model about the draft; it stays as it is"),
            _explain,
            (
                ("/explain", noted("why it was translated so")),
                ("/explain Is 词元 the usual word?", noted("an answer to a question of yours")),
            ),
        ),
    ),
)
