"""The dialogues that calibrate, and those that measure: ours, parallel, and strictly apart."""

from __future__ import annotations

import itertools
import re

import pytest

from bayling_convert.importance.calibration import (
    LANGUAGES,
    Sentence,
    calibration_dialogues,
    calibration_name,
    held_out_dialogues,
)
from bayling_lite.errors import UsageError
from bayling_lite.languages import detect_language, find_language
from bayling_lite.messages import Conversation, Role

_ASKED = re.compile(r"Provide the (\w+) translation for this sentence: ([^\n]*)|提供这句话的(\w+)翻译：([^\n]*)")


def translations(dialogues: list[Conversation]) -> list[tuple[str, str, str]]:
    """(source sentence, language asked for, first answer) of everything translated."""
    found = []
    for dialogue in dialogues:
        for request, answer in itertools.pairwise(dialogue):
            if request.role is Role.USER and (asked := _ASKED.match(request.content)):
                english, text, chinese, chinese_text = asked.groups()
                found.append((text or chinese_text, find_language(english or chinese).code, answer.content))
    return found


def sentences(dialogues: list[Conversation]) -> set[str]:
    answers = {message.content for dialogue in dialogues for message in dialogue if message.role is Role.ASSISTANT}
    return answers | {source for source, _, _ in translations(dialogues)}


def test_no_sentence_is_on_both_sides() -> None:
    calibrating, held_out = (sentences(make((), 2000)) for make in (calibration_dialogues, held_out_dialogues))
    assert not calibrating & held_out
    # Two wordings of 36 sentences in four languages.
    assert len(calibrating) == len(held_out) == 36 * 2 * 4


def test_every_direction_and_nothing_else() -> None:
    for languages in (("en", "zh"), ("fr", "de", "en"), LANGUAGES):
        dialogues = calibration_dialogues(languages, 150)
        directions = {(detect_language(source), code) for source, code, _ in translations(dialogues)}
        codes = {(source.code if source else None, target) for source, target in directions}
        # A short sentence may be taken for a neighbour's, so only what must be there is asked for by name.
        assert {target for _, target in codes} == set(languages)
        assert ("zh" in {source for source, _ in codes}) is ("zh" in languages)
        assert len(codes) >= len(languages) * (len(languages) - 1)


def test_both_wordings_and_every_kind_of_turn() -> None:
    asked = "\n".join(message.content for dialogue in calibration_dialogues((), 200) for message in dialogue)
    for wording in (
        "Provide the ",
        "提供这句话的",
        "Make sure to include",
        "确保包含",
        "Use the word",
        "请使用“",
        "Fix ",
        "请改正“",
    ):
        assert wording in asked
    lengths = {len(dialogue) for dialogue in calibration_dialogues((), 200)}
    assert 2 in lengths
    assert max(lengths) > 8
    assert all(dialogue.messages[-1].role is Role.ASSISTANT for dialogue in calibration_dialogues((), 200))


def test_a_refined_draft_has_what_was_asked_for() -> None:
    checked = 0
    for dialogue in (*calibration_dialogues((), 300), *held_out_dialogues((), 300)):
        for request, answer in itertools.pairwise(dialogue):
            found = re.fullmatch(
                r'Use the word "(.+)"\.|请使用“(.+)”这个词。|Fix ".+": it should be "(.+)"\.|请改正“.+”，应为“(.+)”。',
                request.content,
            )
            if request.role is Role.USER and found:
                assert next(filter(None, found.groups())) in answer.content
                checked += 1
    assert checked > 500


def test_the_same_arguments_give_the_same_dialogues() -> None:
    assert calibration_dialogues(("en", "zh"), 20) == calibration_dialogues(("zh", "en"), 20)
    assert calibration_dialogues(("en", "zh"), 20)[:5] == calibration_dialogues(("en", "zh"), 5)
    assert calibration_dialogues(("en", "zh"), 20) != calibration_dialogues(("en", "zh"), 20, seed=1)


def test_languages_without_sentences_are_left_out() -> None:
    assert calibration_dialogues(("en", "ja", "zh-CN"), 9) == calibration_dialogues(("en", "zh"), 9)
    everything = calibration_dialogues(LANGUAGES, 9)
    for few in ((), ("ja",), ("en", "ja"), ("xx",)):
        assert calibration_dialogues(few, 9) == everything
    assert calibration_name(("zh", "ja", "en")) == "bayling refinement dialogues (en, zh)"
    assert calibration_name() == "bayling refinement dialogues (en, zh, de, fr)"


def test_slips() -> None:
    assert calibration_dialogues((), 0) == []
    with pytest.raises(UsageError):
        held_out_dialogues((), -1)
    with pytest.raises(ValueError, match="draft"):
        Sentence.parse("nothing to change")
