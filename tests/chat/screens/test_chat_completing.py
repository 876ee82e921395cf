"""Completion: only what is safe to look at, and never too much of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from bayling_lite.chat.screens.completing import LineCompleter


def completed(line: str, *found: tuple[str, str, str], cursor: int | None = None) -> list[tuple[str, int, str]]:
    completer = LineCompleter(lambda _line: found)
    document = Document(line, cursor)
    found_there = completer.get_completions(document, CompleteEvent())
    return [(each.text, each.start_position, each.display_meta_text) for each in found_there]


def test_the_end_of_a_command_line_is_completed() -> None:
    assert completed("/to ch", ("zh", "ch", "Chinese, 中文")) == [("zh", -2, "Chinese, 中文")]


def test_nothing_else_is() -> None:
    word = ("zh", "ch", "")
    assert completed("ch", word) == []
    assert completed("/to\nch", word) == []
    assert completed("/to ch zh", word, cursor=6) == []


def test_names_that_would_steer_the_terminal_are_not_offered() -> None:
    found = (("a\x1b[2Jb.txt", "", ""), ("ok.txt", "", "text\x07"))
    assert completed("/export ", *found) == [("ok.txt", 0, "text")]


def test_a_folder_of_any_size_is_looked_at_in_part() -> None:
    def endless(_line: str) -> Iterable[tuple[str, str, str]]:
        return ((str(number), "", "") for number in itertools.count())

    assert len(list(LineCompleter(endless).get_completions(Document("/load "), CompleteEvent()))) == 100
