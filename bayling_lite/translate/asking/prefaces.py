"""What is said to a model before the paper's sentence when a document is translated.

It stands on lines of its own, and what is the same for a whole text comes first: the engine evaluates a common
beginning once. Nothing of it was trained on; a model follows it as it follows instructions.
"""

from __future__ import annotations

from collections.abc import Iterable

from bayling_lite.prompts import Wording

_TEXT_PREFACE = {
    Wording.ENGLISH: {
        "context": "About the text: {}",
        "style": "Style of the translation: {}",
        "formal": "Write the translation in a formal tone, with the polite forms of address.",
        "informal": "Write the translation in an informal tone, with the familiar forms of address.",
    },
    Wording.CHINESE: {
        "context": "文本背景：{}",
        "style": "译文风格：{}",
        "formal": "译文请使用正式的语气和敬称。",
        "informal": "译文请使用非正式的语气，不用敬称。",
    },
}
_SENTENCE_PREFACE = {
    Wording.ENGLISH: {
        "tags": "Keep every tag such as <1>, </1> or <2/>, each once, at the words it belongs to.",
        "notes": "Note for the translator: {}",
        "before": "The text before the sentence, not to be translated: {}",
        "after": "The text after the sentence, not to be translated: {}",
    },
    Wording.CHINESE: {
        "tags": "保留每个标签，如<1>、</1>、<2/>，各出现一次，放在对应的词旁。",
        "notes": "给译者的说明：{}",
        "before": "句子的上文（不要翻译）：{}",
        "after": "句子的下文（不要翻译）：{}",
    },
}


def text_preface(
    *, context: str = "", style: str = "", formality: str | None = None, instruction: str = "", wording: Wording
) -> str:
    """What holds for a whole text, to stand before the request for each of its sentences: a line each, or nothing.

    ``formality`` is ``formal`` or ``informal``.
    """
    frames = _TEXT_PREFACE[wording]
    lines = [
        frames["context"].format(_one_line(context)) if context else "",
        frames["style"].format(_one_line(style)) if style else "",
        frames[formality] if formality else "",
        _one_line(instruction),
    ]
    return _lines(lines)


def sentence_preface(
    *, tags: bool = False, notes: str = "", before: Iterable[str] = (), after: Iterable[str] = (), wording: Wording
) -> str:
    """What holds for one sentence, to stand before the request for it: a line each, or nothing.

    ``tags`` asks to keep the tags in it, ``notes`` is what somebody noted for its translators, ``before`` and ``after``
    are the sentences around it.
    """
    frames = _SENTENCE_PREFACE[wording]
    space = "" if wording is Wording.CHINESE else " "
    left, right = (space.join(map(_one_line, texts)) for texts in (before, after))
    lines = [
        frames["tags"] if tags else "",
        frames["notes"].format(_one_line(notes)) if notes else "",
        frames["before"].format(left) if left else "",
        frames["after"].format(right) if right else "",
    ]
    return _lines(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines if line)
