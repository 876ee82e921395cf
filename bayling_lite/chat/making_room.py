"""Before a turn that does not fit the context: the user says what the model need not see any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bayling_lite.chat import remarks
from bayling_lite.chat.interrupts import interruptible
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.errors import ContextOverflow

if TYPE_CHECKING:
    from bayling_lite.chat.driver import Driver
    from bayling_lite.chat.session.room import Room

OnOverflow = Literal["ask", "drop", "summarise", "fail"]
"""What becomes of the oldest turns when the next one does not fit."""

# What the keys of the question mean.
_WAYS: dict[str, OnOverflow] = {"n": "fail", "d": "drop", "s": "summarise"}


def make_room(driver: Driver, plan: Plan, on_overflow: OnOverflow) -> bool:
    """Whether to send a turn: it fits, or what the user says makes it fit, or nothing can (it will say so itself).

    Raises:
        ContextOverflow: it does not fit, and nothing is to be left out.
    """
    if plan.kind is Kind.TRANSLATION:
        # Cut into sentences that fit. To ask would be to wait for the model, and the line is to be kept before that.
        return True
    room: Room | None = None
    with interruptible():
        room = driver.session.room(plan)
    if room is None:  # Ctrl-C while the model was loading
        driver.interrupted = True
        driver.screen.notice(remarks.stopped_text(None))
        return False
    while not room.fits and room.droppable:
        if not _leave_out(driver, plan, room, room.droppable, on_overflow):
            return False
        before, room = room, driver.session.room(plan)
        if room.n_prompt >= before.n_prompt:  # a summary as long as what it sums up
            raise ContextOverflow(room.n_prompt, room.n_ctx)
    return True


def _leave_out(driver: Driver, plan: Plan, room: Room, count: int, way: OnOverflow) -> bool:
    """Leave the oldest turns out, in the way that the user says. False when that was stopped.

    Raises:
        ContextOverflow: they are to stay.
    """
    if way == "ask":
        way = _WAYS[driver.screen.ask(remarks.overflow_question(plan, room, count))]
    if way == "summarise" and room.summarisable:
        return driver.summarise(room.summarisable)
    if way == "fail":
        raise ContextOverflow(room.n_prompt, room.n_ctx)
    driver.session.leave_out(count, plan)  # versions of a draft, too: they cannot be summed up
    driver.screen.notice(remarks.left_out_text(count, of_draft=plan.kind is not Kind.CHAT))
    return True
