"""Whatever is done in whatever order, a session that is made again from what its recorder was told is the same."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession, Position
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import UsageError
from bayling_lite.translate import Translator
from tests.chat.session.conversing import DE, EN, Log, run, text_before, text_of

N_STEPS = 60


def kept(log: Log, preferences: Preferences) -> KeptSession:
    """The session as a store would give it back: by the ids that it was told, and nothing else."""
    turns: dict[str, Turn] = {turn.id: turn for (turn,) in log.of("finished") if isinstance(turn, Turn)}
    parents = {turn: parent for turn, parent, _plan in log.of("begun")}
    positions = [position for (position,) in log.of("moved") if isinstance(position, Position)]
    position = positions[-1] if positions else Position()
    path: list[Turn] = []
    head: object = position.head
    while isinstance(head, str):
        path.insert(0, turns[head])
        head = parents[head]
    return KeptSession(
        preferences, tuple(path), tuple(turns[turn] for turn in position.undone), position, tuple(turns.values())
    )


def moves(session: Session, chance: random.Random) -> list[Callable[[], object]]:
    """What can be done with a session; what cannot now raises UsageError."""

    def choose() -> object:
        draft = session.draft
        if draft is None:
            raise UsageError("none")
        other = Translator(ScriptedEngine(lambda _: f"Wahl {chance.random()}."))
        return session.choose(other.translate(draft.source_text, draft.target, "en"))

    def leave_out() -> None:
        session.leave_out(chance.randint(0, 3))

    def flip() -> object:
        plan = session.other_reading()
        return run(session, plan) if plan is not None else None

    return [
        lambda: run(session, f"A line {chance.random()}."),
        lambda: run(session, chance.choice(["shorter", "more formal"])),
        lambda: run(session, session.plan_again()),
        lambda: run(session, session.plan_edit(f"Mein Text {chance.random()}.")),
        lambda: run(session, session.plan_back()),
        lambda: run(session, session.plan_explanation()),
        lambda: session.prefer(target=None if session.preferences.target else DE),
        lambda: session.prefer(terms=(("line", f"Zeile {chance.randint(0, 3)}"),)),
        session.undo,
        session.undo,
        session.redo,
        session.redo,
        choose,
        leave_out,
        lambda: session.summarise(chance.randint(0, 2)).finish(),
        flip,
        lambda: session.clear() if chance.random() < 0.2 else None,
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_session_is_what_its_recorder_was_told(seed: int) -> None:
    chance = random.Random(seed)
    numbers = itertools.count()
    engine = ScriptedEngine(lambda _: f"Antwort {next(numbers)}.", info=ModelInfo("m", "bayling", n_ctx=100_000))
    log = Log()
    session = Session(engine, Preferences(DE, EN), recorder=log)
    done = 0
    for _ in range(N_STEPS):
        before = session.turns, session.undone, session.position
        try:
            chance.choice(moves(session, chance))()
            done += 1
        except UsageError:
            assert (session.turns, session.undone, session.position) == before
        again = Session(engine, kept=kept(log, session.preferences))
        assert seen(again) == seen(session)
    assert done > N_STEPS / 2
    while session.turns:
        assert session.undo().id == again.undo().id
        assert seen(again) == seen(session)
    while session.undone:
        assert session.redo().id == again.redo().id
        assert seen(again) == seen(session)


def seen(session: Session) -> tuple[object, ...]:
    """What a user and the model see of a session."""
    turns, undone = ([turn.id for turn in group] for group in (session.turns, session.undone))
    return session.position, turns, undone, text_of(session), text_before(session), session.context
