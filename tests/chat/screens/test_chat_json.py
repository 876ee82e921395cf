"""The chat for programs: every line of the output is an object, and says what a program needs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from bayling_lite.chat.beginning import ChatOptions
from bayling_lite.chat.differences import Change
from bayling_lite.chat.driver import Driver
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import lines as by_lines
from bayling_lite.chat.screens.json import JsonScreen
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.languages import find_language
from bayling_lite.terminal import printable


def chat(lines: str, responses: Iterable[str], *, to: str | None = None, n_ctx: int = 4096) -> list[dict[str, Any]]:
    engine = ScriptedEngine(responses, info=ModelInfo("scripted", "bayling", n_ctx))
    target, source = find_language(to) if to else None, find_language("en")
    options = ChatOptions(Preferences(target, source, terms=(("token", "词元"),)))
    output = io.StringIO()
    screen = JsonScreen(output, lambda: "01234567")

    def begin(loading: BackgroundEngine) -> Driver:
        return options.driver(loading, screen)

    by_lines.run(lambda: engine, begin, by_lines.LineReader(io.BytesIO(lines.encode())))
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_answers_say_what_they_are() -> None:
    said = chat('A token.\nuse "词"\n', ["一个\n标记。", "词。"], to="zh")
    first, second = (line for line in said if line["type"] == "answer")
    assert first.pop("seconds") >= 0
    assert first.pop("tokens") > 0
    assert len(first.pop("turn")) == 32
    assert first == {
        "type": "answer",
        "session": "01234567",
        "kind": "translation",
        "typed": "A token.",
        "sent": "A token.",
        "rule": "there is no draft yet",
        "text": "一个 标记。",
        "source_text": "A token.",
        "source_language": "en",
        "target_language": "zh",
        "state": "finished",
        "failed_segments": 0,
        "missing_words": [],
        "missing_terms": [["token", "词元"]],
    }
    assert (second["kind"], second["typed"], second["sent"]) == ("refinement", 'use "词"', 'Use the word "词".')
    assert (second["text"], second["rule"]) == ("词。", "asks for a word")


def test_everything_that_is_said_is_an_object() -> None:
    said = chat("/to zh\n/nonsense\nHi.\n/chat\n/stats\n" + "word " * 100 + "\n", ["嗨。", "never"], n_ctx=60)
    assert {line["type"] for line in said} == {"notice", "error", "answer"}
    errors = [line for line in said if line["type"] == "error"]
    assert [(line["error"], line["status"]) for line in errors] == [("UsageError", 2), ("ContextOverflow", 1)]
    assert "There is no command /nonsense" in errors[0]["text"]


def test_a_line_is_one_line_whatever_it_holds() -> None:
    output = io.StringIO()
    screen = JsonScreen(output)
    hostile = "one\ntwo\x1b[31m\x9b2J\x7f\x85\u2028\u202e\u2066\ud800"
    screen.notice(hostile)
    screen.changes([Change("kept", "a"), Change("added", "b")])
    screen.alternatives(["早安。", "x\ny"])
    assert len(output.getvalue().splitlines()) == 3
    assert printable(output.getvalue()) == output.getvalue(), "safe to look at"
    assert output.getvalue().encode()
    notice, changes, alternatives = map(json.loads, output.getvalue().split("\n")[:3])
    assert notice == {"type": "notice", "text": hostile}
    assert changes["changes"] == [{"kind": "kept", "text": "a"}, {"kind": "added", "text": "b"}]
    assert alternatives == {"type": "alternatives", "texts": ["早安。", "x\ny"]}


def test_quiet_leaves_out_what_is_only_information() -> None:
    output = io.StringIO()
    screen = JsonScreen(output, quiet=True)
    screen.notice("hint")
    screen.warning("careful")
    assert json.loads(output.getvalue()) == {"type": "warning", "text": "careful"}
