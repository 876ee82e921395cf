"""Whatever is done in whatever order, a session is what a far simpler account of it says.

The account is a list of states, one after each turn, and a place in it: undo and redo go back and forth, a turn cuts
off what is ahead. A state is its exchanges; of each draft it knows the whole conversation that led to it.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace

import pytest

from bayling_lite.chat.session.drafts import edited
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import UsageError
from tests.chat.session.conversing import DE, EN, ZH, asked, run, text_before, text_of

N_STEPS = 60


@dataclass(frozen=True)
class Exchange:
    """``told`` is what the model was told and answered; ``before`` the version that this one was made from."""

    kind: Kind
    typed: str
    told: tuple[str, ...]
    before: Exchange | None = None

    @property
    def answer(self) -> str:
        return self.told[-1]


State = tuple[Exchange, ...]


def draft_of(state: State) -> Exchange | None:
    return next((exchange for exchange in reversed(state) if exchange.kind is not Kind.CHAT), None)


def talk_of(state: State) -> list[str]:
    """The state as a chat goes on with it: what the user wrote in place of a draft is no turn."""
    said: list[list[str]] = []
    of_draft = 0
    for exchange in state:
        if exchange.kind is Kind.EDIT:
            said[of_draft][1] = exchange.answer
            continue
        if exchange.kind is not Kind.CHAT:
            of_draft = len(said)
        said.append(list(exchange.told[-2:]))
    return list(itertools.chain(*said))


@dataclass
class Account:
    """A session, and what is known of it without asking it."""

    session: Session
    engine: ScriptedEngine
    chance: random.Random
    states: list[State] = field(default_factory=lambda: [()])
    place: int = 0

    @property
    def state(self) -> State:
        return self.states[self.place]

    @property
    def draft(self) -> Exchange | None:
        return draft_of(self.state)

    def add(self, state: State) -> None:
        self.states = [*self.states[: self.place + 1], state]
        self.place += 1

    def answer(self, plan: Plan, before: State, taken: Exchange | None = None) -> None:
        """Run a plan after a state; the request is what that state leads to."""
        turn = run(self.session, plan)
        request, draft = asked(self.engine), draft_of(before)
        if plan.kind is Kind.CHAT:
            assert request == [*talk_of(before), plan.typed]
        elif plan.kind is Kind.TRANSLATION:
            assert len(request) == 1
            assert plan.typed in request[0]
            draft = None
        else:
            assert draft is not None
            assert request == [*draft.told, plan.typed]
        if taken is not None and taken.kind is plan.kind and plan.kind is not Kind.CHAT:
            draft = taken  # answered anew: that is what it is compared with
        self.add((*before, Exchange(plan.kind, plan.typed, (*request, turn.answer), draft)))

    # What a user may do.

    def line(self) -> None:
        line = self.chance.choice([f"A line {self.chance.random()} is here.", "more formal"])
        self.answer(self.session.plan(line), self.state)

    def again(self) -> None:
        self.answer(self.session.plan_again(), self.state[:-1], self.state[-1])

    def flip(self) -> None:
        plan = self.session.other_reading()
        if plan is not None:
            assert {plan.kind, self.state[-1].kind} == {Kind.REFINEMENT, Kind.TRANSLATION}
            self.answer(plan, self.state[:-1])

    def edit(self) -> None:
        text = f"Mein Text {self.chance.random()}."
        plan, n_requests = self.session.plan_edit(text), len(self.engine.requests)
        run(self.session, plan)
        assert len(self.engine.requests) == n_requests
        assert self.draft is not None
        self.add((*self.state, Exchange(Kind.EDIT, text, (*self.draft.told[:-1], text), self.draft)))

    def choose(self) -> None:
        draft, text = self.draft, f"Wahl {self.chance.random()}."
        if self.session.draft is None or draft is None:
            return
        self.session.choose(edited(self.session.draft, text))
        chosen = replace(draft, told=(*draft.told[:-1], text), before=draft)
        if draft is self.state[-1]:
            self.add((*self.state[:-1], chosen))
        else:
            self.add((*self.state, replace(chosen, kind=Kind.EDIT)))

    def look(self) -> None:
        plan = self.session.plan_explanation("Why?")
        run(self.session, plan)
        assert self.draft is not None
        assert asked(self.engine)[:-1] == list(self.draft.told)

    def undo(self) -> None:
        self.session.undo()
        self.place -= 1

    def redo(self) -> None:
        self.session.redo()
        self.place += 1

    def turn_to(self) -> None:
        self.session.prefer(target=self.chance.choice([None, DE, DE, ZH]))

    def check(self) -> None:
        draft = self.draft
        assert [turn.answer for turn in self.session.turns] == [exchange.answer for exchange in self.state]
        assert len(self.session.undone) == len(self.states) - 1 - self.place
        assert text_of(self.session) == (draft.answer if draft else None)
        assert text_before(self.session) == (draft.before.answer if draft and draft.before else None)
        if self.session.draft is not None and draft is not None:
            assert [message.content for message in self.session.draft.conversation] == list(draft.told)
        if self.session.preferences.target is None:
            assert [message.content for message in self.session.context] == talk_of(self.state)


@pytest.mark.parametrize("seed", range(10))
def test_a_session_is_what_was_done_to_it(seed: int) -> None:
    chance, numbers = random.Random(seed), itertools.count()
    engine = ScriptedEngine(lambda _: f"Antwort {next(numbers)}.", info=ModelInfo("m", "bayling", n_ctx=100_000))
    account = Account(Session(engine, Preferences(DE, EN)), engine, chance)
    moves = [account.line] * 3 + [account.undo] * 3 + [account.redo] * 2
    moves += [account.again, account.again, account.flip, account.edit, account.choose, account.look, account.turn_to]
    n_done = 0
    for _ in range(N_STEPS):
        before = account.state, account.place
        try:
            chance.choice(moves)()
            n_done += 1
        except UsageError:  # what cannot be done now changes nothing
            assert (account.state, account.place) == before
        account.check()
    assert n_done > N_STEPS / 2
