"""Over-generation: what a model says besides the translation."""

from __future__ import annotations

import re

from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.pair import Pair

# Other turns of a conversation, special tokens, and the words of our own requests.
_TURN = re.compile(
    r"###\s*\w*|<\|[a-z_]+\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>"
    r"|(?:\b(?:Instruction|Response|Human|User|Assistant|Input|Output)|用户|助手|指令|回答)\s*[:：]"
    r"|Provide the \w+ translation for|提供这句话的|Make sure to include these words|确保包含这些词"
    r"|(?:Note for the translator|About the text|Style of the translation|给译者的说明|文本背景|译文风格)\s*[:：]"
    r"|not to be translated\s*\)?\s*[:：]|（不要翻译）"
)
# Something about the translation.
_REMARK = re.compile(
    r"(?i:\b(?:translation|translated text|translator's note|here is the translation|alternative translation"
    r"|übersetzung|alternative übersetzung|anmerkung des übersetzers|traduction|note du traducteur)\s*:)"
    r"|(?i:\bthis (?:sentence|phrase|text) (?:means|says|is)\b|\bdieser satz (?:bedeutet|sagt)\b"
    r"|\bcette phrase signifie\b)"
    r"|这(?:句话|个句子|段话)的意思是?"
    r"|(?:译文|翻译|原文|译者注|中文翻译|英文翻译|翻译结果)\s*[:：]"
)
_NOTE = re.compile(
    r"(?i:\b(?:note|notes|explanation|anmerkung|hinweis|erklärung|remarque|explication)\s?:)|(?:注意|说明|解释|注释|备注|注)[:：]"
)
# A source that speaks of such things itself.
_ABOUT_TEXT = re.compile(r"(?i)(?:translat|übersetz|tradu|译|翻)[^:：]{0,40}[:：]|sentence|phrase|text|satz|句|段")
_SHORTEST_NEIGHBOUR = 12


def overrun(pair: Pair) -> list[Problem]:
    """Fatal where something else certainly begins; to look at where it may be part of the text."""
    turn = begins_another_turn(pair)
    if turn is not None:
        return [turn]
    problems = []
    remark = _REMARK.search(pair.target)
    if remark and not _REMARK.search(pair.source) and not _ABOUT_TEXT.search(pair.source):
        problems.append(Problem(ProblemKind.OVERRUN, f"“{remark[0]}”"))
    note = _NOTE.search(pair.target)
    if note and note.start() > 0 and not re.search(r"[:：]", pair.source):
        problems.append(Problem(ProblemKind.OVERRUN, f"“{note[0]}”"))
    problems += _lines(pair)
    for text in pair.around:
        if len(text) >= _SHORTEST_NEIGHBOUR and text in pair.target and text not in pair.source:
            problems.append(Problem(ProblemKind.OVERRUN, "what stands beside the text is repeated"))
            break
    return problems[:1]


def begins_another_turn(pair: Pair) -> Problem | None:
    """Whether a text goes on with another turn of the conversation, or with our own request."""
    for found in _TURN.finditer(pair.target):
        word = re.sub(r"\W", "", found[0])
        if found[0] in pair.source or (
            found[0][-1] in ":：" and (word in pair.source or re.search(r"\w\s*[:：]", pair.source))
        ):
            continue
        return Problem(ProblemKind.OVERRUN, f"“{found[0]}”")
    return None


def _lines(pair: Pair) -> list[Problem]:
    """A blank line, or more than two lines, where the source has one."""
    if "\n" not in pair.raw.strip() or "\n" in pair.source:
        return []
    paragraphs = [part for part in re.split(r"\n\s*\n", pair.raw.strip()) if part.strip()]
    lines = [line for line in pair.raw.splitlines() if line.strip()]
    if len(paragraphs) > 1 or len(lines) > 2:
        return [Problem(ProblemKind.OVERRUN, f"{len(lines)} lines for one")]
    return []
