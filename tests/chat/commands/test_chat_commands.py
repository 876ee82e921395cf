"""The table of commands: names, hints, completion and what the documentation shows of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.commands.completing import Known
from bayling_lite.chat.keeping import SessionEntry
from bayling_lite.engine.base import ModelInfo
from bayling_lite.languages import find_language
from tests.chat.commands.recorded_chat import RecordedChat

EN, ZH = find_language("en"), find_language("zh")


def test_languages_are_set_by_code_and_by_name() -> None:
    with RecordedChat() as chat:
        chat.say("/to zh-CN", "/from English")
        assert (chat.session.preferences.target, chat.session.preferences.source) == (ZH, EN)
        assert chat.say("/to French") == [
            ("notice", "Lines are translated from English (en) into French (fr). /chat ends that.")
        ]
        chat.say("/from auto", "/chat")
        assert (chat.session.preferences.target, chat.session.preferences.source) == (None, None)


def test_a_language_that_the_model_does_not_know_is_warned_of() -> None:
    with RecordedChat(info=ModelInfo("little", "bayling", 512, (EN, ZH))) as chat:
        chat.say("/to fr")
        assert chat.shown("warning") == [
            "little does not know French, only en (English), zh (Chinese). /to zh changes the language."
        ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/udno", "no command /udno. Did you mean /undo?"),
        ("/xyzzy", "no command /xyzzy. /help lists"),
        ("/to", "/to needs something after it: /to zh"),
        ("/to Klingon", "Unknown language 'Klingon'"),
        ("/clear all", "/clear takes nothing"),
        ("/undo", "no turn to drop"),
        ("/redo", "nothing to bring back"),
        ("/diff", "no draft to compare yet"),
        ("/alt", "no draft to refine yet"),
        ("/alt 20", "a whole number from 1 to 9, not “20”"),
        ("/pick 1", "nothing to choose from: /alt 3"),
        ("/pick x", "a whole number from 1 on, not “x”"),
        ("/edit", "no draft to refine yet"),
        ("/edit Hallo", "no draft to refine yet"),
        ("/use 词元", "no draft to refine yet"),
        ("/use 词元=", "A term is a word, =, and what it stands for"),
        ("/unuse token", "No terms are in force"),
        ("/formality rude", "formal, informal or off, not “rude”"),
        ("/glossary nowhere.tsv", "nowhere.tsv cannot be read"),
        ("/context @nowhere.txt", "nowhere.txt cannot be read"),
        ("/save ~nobody-has-this-name/x.json", "no home directory for ~nobody-has-this-name"),
        ("/pick " + "9" * 5000, "a whole number"),
        ("/drop", "no older turns that the model sees"),
        ("/summarise", "no older turns that the model sees"),
        ("/help udno", "no command /udno. Did you mean /undo?"),
        ("/save talk.json", "This chat is not kept"),
        ("/", "no command /."),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_hint(line: str, message: str) -> None:
    with RecordedChat() as chat:
        chat.say(line)
        assert message in chat.shown("error")[0]
        assert chat.driver.status in (1, 2)


def test_two_slashes_are_a_literal_one() -> None:
    assert not commands.is_command("//etc/passwd")
    assert commands.literal("//etc/passwd") == "/etc/passwd"
    assert commands.literal("a//b") == "a//b"


def test_several_lines_are_a_command_only_by_a_commands_name() -> None:
    assert commands.is_command("/usr/bin")
    assert not commands.is_command("/usr/bin\nis a folder")
    assert commands.is_command("/new one\ntwo")
    with RecordedChat(["eins", "zwei"], to="de") as chat:
        chat.say("/new One.\nTwo.")
        assert [text.rpartition(": ")[2] for text in chat.asked] == ["One.", "Two."]


@pytest.mark.parametrize("name", ["bye", "quit", "exit", "BYE"])
def test_leaving(name: str) -> None:
    with RecordedChat() as chat:
        assert not chat.driver.handle(f"/{name}")


def test_help_and_the_documentation_show_every_command() -> None:
    with RecordedChat() as chat:
        shown = "\n".join(text for _, text in chat.say("/help"))
        for group in commands.GROUPS:
            assert f"{group.title}\n  /" in shown
            assert f"| {group.title} | |" in commands.reference()
        for command in commands.COMMANDS:
            assert f"  {command.usage} " in shown
            assert f"`{command.usage.replace('|', chr(92) + '|')}` | {command.help} |" in commands.reference()


def test_help_alone_shows_a_newcomer_the_way() -> None:
    """The lines under "To begin" do what they promise, typed one after the other."""
    with RecordedChat(["令牌丢了。", "令牌遗失了。", "词元遗失了。"]) as chat:
        lines = [text for _, text in chat.say("/help")]
        begin = lines.index("To begin, type:") + 1
        typed = [line.split("  ")[1] for line in lines[begin:]]
        assert [line.split()[0] for line in typed if line.startswith("/")] == [
            "/to",
            "/use",
            "/undo",
            "/diff",
            "/export",
        ]
        chat.say(*typed[:4])
        assert chat.shown("answer") == ["词元遗失了。"]
        assert chat.say(typed[4])[1] == ("notice", "The draft is again: 令牌遗失了。")
        assert chat.say(typed[5]) == [("changes", "令牌|-丢|+遗失|了。")]


def test_help_fits_a_terminal() -> None:
    with RecordedChat() as chat:
        lines = [text for _, text in chat.say("/help")]
        assert max(map(get_cwidth, lines)) <= 80
        # A newcomer's terminal shows the last of them.
        assert lines.index("To begin, type:") >= len(lines) - 10


def test_every_example_is_of_its_command() -> None:
    for command in commands.COMMANDS:
        if command.argument:
            assert command.examples, command.name
        for line, meaning in command.examples:
            assert line.split()[0] == f"/{command.name}"
            assert meaning
    with RecordedChat() as chat:
        assert chat.say("/help /bye") == [("notice", "/bye: leave"), ("notice", "Also: /quit, /exit")]
        assert chat.say("/help pick")[1] == ("notice", "  /pick 2  the second one is the draft now")


def words(line: str, known: Known | None = None) -> list[str]:
    return [word for word, _, _ in commands.completions(line, known or Known())]


def test_completion_of_commands_and_languages() -> None:
    assert words("/re") == ["refine", "regen", "redo"]
    assert words("/to z") == words("/to chin") == words("/to 中") == ["zh"]
    assert words("/from a") == ["auto", "ar"]
    assert words("/help se") == ["sessions"]
    assert words("/formality ") == ["formal", "informal", "off"]
    assert len(words("/")) == len(commands.COMMANDS)
    assert words("/clear a") == words("plain text") == words("//") == words("/nothing x") == []


def test_completion_of_terms_and_sessions() -> None:
    entries = [
        SessionEntry("3f2a91c0", "Bees", datetime(2026, 1, 1, tzinfo=UTC), 3),
        SessionEntry("77b0aa12", "Ants", datetime(2026, 1, 1, tzinfo=UTC), 1),
    ]
    known = Known((("token", "词元"), ("bee", "蜂")), lambda: entries)
    assert words("/unuse ", known) == ["token", "bee", "all"]
    assert words("/unuse t", known) == ["token"]
    assert words("/use 词", known) == ["词元=token"]
    assert commands.completions("/load 3", known)[0] == ("3f2a91c0", "3", "Bees")


def test_completion_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    for name in ("terms.tsv", "texts/one two.txt", ".hidden"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert words("/glossary te") == ["terms.tsv", "texts/"]
    assert commands.completions("/export texts/o") == [("one two.txt", "o", "")]
    assert words("/context @te") == ["terms.tsv", "texts/"]
    assert words("/context te") == words("/save nowhere/") == []
    assert words("/load ") == ["terms.tsv", "texts/"]
    assert words("/load .") == [".hidden"]
    assert words("/load ~nobody-has-this-name/") == []
    assert words(f"/save {tmp_path}/terms") == ["terms.tsv"]


def test_model_and_stats() -> None:
    with RecordedChat(["你好。"], info=ModelInfo("little", "bayling", 512, (EN, ZH)), to="zh") as chat:
        assert [text for _, text in chat.say("/model")] == [
            "Model: little",
            "Prompt template: bayling. Context: 512 tokens.",
            "Languages: English (en), Chinese (zh)",
        ]
        (_, first), (_, last) = chat.say("Hello.", "/stats")
        assert first == f"Turns: 1. Context of the next: {chat.session.context_tokens()} of 512 tokens (4%)."
        assert last.startswith("Last answer: 7 tokens in ")


def test_the_system_prompt() -> None:
    with RecordedChat() as chat:
        assert chat.say("/system") == [("notice", "System prompt of the chat: the model's own")]
        assert chat.say("/system Be brief.") == [("notice", "System prompt of the chat: Be brief.")]
        chat.say("/system default")
        assert chat.session.preferences.system is None
