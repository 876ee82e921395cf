"""The line below the prompt."""

from __future__ import annotations

import pytest
from prompt_toolkit.formatted_text import fragment_list_to_text
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat.screens.bottom_line import Status, bottom_line, hint, status_of
from bayling_lite.chat.screens.offers import Offers
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.languages import find_language

STATUS = Status("auto → zh", "百聆", used=24, n_ctx=4096, rate=38.4)


def shown(status: Status, hint: str, width: int) -> str:
    return fragment_list_to_text(bottom_line(status, hint, width))


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, " 百聆 · auto → zh · 24/4096 tokens · 38 tokens/s · /help"),
        (56, " 百聆 · auto → zh · 24/4096 tokens · 38 tokens/s · /help"),
        (55, " 百聆 · auto → zh · 24/4096 tokens · /help"),
        (40, " auto → zh · 24/4096 tokens · /help"),
        (20, " auto → zh · /help"),
        (12, " auto → zh"),
        (8, " auto →…"),
    ],
)
def test_what_there_is_no_room_for_goes_as_a_whole(width: int, line: str) -> None:
    assert shown(STATUS, "/help", width) == line
    assert get_cwidth(line) <= width


def test_a_context_that_is_nearly_full_stays_and_is_marked() -> None:
    status = Status("chat", "model", used=81, n_ctx=100)
    assert shown(status, "/help", 20) == " 81/100 tokens"
    assert ("class:bottom-line class:bottom-line.warning", "81/100 tokens") in bottom_line(status, "/help", 80)


def test_while_the_model_loads_there_is_little_to_say() -> None:
    assert shown(Status("auto → zh"), "/help", 80) == " loading the model… · auto → zh · /help"


def test_it_is_about_the_session() -> None:
    engine = ScriptedEngine(["早上好。"], info=ModelInfo("百聆\x1b[31m", "bayling", 60))
    session = Session(engine, Preferences(target=find_language("zh")))
    assert status_of(session, ready=False) == Status("auto → zh")
    assert status_of(session, ready=True) == Status("auto → zh", "百聆", 0, 60)
    session.start(session.plan("Good morning.")).finish()
    status = status_of(session, ready=True)
    (turn,) = session.turns
    assert (status.used, status.rate) == (24, turn.n_tokens / turn.seconds)
    assert not status.nearly_full


@pytest.mark.parametrize(
    ("typed", "offers", "said"),
    [
        ("", Offers(), "/help"),
        ("", Offers(flip="a text to translate"), "Tab if it was a text to translate"),
        ("", Offers(3, "a text to translate"), "1–3 chooses · Esc keeps the draft"),
        ("", Offers(1), "1 chooses · Esc keeps the draft"),
        ("x", Offers(3, "a text to translate"), "/help"),
        ('"""one', Offers(), '""" ends the text'),
        ("one\ntwo", Offers(), "Enter sends all lines"),
    ],
)
def test_it_says_what_a_key_would_do_now(typed: str, offers: Offers, said: str) -> None:
    assert hint(typed, offers) == said
