"""The edge of the context: whether a turn fits before it is sent, and what would have to go."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from bayling_lite.chat.session.answering import Asker
from bayling_lite.chat.session.context import View, n_versions_between, restated
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.messages import Conversation

# Tokens kept for a chat answer, at most: about a page. Of a small context, this share.
_ANSWER, _SHARE = 512, 4
# Tokens of a summary, at most, and the share of a small context.
_SUMMARY, _SUMMARY_SHARE = 256, 8


@dataclass(frozen=True, slots=True)
class Room:
    """Tokens: ``n_prompt`` of exactly what would be sent, ``n_ctx`` of the context, ``reserve`` for the answer.

    ``droppable`` is how many of the oldest turns that the model sees must go so that it fits (0 if it fits; a summary
    of earlier turns goes after all turns, and counts as one), None if nothing helps. For a refinement it is the
    versions between the request and the draft that go, all together. ``summarisable`` is how many turns can be summed
    up instead so that it fits; None where that does not help, or is no use, as for the versions of a draft.
    """

    n_prompt: int
    n_ctx: int
    reserve: int
    droppable: int | None = 0
    summarisable: int | None = None

    @property
    def fits(self) -> bool:
        """Whether the prompt and an answer of ordinary length fit."""
        return self.n_prompt + self.reserve <= self.n_ctx


def answer_reserve(n_ctx: int) -> int:
    """Tokens kept for a chat answer."""
    return min(_ANSWER, n_ctx // _SHARE)


def summary_reserve(n_ctx: int) -> int:
    """Tokens that a summary may have."""
    return min(_SUMMARY, n_ctx // _SUMMARY_SHARE)


def room_for(plan: Plan, before: tuple[Turn, ...], view: View, asker: Asker) -> Room:
    """What there is for a turn after the turns ``before``. Waits for the model."""
    if plan.kind is Kind.CHAT:
        return _chat_room(plan, before, view, asker)
    if plan.kind.continues_draft:
        return _draft_room(plan, before, view, asker)
    # Texts to translate are cut into sentences that fit; what the user wrote is not sent.
    return Room(0, asker.engine.info.n_ctx, 0)


def _chat_room(plan: Plan, before: tuple[Turn, ...], view: View, asker: Asker) -> Room:
    count, n_ctx = asker.engine.count_tokens, asker.engine.info.n_ctx
    reserve = answer_reserve(n_ctx)
    conversation = view.chat(before)
    n_prompt = count(conversation.user(plan.sent))
    if n_prompt + reserve <= n_ctx:
        return Room(n_prompt, n_ctx, reserve)
    seen, summary = view.seen(before), view.summary(before)

    def fits(dropped: int) -> bool:
        rest = view.part(seen[dropped:], summary if dropped <= len(seen) else "")
        return count(rest.user(plan.sent)) + reserve <= n_ctx

    def fits_summed(summed: int) -> bool:
        rest = view.part(seen[summed:], "…")
        return count(rest.user(plan.sent)) + summary_reserve(n_ctx) + reserve <= n_ctx

    most = len(seen) + bool(summary)
    return Room(n_prompt, n_ctx, reserve, _fewest(fits, most), _fewest(fits_summed, len(seen)))


def _draft_room(plan: Plan, before: tuple[Turn, ...], view: View, asker: Asker) -> Room:
    n_ctx = asker.engine.info.n_ctx
    draft = view.draft(before)
    if draft is None:
        return Room(0, n_ctx, 0)

    def needed(requests: list[tuple[Conversation, int]]) -> tuple[int, int]:
        """Prompt and answer of the request that needs most."""
        sizes = [(asker.engine.count_tokens(conversation), reserve) for conversation, reserve in requests]
        return max(sizes, key=sum, default=(0, 0))

    n_prompt, reserve = needed(asker.requests(plan, draft, answer_reserve(n_ctx)))
    if n_prompt + reserve <= n_ctx:
        return Room(n_prompt, n_ctx, reserve)
    between = n_versions_between(draft)
    helps = between > 0 and sum(needed(asker.requests(plan, restated(draft), answer_reserve(n_ctx)))) <= n_ctx
    return Room(n_prompt, n_ctx, reserve, between if helps else None)


def _fewest(fits: Callable[[int], bool], most: int) -> int | None:
    """The smallest number from 1 to ``most`` with which it fits; None where it never does. More always fits better."""
    found = bisect_left(range(1, most + 1), True, key=fits) + 1
    return found if found <= most else None
