"""``bayling sessions``: what is kept of chats is listed, shown, found and removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bayling_lite.chat.records.store import SessionStore
from bayling_lite.chat.records.values import StoredTurn, TurnState
from bayling_lite.chat.session.turns import Kind, Plan
from bayling_lite.cli import main
from bayling_lite.settings import Settings
from tests.chat.records.kept_sessions import ZH, changed, session, talked, translated

Run = Callable[..., tuple[int, str, str]]
DAY = 86_400
NOON = datetime(2026, 3, 1, 12, 0).timestamp()
FIRST, SECOND, THIRD = "aaaa1111", "aaaa2222", "bbbb3333"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling sessions ...``: exit status, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main(["sessions", *map(str, arguments)])
        assert isinstance(exited.value.code, int)
        return (exited.value.code, *capfd.readouterr())

    return call


@pytest.fixture
def path() -> Path:
    return Settings.load().data_dir / "sessions.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    """Three sessions, of today, yesterday, and the day before."""
    draft = translated("a", None, "Our tokens are cheap.", "我们的标记很便宜。")
    undone = changed("b", draft, "Make it longer.", "我们所有的标记都很便宜。")
    better = changed("c", draft, 'Use "词元".', "我们的词元很便宜。")
    turns = [draft, undone, better, talked("d", "c", "Why?\nTell me.", "\x1b[31mBecause.\nSo.")]
    evening = translated("e", None, "Good evening.", "晚上好。")
    chat = [talked("f", None, "Hello?", "Good day, token."), failed("g", "f"), cut_off("h", "f")]
    with SessionStore.open(path) as store:
        for digits, kept, age in (
            (FIRST, session(turns, "d", title="Tokens\x1b]0;x\x07 are cheap"), 0),
            (SECOND, session([evening], "e", title="Good evening."), 1),
            (THIRD, replace(session(chat, "f", title="你好" * 30), model="bayling-2-7b"), 2),
        ):
            kept = replace(kept, id=digits + "0" * 24, created=NOON - age * DAY, changed=NOON - age * DAY)
            store.tables.add_session(kept)
            for turn in kept.turns:
                store.tables.add_turn(kept.id, turn)
    return path


def failed(turn: str, parent: str) -> StoredTurn:
    return StoredTurn(turn, parent, Plan(Kind.CHAT, "And?", "And?"), TurnState.FAILED, reason="It was too long.")


def cut_off(turn: str, parent: str) -> StoredTurn:
    plan = Plan(Kind.TRANSLATION, "Good morning.", "Good morning.", None, ZH)
    return StoredTurn(turn, parent, plan, TurnState.RUNNING, "早上")


def kept_ids(path: Path) -> list[str]:
    with SessionStore.open(path) as store:
        return [summary.short_id for summary in store.summaries()]


def test_a_list(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = run("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["ID", "CHANGED", "TURNS", "LANGUAGES", "MODEL", "TITLE"]
    assert lines[1] == "aaaa1111  2026-03-01 12:00  3      en→zh      bayling-tiny  Tokens are cheap"
    assert [line[:8] for line in lines[1:]] == [FIRST, SECOND, THIRD]
    assert "\x1b" not in out
    assert run("list", "-n", 1)[1].splitlines()[1:] == lines[1:2]
    # Titles have what the terminal leaves for them.
    monkeypatch.setenv("COLUMNS", "80")
    *_, last = run("list")[1].splitlines()
    assert last.endswith("bayling-2-7b  " + "你好" * 4 + "你…")
    monkeypatch.setenv("COLUMNS", "40")
    assert ("你好" * 30) in run("list")[1]


def test_a_list_for_programs(run: Run, filled: Path) -> None:
    values = [json.loads(line) for line in run("list", "--json")[1].splitlines()]
    assert [value["turns"] for value in values] == [3, 1, 2]
    assert values[0] == {
        "id": FIRST + "0" * 24,
        "title": "Tokens\x1b]0;x\x07 are cheap",
        "model": "bayling-tiny",
        "created": datetime.fromtimestamp(NOON, UTC).isoformat(),
        "changed": datetime.fromtimestamp(NOON, UTC).isoformat(),
        "languages": [{"from": "en", "to": "zh"}],
        "turns": 3,
    }


def test_nothing_is_kept_yet(run: Run, path: Path) -> None:
    for arguments in (["list"], ["show"], ["rm", "--all"], ["search", "x"]):
        status, out, err = run(*arguments)
        assert (status, out) == (0, "")
        assert err
    assert run("list", "--json")[1:] == ("", "")
    for arguments in (["show", "aaaa"], ["rm", "aaaa"]):
        status, _, err = run(*arguments)
        assert status == 2
        assert "none is kept yet" in err
    assert not path.exists()


def test_a_session_is_shown_as_it_went(run: Run, filled: Path) -> None:
    status, out, err = run("show", "aaaa1")
    assert status == 0
    assert "One turn that was undone" in err
    assert [line for line in out.splitlines() if line[:1] != "["] == [
        "aaaa1111 · Tokens are cheap · bayling-tiny · 2026-03-01 12:00",
        "",
        "> Our tokens are cheap.",
        "我们的标记很便宜。",
        "",
        '> Use "词元".',
        "我们的词元很便宜。",
        "",
        "> Why?",
        "> Tell me.",
        "Because.",
        "So.",
    ]
    headings = [line.split(" · ") for line in out.splitlines() if line[:1] == "["]
    assert [heading[0][:3] for heading in headings] == ["[1]", "[3]", "[4]"]
    assert [heading[1:] for heading in headings] == [["translation en→zh"], ["refinement en→zh"], ["chat"]]


def test_all_of_a_session_is_shown_with_what_was_undone(run: Run, filled: Path) -> None:
    out, err = run("show", "aaaa1", "--all")[1:]
    assert err == ""
    headings = [line.split(" · ") for line in out.splitlines() if line[:1] == "["]
    assert [heading[2:] for heading in headings] == [[], ["undone or answered anew"], ["after [1]"], []]
    assert "我们所有的标记都很便宜。" in out


def test_what_came_to_nothing_is_shown_too(run: Run, filled: Path) -> None:
    out, err = run("show", "bbbb")[1:]
    assert err == ""
    headings = [line.split(" · ")[1:] for line in out.splitlines() if line[:1] == "["]
    assert headings == [["chat"], ["chat", "no answer: It was too long."], ["translation →zh", "not finished"]]
    assert "> And?" in out
    assert out.endswith("早上\n")


def test_without_an_id_the_last_session_is_shown(run: Run, filled: Path) -> None:
    assert run("show")[1] == run("show", FIRST)[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aaaa", "Several sessions begin with aaaa: aaaa1111 (Tokens are cheap), aaaa2222 (Good evening.)"),
        ("bbbb3334", "Did you mean bbbb3333"),
        ("zz", "`bayling sessions list`"),
    ],
)
def test_an_id_that_names_no_session(run: Run, filled: Path, name: str, said: str) -> None:
    for command in ("show", "rm"):
        status, out, err = run(command, name)
        assert (status, out) == (2, "")
        assert said in err
    assert len(kept_ids(filled)) == 3


def test_turns_are_found_by_their_words(run: Run, filled: Path) -> None:
    status, out, _ = run("search", "TOKEN")
    assert status == 0
    assert out.splitlines() == [
        f"bbbb3333 2026-02-27 12:00 {'你好' * 30}",
        "  [1] Good day, token.",
        "aaaa1111 2026-03-01 12:00 Tokens are cheap",
        "  [1] > Our tokens are cheap.",
    ]
    assert run("search", "TOKEN", "标记")[1].splitlines()[1:] == ["  [1] > Our tokens are cheap."]
    assert run("search", "because")[1].splitlines()[1:] == ["  [4] Because. So."]
    assert "No turn holds this" in run("search", "token", "晚上")[2]
    status, _, err = run("search", " ")
    assert status == 2
    assert "cannot be empty" in err


def test_hits_for_programs_and_no_more_than_wanted(run: Run, filled: Path) -> None:
    out, err = run("search", "good", "--json", "-n", 2)[1:]
    values = [json.loads(line) for line in out.splitlines()]
    assert [(value["session"][:8], value["turn"], value["in"]) for value in values] == [
        (THIRD, 3, "typed"),
        (THIRD, 1, "answer"),
    ]
    assert "There are more" in err


def test_sessions_are_removed_when_it_is_meant(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = run("rm", "aaaa1")
    assert status == 2
    assert "aaaa1111" in err
    assert "--yes" in err
    assert len(kept_ids(filled)) == 3
    status, _, err = run("rm", "aaaa1", "aaaa1111", "-y")
    assert (status, err) == (0, "Removed one session.\n")
    assert kept_ids(filled) == [SECOND, THIRD]
    monkeypatch.setattr("sys.stdin", Answering("n\n"))
    assert run("rm", "aaaa2")[0] == 130
    monkeypatch.setattr("sys.stdin", Answering("y\n"))
    assert run("rm", "aaaa2")[0] == 0
    assert kept_ids(filled) == [THIRD]
    assert run("rm", "--all", "-y", "-q")[2] == ""
    assert kept_ids(filled) == []


def test_a_yes_may_be_chinese(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Answering("否\n"))
    assert run("rm", "aaaa2")[0] == 130
    monkeypatch.setattr("sys.stdin", Answering("是\n"))
    assert run("rm", "aaaa2")[0] == 0
    assert SECOND not in kept_ids(filled)


class Answering:
    """A terminal at which somebody answers."""

    def __init__(self, line: str) -> None:
        self._line = line

    def isatty(self) -> bool:
        return True

    def readline(self, _size: int = -1) -> str:
        line, self._line = self._line, ""
        return line


def test_old_sessions_are_removed_and_open_ones_stay(run: Run, filled: Path) -> None:
    with SessionStore.open(filled) as store:
        lock = store.lock(THIRD + "0" * 24)
        lock.take()
        status, _, err = run("rm", "--before", "2026-03-01", "--yes")
        assert status == 0
        assert "bbbb3333 is open in a chat and stays." in err
        assert kept_ids(filled) == [FIRST, THIRD]
        status, _, err = run("rm", "bbbb", "--yes")
        assert status == 2
        assert "open in another chat" in err
        lock.release()


@pytest.mark.parametrize(("date", "n_left"), [("0001-01-01", 3), ("1900-01-01", 3), ("9999-12-31T23:59", 0)])
def test_any_date_can_be_one_before_which_they_go(run: Run, filled: Path, date: str, n_left: int) -> None:
    status, _, err = run("rm", "--before", date, "--yes")
    assert (status, len(kept_ids(filled))) == (0, n_left), err


@pytest.mark.parametrize("arguments", [[], ["aaaa1", "--all"], ["--all", "--before", "2026-03-01"]])
def test_what_to_remove_has_to_be_said_in_one_way(run: Run, filled: Path, arguments: list[str]) -> None:
    status, _, err = run("rm", *arguments, "--yes")
    assert status == 2
    assert "either ids, or --before DATE, or --all" in err
    assert len(kept_ids(filled)) == 3


def test_what_cannot_be_read_can_be_thrown_away(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("Dear diary, " * 500)
    for arguments in (["list"], ["show"], ["search", "x"], ["rm", "aaaa", "-y"]):
        status, _, err = run(*arguments)
        assert status == 1
        assert "damaged" in err
    status, _, err = run("rm", "--all")
    assert status == 2
    assert "with all that is in it" in err
    assert path.exists()
    assert run("rm", "--all", "-y")[0] == 0
    assert not path.exists()


def test_commands_are_listed_without_what_they_need(run: Run) -> None:
    out = run("--help")[1]
    for name in ("list", "show", "search", "export", "rm"):
        assert f"  {name} " in out
    status, _, err = run("lst")
    assert status == 2
    assert "Did you mean list?" in err
