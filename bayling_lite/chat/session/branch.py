"""One path through the tree of turns: from the first turn to the head, and what a redo brings back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayling_lite.chat.session.turns import Kind, Plan, Turn

if TYPE_CHECKING:
    from bayling_lite.translate import Translation


@dataclass(frozen=True, slots=True)
class Branch:
    """``turns`` from the first to the head, ``undone`` from the next one on, and the ``others`` by their ids, in whose
    place one of these stands.
    """

    turns: tuple[Turn, ...] = ()
    undone: tuple[Turn, ...] = ()
    others: Mapping[str, Turn] = field(default_factory=dict)

    @classmethod
    def of(cls, turns: Iterable[Turn], undone: Iterable[Turn], replaced: Iterable[Turn]) -> Branch:
        """A branch that was kept."""
        return cls(tuple(turns), tuple(undone), {turn.id: turn for turn in replaced})

    def n_answers_before(self, plan: Plan) -> int:
        """How many turns stood, one after the other, where one of this plan is to stand."""
        count, replaced = 0, plan.replaced if plan.replaces else ""
        known = {**self.others, **{turn.id: turn for turn in self.turns}}
        while (turn := known.pop(replaced, None)) is not None:
            count, replaced = count + 1, turn.plan.replaced
        return count

    # Moving. Each gives another branch.

    def before(self, plan: Plan) -> tuple[Turn, ...]:
        """The turns that stand before one of this plan."""
        return self.turns[:-1] if plan.replaces else self.turns

    def grown(self, turn: Turn) -> Branch:
        """With one more turn, or another in the place of the last; what was undone is forgotten."""
        return replace(self._with(turn), undone=())

    def without_last(self) -> Branch:
        """Without the last turn: the one that it replaced stands there again, if it replaced one."""
        last = self.turns[-1]
        replaced = self.others.get(last.plan.replaced) if last.plan.replaces else None
        before = (*self.turns[:-1], *((replaced,) if replaced is not None else ()))
        return replace(self, turns=before, undone=(last, *self.undone))

    def with_undone(self) -> Branch:
        """With the turn again that was undone last."""
        return replace(self._with(self.undone[0]), undone=self.undone[1:])

    def _with(self, turn: Turn) -> Branch:
        last = self.turns[-1] if self.turns else None
        if last is not None and turn.plan.replaces and turn.plan.replaced == last.id:
            return replace(self, turns=(*self.turns[:-1], turn), others={**self.others, last.id: last})
        return replace(self, turns=(*self.turns, turn))

    # What stands on it.

    @property
    def last(self) -> Turn | None:
        """The head."""
        return self.turns[-1] if self.turns else None

    @property
    def draft(self) -> Translation | None:
        """The last translation, refinements included."""
        return last_draft(self.turns)

    @property
    def draft_before(self) -> Translation | None:
        """The version of the same text before the draft: what it was made from, or what it took the place of."""
        turn = draft_turn(self.turns)
        if turn is None or turn.draft is None:
            return None
        replaced = self.others.get(turn.plan.replaced)
        # A line that was read again may have become another text.
        if replaced is not None and replaced.draft is not None and replaced.plan.kind is turn.plan.kind:
            return replaced.draft
        if turn.plan.kind is Kind.TRANSLATION:
            return None
        return last_draft(self.turns[: self.turns.index(turn)])


def draft_turn(turns: tuple[Turn, ...]) -> Turn | None:
    """The last of the turns that made a draft."""
    return next((turn for turn in reversed(turns) if turn.draft is not None), None)


def last_draft(turns: tuple[Turn, ...]) -> Translation | None:
    """The draft of the last of the turns that made one."""
    turn = draft_turn(turns)
    return turn.draft if turn is not None else None


def versions(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns that made the last draft out of its text: a translation, then what changed it."""
    chain: list[Turn] = []
    for turn in turns:
        if turn.draft is not None:
            chain = [turn] if turn.plan.kind is Kind.TRANSLATION else [*chain, turn]
    return tuple(chain)
