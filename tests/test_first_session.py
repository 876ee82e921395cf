"""The documentation's first session is what happens when it is typed."""

from __future__ import annotations

from tests.chat.tmux import DRIVES_A_TERMINAL
from tools.first_session import PAGE, page

pytestmark = DRIVES_A_TERMINAL


def test_the_first_session_is_what_happens() -> None:
    assert page() == PAGE.read_text(encoding="utf-8")
