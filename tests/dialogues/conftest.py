"""Parallel text of made-up sentences, small enough to build in a second, with words an aligner can learn."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bayling_finetune.dialogues.values import Direction
from bayling_lite.languages import find_language

_WHO = {
    "The farmer": ("Der Bauer", "农民"),
    "My sister": ("Meine Schwester", "我妹妹"),
    "Our teacher": ("Unser Lehrer", "我们的老师"),
}
_DOES = {
    "buys": ("kauft", "买"),
    "sells": ("verkauft", "卖"),
    "needs": ("braucht", "需要"),
    "finds": ("findet", "找到"),
}
_WHAT = {
    "seven apples": ("sieben Äpfel", "七个苹果"),
    "green tea": ("grünen Tee", "绿茶"),
    "fresh bread": ("frisches Brot", "新鲜面包"),
    "an old bicycle": ("ein altes Fahrrad", "一辆旧自行车"),
    "three letters": ("drei Briefe", "三封信"),
}
_WHEN = {"today": ("heute", "今天"), "tomorrow": ("morgen", "明天"), "every morning": ("jeden Morgen", "每天早上")}


def sentences() -> list[tuple[str, str, str]]:
    """English, German, Chinese."""
    return [
        (f"{who} {does} {what} {when}.", f"{wer} {tut} {when_de} {was}.", f"{shui}{shihou}{zuo}{shenme}。")
        for (who, (wer, shui)), (does, (tut, zuo)), (what, (was, shenme)), (
            when,
            (when_de, shihou),
        ) in itertools.product(_WHO.items(), _DOES.items(), _WHAT.items(), _WHEN.items())
    ]


@pytest.fixture(scope="session")
def german_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """180 pairs, English and German."""
    path = tmp_path_factory.mktemp("german") / "made-up.en-de.tsv"
    path.write_text("".join(f"{english}\t{german}\n" for english, german, _ in sentences()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def chinese_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """180 pairs, English and Chinese."""
    path = tmp_path_factory.mktemp("chinese") / "made-up.en-zh.tsv"
    path.write_text("".join(f"{english}\t{chinese}\n" for english, _, chinese in sentences()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def pairs() -> list[Direction]:
    """The same pairs as values, and some with contractions, with 你, and with a shorter translation beside them."""
    english, german, chinese = map(find_language, ("en", "de", "zh"))
    informal = [
        Direction(f"I don't know what you {verb} {when}.", f"我不知道你{when_zh}{verb_zh}什么。", english, chinese)
        for verb, verb_zh in (("buy", "买"), ("sell", "卖"), ("need", "需要"))
        for when, (_, when_zh) in _WHEN.items()
    ]
    shorter = [Direction(en, f"{de.split()[0]} kauft.", english, german) for en, de, _ in sentences()[:8]]
    return [
        *(Direction(en, de, english, german) for en, de, _ in sentences()),
        *(Direction(en, zh, english, chinese) for en, _, zh in sentences()),
        *(*informal, *shorter),
    ]
