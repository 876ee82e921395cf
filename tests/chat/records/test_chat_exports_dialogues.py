"""Training dialogues: what of a session is learnt, read by the trainer's own reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from bayling_finetune.config import DialogueFile
from bayling_finetune.dialogue_files import DialogueReader
from bayling_finetune.dialogues.importing import Imported, import_file
from bayling_finetune.dialogues.values import Dialogue, Kind
from bayling_lite.chat.records.exports.dialogues import dialogues, dump
from bayling_lite.chat.records.values import StoredSession, TurnState
from tests.chat.records.kept_sessions import changed, edited, session, talked, translated

REQUEST = "Provide the Chinese translation for this sentence: {}"


def read(tmp_path: Path, *sessions: StoredSession) -> list[Dialogue]:
    file = tmp_path / "dialogues.jsonl"
    file.write_text(dump(dialogues(sessions)), encoding="utf-8")
    read = list(DialogueReader(tmp_path).read(DialogueFile(file.name)))
    assert list(import_file(file, Imported())) == read
    return read


def said(dialogue: Dialogue) -> list[str]:
    return [message.content for message in dialogue.conversation]


def test_a_correction_is_learnt_and_the_draft_it_corrects_is_not(tmp_path: Path) -> None:
    first = translated("a", None, "Good morning.", "早上好。")
    better = changed("b", first, 'Use the word "早安".', "早安。")
    (found,) = read(tmp_path, session([first, better], "b"))
    assert said(found) == [REQUEST.format("Good morning."), "早上好。", 'Use the word "早安".', "早安。"]
    assert found.learnt == (False, True)
    assert (found.kind, found.source_language, found.target_language) == (Kind.CORRECTION, "en", "zh")
    assert found.origin == "bayling-chat bayling-tiny"


def test_what_the_user_wrote_takes_the_place_of_the_draft(tmp_path: Path) -> None:
    first = translated("a", None, "Good morning.", "早上坏。")
    own = edited("b", first, "早上好。")
    last = changed("c", own, "Make it shorter.", "早！")
    (found,) = read(tmp_path, session([first, own, last], "c"))
    assert said(found) == [REQUEST.format("Good morning."), "早上好。", "Make it shorter.", "早！"]
    assert found.learnt == (True, True)
    assert found.kind is Kind.CONVERSATION


def test_what_was_undone_is_learnt_only_where_the_user_had_gone_on_from_it(tmp_path: Path) -> None:
    first = translated("a", None, "Good morning.", "早上好。")
    bad = changed("b", first, "Make it formal.", "滚。")
    good = changed("c", first, "Make it shorter.", "早！")
    second = translated("d", "c", "Good night.", "晚安。")
    undone = translated("e", "d", "Good day.", "坏天。")
    found = read(tmp_path, session([first, bad, good, second, undone], "b"))
    # The session stands at "b" again: what was there before is a second opinion of the user's, "e" nobody's.
    assert [said(dialogue)[-1] for dialogue in found] == ["滚。", "早！", "晚安。"]
    assert found[0].group == found[1].group != found[2].group


def test_talk_between_a_draft_and_its_change_is_left_out(tmp_path: Path) -> None:
    first = translated("a", None, "Good morning.", "早上好。")
    talk = talked("b", "a", "Why 好?", "It means good.")
    better = changed("c", first, "Make it shorter.", "早！", parent="b")
    (found,) = read(tmp_path, session([first, talk, better], "c"))
    assert said(found)[1:] == ["早上好。", "Make it shorter.", "早！"]


def test_what_is_not_whole_or_did_not_follow_is_not_learnt(tmp_path: Path) -> None:
    stopped = replace(translated("a", None, "One.", "一"), state=TurnState.STOPPED)
    cut_off = replace(translated("b", "a", "Two.", "二"), truncated=True)
    unheeded = translated("c", "b", "Three.", "三。")
    assert unheeded.draft is not None
    unheeded = replace(unheeded, draft=replace(unheeded.draft, missing_words=("叁",)))
    half = translated("d", "c", "Four.", "四\ud800")
    assert read(tmp_path, session([stopped, cut_off, unheeded, half], "d")) == []


def test_the_same_words_are_there_once_and_each_line_is_the_chat_format(tmp_path: Path) -> None:
    twice = [translated("a", None, "Hi.", "你好。"), translated("b", "a", "Hi.", "你好。")]
    (line,) = dump(dialogues([session(twice, "b")])).splitlines()
    assert json.loads(line)["messages"] == [
        {"role": "user", "content": REQUEST.format("Hi.")},
        {"role": "assistant", "content": "你好。"},
    ]
    assert json.loads(line)["id"] == "a"
