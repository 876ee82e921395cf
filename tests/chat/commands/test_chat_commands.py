"""The table of commands: names, hints, completion and what the documentation shows of it."""

from __future__ import annotations

import pytest

from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language


@pytest.fixture
def session() -> Session:
    languages = (find_language("en"), find_language("zh"))
    return Session(ScriptedEngine(["你好。"], info=ModelInfo("little", "bayling", 512, languages)))


def test_languages_are_set_by_code_and_by_name(session: Session) -> None:
    commands.execute(session, "/to zh-CN")
    commands.execute(session, "/from English")
    assert (session.target, session.source) == (find_language("zh"), find_language("en"))
    commands.execute(session, "/from auto")
    commands.execute(session, "/chat")
    assert (session.target, session.source) == (None, None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/udno", "no command /udno. Did you mean /undo?"),
        ("/xyzzy", "no command /xyzzy. /help lists"),
        ("/to", "needs something after it: /to LANG"),
        ("/to Klingon", "Unknown language 'Klingon'"),
        ("/clear all", "/clear takes nothing"),
        ("/undo", "no turn to drop"),
        ("/", "no command /."),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_hint(session: Session, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?").replace(".", r"\.")):
        commands.execute(session, line)


def test_two_slashes_are_a_literal_one() -> None:
    assert not commands.is_command("//etc/passwd")
    assert commands.literal("//etc/passwd") == "/etc/passwd"
    assert commands.literal("a//b") == "a//b"


def test_several_lines_are_a_command_only_by_a_commands_name() -> None:
    assert commands.is_command("/usr/bin")
    assert not commands.is_command("/usr/bin\nis a folder")
    assert commands.is_command("/new one\ntwo")


def test_several_lines_after_a_command_are_its_text(session: Session) -> None:
    session.target = find_language("zh")
    plan = commands.execute(session, "/new one\ntwo").plan
    assert plan is not None
    assert plan.sent == "one\ntwo"


@pytest.mark.parametrize("name", ["bye", "quit", "exit", "BYE"])
def test_leaving(session: Session, name: str) -> None:
    assert commands.execute(session, f"/{name}").leave


def test_help_and_the_documentation_show_every_command(session: Session) -> None:
    shown = "\n".join(commands.execute(session, "/help").lines)
    for command in commands.COMMANDS:
        assert f"{command.usage} " in shown
        assert f"| `{command.usage}` | {command.help} |" in commands.reference()
    assert commands.execute(session, "/help /bye").lines == ("/bye: leave Also: /quit, /exit.",)


def test_help_fits_a_narrow_terminal() -> None:
    assert max(map(len, commands.help_lines())) <= 100


def test_completion_of_commands_and_languages() -> None:
    def words(line: str) -> list[str]:
        return [word for word, _, _ in commands.completions(line)]

    assert words("/re") == ["refine", "regen"]
    assert words("/to z") == ["zh"]
    assert words("/to chin") == ["zh"]
    assert words("/to 中") == ["zh"]
    assert words("/from a") == ["auto", "ar"]
    assert len(words("/")) == len(commands.COMMANDS)
    assert words("/clear a") == words("plain text") == words("//") == []


@pytest.mark.slow
def test_model_and_stats(session: Session) -> None:
    assert commands.execute(session, "/model").lines == (
        "Model: little",
        "Prompt template: bayling. Context: 512 tokens.",
        "Languages: English (en), Chinese (zh)",
    )
    session.target = find_language("zh")
    session.start(session.plan("Hello.")).finish()
    first, last = commands.execute(session, "/stats").lines
    assert first == f"Turns: 1. Context of the next: {session.context_tokens()} of 512 tokens (4%)."
    assert last.startswith("Last answer: 7 tokens in ")
