"""Saved sessions that somebody, or something, has changed: they are refused, or they can be used."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bayling_lite.chat.records.exports import json_file
from bayling_lite.chat.records.exports.formats import FORMATS
from bayling_lite.chat.records.restoring import restored
from bayling_lite.chat.records.values import StoredSession
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import InputError
from bayling_lite.translate import Translator
from tests.chat.records.kept_sessions import changed, session, talked, translated

FIRST = translated("a", None, "Good morning.", "早上好。")
TURNS = [FIRST, changed("b", FIRST, "Make it formal.", "您早。"), talked("c", "b", "Hi", "Ho")]
WHOLE: dict[str, Any] = json.loads(json_file.dump([session(TURNS, "c")]))
STRANGE: tuple[Any, ...] = (None, -1, float("nan"), "", "zh", "tlh", [], {}, [["a"]])


def places(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if above:
        yield above
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*above, key))


def use(read: StoredSession) -> None:
    """Everything that is done with a session."""
    for format_ in FORMATS:
        format_.export([read]).text.encode("utf-8", "replace")
    engine = ScriptedEngine(lambda _conversation: "好。")
    chat = Session(engine, kept=restored(read, Translator(engine)))
    assert chat.context_tokens() >= 0
    for line in ("Good day.", "use 早"):
        chat.start(chat.plan(line)).finish()


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_a_value_of_another_kind_is_refused_or_harmless(strange: Any) -> None:
    refused = 0
    for place in places(WHOLE["sessions"][0]):
        damaged = copy.deepcopy(WHOLE)
        around = damaged["sessions"][0]
        for key in place[:-1]:
            around = around[key]
        around[place[-1]] = strange
        try:
            (read,) = json_file.parse(json.dumps(damaged))
        except InputError:
            refused += 1
        else:
            use(read)
    assert refused


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400, "-1"])
@pytest.mark.parametrize("name", ["created", "seconds", "seconds_to_first", "n_tokens"])
def test_a_number_that_nothing_has_is_refused(name: str, number: str) -> None:
    damaged = copy.deepcopy(WHOLE)
    damaged["sessions"][0]["turns"][0][name] = "NUMBER"
    with pytest.raises(InputError, match="damaged"):
        json_file.parse(json.dumps(damaged).replace('"NUMBER"', number))


def test_what_is_nested_too_deeply_is_refused() -> None:
    damaged = copy.deepcopy(WHOLE)
    damaged["sessions"][0]["preferences"]["terms"] = "DEEP"
    with pytest.raises(InputError, match=r"damaged|not JSON"):
        json_file.parse(json.dumps(damaged).replace('"DEEP"', "[" * 700 + "]" * 700))
